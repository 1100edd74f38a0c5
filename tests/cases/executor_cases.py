"""Executors for the tests of work that is handed over, and work to hand to them."""

import os
import pickle
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any


@dataclass
class PicklingExecutor(Executor):
    """Runs every task at once, after it went through pickle as it would to another process.

    `sizes` has the bytes of every task that was submitted.
    """

    sizes: list[int] = field(default_factory=list)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of the task, which is done."""
        future: Future[Any] = Future()
        data = pickle.dumps((fn, args, kwargs))
        self.sizes.append(len(data))
        function, arguments, options = pickle.loads(data)
        try:
            future.set_result(pickle.loads(pickle.dumps(function(*arguments, **options))))
        except Exception as error:
            future.set_exception(error)
        return future


@dataclass
class DeadlyExecutor(Executor):
    """Hands tasks to `pool`; the one after `before` tasks ends the worker that takes it."""

    pool: Executor
    before: int

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The future of the task, or of its worker's end."""
        self.before -= 1
        if self.before == -1:
            return self.pool.submit(os._exit, 9)
        return self.pool.submit(fn, *args, **kwargs)


def process_pool(workers: int = 1) -> ProcessPoolExecutor:
    """A pool of processes that take over nothing of this one."""
    return ProcessPoolExecutor(workers, get_context("spawn"))
