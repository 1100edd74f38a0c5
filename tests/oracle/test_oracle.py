"""Each step of the oracle against its rule, said again in another way."""

from collections import defaultdict
from fractions import Fraction
from math import floor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ipa.errors import MismatchError
from ipa.events import Event, SourceEvent
from ipa.oracle.steps import (
    Row,
    cap_credits,
    last_touch_credits,
    last_touch_passes,
    rows_from_events,
    same_group_bits,
    same_match_key_bits,
    sort_rows,
    sums_per_breakdown,
)
from ipa.parameters import Capping, QueryParameters
from ipa.testing import queries

CAPPINGS: list[Capping] = ["proportional", "truncate"]


@settings(max_examples=80, deadline=None)
@given(queries())
def test_rows_sort_and_helper_bits(query: tuple[list[Event], QueryParameters]) -> None:
    events, parameters = query
    rows = rows_from_events(events, parameters.aggregate)
    for event, row in zip(events, rows, strict=True):
        assert (row.match_key, row.attribution_constraint_id, row.timestamp) == (
            event.match_key,
            event.attribution_constraint_id,
            event.timestamp,
        )
        if isinstance(event, SourceEvent):
            assert (row.is_trigger, row.trigger_value) == (False, 0)
            assert row.breakdown_key == event.breakdown_key
        else:
            value = 1 if parameters.aggregate == "count" else event.trigger_value
            assert (row.is_trigger, row.breakdown_key, row.trigger_value) == (True, 0, value)
    ordered = sort_rows(rows)
    assert sorted(map(repr, ordered)) == sorted(map(repr, rows))
    group_bits, match_key_bits = same_group_bits(ordered), same_match_key_bits(ordered)
    assert len(group_bits) == len(match_key_bits) == len(rows)
    assert group_bits[:1] == match_key_bits[:1] == [0] * min(1, len(rows))
    for i in range(1, len(rows)):
        a, b = ordered[i - 1], ordered[i]
        # At equal times triggers come first.
        if (a.match_key, a.attribution_constraint_id) == (b.match_key, b.attribution_constraint_id):
            within = [(r.timestamp, not r.is_trigger, r.breakdown_key) for r in (a, b)]
            assert within[0] <= within[1]
        else:
            groups = [(r.match_key, r.attribution_constraint_id) for r in (a, b)]
            assert groups[0] < groups[1]
        assert match_key_bits[i] == (a.match_key == b.match_key)
        same_constraint = a.attribution_constraint_id == b.attribution_constraint_id
        assert group_bits[i] == (a.match_key == b.match_key and same_constraint)


@settings(max_examples=80, deadline=None)
@given(queries())
def test_last_touch_credits_row_by_row(query: tuple[list[Event], QueryParameters]) -> None:
    """Straight from the rule, in quadratic time; and the doubling passes on the sorted rows."""
    rows = rows_from_events(query[0], query[1].aggregate)
    expected = [0] * len(rows)
    for trigger in rows:
        eligible = [
            (source.timestamp, source.breakdown_key, i)
            for i, source in enumerate(rows)
            if trigger.is_trigger
            and not source.is_trigger
            and source.match_key == trigger.match_key
            and source.attribution_constraint_id == trigger.attribution_constraint_id
            and source.timestamp < trigger.timestamp
        ]
        if eligible:
            expected[max(eligible)[2]] += trigger.trigger_value
    assert last_touch_credits(rows) == expected

    rows = sort_rows(rows)
    triggers = [int(row.is_trigger) for row in rows]
    values = [row.trigger_value for row in rows]
    passes = last_touch_passes(same_group_bits(rows), triggers, values)
    final = passes[-1].credit if passes else values
    on_sources = [(1 - t) * credit for t, credit in zip(triggers, final, strict=True)]
    assert on_sources == last_touch_credits(rows)


@pytest.mark.parametrize(
    ("rows", "distances"),
    [(1, []), (2, [1]), (3, [1, 2]), (4, [1, 2]), (5, [1, 2, 4]), (9, [1, 2, 4, 8])],
)
def test_number_of_passes(rows: int, distances: list[int]) -> None:
    passes = last_touch_passes([0] + [1] * (rows - 1), [0] + [1] * (rows - 1), [1] * rows)
    assert [each.distance for each in passes] == distances
    assert not passes or passes[-1].credit[0] == rows
    assert last_touch_passes([], [], []) == []


credits_of_rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 2**70)))


@settings(max_examples=100, deadline=None)
@given(credits_of_rows, st.integers(1, 2**64 - 1) | st.integers(1, 20))
@example([(0, 0, 5), (0, 0, 5), (0, 1, 5)], 9)
def test_capping_rules(data: list[tuple[int, int, int]], cap: int) -> None:
    rows = [Row(match_key, 1, time, False, 0, 0) for match_key, time, _ in data]
    credits = [credit for _, _, credit in data]
    totals: dict[int, int] = defaultdict(int)
    for row, credit in zip(rows, credits, strict=True):
        totals[row.match_key] += credit
    proportional = cap_credits(rows, credits, cap, "proportional")
    truncated = cap_credits(rows, credits, cap, "truncate")
    for match_key, total in totals.items():
        mine = [i for i, row in enumerate(rows) if row.match_key == match_key]
        in_order = sorted(mine, key=lambda i: rows[i].timestamp)
        for i in mine:
            share = Fraction(credits[i] * cap, total) if total > cap else Fraction(credits[i])
            assert abs(proportional[i] - share) < 1
        for count in range(len(mine) + 1):  # rounding never runs ahead, nor a whole unit behind
            so_far = sum(credits[i] for i in in_order[:count])
            share = Fraction(so_far * cap, total) if total > cap else Fraction(so_far)
            assert sum(proportional[i] for i in in_order[:count]) == floor(share)
        assert sum(proportional[i] for i in mine) == min(total, cap)
        assert sum(truncated[i] for i in mine) == min(total, cap)
        short = [i for i in in_order if truncated[i] < credits[i]]
        # All before the first that is cut are whole; all after it are nothing.
        assert all(truncated[i] == 0 for i in short[1:])
        if short:
            after = in_order[in_order.index(short[0]) + 1 :]
            assert all(truncated[i] == 0 for i in after)


def test_sums_per_breakdown() -> None:
    rows = [Row(1, 1, 1, False, breakdown_key, 0) for breakdown_key in (2, 0, 2)]
    assert sums_per_breakdown(rows, [5, 7, 2**70], 4) == [7, 0, 5 + 2**70, 0]
    assert sums_per_breakdown([], [], 2) == [0, 0]


def test_columns_of_different_lengths() -> None:
    rows = [Row(1, 1, 1, False, 0, 0)]
    for capping in CAPPINGS:
        with pytest.raises(MismatchError, match="credits must have one entry per row: 1, not 2"):
            cap_credits(rows, [1, 2], 1, capping)
    with pytest.raises(MismatchError, match="credits"):
        sums_per_breakdown(rows, [], 1)
    with pytest.raises(MismatchError, match="trigger_bits"):
        last_touch_passes([0], [], [0])
    with pytest.raises(MismatchError, match="values"):
        last_touch_passes([0], [0], [])
