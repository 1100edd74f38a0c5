"""The inputs of the vectors of `clear/`, by step: what makes implementations differ."""

from collections.abc import Callable
from typing import Any

from vector_runs import Named

from ipa.conformance.json_values import Json

NARROW = {
    "match_key_bits": 2,
    "attribution_constraint_id_bits": 1,
    "timestamp_bits": 4,
    "value_bits": 4,
}


def source(match_key: int, constraint: int, time: int, breakdown_key: int) -> Json:
    key = {"match_key": match_key, "attribution_constraint_id": constraint, "timestamp": time}
    return {"report": "source", **key, "breakdown_key": breakdown_key}


def trigger(match_key: int, constraint: int, time: int, value: int) -> Json:
    key = {"match_key": match_key, "attribution_constraint_id": constraint, "timestamp": time}
    return {"report": "trigger", **key, "trigger_value": value}


def query_of(*events: Json, **parameters: Any) -> Json:
    return {
        "parameters": {"breakdowns": 4, "cap": 100, **NARROW, **parameters},
        "events": list(events),
    }


HISTORY = (
    source(1, 0, 3, 2),
    trigger(1, 0, 5, 4),
    source(1, 0, 5, 1),
    trigger(1, 1, 9, 15),
    trigger(1, 0, 8, 3),
    source(2, 1, 0, 3),
    trigger(2, 1, 0, 7),
    trigger(2, 1, 15, 9),
    source(1, 1, 4, 0),
)
"""Two people: a source at a trigger's time, two constraint IDs in turn, a trigger at time 0."""


def out_of_range() -> Named:
    """Events and parameters that every step over events must refuse."""
    good = source(1, 0, 3, 2)
    return [
        ("a match key too wide", query_of(good, source(4, 0, 3, 2))),
        ("a constraint ID too wide", query_of(source(1, 2, 3, 2))),
        ("a timestamp too wide", query_of(good, good, trigger(1, 0, 16, 1))),
        ("a breakdown key that is none of the query's", query_of(source(1, 0, 3, 4))),
        ("a trigger value too wide", query_of(trigger(1, 0, 3, 16))),
        ("a negative trigger value", query_of(trigger(1, 0, 3, -1))),
        ("no breakdowns", query_of(good, breakdowns=0)),
        ("a cap of 0", query_of(good, cap=0)),
        ("a match key of 257 bits", query_of(good, match_key_bits=257)),
        ("a window of 0", query_of(good, attribution_window=0)),
        ("an unknown attribution", query_of(good, attribution="any-touch")),
    ]


def sort() -> Named:
    wide = {"match_key_bits": 256, "timestamp_bits": 64, "value_bits": 64}
    largest: Any = [str(2**256 - 1), str(2**64 - 1)]
    return [
        ("by match key, constraint, time, triggers first, breakdown key", query_of(*HISTORY[::-1])),
        (
            "at one time triggers stand before sources, those by breakdown key",
            query_of(source(1, 0, 5, 3), source(1, 0, 5, 0), trigger(1, 0, 5, 1)),
        ),
        ("the largest numbers", query_of(source(largest[0], 1, largest[1], 3), HISTORY[1], **wide)),
        ("no events", query_of()),
        *out_of_range()[:7],
    ]


def helper_bits() -> Named:
    return [
        ("two people, two constraint IDs", query_of(*HISTORY)),
        (
            "match key 0, as padding has",
            query_of(source(0, 0, 0, 0), source(0, 1, 1, 0), HISTORY[0]),
        ),
        (
            "one constraint ID of two match keys",
            query_of(source(1, 0, 5, 3), source(2, 0, 5, 0), source(2, 1, 6, 0)),
        ),
        ("no events", query_of()),
        *out_of_range()[:7],
    ]


def columns(same: list[int], is_trigger: list[int], value: list[Any]) -> Json:
    names = ("same_match_key_and_constraint", "is_trigger", "trigger_value")
    return dict(zip(names, (same, is_trigger, value), strict=True))


def last_touch_passes() -> Named:
    good = columns([0, 1, 1, 1, 1], [0, 1, 1, 0, 1], [0, 2, 3, 0, 4])
    return [
        ("two sources of one group", good),
        (
            "a group that ends, a group of triggers alone",
            columns([0, 1, 0, 1, 0, 1, 1], [0, 1, 1, 1, 0, 1, 1], [0, 2, 3, 1, 0, 5, 6]),
        ),
        ("the largest values", columns([0, 1, 1], [0, 1, 1], [0, str(2**64 - 1), str(2**64 - 1)])),
        ("the first row's bits do not reach the last row", columns([1, 0], [1, 0], [5, 0])),
        ("one row: no pass", columns([0], [0], [0])),
        ("a value too few", columns([0, 1], [0, 1], [0])),
        ("a bit too few", columns([0], [0, 1], [0, 1])),
        ("a kind too few", columns([0, 1], [0], [0, 1])),
        ("a bit that is none", columns([0, 2], [0, 1], [0, 1])),
        ("a kind that is none", columns([0, 1], [0, -1], [0, 1])),
        ("a negative value", columns([0, 1], [0, 1], [0, -1])),
    ]


TOUCHES = (
    source(1, 0, 2, 3),
    source(1, 0, 4, 1),
    source(1, 0, 4, 2),
    trigger(1, 0, 4, 1),
    trigger(1, 0, 6, 8),
    trigger(1, 0, 9, 10),
    trigger(1, 1, 9, 15),
)
"""Three sources, two of them at one time; triggers at that time, within reach and later."""


def attribute() -> Named:
    first, equal = {"attribution": "first-touch"}, {"attribution": "equal-credit"}
    return [
        (
            "last touch: of two sources at one time, that of the larger breakdown key",
            query_of(*TOUCHES),
        ),
        ("last touch in a window of 5", query_of(*TOUCHES, attribution_window=5)),
        ("last touch in a window of 4", query_of(*TOUCHES, attribution_window=4)),
        ("first touch", query_of(*TOUCHES, **first)),
        ("first touch in a window of 5", query_of(*TOUCHES, **first, attribution_window=5)),
        ("equal credit: what is left over goes to the last", query_of(*TOUCHES, **equal)),
        ("equal credit in a window of 5", query_of(*TOUCHES, **equal, attribution_window=5)),
        ("conversions are counted", query_of(*TOUCHES, aggregate="count")),
        ("the first four reports of a match key", query_of(*TOUCHES, max_reports_per_match_key=4)),
        ("a bound that is no power of two", query_of(TOUCHES[0], max_reports_per_match_key=3)),
        (
            "a bound for first touch",
            query_of(TOUCHES[0], **first, max_reports_per_match_key=4),
        ),
        *out_of_range(),
    ]


def capped(same: list[int], credits: list[Any], cap: Any, capping: str) -> Json:
    return {"same_match_key": same, "credits": credits, "cap": cap, "capping": capping}


def cap() -> Named:
    two = [0, 1, 1, 0, 1], [3, 5, 2, 4, 4]
    third = [0, 1, 1], [1, 1, 1]
    return [
        ("what is left of a cap of 6", capped(*two, 6, "truncate")),
        ("in proportion to a cap of 6", capped(*two, 6, "proportional")),
        (
            "thirds of 2: rounded down along the way, nothing lost",
            capped(*third, 2, "proportional"),
        ),
        ("a total of exactly the cap", capped(*two, 10, "proportional")),
        ("the first row's bit means nothing", capped([1, 1], [9, 9], 10, "truncate")),
        ("no credit at all", capped([0, 1], [0, 0], 1, "proportional")),
        ("totals of 65 bits", capped([0, 1], [str(2**64 - 1)] * 2, str(2**64 - 1), "proportional")),
        ("the same, truncated", capped([0, 1], [str(2**64 - 1)] * 2, str(2**64 - 2), "truncate")),
        ("a cap of 0", capped(*two, 0, "truncate")),
        ("a negative cap", capped(*two, -1, "proportional")),
        ("a cap of 65 bits", capped(*two, str(2**64), "truncate")),
        ("an unknown way of capping", capped(*two, 6, "drop")),
        ("a credit too few", capped([0, 1], [3], 6, "truncate")),
        ("a bit too few", capped([0], [3, 5], 6, "proportional")),
        ("a negative credit", capped([0, 1], [3, -5], 6, "truncate")),
        ("a bit that is none", capped([0, 2], [3, 5], 6, "truncate")),
        ("a credit of 1 below 0 in proportion", capped([0, 1], [-1, 5], 6, "proportional")),
    ]


def aggregated(keys: list[int], credits: list[Any], breakdowns: int) -> Json:
    return {"breakdown_keys": keys, "credits": credits, "breakdowns": breakdowns}


def aggregate() -> Named:
    return [
        ("three breakdowns, one without credit", aggregated([2, 0, 2, 0], [5, 1, 7, 0], 3)),
        ("a key that is none of the query's counts nowhere", aggregated([3, 0], [5, 1], 3)),
        ("sums of 65 bits", aggregated([1, 1], [str(2**64 - 1)] * 2, 2)),
        ("no rows", aggregated([], [], 2)),
        ("a credit too few", aggregated([0, 1], [1], 2)),
        ("a key too few", aggregated([0], [1, 2], 2)),
        ("no breakdowns", aggregated([0], [1], 0)),
        ("a negative key", aggregated([-1], [1], 2)),
        ("a negative credit", aggregated([0], [-1], 2)),
    ]


def noise() -> Named:
    good: Json = {"epsilon": "1/2", "sensitivity": 3, "digits": 3, "precision": 10}
    words = [0, 500, 300, 1023, 200, 0]
    at = {"epsilon": "2", "sensitivity": 1, "digits": 1, "precision": 4}
    return [
        ("three digits of ten bits", good | {"words": words}),
        ("a word equal to its threshold makes a 0", at | {"words": [2, 15]}),
        ("a word just below it a 1", at | {"words": [1, 15]}),
        ("a negative noise", at | {"words": [15, 0]}),
        ("a word too few", good | {"words": words[1:]}),
        ("a word of eleven bits", good | {"words": [1024, *words[1:]]}),
        ("a negative word", good | {"words": [-1, *words[1:]]}),
        ("no epsilon", good | {"epsilon": "0", "words": words}),
        ("no digits", good | {"digits": 0, "words": []}),
        ("no precision", good | {"precision": 0, "words": words}),
    ]


def query() -> Named:
    """End to end: events, parameters, sums."""
    one_person = [
        source(1, 0, 1, 0),
        trigger(1, 0, 2, 9),
        source(1, 1, 1, 1),
        trigger(1, 1, 2, 9),
        trigger(1, 1, 3, 3),
    ]
    of_nobody = [source(0, 0, 0, 0), trigger(0, 0, 1, 5), trigger(0, 0, 0, 2)]
    return [
        ("two people", query_of(*HISTORY)),
        ("in proportion to a cap of 10 for both constraint IDs", query_of(*one_person, cap=10)),
        ("truncated at a cap of 10", query_of(*one_person, cap=10, capping="truncate")),
        ("conversions under a cap of 2", query_of(*one_person, cap=2, aggregate="count")),
        ("match key 0 at time 0, beside padding", query_of(*of_nobody)),
        ("a report bound of 2", query_of(*one_person, max_reports_per_match_key=2)),
        ("triggers alone", query_of(trigger(1, 0, 2, 9))),
        ("no events", query_of()),
        (
            "first touch in a window, capped",
            query_of(*TOUCHES, attribution="first-touch", attribution_window=5, cap=7),
        ),
        ("equal credit, capped", query_of(*TOUCHES, attribution="equal-credit", cap=7)),
        *out_of_range(),
    ]


CLEAR_INPUTS: dict[str, tuple[str, Callable[[], Named]]] = {
    "sort": ("The order of events before attribution.", sort),
    "helper-bits": ("Both helper bits of the sorted events.", helper_bits),
    "last-touch-passes": (
        "The state of every row after each pass of last touch.",
        last_touch_passes,
    ),
    "attribute": ("The credit of each event, in the order given.", attribute),
    "cap": ("Credits of sorted rows, capped for each match key.", cap),
    "aggregate": ("The sum of the credits of each breakdown key.", aggregate),
    "noise": ("The noise on one sum that given uniform words make.", noise),
    "query": ("Whole queries: events, parameters, exact sums.", query),
}
