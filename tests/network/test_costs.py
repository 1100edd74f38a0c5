"""Costs: rounds and gates are what the docstrings say, and bytes are those of the payloads."""

from collections import Counter
from collections.abc import Callable

import pytest
from cost_formulas import (
    Formula,
    addition,
    by_sorting,
    copies,
    division,
    excess,
    log2,
    one_hot,
    plus,
    rows_are_many_from,
    rows_summed,
    saturating,
    several,
    sorting,
    totals,
)
from hypothesis import given
from hypothesis import strategies as st
from step_cases import STEP_CASES, StepCase, shared
from strategies import MANY, ROWS, WIDTHS, Simulation, examples, small_queries

from ipa.events import Event
from ipa.events.workload import generate_events
from ipa.network.costs import cost_of
from ipa.parameters import Capping, QueryParameters, Sort, bits_for
from ipa.parties import HELPERS
from ipa.protocols.aggregation import one_hot_gates, sorting_gates
from ipa.protocols.circuits.addition import (
    add,
    add_gates,
    add_rounds,
    multiply_by_constant,
    subtract,
    sum_of,
    sum_rows,
)
from ipa.protocols.circuits.bitonic_sort import (
    bitonic_sort,
    bitonic_sort_gates,
    bitonic_sort_rounds,
)
from ipa.protocols.circuits.comparison import exceeds, first_difference_gates, greater_than
from ipa.protocols.circuits.conversion import elements_from_bits
from ipa.protocols.circuits.division import divide
from ipa.protocols.circuits.equality import all_ones, equal
from ipa.protocols.circuits.multiplexer import choose
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.protocols.circuits.scan import last_of_group, running_totals, saturating_totals
from ipa.protocols.circuits.scan_sizes import running_totals_gates
from ipa.protocols.primitives.opening import open_bits, open_elements
from ipa.query import query
from ipa.sharing.bits import bytes_per_column
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo

NARROW = st.integers(1, 12)


def check(simulation: Simulation, expected: Formula) -> None:
    """The cost so far is the expected one, and bytes and rounds are those of the transcript."""
    cost = simulation.cost
    assert (cost.rounds, cost.and_gates) == expected
    sent: Counter[str] = Counter()
    for message in simulation.transcript.messages:
        sent[message.step] += len(message.payload)
    costs = {path: c.bytes_sent for path, c in simulation.network.costs.items() if c.bytes_sent}
    assert costs == {step: size for step, size in sent.items() if size}
    assert cost.messages == len(simulation.transcript.messages)


@examples(60)
@given(ROWS, WIDTHS, st.booleans())
def test_multiply_is_one_round_and_one_bit_per_gate_and_helper(
    rows: int, width: int, one_column: bool
) -> None:
    for count in (rows, 8 * rows + 8):
        simulation = Simulation(1)
        x = simulation.bits([0] * count, 1 if one_column else width)
        multiply(simulation.network, x, simulation.bits([0] * count, width))
        check(simulation, (1, count * width))
        sent = Counter[int]()
        for message in simulation.transcript.messages:
            sent[message.sender] += len(message.payload)
        assert set(sent) == set(HELPERS)
        assert set(sent.values()) == {width * bytes_per_column(count)}
        if count % 8 == 0 and count:
            assert 8 * sent[1] == count * width


@given(st.integers(0, 9), st.sampled_from([PRIME_FIELD, IntegersModulo(2), IntegersModulo(2**20)]))
def test_products_and_openings_of_numbers(count: int, ring: IntegersModulo) -> None:
    simulation = Simulation(1)
    x = simulation.numbers(ring, [1] * count)
    multiply_elements(simulation.network, x, x)
    check(simulation, (1, 0))
    assert simulation.cost.ring_products == count
    assert simulation.cost.bytes_sent == 3 * count * ring.element_bytes
    open_elements(simulation.network, x)
    check(simulation, (2, 0))
    assert cost_of(simulation.network.costs, "open").bytes_sent == 6 * count * ring.element_bytes


@given(ROWS, WIDTHS)
def test_opening_is_one_round_and_two_bits_per_bit_and_helper(rows: int, width: int) -> None:
    simulation = Simulation(1)
    open_bits(simulation.network, simulation.bits([0] * rows, width))
    check(simulation, (1, 0))
    assert simulation.cost.bytes_sent == 3 * 2 * width * bytes_per_column(rows)


def measured(run: Callable[[Simulation], object], expected: Formula) -> None:
    simulation = Simulation(1)
    run(simulation)
    check(simulation, expected)


@examples(60)
@given(ROWS, WIDTHS)
def test_circuits(rows: int, width: int) -> None:
    def on(count: int, circuit: Callable[..., object]) -> Callable[[Simulation], object]:
        def run(simulation: Simulation) -> object:
            x = simulation.bits([0] * rows, width)
            return circuit(simulation.network, *[x] * count)

        return run

    def per_row(formula: Formula) -> Formula:
        return formula[0], formula[1] * rows

    comparison = per_row((log2(width + 1), first_difference_gates(width + 1)))
    measured(on(2, greater_than), comparison)
    assert first_difference_gates(width + 1) <= 2 * width
    for many in (rows, rows + 1):
        with rows_are_many_from(many):
            measured(on(2, add), per_row(addition(width, rows)))
            measured(on(2, subtract), per_row(addition(width, rows)))
            assert add_gates(width, rows) == addition(width, rows)[1]
            assert add_rounds(width, rows) == addition(width, rows)[0]
    assert addition(width)[1] <= width * (1 + log2(width))
    measured(on(1, all_ones), per_row((log2(width), width - 1)))
    measured(on(2, equal), per_row((log2(width), width - 1)))
    for count in range(1, 8):
        run = on(count, lambda network, *numbers: sum_of(network, numbers, width))
        measured(run, per_row(several(count, width)))

    def choosing(simulation: Simulation) -> object:
        x = simulation.bits([0] * rows, width)
        return choose(simulation.network, x[0], x, x)

    measured(choosing, per_row((1, width)))


@examples(40)
@given(ROWS, st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**13))
def test_circuits_of_more_parameters(rows: int, width: int, other: int, factor: int) -> None:
    def on(circuit: Callable[..., object], *rest: object) -> Callable[[Simulation], object]:
        return lambda s: circuit(s.network, s.bits([0] * rows, width), *rest)

    ones = (factor & (1 << other) - 1).bit_count()
    rounds, gates = several(ones, other)
    measured(on(multiply_by_constant, factor, other), (rounds, gates * rows))
    rounds, gates = excess(width, factor)
    measured(on(exceeds, factor), (rounds, gates * rows))
    assert gates <= width + factor.bit_length()
    rounds, gates = division(other, width)

    def dividing(s: Simulation) -> object:
        x, y = s.bits([0] * rows, width), s.bits([0] * rows, width)
        return divide(s.network, x, y, other)

    measured(dividing, (rounds, gates * rows))
    assert division(other, width)[0] == other * (1 + log2(width))
    if rows:
        measured(on(sum_rows, 1, other), rows_summed(rows, 1, width, other))


@examples(60)
@given(st.integers(1, 70), NARROW, NARROW, NARROW, MANY, st.integers(1, 80))
def test_scans(rows: int, width: int, more: int, above: int, many: int, longest: int) -> None:
    def scanning(scan: Callable[..., object], *rest: object) -> Callable[[Simulation], object]:
        def run(s: Simulation) -> object:
            tables = s.bits([0] * rows, 1), s.bits([0] * rows, width)
            return scan(s.network, *tables, *rest, longest)

        return run

    most, wide = min(rows, longest), width + more
    with rows_are_many_from(many):
        expected = totals(rows, most, width, wide)
        measured(scanning(running_totals, wide), expected)
        assert running_totals_gates(rows, width, wide, longest) == expected[1]
        measured(scanning(last_of_group), copies(rows, most, width))
        limit = max(1, width - above)
        if limit < width:
            measured(scanning(saturating_totals, limit), saturating(rows, most, width, limit))


def test_scans_of_many_rows_take_about_two_additions_a_row() -> None:
    """However many rows there are; twice the rounds, at most, of the passes that few rows take."""
    for rows in (64, 1024, 1 << 16):
        for width in (1, 20, 32):
            with rows_are_many_from(1):
                rounds, gates = totals(rows, rows, width, width)
                assert gates < 2 * rows * (2 * width)
                assert rounds == 2 * log2(rows) * width
                rounds, gates = copies(rows, rows, width)
                assert gates < 2 * rows * (width + 1)
                assert rounds == 2 * log2(rows)


@given(st.integers(0, 5), st.integers(1, 4))
def test_xor_to_additive_is_two_rounds_and_two_products_per_bit(rows: int, width: int) -> None:
    simulation = Simulation(1)
    elements_from_bits(simulation.network, simulation.bits([0] * rows, width), PRIME_FIELD)
    check(simulation, (2, 0))
    assert simulation.cost.ring_products == 2 * rows * width


@pytest.mark.parametrize("depth", range(7))
@pytest.mark.parametrize(("key_bits", "width"), [(1, 1), (1, 3), (2, 2), (5, 9), (16, 17)])
def test_sorting(depth: int, key_bits: int, width: int) -> None:
    rows = 1 << depth
    simulation = Simulation(1)
    bitonic_sort(simulation.network, simulation.bits([0] * rows, width), key_bits)
    check(simulation, sorting(rows, key_bits, width))
    assert bitonic_sort_rounds(rows, key_bits) == simulation.cost.rounds
    stages = depth * (depth + 1) // 2
    assert bitonic_sort_gates(rows, key_bits, width) <= stages * rows // 2 * (
        2 * (key_bits - 1) + width
    )


@pytest.mark.parametrize("case", STEP_CASES, ids=str)
@examples(25)
@given(small_queries(), MANY)
def test_steps(case: StepCase, query_case: tuple[list[Event], QueryParameters], many: int) -> None:
    events, parameters = query_case
    inputs = case.inputs(events, parameters)
    simulation = Simulation(1)
    with rows_are_many_from(many):
        case.run(simulation.network, shared(simulation.bits, inputs), parameters)
        check(simulation, case.cost(inputs, parameters))


@examples(40)
@given(*(st.integers(1, n) for n in (70, 9, 4, 12)))
def test_gates_of_the_two_ways_to_aggregate(
    rows: int, breakdowns: int, width: int, more: int
) -> None:
    """The functions by which the cheaper way is chosen count what the formulas count."""
    key_bits = max(1, bits_for(breakdowns - 1))
    shape = (rows, breakdowns, key_bits, width, width + more)
    assert one_hot_gates(*shape) == one_hot(*shape)[1]
    assert sorting_gates(*shape) == by_sorting(*shape)[1]


@pytest.mark.parametrize("capping", ["proportional", "truncate"])
@pytest.mark.parametrize("breakdowns", [16, 300])
@pytest.mark.parametrize(("sort", "most"), [("bitonic", 1.03), ("shuffle", 1.1)])
def test_a_query_sends_hardly_more_than_one_bit_per_gate_and_helper(
    capping: Capping, breakdowns: int, sort: Sort, most: float
) -> None:
    """A shuffle sends each row four times, and what is compared is opened as well."""
    parameters = QueryParameters(
        breakdowns=breakdowns, cap=1000, capping=capping, security="semi-honest", sort=sort
    )
    simulation = Simulation(1)
    events = generate_events(1024, breakdowns=breakdowns, seed=1)
    query(simulation.network, simulation.reports(events, parameters), parameters)
    bits = 8 * sum(len(message.payload) for message in simulation.transcript.messages)
    assert bits == 8 * simulation.cost.bytes_sent
    assert 1 <= bits / (3 * simulation.cost.and_gates) <= most


def test_the_formulas_on_small_numbers() -> None:
    """Anchors counted by hand, against one mistake made in two places."""
    assert [log2(n) for n in (1, 2, 3, 4, 5, 8, 9)] == [0, 1, 2, 2, 3, 3, 4]
    assert addition(1) == (0, 0)
    assert addition(2) == (1, 1)
    assert addition(3) == (2, 3)
    assert addition(5) == (3, 9)
    assert several(3, 4) == plus((1, 4), addition(4))
