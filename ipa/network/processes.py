"""Starting and ending the processes of helper parties, so that none outlives what it is for.

A worker process of a command is started like them.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import IO, cast

from ipa.errors import ParameterError
from ipa.network.helper_process import read_frame, write_message

# The process gets this one's path of imports and not the directory where it runs, where a file may be
# called like a module. This process's main module is not imported: it may have no guard.
_PROGRAM = """\
import sys
from importlib import import_module
sys.path[:] = sys.argv[2:]
import_module(sys.argv[1]).main()
"""

_SECONDS_TO_END = 5.0

Inbox = SimpleQueue[tuple[int, bytes | None]]
"""What the processes tell, by helper: pickled messages, and None when one tells nothing more."""


@dataclass(frozen=True)
class HelperProcess:
    """The process of a helper party, with the thread that puts what it tells into the inbox."""

    popen: subprocess.Popen[bytes]
    listener: Thread

    def tell(self, message: object) -> None:
        """Send it a message. If nobody reads it any more, the inbox says so.

        Raises: what pickling raises, when the message cannot be handed over.
        """
        with suppress(BrokenPipeError):
            write_message(cast(IO[bytes], self.popen.stdin), message)

    def ending(self) -> str:
        """How it came to its end, once it tells nothing more."""
        try:
            status = self.popen.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            return "its process tells nothing more"
        if status < 0:
            return f"its process was killed by {signal.Signals(-status).name}"
        return f"its process ended with exit status {status}"

    def stop(self) -> None:
        """End it, if it has not ended by itself, and leave nothing of it."""
        self.popen.kill()
        self.popen.wait()
        self.listener.join()
        for stream in (self.popen.stdin, self.popen.stdout):
            cast(IO[bytes], stream).close()


@contextmanager
def helper_processes(
    descriptors: Mapping[int, Sequence[int]], inbox: Inbox
) -> Iterator[dict[int, HelperProcess]]:
    """A process for each helper, which inherits its descriptors; ended with the context.

    Raises: ParameterError where processes cannot be started this way.
    """
    if os.name != "posix" or not sys.executable:
        raise ParameterError("helper parties run apart where there is POSIX and a Python to start")
    with ExitStack() as stack:
        processes = {}
        with interrupts_held_back():
            for helper, own in descriptors.items():
                processes[helper] = _start(helper, own, inbox)
                stack.callback(processes[helper].stop)
        yield processes


def _start(helper: int, descriptors: Sequence[int], inbox: Inbox) -> HelperProcess:
    popen = start_process("ipa.network.helper_process", descriptors)
    listener = Thread(target=_listen, args=(helper, popen.stdout, inbox), daemon=True)
    listener.start()
    return HelperProcess(popen, listener)


def start_process(module: str, descriptors: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """A process that runs the module's `main`; standard input and output are pipes to this process."""
    path = [entry for entry in sys.path if isinstance(entry, str)]
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM, module, *path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        pass_fds=descriptors,
    )


def _listen(helper: int, stream: IO[bytes], inbox: Inbox) -> None:
    try:
        with suppress(EOFError):
            while True:
                inbox.put((helper, read_frame(stream)))
    finally:  # whatever it was, nothing more comes
        inbox.put((helper, None))


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """SIGINT and SIGTERM wait: here until the end, and for good in what is started meanwhile.

    A terminal sends them to all processes. This one alone decides what they mean. Threads that are
    started meanwhile do not take them either, so that they wait later on as well.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
