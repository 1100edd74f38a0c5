"""The worker processes of a command that is given `--workers`."""

import argparse
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from ipa.errors import ParameterError
from ipa.ranges import check_integer

MOST_WORKERS = 61
"""Far more than a query can keep busy."""


def check_workers(arguments: argparse.Namespace) -> None:
    """Check, before any work, that the option makes sense.

    Raises: ParameterError for a number out of range, and where workers would have nothing to do or
        cannot be.
    """
    if arguments.workers is None:
        return
    check_integer("--workers", arguments.workers, 1, MOST_WORKERS)
    if arguments.apart:
        raise ParameterError(
            "--workers and --apart do not go together: helper parties apart have a process each"
        )
    if arguments.security != "malicious":
        raise ParameterError(
            "--workers share the check of products: it needs --security malicious, which is the default"
        )


@contextmanager
def worker_processes(count: int | None) -> Iterator[Executor | None]:
    """So many processes, which end with the context, whatever they are at; no executor for None."""
    if count is None:
        yield None
        return
    # Imported here: most queries have no workers.
    from ipa.commands.worker_executor import WorkerExecutor
    from ipa.network.processes import interrupts_held_back

    workers = WorkerExecutor()
    try:
        with interrupts_held_back():
            workers.start(count)
        yield workers
    finally:
        with interrupts_held_back():
            workers.stop()
