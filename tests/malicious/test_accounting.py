"""Nothing is left out: every product is checked exactly once, and before anything is opened."""

from collections.abc import Callable
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from malicious_cases import (
    CAPPINGS,
    TINY_EVENTS,
    MaliciousSimulation,
    column_errors,
    raised,
    tiny,
    tiny_queries,
)
from strategies import SEEDS, Simulation, examples

from ipa.errors import ParameterError, UncheckedProductError, VerificationError
from ipa.events import Event
from ipa.events.workload import generate_events
from ipa.network.costs import cost_of
from ipa.network.product_log import BitProducts, CheckRules, ElementProducts
from ipa.network.simulation import RunOptions
from ipa.oracle.steps import query_in_steps
from ipa.parameters import Capping, QueryParameters, Sort
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.protocols.primitives.opening import open_bits, open_elements
from ipa.protocols.verification import product_check
from ipa.protocols.verification.bit_check import check_bit_products
from ipa.protocols.verification.element_check import check_element_products
from ipa.protocols.verification.product_check import check_products
from ipa.query import run_query
from ipa.release import combine_at_collector, shares_for_collector
from ipa.sharing.bits import encode_columns
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo, Ring
from ipa.sharing.verification.binary_field import BinaryField


class Recorded:
    """What the two checks are given, while they go on checking."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bits: list[BitProducts] = []
        self.numbers: list[ElementProducts] = []
        self.batches: list[list[BitProducts]] = []

        def bits(network, field, batch):  # type: ignore[no-untyped-def]
            self.bits += batch
            self.batches.append(batch)
            check_bit_products(network, field, batch)

        def numbers(network, batch):  # type: ignore[no-untyped-def]
            self.numbers += batch
            check_element_products(network, batch)

        monkeypatch.setattr(product_check, "check_bit_products", bits)
        monkeypatch.setattr(product_check, "check_element_products", numbers)


@examples(12)
@given(tiny_queries(), SEEDS, st.sampled_from([300, 1000, 1 << 24]))
def test_every_gate_of_a_query_is_checked_exactly_once(
    case: tuple[list[Event], QueryParameters], seed: int, batch_gates: int
) -> None:
    events, parameters = case
    with pytest.MonkeyPatch.context() as patch:
        recorded = Recorded(patch)
        simulation = MaliciousSimulation(seed, CheckRules(batch_gates=batch_gates))
        result = simulation.query(events, parameters)
    made = cost_of(simulation.network.costs).and_gates
    assert simulation.log.gates_made == simulation.log.gates_checked == made
    assert sum(products.gates for products in recorded.bits) == made
    assert len({id(products.z) for products in recorded.bits}) == len(recorded.bits)
    assert recorded.numbers == []
    sums = combine_at_collector(
        shares_for_collector(simulation.network, result), parameters.breakdowns
    )
    assert sums == query_in_steps(events, parameters)


@pytest.mark.parametrize("capping", CAPPINGS)
@pytest.mark.parametrize("batch_gates", [1, 100, 1 << 24])
def test_batches_are_bounded(capping: Capping, batch_gates: int) -> None:
    """A batch ends with the column that fills it; the last check takes the rest."""
    with pytest.MonkeyPatch.context() as patch:
        recorded = Recorded(patch)
        simulation = MaliciousSimulation(5, CheckRules(batch_gates=batch_gates))
        simulation.query(TINY_EVENTS, tiny(capping))
    checks = {path.split("/")[0] for path in simulation.network.costs} - {"query"}
    sizes = [sum(products.gates for products in batch) for batch in recorded.batches]
    longest_column = max(products.y.rows for products in recorded.bits)
    assert all(batch_gates <= size < batch_gates + longest_column for size in sizes[:-1])
    assert sum(sizes) == simulation.log.gates_made
    if batch_gates == 1:  # a check for every column; the last one finds nothing, and is none
        assert all(products.y.width == 1 for products in recorded.bits)
        assert len(checks) == len(recorded.bits)
    assert len(sizes) == len(checks)


@pytest.mark.parametrize(("batch", "bits", "elements"), [(11, 12, 11), (12, 12, 12), (13, 0, 0)])
def test_a_batch_is_checked_as_soon_as_it_is_full(batch: int, bits: int, elements: int) -> None:
    """Numbers are cut where a batch is full, bits after the column that fills it."""
    simulation = MaliciousSimulation(5, CheckRules(batch_gates=batch, batch_elements=batch))
    log = simulation.log
    x = simulation.bits([1, 2, 3], 4)
    multiply(simulation.network, x, x)
    assert (log.gates_made, log.gates_checked) == (12, bits)
    simulation.finish()
    numbers = simulation.numbers(PRIME_FIELD, range(12))
    multiply_elements(simulation.network, numbers, numbers)
    assert (log.elements_made, log.elements_checked) == (12, elements)


def test_one_multiplication_larger_than_a_batch_is_cut() -> None:
    simulation = MaliciousSimulation(5, CheckRules(batch_gates=100, batch_elements=10))
    log = simulation.log
    x = simulation.bits([1] * 8, 1000)
    multiply(simulation.network, x[0], x)
    numbers = simulation.numbers(PRIME_FIELD, range(95))
    multiply_elements(simulation.network, numbers, numbers)
    assert (log.gates_made, log.gates_checked) == (8000, 7904 + 96)
    assert (log.elements_made, log.elements_checked) == (95, 90)
    checks = {path.split("/")[0] for path in simulation.network.costs} - {"multiply"}
    assert len([path for path in checks if path.startswith("check")]) >= 8000 // 104 + 9


def test_what_is_cut_keeps_its_factors_and_its_products() -> None:
    """Columns of more than a byte; two and a part of the third fill a batch."""
    with pytest.MonkeyPatch.context() as patch:
        recorded = Recorded(patch)
        simulation = MaliciousSimulation(5, CheckRules(batch_gates=50))
        x, y = simulation.bits(range(20), 5), simulation.bits(range(7, 27), 8)
        factors = (4, 0, 3, 1, 1, 2, 0, 0)
        product = multiply(simulation.network, x, y, factors)
        simulation.finish()
    starts = (0, 2, 3, 5, 6)
    assert [products.factors for products in recorded.bits] == [
        factors[start:stop] for start, stop in pairwise([*starts, 8])
    ]
    for start, products in zip(starts, recorded.bits, strict=True):
        part = product[start : start + products.y.width]
        for helper, in_bytes in products.z.items():
            expected = tuple(encode_columns(share, 20) for share in part.shares_of(helper))
            assert in_bytes == expected


@examples(40)
@given(
    SEEDS,
    st.lists(st.integers(0, 7), max_size=5),
    st.lists(st.integers(1, 4), max_size=5),
    st.integers(1, 9),
)
def test_every_number_is_checked_exactly_once(
    seed: int, counts: list[int], rows: list[int], batch: int
) -> None:
    """Numbers of two fields and bits in one log; each kind may fill the batch."""
    fields = (PRIME_FIELD, IntegersModulo((1 << 80) - 65))
    with pytest.MonkeyPatch.context() as patch:
        recorded = Recorded(patch)
        simulation = MaliciousSimulation(
            seed, CheckRules(batch_elements=batch, batch_gates=4 * batch)
        )
        log = simulation.log
        for index, count in enumerate(counts):
            x = simulation.numbers(fields[index % 2], list(range(count)))
            multiply_elements(simulation.network, x, x)
        for count in rows:
            bits = simulation.bits([3] * count, 2)
            multiply(simulation.network, bits, bits)
        simulation.finish()
    cost = cost_of(simulation.network.costs)
    assert log.elements_checked == cost.ring_products == sum(counts)
    assert log.gates_checked == cost.and_gates == 2 * sum(rows)
    assert sum(products.x.count for products in recorded.numbers) == sum(counts)
    assert sum(products.gates for products in recorded.bits) == 2 * sum(rows)


def test_opening_while_a_product_is_pending_is_refused() -> None:
    simulation = MaliciousSimulation(1)
    network = simulation.network
    bits, numbers = simulation.bits([1, 0], 1), simulation.numbers(PRIME_FIELD, [5])
    assert open_bits(network, bits) == [1]
    products: list[Callable[[], object]] = [
        lambda: multiply(network, bits, bits),
        lambda: multiply_elements(network, numbers, numbers),
    ]
    for make_product in products:
        make_product()
        sent = len(simulation.transcript.messages)
        with pytest.raises(UncheckedProductError, match="before they are checked"):
            open_bits(network, bits)
        with pytest.raises(UncheckedProductError, match="before they are checked"):
            open_elements(network, numbers)
        assert len(simulation.transcript.messages) == sent
        check_products(network)
        assert open_bits(network, bits) == [1]
        assert open_elements(network, numbers) == [5]


def test_checked_products_are_not_checked_again() -> None:
    simulation = MaliciousSimulation(1)
    x = simulation.bits([1, 0, 1], 3)
    multiply(simulation.network, x, x)
    simulation.finish()
    sent = len(simulation.transcript.messages)
    simulation.finish()
    assert len(simulation.transcript.messages) == sent


def test_semi_honest_networks_check_nothing() -> None:
    simulation = Simulation(1)
    x = simulation.bits([1], 1)
    product = multiply(simulation.network, x, x)
    check_products(simulation.network)
    assert open_bits(simulation.network, product) == [1]
    assert sorted(simulation.network.costs) == ["multiply", "open"]


@pytest.mark.parametrize("modulus", [1 << 64, 101, (1 << 31) - 1, ((1 << 61) - 1) * 3])
def test_products_that_cannot_be_checked_are_refused(modulus: int) -> None:
    """A ring that is no field, or a field so small that cheating would often pass."""
    simulation = MaliciousSimulation(1)
    x = simulation.numbers(IntegersModulo(modulus), [1])
    with pytest.raises(ParameterError, match="cannot be checked"):
        multiply_elements(simulation.network, x, x)
    assert simulation.log.elements_made == 0


def test_a_failed_check_counts_nothing_as_checked() -> None:
    simulation = MaliciousSimulation(1, attack=column_errors(2, "multiply", [1]))
    x = simulation.bits([1, 0, 1], 3)
    multiply(simulation.network, x, x)
    assert isinstance(raised(lambda: check_products(simulation.network)), VerificationError)
    assert (simulation.log.gates_made, simulation.log.gates_checked) == (9, 0)


def test_after_a_failed_check_nothing_is_opened() -> None:
    """A caller that goes on after the error gets nothing out."""
    simulation = MaliciousSimulation(1, attack=column_errors(2, "multiply", [1]))
    x = simulation.bits([1, 0, 1], 3)
    product = multiply(simulation.network, x, x)
    with pytest.raises(VerificationError):
        check_products(simulation.network)
    with pytest.raises(UncheckedProductError):
        open_bits(simulation.network, product)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_fields_are_checked_in_the_order_they_came(order: tuple[int, ...]) -> None:
    """In whatever process: an order by hash differs between processes, and helpers would abort."""
    fields: list[Ring] = [PRIME_FIELD, BinaryField(64), IntegersModulo((1 << 80) - 65)]
    with pytest.MonkeyPatch.context() as patch:
        recorded = Recorded(patch)
        simulation = MaliciousSimulation(1)
        for index in order:
            x = simulation.numbers(fields[index], [5])
            multiply_elements(simulation.network, x, x)
        simulation.finish()
    assert [products.x.ring for products in recorded.numbers] == [fields[index] for index in order]


@pytest.mark.parametrize("capping", CAPPINGS)
@pytest.mark.parametrize(("sort", "most"), [("bitonic", 1.05), ("shuffle", 1.1)])
def test_checking_sends_hardly_anything_more(capping: Capping, sort: Sort, most: float) -> None:
    """Opened comparisons are checked level by level, and rows of a shuffle have tags."""
    events = generate_events(1024, breakdowns=16, seed=1)
    sent = []
    for security in ("semi-honest", "malicious"):
        parameters = QueryParameters(
            breakdowns=16, cap=100, capping=capping, security=security, sort=sort
        )
        result = run_query(events, parameters, no_noise=True, options=RunOptions(seed=1))
        sent.append(cost_of(result.costs).bytes_sent)
    assert sent[0] < sent[1] <= most * sent[0]
