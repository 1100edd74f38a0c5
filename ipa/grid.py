"""Grids of queries: many parameters and many workloads, at once where there is an executor.

What a researcher does with a cluster: which cap, which epsilon, which way of attribution, on which events.
Each query is one task, so that any number of workers is kept busy.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from ipa.errors import GridError, IpaError
from ipa.events import Event, check_events
from ipa.network.simulation import RunOptions
from ipa.parameters import QueryParameters
from ipa.query import QueryResult, run_query
from ipa.ranges import check_integer
from ipa.result import check_noise_is_said

UNDER_WAY = 256
"""Queries that are handed over at most before one of them is done: each takes the events along."""

OnDone = Callable[[int, QueryResult], None]
"""What is told of a query that is done: its position in the grid, and the result."""


@dataclass(frozen=True)
class GridQuery:
    """A query of a grid: its events, which stay out of `repr`, and its parameters."""

    events: Sequence[Event] = field(repr=False)
    parameters: QueryParameters


def run_queries(
    events: Iterable[Event],
    grid: Iterable[QueryParameters],
    *,
    no_noise: bool = False,
    seed: int | None = None,
    executor: Executor | None = None,
    on_done: OnDone | None = None,
) -> list[QueryResult]:
    """Run a query over the same events for each of `grid`: caps, epsilons, ways of attribution.

    It is `run_grid` for one workload.
    """
    same = list(events)
    return run_grid(
        (GridQuery(same, parameters) for parameters in grid),
        no_noise=no_noise,
        seed=seed,
        executor=executor,
        on_done=on_done,
    )


def run_grid(
    grid: Iterable[GridQuery],
    *,
    no_noise: bool = False,
    seed: int | None = None,
    executor: Executor | None = None,
    on_done: OnDone | None = None,
) -> list[QueryResult]:
    """Run every query of the grid, and give the results in the order of the grid.

    With an `executor` of any kind the queries run on its workers, who see the events; without, one after
    another here. From a `seed` every query gets one of its own by its position, so the results are the
    same either way. `on_done` is called in this process when a query is done, in any order (progress).
    `no_noise` is as for `run_query`, for all of them.

    This is for made-up events and those that may be seen in the clear. What the noisy answers of a grid
    promise adds up: the epsilon of all of them together is the sum of theirs.

    Raises: GridError, which names the query: before any work for what `run_query` refuses, later for a
        query that fails or whose worker does. ParameterError for a seed that is no integer of at least 0.
    """
    queries = _checked(grid, seed, no_noise=no_noise)
    results: dict[int, QueryResult] = {}
    under_way: dict[Future[QueryResult], int] = {}

    def take(done: Iterable[Future[QueryResult]]) -> None:
        """Keep the results of queries that are done."""
        for future in sorted(done, key=lambda each: under_way[each]):
            position = under_way.pop(future)
            try:
                results[position] = future.result()
            except Exception as error:  # each executor has its own for a worker that died
                raise _failed(position, queries[position], error) from error
            if on_done is not None:
                on_done(position, results[position])

    try:
        for position, query in enumerate(queries):
            task = (position, query, no_noise, seed_of_query(seed, position))
            under_way[_submitted(executor, task)] = position
            take([future for future in under_way if future.done()])
            if len(under_way) == UNDER_WAY:
                take(wait(under_way, return_when=FIRST_COMPLETED).done)
        while under_way:
            take(wait(under_way, return_when=FIRST_COMPLETED).done)
    finally:
        for future in under_way:
            future.cancel()
    return [results[position] for position in range(len(queries))]


def _checked(grid: Iterable[GridQuery], seed: int | None, *, no_noise: bool) -> list[GridQuery]:
    """The queries, every one of which could be asked.

    Raises: GridError for the first that could not; ParameterError for the seed.
    """
    queries = list(grid)
    if seed is not None:
        check_integer("seed", seed, 0)
    for position, query in enumerate(queries):
        try:
            check_noise_is_said(query.parameters, no_noise)
            check_events(query.events, query.parameters)
        except IpaError as error:
            raise _failed(position, query, error) from error
    return queries


Task = tuple[int, GridQuery, bool, int | None]
"""A position in the grid, the query there, whether it has no noise, and its seed.

Because of the position no two tasks are the same, whatever an executor takes for the same and does once.
"""


def seed_of_query(seed: int | None, position: int) -> int | None:
    """The seed of the query at a position of the grid: others there have others."""
    if seed is None:
        return None
    digest = hashlib.sha256(f"ipa grid {seed} query {position}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def run_task(task: Task) -> QueryResult:
    """One query of the grid, wherever it runs."""
    _, query, no_noise, seed = task
    options = RunOptions(seed=seed)
    return run_query(query.events, query.parameters, no_noise=no_noise, options=options)


def _submitted(executor: Executor | None, task: Task) -> Future[QueryResult]:
    """The future of a query; without an executor it is done.

    Raises: GridError when the executor takes no more.
    """
    if executor is None:
        future: Future[QueryResult] = Future()
        try:
            future.set_result(run_task(task))
        except IpaError as error:
            future.set_exception(error)
        return future
    try:
        return executor.submit(run_task, task)
    except Exception as error:
        raise _failed(*task[:2], error) from error


def _failed(position: int, query: GridQuery, error: Exception) -> GridError:
    """The error that names the query. What failed outside the library is named by its kind alone."""
    problem = str(error) if isinstance(error, IpaError) else f"failed: {type(error).__name__}"
    return GridError(position, _described(query.parameters), problem)


def _described(parameters: QueryParameters) -> str:
    """What to call a query in an error."""
    if not isinstance(parameters, QueryParameters):
        return "no parameters"
    epsilon = "no noise" if parameters.epsilon is None else f"epsilon {parameters.epsilon}"
    return f"{parameters.breakdowns} breakdown keys, cap {parameters.cap}, {epsilon}"
