"""First touch, equal credit and the attribution window: each piece against the clear."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
from cost_formulas import rows_are_many_from
from hypothesis import given
from hypothesis import strategies as st
from strategies import MANY, SEEDS, Simulation, examples, small_queries

from ipa.attribution import attribute
from ipa.errors import ParameterError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.oracle import query_in_steps, query_sql
from ipa.oracle.steps import attributed_credits, last_touch_credits, rows_from_events, sort_rows
from ipa.parameters import Attribution, QueryParameters, bits_for
from ipa.protocols.circuits.scan import nearest_after, nearest_before
from ipa.protocols.padding import pad_reports
from ipa.sharing.dealing import reconstruct_for_testing

Case = tuple[list[Event], QueryParameters]

PARAMETERS = QueryParameters(breakdowns=4, cap=1000, security="semi-honest")


@examples(40)
@given(SEEDS, st.lists(st.tuples(*[st.integers(0, 1)] * 2, st.integers(0, 7)), max_size=20), MANY)
def test_the_nearest_marked_row_of_a_group(
    seed: int, rows: list[tuple[int, int, int]], many: int
) -> None:
    simulation = Simulation(seed)
    same = [int(bool(row) and link) for row, (link, _, _) in enumerate(rows)]
    marked = [mark for _, mark, _ in rows]
    values = [value for _, _, value in rows]
    group = [sum(1 - bit for bit in same[: row + 1]) for row in range(len(rows))]
    tables = simulation.bits(same, 1), simulation.bits(marked, 1), simulation.bits(values, 3)
    reaches: list[Callable[[int], range]] = [
        lambda row: range(row, -1, -1),
        lambda row: range(row, len(rows)),
    ]
    for nearest, reach in zip((nearest_before, nearest_after), reaches, strict=True):
        with rows_are_many_from(many):
            found = reconstruct_for_testing(nearest(simulation.network, *tables))
        for row, value in enumerate(found):
            touched = [r for r in reach(row) if group[r] == group[row] and marked[r]]
            assert value == (8 | values[touched[0]] if touched else 0)


@examples(60)
@given(SEEDS, small_queries())
def test_attribution_is_the_oracle_s_whatever_the_way(seed: int, case: Case) -> None:
    """Row by row, not only in sums: sources of one key in the order of time, each with its credit."""
    events, parameters = case
    simulation = Simulation(seed, parameters.security)
    network = simulation.network
    reports = pad_reports(network, simulation.reports(events, parameters))
    attributed = attribute(network, reports, parameters)
    rows = sort_rows(rows_from_events(events, "sum"))
    way = parameters.attribution, parameters.attribution_window
    expected = [
        (row.breakdown_key, credit)
        for row, credit in zip(rows, attributed_credits(rows, *way), strict=True)
        if credit
    ]
    found = zip(
        reconstruct_for_testing(attributed.breakdown_key),
        reconstruct_for_testing(attributed.credit),
        strict=True,
    )
    # Of equal sources, any may have what is left over.
    assert sorted(row for row in found if row[1]) == sorted(expected)
    assert attributed.credit.width == bits_for(reports.rows * ((1 << parameters.value_bits) - 1))


@given(small_queries())
def test_without_a_window_the_last_touch_is_the_spec_s(case: Case) -> None:
    rows = sort_rows(rows_from_events(case[0], "sum"))
    assert attributed_credits(rows, "last-touch", None) == last_touch_credits(rows)


@pytest.mark.parametrize("attribution", get_args(Attribution))
@given(case=small_queries(), window=st.none() | st.integers(1, 15))
def test_oracle_and_sql_agree_and_lose_nothing(
    attribution: Attribution, case: Case, window: int | None
) -> None:
    events, parameters = case
    parameters = replace(
        parameters, attribution=attribution, attribution_window=window, timestamp_bits=4
    )
    assert query_in_steps(events, parameters) == query_sql(events, parameters)
    uncapped = replace(parameters, cap=1 << 40)
    last = replace(uncapped, attribution="last-touch")
    assert sum(query_sql(events, uncapped)) == sum(query_sql(events, last))


TOUCHES: list[Event] = [
    SourceEvent(7, 1, 10, 0),
    SourceEvent(7, 1, 20, 1),
    SourceEvent(7, 1, 30, 2),
    TriggerEvent(7, 1, 30, 100),  # at the time of the third source, which is not earlier
    TriggerEvent(7, 1, 41, 11),
]


@pytest.mark.parametrize(
    ("attribution", "window", "sums"),
    [
        ("last-touch", None, [0, 100, 11, 0]),
        ("last-touch", 9, [0, 0, 0, 0]),
        ("last-touch", 10, [0, 100, 0, 0]),
        ("last-touch", 11, [0, 100, 11, 0]),
        ("first-touch", None, [111, 0, 0, 0]),
        ("first-touch", 10, [0, 100, 0, 0]),
        ("first-touch", 20, [100, 0, 11, 0]),
        ("first-touch", 21, [100, 11, 0, 0]),
        ("equal-credit", None, [53, 53, 5, 0]),
        ("equal-credit", 20, [50, 50, 11, 0]),
        ("equal-credit", 21, [50, 55, 6, 0]),
        ("equal-credit", 31, [53, 53, 5, 0]),
    ],
)
def test_a_case_that_one_can_follow(
    attribution: Attribution, window: int | None, sums: list[int]
) -> None:
    parameters = replace(PARAMETERS, attribution=attribution, attribution_window=window)
    assert query_sql(TOUCHES, parameters) == query_in_steps(TOUCHES, parameters) == sums
    simulation = Simulation(1)
    reports = simulation.reports(TOUCHES, parameters)
    attributed = attribute(simulation.network, reports, parameters)
    found = [0] * 4
    for key, credit in zip(
        reconstruct_for_testing(attributed.breakdown_key),
        reconstruct_for_testing(attributed.credit),
        strict=True,
    ):
        found[key] += credit
    assert found == sums


@pytest.mark.parametrize("window", [0, -1, 1 << 32, True, 1.0, "7"])
def test_a_window_is_a_time_of_the_query(window: Any) -> None:
    with pytest.raises(ParameterError, match="attribution_window must be an integer from 1 to"):
        replace(PARAMETERS, attribution_window=window)


def test_an_unknown_attribution_is_refused() -> None:
    unknown: dict[str, Any] = {"attribution": "linear"}
    with pytest.raises(ParameterError, match="attribution must be one of last-touch, first-touch"):
        replace(PARAMETERS, **unknown)
