"""An executor of worker processes that can be ended at any moment, and what such a process runs.

A pool of `concurrent.futures` is not used: its processes share locks, and one that an interrupt ends
while it holds a lock, or while tasks are being cancelled, leaves the others waiting for ever. Here each
worker has pipes and a thread of its own, and ending it takes nothing but to kill it.
"""

import pickle
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any, cast

from ipa.network.helper_process import Failed, Line, read_frame, write_message
from ipa.network.processes import start_process

_SECONDS_TO_END = 1.0

_Task = tuple[Future[Any], Callable[[], Any]]


class WorkerExecutor(Executor):
    """Hands each task to a worker process that is free, once there is one."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._workers: list[tuple[subprocess.Popen[bytes], Thread]] = []

    def start(self, count: int) -> None:
        """Start so many workers; not to be interrupted, since each must be known to be stopped."""
        for _ in range(count):
            process = start_process(__name__)
            thread = Thread(target=_hand_over, args=(process, self._tasks), daemon=True)
            self._workers.append((process, thread))
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of the task; BrokenExecutor is its exception when the worker has died."""
        future: Future[Any] = Future()
        self._tasks.put((future, partial(fn, *args, **kwargs)))
        return future

    def stop(self) -> None:
        """Kill the workers. Tasks that are not done will not be."""
        for process, _ in self._workers:
            process.kill()
            self._tasks.put(None)
        for process, thread in self._workers:
            process.wait()
            # An interrupt may have left a future locked, and then its thread waits for ever.
            thread.join(_SECONDS_TO_END)
            for stream in (process.stdin, process.stdout):
                cast(IO[bytes], stream).close()


def _hand_over(process: subprocess.Popen[bytes], tasks: SimpleQueue[_Task | None]) -> None:
    """Let the worker do one task after the other, until there is None."""
    while task := tasks.get():
        future, call = task
        if not future.set_running_or_notify_cancel():
            continue
        try:
            write_message(cast(IO[bytes], process.stdin), call)
            done = pickle.loads(read_frame(cast(IO[bytes], process.stdout)))
        except (EOFError, OSError):
            future.set_exception(BrokenExecutor("the worker has ended"))
        except Exception as error:  # what cannot be pickled
            future.set_exception(error)
        else:
            if isinstance(done, Failed):
                future.set_exception(done.error())
            else:
                future.set_result(done)


def main() -> None:
    """Do the tasks that come, until no more can come."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it cannot be held back
    line = Line()
    while True:
        call = line.receive()
        try:
            done = call()
        except Exception as error:
            done = Failed.by(error)
        line.send(done)
