"""Where a helper party's local work is done: in this process, or by the workers of an executor.

Local work is a pure function of what the helper party holds. So it may be done anywhere that the helper
party trusts, in any order, and gives the same: workers of a process pool, of Dask or of Ray.
"""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

from ipa.errors import IpaError, WorkerError

Result = TypeVar("Result")

UNDER_WAY = 16
"""Tasks that are handed over at most before the first of them is done: more would fill the memory."""


def map_tasks(
    executor: Executor | None,
    function: Callable[..., Result],
    tasks: Iterable[tuple[Any, ...]],
    step: str,
) -> list[Result]:
    """function(*task) for every task, in the order of the tasks; in place where `executor` is None.

    `function` is one of a module, so that a worker finds it by its name, and tasks are made one by one,
    as they are handed over. `step` is where the network is, for the error.

    Raises: WorkerError when a task does not come back; what the function raises of the library's errors.
    """
    if executor is None:
        return [function(*task) for task in tasks]
    results: list[Result] = []
    under_way: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            if len(under_way) == UNDER_WAY:
                results.append(under_way.popleft().result())
            under_way.append(executor.submit(function, *task))
        while under_way:
            results.append(under_way.popleft().result())
    except IpaError:
        raise
    except Exception as error:  # each executor has its own for a worker that died
        raise WorkerError(f"{step}: a worker failed: {type(error).__name__}") from error
    finally:
        for future in under_way:
            future.cancel()
    return results
