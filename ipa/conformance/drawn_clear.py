"""Strategies for the inputs of `clear/`: events and parameters, and columns of sorted rows.

Times tie, keys collide, caps are met; now and then something is out of its range.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from hypothesis import strategies as st

from ipa.conformance.json_values import Json, event_to_json, number, numbers, parameters_to_json
from ipa.events import Event
from ipa.parameters import Attribution, Capping, QueryParameters
from ipa.testing import below, queries, row_counts, small_queries, workloads

_FIELDS = ("match_key", "attribution_constraint_id", "timestamp", "breakdown_key", "trigger_value")
_WRONG_PARAMETERS: Mapping[str, Sequence[Any]] = {
    "breakdowns": [0, -1],
    "cap": [0, -1],
    "capping": ["none"],
    "aggregate": ["mean"],
    "attribution": ["last"],
    "match_key_bits": [0, 257],
    "timestamp_bits": [0, 65],
    "value_bits": [0, 65],
    "attribution_window": [0],
}


def _asked(events: Sequence[Event], parameters: QueryParameters) -> Json:
    return {
        "parameters": parameters_to_json(parameters),
        "events": [event_to_json(event) for event in events],
    }


@st.composite
def _queries(draw: st.DrawFn, most: int = 10) -> Json:
    """A query; in one of eight a parameter or a field of an event is out of range."""
    # Histories twice as often as the others, for there the rules meet.
    query: st.SearchStrategy[tuple[list[Event], QueryParameters]] = st.one_of(
        _histories(most),
        _histories(most),
        small_queries(max_events=most),
        queries(most),
    )
    events, parameters = draw(query)
    parameters = replace(parameters, security="semi-honest", sort=QueryParameters.sort)
    given = _asked(events, parameters)
    wrong = draw(st.integers(0, 15))
    if wrong == 15:
        name = draw(st.sampled_from(sorted(_WRONG_PARAMETERS)))
        given["parameters"][name] = draw(st.sampled_from(_WRONG_PARAMETERS[name]))
    elif wrong == 14 and events:
        event = given["events"][draw(st.integers(0, len(events) - 1))]
        name = draw(st.sampled_from([name for name in _FIELDS if name in event]))
        event[name] = draw(st.sampled_from([-1, number(_first_outside(name, parameters))]))
    return given


def _first_outside(name: str, parameters: QueryParameters) -> int:
    if name == "breakdown_key":
        return parameters.breakdowns
    bits = {"trigger_value": "value_bits"}.get(name, f"{name}_bits")
    return 1 << int(getattr(parameters, bits))


@st.composite
def _histories(draw: st.DrawFn, most: int) -> tuple[list[Event], QueryParameters]:
    """One or two people with sources and triggers close together, under a low cap."""
    attribution: Attribution = draw(st.sampled_from(get_args(Attribution)))
    bounds = st.sampled_from([1, 2, 4]) if attribution == "last-touch" else st.nothing()
    parameters = QueryParameters(
        breakdowns=draw(st.integers(2, 4)),
        cap=draw(st.integers(1, 12)),
        capping=draw(st.sampled_from(get_args(Capping))),
        aggregate=draw(st.sampled_from(["sum", "sum", "count"])),
        attribution=attribution,
        attribution_window=draw(st.none() | st.integers(1, 4)),
        max_reports_per_match_key=draw(st.none() | st.none() | bounds),
        match_key_bits=draw(st.integers(1, 2)),
        attribution_constraint_id_bits=1,
        timestamp_bits=3,
        value_bits=draw(st.integers(2, 4)),
    )
    people = draw(st.integers(1, 2))
    return draw(workloads(parameters, max_people=people, max_events=most)), parameters


def _bits(rows: int) -> st.SearchStrategy[list[int]]:
    often = st.sampled_from([0, 1, 1])
    return st.lists(often, min_size=rows, max_size=rows)


def _values(rows: int) -> st.SearchStrategy[list[int | str]]:
    value = st.integers(0, 9) | below(1 << 16) | st.just(2**64 - 1)
    return st.lists(value, min_size=rows, max_size=rows).map(numbers)


def _damaged(of_step: Callable[[st.DrawFn], Json], *columns: str) -> st.SearchStrategy[Json]:
    """Inputs of a step; in one of twelve a column has a row too few, or a negative number."""

    @st.composite
    def inputs(draw: st.DrawFn) -> Json:
        """The input as it should be, or damaged."""
        given = of_step(draw)
        damage = draw(st.integers(0, 11))
        column = given[draw(st.sampled_from(columns))] if damage < 2 else []
        if column and damage == 0:
            column.pop()
        elif column:
            column[draw(st.integers(0, len(column) - 1))] = -1
        return given

    return inputs()


def _last_touch_passes(draw: st.DrawFn) -> Json:
    rows = draw(row_counts(12))
    return {
        "same_match_key_and_constraint": draw(_bits(rows)),
        "is_trigger": draw(_bits(rows)),
        "trigger_value": draw(_values(rows)),
    }


def _cap(draw: st.DrawFn) -> Json:
    rows = draw(row_counts(10))
    wrong = st.sampled_from([0, -1, "18446744073709551616"])
    cap = st.integers(1, 20) | st.integers(1, 1 << 20)
    return {
        "same_match_key": draw(_bits(rows)),
        "credits": draw(_values(rows)),
        "cap": draw(cap if draw(st.integers(0, 9)) < 9 else wrong),
        "capping": draw(st.sampled_from([*get_args(Capping) * 4, "none"])),
    }


def _aggregate(draw: st.DrawFn) -> Json:
    rows, breakdowns = draw(row_counts(10)), draw(st.integers(1, 5))
    keys = st.integers(0, breakdowns - 1) | st.integers(0, 7)
    return {
        "breakdown_keys": draw(st.lists(keys, min_size=rows, max_size=rows)),
        "credits": draw(_values(rows)),
        "breakdowns": breakdowns if draw(st.integers(0, 15)) < 15 else 0,
    }


def _noise(draw: st.DrawFn) -> Json:
    digits, precision = draw(st.integers(1, 4)), draw(st.integers(1, 64))
    words = draw(st.lists(below(1 << precision), min_size=2 * digits, max_size=2 * digits))
    return {
        "epsilon": draw(st.sampled_from(["1", "1/2", "3", "1/7", "0"])),
        "sensitivity": draw(st.integers(1, 100)),
        "digits": digits,
        "precision": precision,
        "words": numbers(words),
    }


DRAWN_CLEAR: Mapping[str, st.SearchStrategy[Json]] = {
    "clear/sort": _queries(),
    "clear/helper-bits": _queries(),
    "clear/last-touch-passes": _damaged(
        _last_touch_passes, "same_match_key_and_constraint", "is_trigger", "trigger_value"
    ),
    "clear/attribute": _queries(),
    "clear/cap": _damaged(_cap, "same_match_key", "credits"),
    "clear/aggregate": _damaged(_aggregate, "breakdown_keys", "credits"),
    "clear/noise": _damaged(_noise, "words"),
    "clear/query": _queries(),
}
"""By name, the inputs of a step."""
