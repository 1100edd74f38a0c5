"""Capping: equal to the oracle at the edges of caps, totals and widths, on few rows and on many."""

import pytest
from cost_formulas import rows_are_many_from
from hypothesis import given
from hypothesis import strategies as st
from strategies import MANY, SEEDS, Simulation, below, columns_of_numbers, examples, small_queries

from ipa.events import Event
from ipa.events.workload import generate_events
from ipa.network.simulation import RunOptions
from ipa.oracle import steps as oracle
from ipa.oracle.steps import Row
from ipa.parameters import Capping, QueryParameters, bits_for
from ipa.protocols.capping import cap_credits
from ipa.query import run_query
from ipa.sharing.dealing import reconstruct_for_testing

secret = reconstruct_for_testing

Case = tuple[list[Event], QueryParameters]


def check_capping(
    simulation: Simulation, rows: list[Row], credits: list[int], cap: int, capping: Capping
) -> None:
    width = bits_for(sum(credits))
    capped = cap_credits(
        simulation.network,
        simulation.bits(oracle.same_match_key_bits(rows), 1),
        simulation.bits(credits, max(1, width)),
        cap,
        capping,
    )
    assert secret(capped) == oracle.cap_credits(rows, credits, cap, capping)
    assert capped.width <= max(1, width, bits_for(cap))


@examples(100)
@given(st.data(), SEEDS, small_queries(min_events=1), st.integers(1, 12), MANY)
def test_capping(data: st.DataObject, seed: int, case: Case, bits: int, many: int) -> None:
    rows = oracle.sort_rows(oracle.rows_from_events(case[0], "sum"))
    (credits,) = data.draw(columns_of_numbers(len(rows), bits))
    cap = data.draw(st.integers(1, 2 * sum(credits) + 1) | st.integers(1, 9))
    with rows_are_many_from(many):
        check_capping(Simulation(seed), rows, credits, cap, case[1].capping)


@pytest.mark.parametrize("capping", ["proportional", "truncate"])
@examples(60)
@given(
    data=st.data(),
    seed=SEEDS,
    count=st.integers(1, 20),
    cap_bits=st.integers(1, 8),
    beside=st.integers(-1, 1),
    many=MANY,
)
def test_caps_beside_powers_of_two_and_totals_beside_caps(
    data: st.DataObject,
    capping: Capping,
    seed: int,
    count: int,
    cap_bits: int,
    beside: int,
    many: int,
) -> None:
    """One match key, or two, whose totals come to the cap, to what saturates, or to the most there is."""
    cap = max(1, (1 << cap_bits) + beside)
    at = (0, 1, cap - 1, cap, cap + 1, (1 << bits_for(cap)) - 1, 1 << bits_for(cap), (1 << 12) - 1)
    credits = data.draw(st.lists(st.sampled_from(at), min_size=count, max_size=count))
    split = data.draw(st.integers(0, count))
    rows = [Row(int(r >= split), r % 3, 0, False, 0, 0) for r in range(count)]
    rows.sort(key=lambda row: row.sort_key)
    with rows_are_many_from(many):
        check_capping(Simulation(seed), rows, credits, cap, capping)


@pytest.mark.parametrize("capping", ["proportional", "truncate"])
@pytest.mark.parametrize("bits", [1, 2, 3, 8])
def test_caps_around_the_largest_total(bits: int, capping: Capping) -> None:
    """A total of all ones exceeds every cap but the one that is all ones itself, or more."""
    largest = (1 << bits) - 1
    rows = [Row(1, 0, 0, False, 0, 0)] * 2
    for cap in range(max(1, largest - 2), largest + 3):
        check_capping(Simulation(cap), rows, [largest // 2, largest - largest // 2], cap, capping)


@pytest.mark.parametrize("capping", ["proportional", "truncate"])
@given(data=st.data(), seed=SEEDS)
@examples(30)
def test_capping_of_the_widest_credits_and_caps(
    data: st.DataObject, seed: int, capping: Capping
) -> None:
    count = data.draw(st.integers(1, 5))
    credits = data.draw(st.lists(below(1 << 64), min_size=count, max_size=count))
    total = max(1, sum(credits))
    caps = st.sampled_from([1, total - 1, total, total + 1, (1 << 64) - 1, 1 << 63])
    cap = max(1, min(data.draw(caps | below(1 << 64)), (1 << 64) - 1))
    rows = [Row(r // 3, 0, 0, False, 0, 0) for r in range(count)]
    check_capping(Simulation(seed), rows, credits, cap, capping)


@pytest.mark.parametrize("capping", ["proportional", "truncate"])
def test_a_cap_that_no_total_can_exceed_costs_nothing(capping: Capping) -> None:
    for cap, costs in ((6, True), (7, False), (8, False)):
        simulation = Simulation(1)
        same, credit = simulation.bits([0, 1], 1), simulation.bits([3, 4], 3)
        cap_credits(simulation.network, same, credit, cap, capping)
        assert bool(simulation.transcript.messages) == costs


@pytest.mark.parametrize("capping", ["proportional", "truncate"])
@pytest.mark.parametrize("most", [4, None])
def test_a_query_in_the_way_of_many_rows_is_checked_as_any(
    capping: Capping, most: int | None
) -> None:
    """Every product of it, under malicious security."""
    events = generate_events(60, users=9, breakdowns=4, seed=1)
    parameters = QueryParameters(
        breakdowns=4, cap=40, capping=capping, max_reports_per_match_key=most
    )
    with rows_are_many_from(2):
        result = run_query(events, parameters, no_noise=True, options=RunOptions(seed=1))
    assert result.sums == oracle.query_in_steps(events, parameters)
    assert any(step.startswith("check") and "/bits" in step for step in result.costs)


def test_totals_saturate_only_where_that_saves_columns() -> None:
    """A total of one bit more than the cap has that bit already."""
    for width, saturates in ((4, False), (5, False), (6, True)):
        simulation = Simulation(1)
        same, credit = simulation.bits([0, 1], 1), simulation.bits([3, 4], width)
        cap_credits(simulation.network, same, credit, 9, "truncate")
        steps = [step for step in simulation.network.costs if "running-totals/all-ones" in step]
        assert bool(steps) == saturates
