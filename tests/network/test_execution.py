"""Local work in place and by an executor: the same results, and an error when a worker fails."""

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from executor_cases import DeadlyExecutor, PicklingExecutor, process_pool

from ipa.errors import MismatchError, UncheckedProductError, VerificationError, WorkerError
from ipa.events.workload import generate_events
from ipa.network.costs import Cost
from ipa.network.execution import UNDER_WAY, map_tasks
from ipa.network.interception import Transcript
from ipa.network.simulation import RunOptions, simulated_network
from ipa.parameters import QueryParameters
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.primitives.opening import open_bits
from ipa.protocols.verification import local_values
from ipa.protocols.verification.product_check import check_products
from ipa.query import run_query
from ipa.sharing.dealing import share_rows
from ipa.sharing.randomness import Randomness
from ipa.sharing.verification import blocks
from ipa.sharing.verification.binary_field import BinaryField
from ipa.sharing.verification.column_hash import ColumnHash

PARAMETERS = QueryParameters(breakdowns=4, cap=9)
EVENTS = generate_events(60, breakdowns=4, seed=2)


def product(a: int, b: int) -> int:
    return a * b


def mismatch(size: int) -> int:
    raise MismatchError(f"size {size}")


TASKS = [(k, k + 1) for k in range(3 * UNDER_WAY)]


@pytest.mark.parametrize("make", [lambda: None, PicklingExecutor, lambda: ThreadPoolExecutor(3)])
def test_results_come_in_the_order_of_the_tasks(make: Callable[[], Executor | None]) -> None:
    assert map_tasks(make(), product, iter(TASKS), "step") == [k * (k + 1) for k, _ in TASKS]
    assert map_tasks(make(), product, [], "step") == []


def test_results_that_come_back_in_reverse_are_put_in_order() -> None:
    class Reverse(Executor):
        def __init__(self) -> None:
            self.waiting: list[tuple[Future[Any], Any]] = []

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.waiting.append((Future(), fn(*args)))
            if len(self.waiting) == 5:
                for future, result in reversed(self.waiting):
                    future.set_result(result)
            return self.waiting[-1][0]

    assert map_tasks(Reverse(), product, TASKS[:5], "step") == [0, 2, 6, 12, 20]


def test_tasks_are_made_as_they_are_handed_over() -> None:
    """So that no more than some of them take memory at a time."""
    made = 0
    under_way: set[Future[int]] = set()
    most: list[tuple[int, int]] = []

    class Collected(Future[int]):
        def result(self, timeout: float | None = None) -> int:
            under_way.remove(self)
            return made

    class Counting(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future = Collected()
            under_way.add(future)
            most.append((len(under_way), made))
            return future

    def tasks() -> Iterator[tuple[int, int]]:
        nonlocal made
        for task in TASKS:
            made += 1
            yield task

    map_tasks(Counting(), product, tasks(), "step")
    assert most == [(min(n, UNDER_WAY), n) for n in range(1, len(TASKS) + 1)]
    assert not under_way


def test_a_failure_is_an_error_that_names_step_and_kind_and_stops_the_others() -> None:
    let_go, begun = Event(), Event()

    def wait() -> None:
        begun.set()
        let_go.wait(60)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(wait)
        assert begun.wait(60)
        running.add_done_callback(lambda _: None)
        futures: list[Future[Any]] = []

        class Watched(Executor):
            def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
                if not futures:
                    broken: Future[Any] = Future()
                    broken.set_exception(ZeroDivisionError("secret 7"))
                    futures.append(broken)
                else:
                    futures.append(pool.submit(fn, *args))
                return futures[-1]

        with pytest.raises(WorkerError, match=r"^a/b: a worker failed: ZeroDivisionError$"):
            map_tasks(Watched(), product, TASKS[:5], "a/b")
        assert [future.cancelled() for future in futures] == [False, True, True, True, True]
        let_go.set()


def test_an_error_of_the_library_comes_through_as_it_is() -> None:
    for executor in (None, PicklingExecutor()):
        with pytest.raises(MismatchError, match=r"^size 3$"):
            map_tasks(executor, mismatch, [(3,)], "step")


def test_an_executor_that_takes_no_more_is_an_error() -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(WorkerError, match="RuntimeError"):
        map_tasks(pool, product, TASKS, "step")


def run(executor: Executor | None) -> tuple[list[int], list[object], dict[str, object]]:
    """Sums, messages and costs of a query."""
    transcript = Transcript()
    options = RunOptions(seed=3, interceptors=[transcript], executor=executor)
    result = run_query(EVENTS, PARAMETERS, no_noise=True, options=options)
    costs: dict[str, object] = {
        step: (cost.rounds, cost.messages, cost.bytes_sent, cost.and_gates)
        for step, cost in result.costs.items()
        if isinstance(cost, Cost)
    }
    return result.sums, list(transcript.messages), costs


@pytest.mark.parametrize("gates", [1, local_values.TASK_GATES])
def test_every_bit_is_the_same_with_an_executor(
    gates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_values, "TASK_GATES", gates)
    executor = PicklingExecutor()
    assert run(executor) == run(None)
    assert len(executor.sizes) >= 3


def test_a_task_has_as_many_groups_as_have_its_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight groups of each of three helpers, one, at most five or all of them at a time."""
    seen = []
    for gates in (1, 1 << 20, 1 << 30):
        monkeypatch.setattr(local_values, "TASK_GATES", gates)
        executor, network = PicklingExecutor(), simulated_network(1, security="malicious")
        network.executor = executor
        randomness = Randomness.from_seed(1, "client shares")
        x = share_rows(
            network.name, [randomness.random_bits(64) for _ in range(3000)], 64, randomness
        )
        y = x
        for _ in range(8):
            y = multiply(network, x, y)
        with monkeypatch.context() as patch:
            patch.setattr(blocks, "_LONGEST_BLOCK", 6000)
            patch.setattr(blocks, "_MOST_VARIABLES", 6)  # for eight groups
            check_products(network)
        seen.append(len(executor.sizes))
    assert seen == [24, 6, 3]


def test_processes_give_the_same_and_one_that_dies_is_an_error() -> None:
    with process_pool(2) as pool:
        assert run(pool) == run(None)
        with pytest.raises(
            WorkerError, match=r"^check/bits/values: a worker failed: BrokenProcess"
        ):
            run(DeadlyExecutor(pool, 2))
        with pytest.raises(WorkerError):  # nor does the pool work any more
            run(pool)


def test_nothing_is_opened_after_a_worker_died() -> None:
    class Dead(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            raise RuntimeError("no worker")

    network = simulated_network(1, security="malicious")
    network.executor = Dead()
    x = share_rows(network.name, [5, 6, 7], 3, Randomness.from_seed(1, "client shares"))
    y = multiply(network, x, x)
    with pytest.raises(WorkerError):
        check_products(network)
    with pytest.raises(UncheckedProductError):
        open_bits(network, y)


def test_a_worker_s_wrong_result_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(PicklingExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            ((own, right, at_infinite), *others) = super().submit(fn, *args, **kwargs).result()
            future.set_result([([own[0] ^ 1, *own[1:]], right, at_infinite), *others])
            return future

    with pytest.raises(VerificationError):
        run(Wrong())


def test_a_hash_comes_out_of_pickle_as_it_went_in() -> None:
    field = BinaryField(64)
    original = ColumnHash(field, bytes(range(16)), 300)
    copy = pickle.loads(pickle.dumps(original))
    columns = [1, 5, (1 << 300) - 1]
    assert copy.sums(columns) == original.sums(columns)
    assert (copy.length, copy.field) == (300, field)
