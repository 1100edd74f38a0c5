"""The worker processes of a command that is given `--workers`."""

import argparse
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from threading import Thread

from ipa.errors import ParameterError
from ipa.ranges import check_integer

MOST_WORKERS = 61
"""As many as a process pool can have on every operating system."""


def check_workers(arguments: argparse.Namespace) -> None:
    """Check, before any work, that the option makes sense.

    Raises: ParameterError for a number out of range, and where workers would have nothing to do.
    """
    if arguments.workers is None:
        return
    check_integer("--workers", arguments.workers, 1, MOST_WORKERS)
    if arguments.security != "malicious":
        raise ParameterError(
            "--workers share the check of products: it needs --security malicious, which is the default"
        )


@contextmanager
def worker_processes(count: int | None) -> Iterator[Executor | None]:
    """So many processes, which end with the context; no executor for None.

    Ctrl-C and errors are this process's to handle: the workers finish what they are at, quietly.
    """
    if count is None:
        yield None
        return
    # Imported here: most queries have no workers.
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Spawned, so that they are the same everywhere and take over nothing of this process.
    with ProcessPoolExecutor(count, get_context("spawn"), _end_with_parent) as executor:
        with _interrupts_held_back():
            executor.submit(os.getpid)
        yield executor


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let Ctrl-C wait. A process that is started meanwhile never sees it, since it inherits the mask."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows: workers that start complain of a Ctrl-C
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """Let a worker end when the process that it works for has been killed."""
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
