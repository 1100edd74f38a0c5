"""What the helpers say does not depend on what they compute on.

The shape of a transcript (step, sender, receiver, size of every message) is a function of the public
sizes and parameters alone, and where rows are sorted by shuffling them, of the permutation that is
opened, which is uniformly random. And one helper's view, its shares and the messages it receives, is
made of bits that are random whatever the input.
"""

from collections import Counter
from dataclasses import replace

import pytest
from cost_formulas import rows_are_many_from
from hypothesis import given
from hypothesis import strategies as st
from step_cases import STEP_CASES, StepCase, shared
from strategies import (
    MANY,
    RINGS,
    ROWS,
    SEEDS,
    WIDTHS,
    Simulation,
    below,
    columns_of_numbers,
    events_within,
    examples,
    small_queries,
)

from ipa.events import Event, SourceEvent
from ipa.events.workload import generate_events
from ipa.oracle.steps import rows_from_events
from ipa.parameters import QueryParameters
from ipa.parties import HELPERS
from ipa.protocols.aggregation import sums_by_sorting
from ipa.protocols.circuits.bitonic_sort import bitonic_sort
from ipa.protocols.circuits.comparison import greater_than
from ipa.protocols.circuits.conversion import bits_from_elements, elements_from_bits
from ipa.protocols.circuits.division import divide
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import running_totals
from ipa.protocols.primitives.opening import open_bits
from ipa.query import query
from ipa.sharing.dealing import reconstruct_for_testing
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo

Shape = list[tuple[str, int, int, int]]


def shape_of(case: StepCase, seed: int, events: list[Event], p: QueryParameters) -> Simulation:
    """A run of the step: what it sends and costs."""
    simulation = Simulation(seed, p.security)
    case.run(simulation.network, shared(simulation.bits, case.inputs(events, p)), p)
    return simulation


def check_alike(first: Simulation, second: Simulation) -> None:
    assert first.transcript.shape() == second.transcript.shape()
    assert first.cost.rounds == second.cost.rounds
    assert first.cost.and_gates == second.cost.and_gates


def whole_query(seed: int, events: list[Event], parameters: QueryParameters) -> Simulation:
    simulation = Simulation(seed, parameters.security)
    query(simulation.network, simulation.reports(events, parameters), parameters)
    return simulation


@pytest.mark.parametrize("case", STEP_CASES, ids=str)
@examples(25)
@given(st.data(), SEEDS, small_queries(max_events=20), MANY)
def test_two_inputs_of_one_shape_give_transcripts_of_one_shape(
    case: StepCase,
    data: st.DataObject,
    seed: int,
    query_case: tuple[list[Event], QueryParameters],
    many: int,
) -> None:
    events, parameters = query_case
    others = data.draw(events_within(parameters, len(events)))
    with rows_are_many_from(many):
        check_alike(
            shape_of(case, seed, events, parameters), shape_of(case, seed + 1, others, parameters)
        )


@examples(25)
@given(st.data(), SEEDS, small_queries(max_events=20))
def test_two_queries_of_one_shape_give_transcripts_of_one_shape(
    data: st.DataObject, seed: int, query_case: tuple[list[Event], QueryParameters]
) -> None:
    events, parameters = query_case
    parameters = replace(parameters, sort="bitonic")
    others = data.draw(events_within(parameters, len(events)))
    check_alike(whole_query(seed, events, parameters), whole_query(seed + 1, others, parameters))


@examples(25)
@given(st.data(), SEEDS, small_queries(max_events=20))
def test_equal_rankings_give_equal_shapes_whatever_the_data(
    data: st.DataObject, seed: int, query_case: tuple[list[Event], QueryParameters]
) -> None:
    """Both times the reports come in order, and the same seed shuffles them: what is opened is equal."""
    events, parameters = query_case
    parameters = replace(
        parameters, sort="shuffle", attribution="last-touch", attribution_window=None
    )
    others = data.draw(events_within(parameters, len(events)))
    check_alike(
        whole_query(seed, in_order(events), parameters),
        whole_query(seed, in_order(others), parameters),
    )


def in_order(events: list[Event]) -> list[Event]:
    """As sort_reports puts them, so that the shuffle alone decides what is opened."""
    rows = [(row.sort_key, place) for place, row in enumerate(rows_from_events(events, "sum"))]
    return [events[place] for _, place in sorted(rows)]


def test_what_a_query_opens_has_one_distribution_whatever_the_data() -> None:
    """Of 3 reports in order, in reverse and all equal: each order is opened a sixth of the time."""
    parameters = QueryParameters(breakdowns=2, cap=3, security="semi-honest", value_bits=2)
    source = SourceEvent(1, 1, 1, 0)
    inputs = [
        [replace(source, match_key=key) for key in keys]
        for keys in ((1, 2, 3), (3, 2, 1), (2, 2, 2))
    ]
    for events in inputs:
        seen = Counter(opened_in(whole_query(seed, [*events], parameters)) for seed in range(600))
        assert len(seen) == 6
        assert all(abs(count - 100) < 6 * 10 for count in seen.values())


@pytest.mark.parametrize("key", [0, 1])
def test_what_two_sorts_open_has_one_distribution_whatever_the_data(key: int) -> None:
    """Of a row before or behind a marker: each pair of orders a quarter of the time.

    So neither tells of the other. Chi-square: 99.99 % below 21 for 3 degrees of freedom.
    """
    runs = 200
    seen: Counter[tuple[int, int]] = Counter()
    for seed in range(runs):
        simulation = Simulation(seed)
        keys, credits = simulation.bits([key], 1), simulation.bits([3], 2)
        sums = sums_by_sorting(simulation.network, keys, credits, 1, 2, "shuffle")
        assert reconstruct_for_testing(sums) == [0 if key else 3]
        first, second = (f"{sort}/compare/open" for sort in ("sort", "sort#2"))
        seen[opened_in(simulation, first), opened_in(simulation, second)] += 1
    assert len(seen) == 4
    assert sum((count - runs / 4) ** 2 / (runs / 4) for count in seen.values()) < 21


def opened_in(simulation: Simulation, step: str = "query/sort/compare/open") -> int:
    """The column that the sort opened: each helper is sent the share that it lacks."""
    sent = simulation.transcript.messages
    lacking = {m.receiver: m.payload for m in sent if m.step == step}
    shares = [int.from_bytes(lacking[helper], "little") for helper in HELPERS]
    return shares[0] ^ shares[1] ^ shares[2]


@pytest.mark.parametrize("case", [case for case in STEP_CASES if case.name != "padding"], ids=str)
def test_payloads_differ_between_seeds_and_shapes_do_not(case: StepCase) -> None:
    events = generate_events(300, users=20, breakdowns=5, seed=1)
    parameters = QueryParameters(breakdowns=5, cap=100, security="semi-honest")
    first, second = (shape_of(case, seed, events, parameters).transcript for seed in (1, 2))
    assert first.shape() == second.shape()
    large = [
        (a.payload, b.payload)
        for a, b in zip(first.messages, second.messages, strict=True)
        if len(a.payload) >= 16
    ]
    assert large
    assert all(a != b for a, b in large)


@examples(25)
@given(st.data(), SEEDS, ROWS, WIDTHS, RINGS)
def test_primitives_and_circuits(
    data: st.DataObject, seed: int, rows: int, width: int, ring: IntegersModulo
) -> None:
    def shape(seed: int) -> Shape:
        a, b = data.draw(columns_of_numbers(rows, width, width))
        numbers = data.draw(st.lists(below(ring.modulus), min_size=rows, max_size=rows))
        simulation = Simulation(seed)
        network, x, y = simulation.network, simulation.bits(a, width), simulation.bits(b, width)
        multiply(network, x, y)
        open_bits(network, x)
        greater_than(network, x, y)
        divide(network, x, y, min(width, 5))
        running_totals(network, x[0], y)
        elements_from_bits(network, x[:3], PRIME_FIELD)
        bits_from_elements(network, simulation.numbers(ring, numbers))
        return simulation.transcript.shape()

    assert shape(seed) == shape(seed + 1)


def received_by(helper: int, simulation: Simulation) -> bytes:
    messages = simulation.transcript.messages
    return b"".join(message.payload for message in messages if message.receiver == helper)


@pytest.mark.parametrize("value", [0, 255])
def test_every_bit_a_helper_receives_in_a_product_is_unbiased(value: int) -> None:
    """4,096 products of 0 and 0 or of 255 and 255: each of the 8 bits is a fair coin (6 sigma)."""
    simulation = Simulation(value)
    x = simulation.bits([value] * 4096, 8)
    multiply(simulation.network, x, x)
    for helper in HELPERS:
        payload = received_by(helper, simulation)
        for start in range(0, len(payload), 512):
            column = int.from_bytes(payload[start : start + 512], "little")
            assert abs(column.bit_count() - 2048) < 6 * 32


@pytest.mark.parametrize("rows", [[0] * 8, [7, 3, 1, 6, 0, 2, 5, 4]])
def test_every_bit_a_helper_receives_in_a_sort_is_unbiased_over_seeds(rows: list[int]) -> None:
    """Its own shares of the input included; 400 seeds, each bit's count within 6 sigma of half."""
    runs = 400
    counts: dict[int, list[int]] = {}
    for seed in range(runs):
        simulation = Simulation(seed)
        table = simulation.bits(rows, 3)
        bitonic_sort(simulation.network, table, 3)
        for helper in HELPERS:
            own, right = table.shares_of(helper)
            view = bytes([*own, *right]) + unpadded(received_by(helper, simulation))
            ones = counts.setdefault(helper, [0] * (8 * len(view)))
            for position, byte in enumerate(view):
                for bit in range(8):
                    ones[8 * position + bit] += byte >> bit & 1
    for helper in HELPERS:
        used = [count for count in counts[helper] if count]
        # 6 share columns of 8 rows; then half the rows, 4 bits, in every byte received.
        assert len(used) == 6 * 8 + (len(counts[helper]) // 8 - 6) * 4
        assert all(abs(count - runs / 2) < 6 * (runs**0.5) / 2 for count in used)


def unpadded(payload: bytes) -> bytes:
    """Half of 8 rows is 4: the upper bits of each byte must be zero, and are no part of the view."""
    assert all(byte < 16 for byte in payload)
    return payload


def test_a_helper_s_view_of_a_sort_does_not_tell_two_inputs_apart() -> None:
    """Means of every byte a helper receives over many seeds, for two inputs: within 6 sigma."""
    runs = 250
    means: list[list[float]] = []
    for values in ([0] * 16, [15, 0, 3, 9, 9, 2, 1, 14, 8, 7, 6, 5, 4, 12, 13, 11]):
        totals: list[int] = []
        for seed in range(runs):
            simulation = Simulation(seed + runs * len(means))
            bitonic_sort(simulation.network, simulation.bits(values, 4), 4)
            views = b"".join(received_by(helper, simulation) for helper in HELPERS)
            totals = [a + b for a, b in zip(totals or [0] * len(views), views, strict=True)]
        means.append([total / runs for total in totals])
    sigma = 73.9 * (2 / runs) ** 0.5  # 73.9 is that of a uniform byte
    assert all(abs(a - b) < 6 * sigma for a, b in zip(*means, strict=True))
