"""The whole query: both oracles against answers by hand, each other, and the spec's own SQL."""

import ast
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ipa.oracle.sql
import ipa.oracle.steps
from ipa.errors import EventError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.events.workload import generate_events
from ipa.oracle.sql import query_sql
from ipa.oracle.steps import query_in_steps
from ipa.parameters import Aggregate, Capping, QueryParameters
from ipa.testing import queries

CAPPINGS: list[Capping] = ["proportional", "truncate"]

S, T = SourceEvent, TriggerEvent


@pytest.mark.parametrize(
    ("events", "cap", "proportional", "truncated"),
    [
        ([], 9, [0, 0, 0], [0, 0, 0]),
        ([S(1, 1, 1, 1)], 9, [0, 0, 0], [0, 0, 0]),
        ([T(1, 1, 1, 5)], 9, [0, 0, 0], [0, 0, 0]),
        ([S(1, 1, 1, 1), T(1, 1, 2, 5)], 9, [0, 5, 0], [0, 5, 0]),
        # Equal times do not match; later sources, other match keys and constraint IDs neither.
        ([S(1, 1, 2, 1), T(1, 1, 2, 5)], 9, [0, 0, 0], [0, 0, 0]),
        ([S(1, 1, 3, 1), T(1, 1, 2, 5)], 9, [0, 0, 0], [0, 0, 0]),
        ([S(2, 1, 1, 1), S(1, 2, 1, 1), T(1, 1, 2, 5)], 9, [0, 0, 0], [0, 0, 0]),
        # The latest source wins; at equal times the largest breakdown key, in whichever order.
        ([S(1, 1, 1, 2), S(1, 1, 2, 0), T(1, 1, 3, 5)], 9, [5, 0, 0], [5, 0, 0]),
        ([S(1, 1, 1, 2), S(1, 1, 1, 0), T(1, 1, 3, 5)], 9, [0, 0, 5], [0, 0, 5]),
        ([S(1, 1, 1, 0), S(1, 1, 1, 2), T(1, 1, 3, 5)], 9, [0, 0, 5], [0, 0, 5]),
        # A source between two triggers, and one at the time of the second.
        (
            [S(1, 1, 1, 0), T(1, 1, 2, 1), S(1, 1, 3, 1), T(1, 1, 4, 2), S(1, 1, 4, 2)],
            *(9, [1, 2, 0], [1, 2, 0]),
        ),
        # The cap is exactly met, then passed by one: 4 * 9 / 10 rounded down, and the rest of 9.
        ([S(1, 1, 1, 0), T(1, 1, 2, 4), S(1, 1, 3, 1), T(1, 1, 4, 5)], 9, [4, 5, 0], [4, 5, 0]),
        ([S(1, 1, 1, 0), T(1, 1, 2, 4), S(1, 1, 3, 1), T(1, 1, 4, 6)], 9, [3, 6, 0], [4, 5, 0]),
        # One cap for all constraint IDs of a match key, spent in their order, not in that of time.
        ([S(1, 2, 1, 0), T(1, 2, 2, 8), S(1, 1, 3, 1), T(1, 1, 4, 8)], 9, [5, 4, 0], [1, 8, 0]),
        # One cap for each match key.
        ([S(1, 1, 1, 0), T(1, 1, 2, 8), S(2, 1, 1, 0), T(2, 1, 2, 8)], 7, [14, 0, 0], [14, 0, 0]),
        # Two identical sources: one row takes it all, so the floor is of 10 * 9 / 10.
        ([S(1, 1, 1, 1), S(1, 1, 1, 1), T(1, 1, 2, 10)], 9, [0, 9, 0], [0, 9, 0]),
    ],
)
def test_by_hand(
    events: list[Event], cap: int, proportional: list[int], truncated: list[int]
) -> None:
    for capping, expected in zip(CAPPINGS, (proportional, truncated), strict=True):
        parameters = QueryParameters(breakdowns=3, cap=cap, capping=capping)
        assert query_in_steps(events, parameters) == expected
        assert query_sql(events, parameters) == expected


@settings(max_examples=150, deadline=None)
@given(queries(), st.randoms(use_true_random=False))
def test_steps_and_sql_agree_in_any_order_of_events(
    query: tuple[list[Event], QueryParameters], rng: random.Random
) -> None:
    events, parameters = query
    sums = query_in_steps(events, parameters)
    assert len(sums) == parameters.breakdowns
    assert query_sql(events, parameters) == sums
    rng.shuffle(events)
    assert query_in_steps(events, parameters) == sums
    assert query_sql(events, parameters) == sums


@pytest.mark.parametrize("capping", CAPPINGS)
@pytest.mark.parametrize("aggregate", ["sum", "count"])
@pytest.mark.parametrize(("count", "users"), [(3_000, None), (2_000, 1), (1_000, 40)])
def test_thousands_of_events(
    capping: Capping, aggregate: Aggregate, count: int, users: int | None
) -> None:
    events = generate_events(count, users=users, breakdowns=11, seed=count)
    for cap in (2, 50, 2**40):
        parameters = QueryParameters(breakdowns=11, cap=cap, capping=capping, aggregate=aggregate)
        sums = query_in_steps(events, parameters)
        assert query_sql(events, parameters) == sums
    assert all(sums)


def test_sums_beyond_64_bits_are_exact() -> None:
    largest = 2**64 - 1
    events: list[Event] = []
    for match_key in (2**256 - 1, 2**256 - 2):
        events.append(S(match_key, largest, largest - 1, 1))
        events += [T(match_key, largest, largest, largest)] * 3
    for capping in CAPPINGS:
        parameters = QueryParameters(
            breakdowns=2,
            cap=largest,
            capping=capping,
            match_key_bits=256,
            attribution_constraint_id_bits=64,
            timestamp_bits=64,
            value_bits=64,
        )
        assert query_in_steps(events, parameters) == [0, 2 * largest]
        assert query_sql(events, parameters) == [0, 2 * largest]


SPEC_SQL = """
SELECT breakdown_key, SUM(value)
FROM (
    SELECT t.id,
           "ANY"(t.value) AS value,
           MAX_BY(s.breakdown_key, s.timestamp) AS breakdown_key
    FROM source_reports s
    JOIN trigger_reports t
    ON s.match_key = t.match_key
    WHERE s.timestamp < t.timestamp
    AND s.attribution_constraint_id = t.attribution_constraint_id
    GROUP BY t.id
)
GROUP BY breakdown_key;
"""
"""The spec's query, letter for letter; but SQLite wants the name ANY in quotes."""


class MaxBy:
    """MAX_BY(x, y): the x of the largest y, among equals the largest; ANY(x) likewise."""

    def __init__(self) -> None:
        self.largest: tuple[int, ...] = ()

    def step(self, *values: int) -> None:
        self.largest = max(self.largest, values[::-1])

    def finalize(self) -> int:
        return self.largest[-1]


def run_spec_sql(events: list[Event], breakdowns: int) -> list[int]:
    sums = [0] * breakdowns
    with closing(sqlite3.connect(":memory:")) as database:
        database.create_aggregate("ANY", 1, MaxBy)
        database.create_aggregate("MAX_BY", 2, MaxBy)
        for table, own in (("source", "breakdown_key"), ("trigger", "value")):
            columns = f"id, match_key, attribution_constraint_id, timestamp, {own}"
            database.execute(f"CREATE TABLE {table}_reports ({columns})")
        for row, event in enumerate(events):
            key = (event.match_key, event.attribution_constraint_id, event.timestamp)
            if isinstance(event, S):
                table, own_value = "source_reports", event.breakdown_key
            else:
                table, own_value = "trigger_reports", event.trigger_value
            database.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", (row, *key, own_value))
        for breakdown_key, total in database.execute(SPEC_SQL):
            sums[breakdown_key] = total
    return sums


@settings(max_examples=80, deadline=None)
@given(queries())
def test_without_a_cap_both_are_the_spec_s_own_sql(
    query: tuple[list[Event], QueryParameters],
) -> None:
    # SQLite's own integers hold these numbers and their sums.
    events: list[Event] = []
    for event in query[0]:
        key = (event.match_key % 1009, event.attribution_constraint_id % 11, event.timestamp % 101)
        if isinstance(event, S):
            events.append(S(*key, event.breakdown_key))
        else:
            events.append(T(*key, event.trigger_value % 1009))
    parameters = QueryParameters(breakdowns=query[1].breakdowns, cap=2**64 - 1)
    sums = run_spec_sql(events, parameters.breakdowns)
    assert query_in_steps(events, parameters) == sums
    assert query_sql(events, parameters) == sums


def test_bad_events_are_refused_by_both() -> None:
    parameters = QueryParameters(breakdowns=2, cap=1)
    events = [S(1, 1, 1, 1), S(1, 1, 1, 2)]
    for query in (query_in_steps, query_sql):
        with pytest.raises(EventError, match="row 2: breakdown_key: must be an integer from 0 to"):
            query(events, parameters)


@pytest.mark.parametrize("module", [ipa.oracle.steps, ipa.oracle.sql])
def test_the_oracles_know_nothing_of_protocols_nor_of_each_other(module: object) -> None:
    tree = ast.parse(Path(str(getattr(module, "__file__"))).read_text())  # noqa: B009
    froms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    plain = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    ours = {name for name in froms | plain if name and name.split(".")[0] == "ipa"}
    assert ours <= {"ipa.errors", "ipa.events", "ipa.parameters"}
    assert None not in froms
