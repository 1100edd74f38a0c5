"""At most so many reports of a match key: the query, both oracles, and cases that one can follow."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS, Simulation, examples, small_queries

from ipa.attribution import attribute
from ipa.errors import ParameterError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.moments import run_moments_query
from ipa.network.costs import cost_of
from ipa.network.simulation import RunOptions
from ipa.oracle import (
    moments_in_steps,
    moments_sql,
    query_in_steps,
    query_sql,
    rows_from_events,
    rows_within_bound,
)
from ipa.parameters import Aggregate, Capping, QueryParameters, Security, Sort, bits_for
from ipa.query import run_query
from ipa.sharing.dealing import reconstruct_for_testing

Case = tuple[list[Event], QueryParameters]

BOUNDS = [1, 2, 4, 8, 16, 32, 1 << 32]


@st.composite
def bounded_queries(draw: st.DrawFn) -> Case:
    """Queries in which persons have fewer reports than the bound, as many, and more."""
    events, parameters = draw(small_queries())
    return events, replace(
        parameters,
        attribution="last-touch",
        max_reports_per_match_key=draw(st.sampled_from(BOUNDS)),
    )


def answer(events: list[Event], parameters: QueryParameters, seed: int = 1) -> list[int]:
    return run_query(events, parameters, no_noise=True, options=RunOptions(seed=seed)).sums


@examples(60)
@given(SEEDS, bounded_queries())
def test_the_query_with_a_bound_is_both_oracles(seed: int, case: Case) -> None:
    events, parameters = case
    expected = query_in_steps(events, parameters)
    assert query_sql(events, parameters) == expected
    assert answer(events, parameters, seed) == expected


@examples(150)
@given(bounded_queries())
def test_both_oracles_agree_with_a_bound(case: Case) -> None:
    assert query_sql(*case) == query_in_steps(*case)


@examples(100)
@given(bounded_queries(), st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_change_who_takes_part(case: Case, rng: Random) -> None:
    events, parameters = case
    shuffled = rng.sample(events, len(events))
    assert query_in_steps(shuffled, parameters) == query_in_steps(events, parameters)


@pytest.mark.parametrize("security", get_args(Security))
@pytest.mark.parametrize("capping", get_args(Capping))
@pytest.mark.parametrize("aggregate", get_args(Aggregate))
@pytest.mark.parametrize("reports", [7, 8, 9, 20])
def test_persons_below_at_and_above_the_bound(
    reports: int, aggregate: Aggregate, capping: Capping, security: Security
) -> None:
    """Each person takes turns between sources and triggers, at times of their own."""
    events: list[Event] = []
    for person in (0, 3, 7):
        for time in range(reports + person % 2):
            if time % 2:
                events.append(TriggerEvent(person, time // 12, time, 1 + time))
            else:
                events.append(SourceEvent(person, time // 12, time, time // 2 % 3))
    bounded = QueryParameters(
        breakdowns=3,
        cap=11 if aggregate == "sum" else 2,
        capping=capping,
        aggregate=aggregate,
        security=security,
        match_key_bits=3,
        attribution_constraint_id_bits=2,
        timestamp_bits=5,
        value_bits=5,
        max_reports_per_match_key=8,
    )
    found = answer(events, bounded)
    assert found == query_in_steps(events, bounded) == query_sql(events, bounded)
    assert 0 < sum(found) <= 3 * bounded.cap
    generous, unbounded = (
        replace(bounded, cap=1 << 20, max_reports_per_match_key=most) for most in (8, None)
    )
    found = answer(events, generous)
    assert found == query_in_steps(events, generous)
    assert (found == query_in_steps(events, unbounded)) == (reports < 9)


PARAMETERS = QueryParameters(
    breakdowns=3,
    cap=1000,
    match_key_bits=3,
    attribution_constraint_id_bits=2,
    timestamp_bits=4,
    value_bits=6,
    security="semi-honest",
    max_reports_per_match_key=4,
)
S, T = SourceEvent, TriggerEvent


@pytest.mark.parametrize(
    ("events", "sums"),
    [
        ([], [0, 0, 0]),
        ([S(5, 1, 1, 1), T(5, 1, 2, 3), T(5, 1, 3, 4), T(5, 1, 4, 5)], [0, 12, 0]),
        ([S(5, 1, 1, 1), *(T(5, 1, time, time) for time in range(2, 9))], [0, 9, 0]),
        # Another constraint ID's reports come first, though they are later.
        ([S(5, 0, 9, 0), T(5, 0, 10, 7), S(5, 1, 1, 1), T(5, 1, 2, 3), T(5, 1, 3, 4)], [7, 3, 0]),
        ([S(5, 0, 9, 0)] * 4 + [S(5, 1, 1, 1), T(5, 1, 2, 3)], [0, 0, 0]),
        # Ties within the bound count; of a tie across it nothing does, whatever the order.
        ([S(5, 1, 1, 1), T(5, 1, 2, 3), T(5, 1, 2, 9), T(5, 1, 2, 1)], [0, 13, 0]),
        ([S(5, 1, 1, 1), *(T(5, 1, 2, value) for value in (3, 9, 1, 2))], [0, 0, 0]),
        ([S(5, 1, 1, 1), T(5, 1, 2, 8), *(T(5, 1, 3, value) for value in (3, 9, 1))], [0, 8, 0]),
        ([S(5, 1, 1, 1), T(5, 1, 2, 8), *(T(5, 1, 3, v) for v in range(9))], [0, 8, 0]),
        # Triggers of one time under another constraint ID are no ties.
        ([S(5, 1, 1, 1), T(5, 1, 2, 3), T(5, 1, 3, 4), T(5, 1, 4, 5), T(5, 2, 4, 6)], [0, 12, 0]),
        # Nor is a source of that time.
        ([S(5, 1, 1, 1), T(5, 1, 2, 3), T(5, 1, 3, 4), T(5, 1, 4, 5), S(5, 1, 4, 2)], [0, 12, 0]),
        # Nobody's padding counts for match key 0, nor do other match keys.
        ([S(0, 0, 1, 1), T(0, 0, 2, 3), T(0, 0, 3, 4), T(0, 0, 4, 5), S(1, 0, 1, 0)], [0, 12, 0]),
        ([T(0, 0, 0, 9), S(0, 0, 0, 1), T(0, 0, 1, 3), T(0, 0, 2, 4), T(0, 0, 3, 5)], [0, 7, 0]),
        ([T(0, 0, 0, 9)] * 3 + [S(0, 0, 0, 1), T(0, 0, 1, 3)], [0, 0, 0]),
        ([*[S(4, 0, 1, 0)] * 9, S(5, 1, 1, 1), T(5, 1, 2, 3), T(5, 1, 3, 4)], [0, 7, 0]),
    ],
)
@pytest.mark.parametrize("others", [0, 20])
@pytest.mark.parametrize("sort", get_args(Sort))
def test_who_takes_part(events: list[Event], sums: list[int], others: int, sort: Sort) -> None:
    """Alone, and among others, who fill the table; with padding, which the bitonic network needs."""
    parameters = replace(PARAMETERS, sort=sort)
    more: list[Event] = [SourceEvent(6 + row % 2, 0, row % 3, 2) for row in range(others)]
    for rows in (events + more, more + events[::-1]):
        assert query_in_steps(rows, PARAMETERS) == sums
        assert query_sql(rows, PARAMETERS) == sums
        assert answer(rows, parameters) == sums


@pytest.mark.parametrize("most", BOUNDS)
def test_rows_within_a_bound_are_so_many_at_most(most: int) -> None:
    rows = rows_from_events([SourceEvent(1, 0, time, 0) for time in range(20)], "sum")
    assert rows_within_bound(rows, most) == rows[:most]
    assert rows_within_bound(rows[::-1], most) == rows[:most][::-1]
    assert rows_within_bound(rows, None) == rows


@examples(20)
@given(bounded_queries())
def test_moments_with_a_bound_are_both_oracles(case: Case) -> None:
    events, parameters = case
    parameters = replace(parameters, breakdowns=max(parameters.breakdowns, 2), cap=3)
    expected = moments_in_steps(events, parameters)
    assert moments_sql(events, parameters) == expected
    found = run_moments_query(events, parameters, no_noise=True, options=RunOptions(seed=1))
    assert (found.people, found.totals, found.squares) == tuple(
        expected[name] for name in ("people", "totals", "squares")
    )


@examples(30)
@given(SEEDS, bounded_queries())
def test_a_window_and_a_bound_go_together(seed: int, case: Case) -> None:
    events, parameters = case
    for window in {1, parameters.latest_time}:
        asked = replace(parameters, attribution_window=window)
        assert answer(events, asked, seed) == query_in_steps(events, asked)


@pytest.mark.parametrize(
    ("most", "passes", "longest"), [(None, 5, 32), (64, 5, 32), (32, 5, 32), (4, 2, 4), (1, 0, 1)]
)
def test_number_of_passes_within_a_bound(most: int | None, passes: int, longest: int) -> None:
    """Attribution and capping look no further than a match key can reach, in sums no wider."""
    simulation = Simulation(1)
    parameters = replace(PARAMETERS, max_reports_per_match_key=most, attribution_window=3)
    events: list[Event] = [SourceEvent(1, 0, row % 16, 0) for row in range(32)]
    reports = simulation.reports(events, parameters)
    attributed = attribute(simulation.network, reports, parameters)
    steps = [step for step, cost in simulation.network.costs.items() if cost.and_gates]
    multiplying = "attribution/running-totals/multiply"
    assert len([step for step in steps if step.startswith(multiplying)]) == passes
    nearest = [step for step in steps if step.startswith("attribution-window/nearest-before")]
    assert len(nearest) == 2 + passes
    assert any(step.startswith("report-bound") for step in steps) == (longest < 32)
    assert attributed.longest == longest
    assert attributed.credit.width == bits_for(longest * 63)
    assert reconstruct_for_testing(attributed.credit) == [0] * 32


def gates_and_rounds(most: int | None, capping: Capping) -> Iterator[int]:
    parameters = replace(PARAMETERS, max_reports_per_match_key=most, capping=capping, cap=40)
    events: list[Event] = [SourceEvent(1, 0, 1, 0)] * 64
    result = run_query(events, parameters, no_noise=True, options=RunOptions(seed=1))
    cost = cost_of(result.costs)
    yield cost.and_gates
    yield cost.rounds


@pytest.mark.parametrize("capping", get_args(Capping))
def test_a_bound_makes_a_query_cheaper(capping: Capping) -> None:
    for bounded, unbounded in zip(
        gates_and_rounds(4, capping), gates_and_rounds(None, capping), strict=True
    ):
        assert bounded < unbounded
    assert list(gates_and_rounds(64, capping)) == list(gates_and_rounds(None, capping))


@pytest.mark.parametrize("most", [0, -4, 1 << 33, True, 4.0, "4"])
def test_a_bound_is_a_number_of_reports(most: Any) -> None:
    with pytest.raises(ParameterError, match="max_reports_per_match_key must be an integer from 1"):
        replace(PARAMETERS, max_reports_per_match_key=most)


@pytest.mark.parametrize("most", [3, 6, 63, (1 << 32) - 1])
def test_a_bound_is_a_power_of_two(most: int) -> None:
    with pytest.raises(ParameterError, match=f"must be a power of two, not {most}$"):
        replace(PARAMETERS, max_reports_per_match_key=most)


@pytest.mark.parametrize("attribution", ["first-touch", "equal-credit"])
def test_a_bound_is_for_the_last_touch(attribution: Any) -> None:
    with pytest.raises(
        ParameterError, match=f"last-touch attribution alone, not for {attribution}"
    ):
        replace(PARAMETERS, attribution=attribution)


def test_sums_are_wide_enough_for_all_persons_and_capping_takes_few_passes() -> None:
    events: list[Event] = []
    for person in range(8):
        events += [SourceEvent(person, 0, 1, 1), TriggerEvent(person, 0, 2, 63)]
    parameters = replace(PARAMETERS, max_reports_per_match_key=2, cap=62)
    result = run_query(events, parameters, no_noise=True, options=RunOptions(seed=1))
    assert result.sums == [0, 8 * 62, 0]
    passes = [step for step in result.costs if "capping/running-totals/multiply" in step]
    assert len(passes) == 1
