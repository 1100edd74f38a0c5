"""Grids of queries: the same results with and without an executor, in the order of the grid."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from concurrent.futures._base import DoneAndNotDoneFutures
from dataclasses import replace
from typing import Any

import pytest
from executor_cases import DeadlyExecutor, PicklingExecutor, process_pool

import ipa.grid
from ipa import QueryParameters, QueryResult, generate_events, query_sql, run_query
from ipa.errors import EventError, GridError, ParameterError
from ipa.grid import GridQuery, run_grid, run_queries, seed_of_query
from ipa.network.simulation import RunOptions

EXACT = QueryParameters(breakdowns=4, cap=9, security="semi-honest")
NOISY = replace(EXACT, epsilon=1)
EVENTS = generate_events(20, breakdowns=4, seed=2)
CAPS = [2, 30]
GRID = [replace(NOISY, cap=cap, epsilon=epsilon) for cap in CAPS for epsilon in (1, 4)]


class Backwards(Executor):
    """Does nothing before it has `count` tasks, and then the last one first."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.waiting.append((Future(), lambda: fn(*args, **kwargs)))
        last = self.waiting[-1][0]
        if len(self.waiting) == self.count:
            while self.waiting:
                future, task = self.waiting.pop()
                future.set_result(task())
        return last


def test_exact_sums_are_those_of_sql() -> None:
    grid = [replace(EXACT, cap=cap) for cap in CAPS]
    results = run_queries(EVENTS, iter(grid), no_noise=True)
    assert [result.sums for result in results] == [query_sql(EVENTS, each) for each in grid]
    assert [result.parameters for result in results] == grid
    assert run_queries(EVENTS, [], no_noise=True) == []


def test_results_are_the_same_and_in_order_whoever_runs_them() -> None:
    expected = [
        run_query(EVENTS, each, options=RunOptions(seed=seed_of_query(5, position))).sums
        for position, each in enumerate(GRID)
    ]
    with ThreadPoolExecutor(3) as threads, process_pool(2) as processes:
        for executor in (None, PicklingExecutor(), Backwards(len(GRID)), threads, processes):
            told: dict[int, QueryResult] = {}
            results = run_queries(EVENTS, GRID, seed=5, executor=executor, on_done=told.__setitem__)
            assert [result.sums for result in results] == expected
            assert [result.parameters for result in results] == GRID
            assert [told[position] for position in range(len(GRID))] == results


def test_progress_is_told_as_queries_are_done() -> None:
    told: list[int] = []
    run_queries(EVENTS, GRID[:3], on_done=lambda position, _: told.append(position))
    assert told == [0, 1, 2]

    def stop(position: int, _: QueryResult) -> None:
        raise KeyboardInterrupt

    executor = PicklingExecutor()
    with pytest.raises(KeyboardInterrupt):
        run_queries(EVENTS, GRID, executor=executor, on_done=stop)
    assert len(executor.sizes) == 1


def test_queries_have_seeds_of_their_own_and_without_one_none_is_repeated() -> None:
    assert seed_of_query(None, 3) is None
    seeds = {seed_of_query(seed, position) for seed in range(3) for position in range(5)}
    assert len(seeds) == 15
    wide = replace(NOISY, cap=1 << 20)
    first, second = run_queries(EVENTS, [wide, wide], seed=1)
    assert first.sums != second.sums
    executor = PicklingExecutor()
    first, second = run_queries(EVENTS, [wide, wide], executor=executor)
    assert first.sums != second.sums


def test_workloads_may_differ() -> None:
    workloads = [generate_events(n, breakdowns=4, seed=n) for n in (5, 30)]
    results = run_grid((GridQuery(events, EXACT) for events in workloads), no_noise=True)
    assert [result.rows for result in results] == [5, 30]
    assert [result.sums for result in results] == [query_sql(each, EXACT) for each in workloads]
    assert "Event" not in repr(GridQuery(EVENTS, EXACT))


def test_only_some_queries_are_under_way_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    executor, most = Backwards(len(GRID) + 1), []

    def one_is_done(futures: Iterable[Future[Any]], return_when: str) -> DoneAndNotDoneFutures[Any]:
        most.append(len(list(futures)))
        future, task = executor.waiting.pop(0)
        future.set_result(task())
        return wait(futures, return_when=return_when)

    monkeypatch.setattr(ipa.grid, "UNDER_WAY", 3)
    monkeypatch.setattr(ipa.grid, "wait", one_is_done)
    results = run_queries(EVENTS, GRID, executor=executor)
    assert [result.parameters for result in results] == GRID
    assert most == [3] * (len(GRID) - 2) + [2, 1]


def test_a_query_that_cannot_be_is_named_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ipa.grid, "run_query", None)
    narrow = replace(NOISY, cap=7, match_key_bits=3)
    with pytest.raises(GridError) as caught:
        run_queries(EVENTS, [NOISY, narrow])
    assert caught.value.position == 1
    assert str(caught.value).startswith(
        "query 2 of the grid (4 breakdown keys, cap 7, epsilon 1): row 1: match_key"
    )
    assert isinstance(caught.value.__cause__, EventError)
    with pytest.raises(GridError, match=r"^query 1 of the grid \(.*, no noise\): without noise"):
        run_queries(EVENTS, [EXACT])
    with pytest.raises(GridError, match=r"^query 1 of the grid \(no parameters\): "):
        run_queries(EVENTS, [object()])  # type: ignore[list-item]
    with pytest.raises(ParameterError, match="seed"):
        run_queries(EVENTS, [NOISY], seed=-1)


def test_a_worker_that_dies_is_an_error_and_the_other_queries_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with process_pool(1) as pool, pytest.raises(GridError, match=r"BrokenProcessPool$") as caught:
        run_queries(EVENTS, GRID, executor=DeadlyExecutor(pool, 1))
    assert str(caught.value).startswith("query ")
    waiting = Backwards(len(GRID) + 1)
    broken: Future[Any] = Future()
    broken.set_exception(ZeroDivisionError("secret 7"))

    def submit(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return broken if len(waiting.waiting) == 2 else Backwards.submit(waiting, fn, *args)

    monkeypatch.setattr(waiting, "submit", submit)
    with pytest.raises(GridError, match=r"^query 3 of the grid .*: failed: ZeroDivisionError$"):
        run_queries(EVENTS, GRID, executor=waiting)
    assert [future.cancelled() for future, _ in waiting.waiting] == [True, True]
    shut = ThreadPoolExecutor(1)
    shut.shutdown()
    with pytest.raises(GridError, match=r"^query 1 of the grid .*: failed: RuntimeError$"):
        run_queries(EVENTS, GRID, executor=shut)
