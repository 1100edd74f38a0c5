"""The synthetic workload: deterministic, of the size asked for, with every case that matters."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipa.errors import ParameterError
from ipa.events import SourceEvent, TriggerEvent, check_events
from ipa.events.workload import LARGEST_VALUE, _heavy_tailed_value, generate_events
from ipa.oracle.steps import last_touch_credits, query_in_steps, rows_from_events, sort_rows
from ipa.parameters import QueryParameters


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 60),
    users=st.none() | st.integers(1, 100),
    breakdowns=st.integers(1, 40),
    seed=st.integers(0),
    match_key_bits=st.integers(1, 256),
)
def test_size_ranges_and_determinism(
    count: int, users: int | None, breakdowns: int, seed: int, match_key_bits: int
) -> None:
    def generate() -> list[SourceEvent | TriggerEvent]:
        return generate_events(
            count, users=users, breakdowns=breakdowns, seed=seed, match_key_bits=match_key_bits
        )

    events = generate()
    assert len(events) == count
    assert events == generate()
    if users is not None:
        assert len({event.match_key for event in events}) <= users
    parameters = QueryParameters(breakdowns=breakdowns, cap=1, match_key_bits=match_key_bits)
    check_events(events, parameters)


def test_the_first_events_of_a_seed_are_pinned() -> None:
    """So that a command in a document prints the same everywhere and in every later version."""
    assert generate_events(3, users=2, seed=1) == PINNED
    assert generate_events(3, users=2, seed=2) != PINNED


PINNED = [
    SourceEvent(14799178230035213023, 2, 154265, 6),
    SourceEvent(14799178230035213023, 7, 154265, 9),
    TriggerEvent(10499958131665514997, 1, 269370, 56),
]


def test_a_workload_has_every_case_that_matters() -> None:
    events = generate_events(5_000, breakdowns=8)
    triggers = [event for event in events if isinstance(event, TriggerEvent)]
    sources = [event for event in events if isinstance(event, SourceEvent)]
    assert 0.2 < len(triggers) / len(events) < 0.3
    per_user = Counter(event.match_key for event in events)
    assert 500 < len(per_user) <= 1_000
    assert 15 < max(per_user.values()) < 100
    assert len({event.attribution_constraint_id for event in events}) == 8
    per_breakdown = Counter(event.breakdown_key for event in sources)
    assert sorted(per_breakdown) == list(range(8))
    assert per_breakdown[0] > 3 * per_breakdown[7]
    values = sorted(event.trigger_value for event in triggers)
    assert values[0] >= 5
    assert values[-1] > 50 * values[len(values) // 2]

    groups = Counter(
        (event.match_key, event.attribution_constraint_id, event.timestamp) for event in events
    )
    assert sum(size > 1 for size in groups.values()) > 50
    trigger_groups = {(e.match_key, e.attribution_constraint_id, e.timestamp) for e in triggers}
    source_groups = {(e.match_key, e.attribution_constraint_id, e.timestamp) for e in sources}
    assert len(trigger_groups & source_groups) > 10

    attributed = sum(last_touch_credits(sort_rows(rows_from_events(events, "count"))))
    assert 0.2 < attributed / len(triggers) < 0.8
    capped = query_in_steps(events, QueryParameters(breakdowns=8, cap=50))
    assert 0 < sum(capped) < sum(query_in_steps(events, QueryParameters(breakdowns=8, cap=2**40)))


def test_the_tail_of_values_is_cut_at_the_default_width() -> None:
    class Extreme(random.Random):
        def random(self) -> float:
            return 1 - 2**-53

    assert _heavy_tailed_value(Extreme()) == LARGEST_VALUE == 2**16 - 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"count": -1}, "count"),
        ({"count": 1.0}, "count"),
        ({"count": True}, "count"),
        ({"count": "9"}, "count"),
        ({"users": 0}, "users"),
        ({"seed": "1"}, "seed"),
        ({"breakdowns": 0}, "breakdowns"),
        ({"breakdowns": 2**20 + 1}, "breakdowns"),
        ({"match_key_bits": 0}, "match_key_bits"),
        ({"match_key_bits": 257}, "match_key_bits"),
    ],
)
def test_impossible_arguments(arguments: dict[str, int], named: str) -> None:
    with pytest.raises(ParameterError, match=f"{named} must be an integer"):
        generate_events(**{"count": 1, **arguments})
