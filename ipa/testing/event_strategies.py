"""Strategies for whole queries: parameters, and events that fit them."""

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

from hypothesis import strategies as st

from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.parameters import Aggregate, Attribution, Capping, QueryParameters, Security, Sort
from ipa.testing.table_strategies import below

Pool = Callable[[int], st.SearchStrategy[int]]
"""From a width in bits to the values of a field."""


@st.composite
def parameters(draw: st.DrawFn, security: Security = "malicious") -> QueryParameters:
    """Parameters of an exact query: all of them are drawn, widths from 1 bit to the largest.

    Small numbers are frequent, so that caps are met and fields are narrow.
    """
    narrow = st.sampled_from([1, 2, 3])
    timestamp_bits = draw(narrow | st.integers(1, 64))
    window = st.integers(1, (1 << timestamp_bits) - 1) | st.just((1 << timestamp_bits) - 1)
    return QueryParameters(
        breakdowns=draw(st.integers(1, 5)),
        cap=draw(st.integers(1, 40) | st.integers(1, 2**64 - 1)),
        capping=draw(st.sampled_from(get_args(Capping))),
        aggregate=draw(st.sampled_from(get_args(Aggregate))),
        match_key_bits=draw(narrow | st.integers(1, 256)),
        attribution_constraint_id_bits=draw(narrow | st.integers(1, 64)),
        timestamp_bits=timestamp_bits,
        attribution=draw(st.sampled_from(get_args(Attribution))),
        attribution_window=draw(st.none() | window),
        value_bits=draw(narrow | st.integers(1, 64)),
        security=security,
    )


@st.composite
def queries(
    draw: st.DrawFn, max_events: int = 40, security: Security = "malicious"
) -> tuple[list[Event], QueryParameters]:
    """Up to `max_events` events and parameters that fit them.

    Each field takes a few distinct values only, so that match keys and times collide; caps are met.
    """
    asked = draw(parameters(security))

    def pool(bits: int) -> st.SearchStrategy[int]:
        """Any of a few integers of that width; 0 and the largest turn up often."""
        width = st.integers(0, (1 << bits) - 1)
        ends = st.sampled_from([0, (1 << bits) - 1])
        return st.sampled_from(draw(st.lists(ends | width, min_size=1, max_size=4)))

    return draw(st.lists(_event(asked, pool), max_size=max_events)), asked


@st.composite
def small_queries(
    draw: st.DrawFn, min_events: int = 0, max_events: int = 40
) -> tuple[list[Event], QueryParameters]:
    """Events in fields of a few bits, so that keys collide, times tie and caps are met.

    Half of the tables are of one person, who meets a low cap under several constraint IDs together:
    a cap that each constraint ID has for itself gives other sums there, and hardly elsewhere.
    """
    of_one_person = draw(st.booleans())
    caps = st.integers(1, 4) if of_one_person else st.integers(1, 40) | st.integers(1, 2**10)
    timestamp_bits = draw(st.integers(1, 4))
    window = draw(st.none() | st.integers(1, (1 << timestamp_bits) - 1))
    asked = QueryParameters(
        breakdowns=draw(st.integers(1, 9)),
        cap=draw(caps),
        capping=draw(st.sampled_from(get_args(Capping))),
        aggregate=draw(st.sampled_from(get_args(Aggregate))),
        security=draw(st.sampled_from(get_args(Security))),
        match_key_bits=draw(st.integers(1, 3)),
        attribution_constraint_id_bits=draw(st.integers(1, 2)),
        timestamp_bits=timestamp_bits,
        attribution=draw(st.sampled_from(get_args(Attribution))),
        attribution_window=window,
        sort=draw(st.sampled_from(get_args(Sort))),
        value_bits=draw(st.integers(1, 6)),
    )
    often = st.just(max_events // 2) if of_one_person else st.sampled_from([0, 1, 2, 3])
    count = draw(often | st.integers(min_events, max_events))
    events = draw(events_within(asked, max(count, min_events)))
    if of_one_person:
        events = [replace(event, match_key=1) for event in events]
    return events, asked


def events_within(asked: QueryParameters, count: int) -> st.SearchStrategy[list[Event]]:
    """`count` events with fields as wide as the parameters say; the largest values often."""
    return st.lists(_event(asked, lambda bits: below(1 << bits)), min_size=count, max_size=count)


@st.composite
def workloads(
    draw: st.DrawFn, asked: QueryParameters, max_people: int = 6, max_events: int = 40
) -> list[Event]:
    """Events of a few people over a few times and constraint IDs: ties, and long runs of one group.

    In contrast to `events_within` people have histories: a few sources, often at one time, and triggers
    of their group at their time or a little later.
    """
    match_keys = draw(st.lists(below(1 << asked.match_key_bits), min_size=1, max_size=max_people))
    constraints = st.sampled_from([0, (1 << asked.attribution_constraint_id_bits) - 1])
    gap = st.sampled_from([1, 0, 2, 1])
    values = st.integers(1, (1 << asked.value_bits) - 1) | below(1 << asked.value_bits)
    history = st.tuples(
        st.sampled_from(match_keys),
        constraints,
        below(1 << asked.timestamp_bits),
        _mostly_some(st.tuples(gap, below(asked.breakdowns)), 2),
        _mostly_some(st.tuples(gap, values), 3),
    )
    events: list[Event] = []
    for match_key, constraint, time, sources, triggers in draw(
        st.lists(history, min_size=min(2, max_events), max_size=max(2, max_events // 3))
    ):
        for later, breakdown_key in sources:
            time = min(asked.latest_time, time + later)
            events.append(SourceEvent(match_key, constraint, time, breakdown_key))
        for later, value in triggers:
            time = min(asked.latest_time, time + later)
            events.append(TriggerEvent(match_key, constraint, time, value))
    return events[:max_events][:: draw(st.sampled_from([1, -1]))]


def _mostly_some(
    entries: st.SearchStrategy[tuple[int, int]], most: int
) -> st.SearchStrategy[list[tuple[int, int]]]:
    """A list that is seldom empty."""
    some = st.lists(entries, min_size=1, max_size=most)
    return st.one_of(some, some.map(list), st.lists(entries, max_size=most))


def _event(asked: QueryParameters, pool: Pool) -> st.SearchStrategy[Event]:
    key = (
        pool(asked.match_key_bits),
        pool(asked.attribution_constraint_id_bits),
        pool(asked.timestamp_bits),
    )
    source: st.SearchStrategy[Event] = st.builds(SourceEvent, *key, below(asked.breakdowns))
    return source | st.builds(TriggerEvent, *key, pool(asked.value_bits))
