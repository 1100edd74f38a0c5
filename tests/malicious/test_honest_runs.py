"""Honest runs never abort under malicious security, and give what they give without it."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from malicious_cases import (
    CAPPINGS,
    SEED,
    TINY_EVENTS,
    MaliciousSimulation,
    honest_messages,
    tiny,
    tiny_queries,
)
from strategies import SEEDS, below, columns_of_numbers, examples

from ipa.errors import IpaError
from ipa.events import Event
from ipa.events.workload import generate_events
from ipa.network.channel import Message, in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import InterceptedChannel, Transcript
from ipa.network.product_log import CheckRules, ProductLog
from ipa.network.simulation import RunOptions, pairwise_keys
from ipa.oracle.steps import query_in_steps
from ipa.parameters import Capping, QueryParameters
from ipa.parties import HELPERS
from ipa.protocols.circuits.addition import add, subtract, sum_rows
from ipa.protocols.circuits.bitonic_sort import bitonic_sort
from ipa.protocols.circuits.comparison import greater_than
from ipa.protocols.circuits.conversion import bits_from_elements, elements_from_bits
from ipa.protocols.circuits.division import divide
from ipa.protocols.circuits.equality import equal
from ipa.protocols.circuits.multiplexer import choose
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.protocols.circuits.scan import last_of_group, running_totals
from ipa.protocols.primitives.opening import open_bits, open_elements
from ipa.query import query, run_query
from ipa.release import combine_at_collector
from ipa.reports import GenericReports, share_events
from ipa.sharing.bits import columns_from_rows
from ipa.sharing.dealing import only_helper, reconstruct_for_testing
from ipa.sharing.joining import join_columns
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo
from ipa.sharing.shared_bits import ColumnPair, SharedBits

secret = reconstruct_for_testing
BATCHES = st.sampled_from([1, 2, 7, 64, 1000, 1 << 24])
ROWS = st.sampled_from([0, 1, 2, 3, 5, 8]) | st.integers(0, 300)
WIDTHS = st.integers(1, 9)
LARGE_PRIMES = st.sampled_from(
    [PRIME_FIELD, IntegersModulo((1 << 64) - 59), IntegersModulo((1 << 80) - 65)]
)


@examples(40)
@given(st.data(), SEEDS, ROWS, WIDTHS, BATCHES, st.booleans())
def test_products_of_bits(
    data: st.DataObject, seed: int, rows: int, width: int, batch: int, one_column: bool
) -> None:
    first = 1 if one_column else width
    a, b = data.draw(columns_of_numbers(rows, first, width))
    simulation = MaliciousSimulation(seed, CheckRules(batch_gates=batch))
    x, y = simulation.bits(a, first), simulation.bits(b, width)
    product = multiply(simulation.network, x, y)
    simulation.finish()
    factor = (1 << width) - 1 if one_column else 1
    expected = [p * factor & q for p, q in zip(a, b, strict=True)]
    assert open_bits(simulation.network, product) == columns_from_rows(expected, width)


@examples(25)
@given(
    SEEDS,
    BATCHES,
    st.lists(st.tuples(st.integers(0, 70), st.integers(1, 5)), min_size=1, max_size=5),
)
def test_products_of_many_shapes_in_one_batch(
    seed: int, batch: int, shapes: list[tuple[int, int]]
) -> None:
    simulation = MaliciousSimulation(seed, CheckRules(batch_gates=batch))
    for rows, width in shapes:
        values = [simulation.randomness.random_bits(width) for _ in range(rows)]
        x = simulation.bits(values, width)
        product = multiply(simulation.network, x, x)
        simulation.finish()
        assert secret(product) == values


@pytest.mark.parametrize(
    ("rows", "width"), [(127, 1), (128, 1), (129, 3), (1000, 70), (5003, 3), (100_003, 2)]
)
def test_products_of_many_rows(rows: int, width: int) -> None:
    simulation = MaliciousSimulation(1)
    a, b = (simulation.randomness.random_bits(rows) for _ in range(2))
    x, y = (
        simulation.bits([value >> r & 1 for r in range(rows)], 1).select([0] * width)
        for value in (a, b)
    )
    product = multiply(simulation.network, x, y)
    simulation.finish()
    assert open_bits(simulation.network, product) == [a & b] * width


@examples(40)
@given(st.data(), SEEDS, st.integers(0, 9), LARGE_PRIMES, st.integers(1, 9))
def test_products_of_numbers(
    data: st.DataObject, seed: int, count: int, ring: IntegersModulo, batch: int
) -> None:
    numbers = st.lists(below(ring.modulus), min_size=count, max_size=count)
    a, b = data.draw(numbers), data.draw(numbers)
    simulation = MaliciousSimulation(seed, CheckRules(batch_elements=batch))
    product = multiply_elements(
        simulation.network, simulation.numbers(ring, a), simulation.numbers(ring, b)
    )
    simulation.finish()
    expected = [p * q % ring.modulus for p, q in zip(a, b, strict=True)]
    assert open_elements(simulation.network, product) == expected


Circuit = Callable[[HelperPartyNetwork, SharedBits, SharedBits], SharedBits]
CIRCUITS: dict[str, tuple[Circuit, Callable[[int, int, int], int]]] = {
    "add": (add, lambda a, b, w: (a + b) % 2**w),
    "subtract": (subtract, lambda a, b, w: (a - b) % 2**w),
    "greater": (greater_than, lambda a, b, w: a > b),
    "equal": (equal, lambda a, b, w: a == b),
    "choose": (lambda n, x, y: choose(n, x[0], x, y), lambda a, b, w: a if a & 1 else b),
    "divide": (
        lambda n, x, y: divide(n, x, join_columns(~(y[0] ^ y[0]), y), x.width),
        lambda a, b, w: a // (2 * b + 1),
    ),
}


@pytest.mark.parametrize("name", CIRCUITS)
@examples(12)
@given(st.data(), SEEDS, st.sampled_from([0, 1, 2, 3, 7]), st.integers(1, 5), BATCHES)
def test_circuits(
    name: str, data: st.DataObject, seed: int, rows: int, width: int, batch: int
) -> None:
    circuit, expected = CIRCUITS[name]
    a, b = data.draw(columns_of_numbers(rows, width, width))
    simulation = MaliciousSimulation(seed, CheckRules(batch_gates=batch))
    result = circuit(simulation.network, simulation.bits(a, width), simulation.bits(b, width))
    simulation.finish()
    assert secret(result) == [expected(p, q, width) for p, q in zip(a, b, strict=True)]


@examples(20)
@given(st.data(), SEEDS, st.sampled_from([0, 1, 2, 3]), st.integers(1, 4), BATCHES)
def test_sorting_and_scans(
    data: st.DataObject, seed: int, depth: int, width: int, batch: int
) -> None:
    rows = 1 << depth
    values, same = data.draw(columns_of_numbers(rows, width, 1))
    same[0] = 0
    simulation = MaliciousSimulation(seed, CheckRules(batch_gates=batch))
    network, x, group = simulation.network, simulation.bits(values, width), simulation.bits(same, 1)
    ordered = bitonic_sort(network, x, width)
    totals = running_totals(network, group, x)
    last = last_of_group(network, group, x)
    total = sum_rows(network, x, 1, width)
    simulation.finish()
    assert secret(ordered) == sorted(values)
    starts = [max(s for s in range(r + 1) if not same[s]) for r in range(rows)]
    ends = [min([e for e in range(r + 1, rows) if not same[e]] + [rows]) for r in range(rows)]
    limit = 1 << width
    assert secret(totals) == [sum(values[s : r + 1]) % limit for r, s in enumerate(starts)]
    assert secret(last) == [values[e - 1] for e in ends]
    assert secret(total) == [sum(values) % limit]


@examples(15)
@given(st.data(), SEEDS, st.integers(0, 3), BATCHES)
def test_conversions(data: st.DataObject, seed: int, count: int, batch: int) -> None:
    numbers = data.draw(st.lists(below(PRIME_FIELD.modulus), min_size=count, max_size=count))
    simulation = MaliciousSimulation(seed, CheckRules(batch_gates=max(50, batch), batch_elements=2))
    network = simulation.network
    as_bits = bits_from_elements(network, simulation.numbers(PRIME_FIELD, numbers))
    (values,) = data.draw(columns_of_numbers(count, 5))
    as_numbers = elements_from_bits(network, simulation.bits(values, 5), PRIME_FIELD)
    simulation.finish()
    assert secret(as_bits) == numbers
    assert secret(as_numbers) == values


@examples(20)
@given(tiny_queries(max_events=9), SEEDS)
def test_whole_queries_are_the_oracle(case: tuple[list[Event], QueryParameters], seed: int) -> None:
    events, parameters = case
    result = run_query(events, parameters, no_noise=True, options=RunOptions(seed=seed))
    assert result.sums == query_in_steps(events, parameters)
    assert result.parameters.security == "malicious"


@pytest.mark.parametrize("capping", CAPPINGS)
def test_a_query_of_full_widths(capping: Capping) -> None:
    parameters = QueryParameters(breakdowns=7, cap=500, capping=capping)
    events = generate_events(65, breakdowns=7, seed=4)
    result = run_query(events, parameters, no_noise=True)
    assert result.sums == query_in_steps(events, parameters)


# Locality: a helper alone does what it does in the simulation


@pytest.mark.parametrize("capping", CAPPINGS)
@pytest.mark.parametrize("batch", [200, 1 << 24])
def test_three_threads_do_what_the_simulation_does(capping: Capping, batch: int) -> None:
    simulation = MaliciousSimulation(SEED, CheckRules(batch_gates=batch))
    expected = simulation.query(TINY_EVENTS, tiny(capping))
    name, keys, ends = simulation.network.name, pairwise_keys(SEED), in_memory_channels(timeout=30)
    reports = share_events(
        name, TINY_EVENTS, tiny(capping), Randomness.from_seed(SEED, "client shares")
    )
    results: dict[int, ColumnPair] = {}
    errors: dict[int, IpaError] = {}
    sent = {helper: Transcript() for helper in HELPERS}
    logs: dict[int, ProductLog] = {}

    def run(helper: int) -> None:
        channel = InterceptedChannel(ends[helper], [sent[helper]])
        party = HelperParty(helper, Prss(*keys[helper]), channel)
        rules = CheckRules(batch_gates=batch)
        network = HelperPartyNetwork(name, [party], security="malicious", check_rules=rules)
        logs[helper] = network.products
        mine = GenericReports(*(only_helper(field, helper) for field in reports.fields))
        try:
            results[helper] = query(network, mine, tiny(capping)).shares_of(helper)
        except IpaError as error:
            errors[helper] = error

    threads = [threading.Thread(target=run, args=(helper,)) for helper in HELPERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == {}
    assert results == {helper: expected.shares_of(helper) for helper in HELPERS}
    assert combine_at_collector(results, 2) == query_in_steps(TINY_EVENTS, tiny(capping))
    for helper in HELPERS:
        simulated = [m for m in simulation.transcript.messages if m.sender == helper]
        assert by_receiver(sent[helper].messages) == by_receiver(simulated)
        assert logs[helper].gates_checked == logs[helper].gates_made == simulation.log.gates_made
        assert all(ends[helper].is_drained() for helper in HELPERS)


def by_receiver(messages: list[Message]) -> dict[int, list[Message]]:
    return {h: [message for message in messages if message.receiver == h] for h in HELPERS}


def test_a_seed_makes_the_malicious_transcript_reproducible() -> None:
    transcript = Transcript()
    run_query(
        TINY_EVENTS, tiny(), no_noise=True, options=RunOptions(seed=SEED, interceptors=[transcript])
    )
    assert tuple(transcript.messages) == honest_messages("proportional")
