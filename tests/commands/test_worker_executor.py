"""The executor of `--workers`: what becomes of tasks, of their errors, and of the workers in the end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor
from pickle import PicklingError
from queue import SimpleQueue

import pytest

import ipa.commands.worker_executor
from ipa.commands.worker_executor import WorkerExecutor
from ipa.commands.workers import worker_processes
from ipa.errors import ParameterError
from ipa.network.processes import interrupts_held_back, start_process
from ipa.ranges import check_integer

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "pthread_sigmask"), reason="signals are POSIX's here"
)
BOTH = {signal.SIGINT, signal.SIGTERM}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that are started."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(module: str) -> subprocess.Popen[bytes]:
        processes.append(start_process(module))
        return processes[-1]

    monkeypatch.setattr(ipa.commands.worker_executor, "start_process", start)
    return processes


@pytest.fixture
def pool() -> Iterator[Executor]:
    with worker_processes(1) as executor:
        assert executor is not None
        yield executor


def test_a_task_is_done_elsewhere_and_its_errors_come_back(pool: Executor) -> None:
    assert pool.submit(os.getpid).result(60) != os.getpid()
    assert pool.submit(int, "1f", base=16).result(60) == 31
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 1, 0).result(60)
    with pytest.raises(ParameterError, match=r"^some must be an integer from 1 to 3"):
        pool.submit(check_integer, "some", 4, 1, 3).result(60)
    with pytest.raises((AttributeError, PicklingError), match="pickle"):
        pool.submit(lambda: 5).result(60)
    pool.submit(print, "is no message").result(60)
    assert pool.submit(divmod, 7, 2).result(60) == (3, 1)


def test_a_task_that_is_cancelled_is_not_done(pool: Executor) -> None:
    busy = pool.submit(time.sleep, 0.2)
    cancelled = pool.submit(os._exit, 1)
    assert cancelled.cancel()
    assert busy.result(60) is None
    assert pool.submit(divmod, 7, 2).result(60) == (3, 1)


def test_workers_hold_signals_back_and_threads_leave_them_to_the_first() -> None:
    with worker_processes(2) as executor:
        assert executor is not None
        masks = [executor.submit(signal.pthread_sigmask, signal.SIG_BLOCK, []) for _ in range(6)]
        assert all(mask.result(60) >= BOTH for mask in masks)
        assert not BOTH & signal.pthread_sigmask(signal.SIG_BLOCK, [])
        of_thread: SimpleQueue[set[int | signal.Signals]] = SimpleQueue()
        executor.submit(time.sleep, 0.2).add_done_callback(
            lambda _: of_thread.put(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        )
        assert of_thread.get(timeout=60) >= BOTH


def test_a_worker_that_dies_fails_its_task(pool: Executor) -> None:
    for _ in range(2):
        with pytest.raises(BrokenExecutor, match="the worker has ended"):
            pool.submit(os._exit, 1).result(60)


def test_the_end_waits_for_no_task(started: list[subprocess.Popen[bytes]]) -> None:
    with worker_processes(2) as executor:
        assert executor is not None
        futures = [executor.submit(time.sleep, 600) for _ in range(6)]
    assert [process.returncode for process in started] == [-signal.SIGKILL] * 2
    for future in futures:
        with pytest.raises(BrokenExecutor):
            future.result(60)


def test_the_end_does_not_wait_for_a_future_that_stays_locked(
    started: list[subprocess.Popen[bytes]],
) -> None:
    """As an interrupt leaves it that comes just when the lock has been taken."""
    with worker_processes(1) as executor:
        assert executor is not None
        future = executor.submit(time.sleep, 600)
        while not future.running():
            time.sleep(0.01)
        future._condition.acquire()
    future._condition.release()
    assert started[0].returncode == -signal.SIGKILL


def test_an_interrupt_while_workers_start_ends_them_all(
    started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    start: Callable[[str], subprocess.Popen[bytes]]
    start = vars(ipa.commands.worker_executor)["start_process"]

    def interrupted(module: str) -> subprocess.Popen[bytes]:
        process = start(module)
        signal.raise_signal(signal.SIGINT)
        return process

    monkeypatch.setattr(ipa.commands.worker_executor, "start_process", interrupted)
    with pytest.raises(KeyboardInterrupt), worker_processes(2):
        pytest.fail("an interrupt was lost")
    assert [process.returncode for process in started] == [-signal.SIGKILL] * 2


def test_an_interrupt_while_workers_end_waits_for_their_end(
    started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = WorkerExecutor.stop

    def interrupted(executor: WorkerExecutor) -> None:
        signal.raise_signal(signal.SIGINT)
        stop(executor)

    monkeypatch.setattr(WorkerExecutor, "stop", interrupted)
    with pytest.raises(KeyboardInterrupt), worker_processes(2):
        pass
    assert [process.returncode for process in started] == [-signal.SIGKILL] * 2


def test_signals_are_held_back_and_not_lost() -> None:
    came: list[int] = []
    before = {number: signal.signal(number, lambda got, _: came.append(got)) for number in BOTH}
    try:
        with interrupts_held_back():
            for number in BOTH:
                signal.raise_signal(number)
            assert not came
        assert set(came) == BOTH
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
