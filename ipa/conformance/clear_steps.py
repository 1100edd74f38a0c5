"""The right answers to the cases of `clear/`: what each step of a query computes, without any sharing.

They come from the oracle. The rows of a case are events in any order, or columns of sorted rows.
"""

from collections.abc import Callable, Mapping, Sequence

from ipa.conformance.json_values import (
    Json,
    event_from_json,
    event_to_json,
    events_from_json,
    integers,
    numbers,
    parameters_from_json,
    refused_at,
)
from ipa.conformance.noise_values import noise_from_json
from ipa.errors import RefusedCaseError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.noise.digitwise_laplace import noise_from_words
from ipa.oracle import steps as oracle
from ipa.oracle.steps import Row
from ipa.parameters import QueryParameters


def asked(given: Json) -> tuple[list[Event], QueryParameters]:
    """The parameters of a case, and its events, which must fit them.

    Raises: RefusedCaseError.
    """
    parameters = parameters_from_json(given["parameters"])
    return events_from_json(given["events"], parameters), parameters


def check_columns(*columns: Sequence[int]) -> None:
    """Check that columns have equally many rows.

    Raises: RefusedCaseError when they do not.
    """
    if len({len(column) for column in columns}) > 1:
        raise RefusedCaseError("input", "mismatch")


def check_bits(*columns: Sequence[int]) -> None:
    """Check that columns are equally long and of bits.

    Raises: RefusedCaseError when they are not.
    """
    check_columns(*columns)
    if any(bit not in (0, 1) for column in columns for bit in column):
        raise RefusedCaseError("input", "range")


def check_numbers(*columns: Sequence[int]) -> None:
    """Check that columns are of numbers from 0 on.

    Raises: RefusedCaseError when they are not.
    """
    if any(value < 0 for column in columns for value in column):
        raise RefusedCaseError("input", "range")


def event_of(row: Row) -> Event:
    """The event that a row stands for."""
    key = (row.match_key, row.attribution_constraint_id, row.timestamp)
    if row.is_trigger:
        return TriggerEvent(*key, row.trigger_value)
    return SourceEvent(*key, row.breakdown_key)


def _sort(given: Json) -> Json:
    rows = oracle.sort_rows(oracle.rows_from_events(asked(given)[0], "sum"))
    return {"events": [event_to_json(event_of(row)) for row in rows]}


def comparable_order(output: Json) -> Json:
    """Sorted events with those in order that may stand in any: triggers that differ in value alone."""
    events = [event_from_json(event) for event in output["events"]]
    rows = oracle.rows_from_events(events, "sum")
    keyed = [(row.sort_key, row.trigger_value) for row in rows]
    # Only neighbours that are equal in the key change places, so a wrong order stays wrong.
    places = sorted(range(len(rows)), key=lambda i: (_run_of(keyed, i), keyed[i][1]))
    return {**output, "events": [event_to_json(events[i]) for i in places]}


def _run_of(keyed: Sequence[tuple[object, int]], index: int) -> int:
    """Where the run of equal keys begins in which a row stands."""
    while index and keyed[index - 1][0] == keyed[index][0]:
        index -= 1
    return index


def _helper_bits(given: Json) -> Json:
    rows = oracle.sort_rows(oracle.rows_from_events(asked(given)[0], "sum"))
    return {
        "same_match_key_and_constraint": oracle.same_group_bits(rows),
        "same_match_key": oracle.same_match_key_bits(rows),
    }


def _last_touch_passes(given: Json) -> Json:
    same, triggers = given["same_match_key_and_constraint"], given["is_trigger"]
    values = integers(given["trigger_value"])
    check_columns(same, triggers, values)
    check_bits(same, triggers)
    check_numbers(values)
    passes = oracle.last_touch_passes(same, triggers, values)
    return {
        "passes": [
            {"distance": one.distance, "flag": list(one.flag), "credit": numbers(one.credit)}
            for one in passes
        ]
    }


def _attribute(given: Json) -> Json:
    events, parameters = asked(given)
    rows = oracle.rows_from_events(events, parameters.aggregate)
    within = oracle.rows_within_bound(rows, parameters.max_reports_per_match_key)
    way, window = parameters.attribution, parameters.attribution_window
    credits = oracle.attributed_credits(within, way, window)
    # Rows may be equal, but each is an object of its own.
    of_row = dict(zip(map(id, within), credits, strict=True))
    return {"credits": numbers([of_row.get(id(row), 0) for row in rows])}


def _cap(given: Json) -> Json:
    same, credits, cap = given["same_match_key"], integers(given["credits"]), int(given["cap"])
    check_columns(same, credits)
    check_bits(same)
    check_numbers(credits)
    with refused_at("parameters", "cap"):
        QueryParameters(breakdowns=1, cap=cap)
    capping = given["capping"]
    with refused_at("parameters", "capping"):
        QueryParameters(breakdowns=1, cap=cap, capping=capping)
    rows, match_key = [], 0
    for place, goes_on in enumerate(same):
        # The first row begins a match key whatever its bit says: there is none before it.
        match_key += not goes_on
        rows.append(Row(match_key, 0, place, False, 0, 0))
    return {"credits": numbers(oracle.cap_credits(rows, credits, cap, capping))}


def _aggregate(given: Json) -> Json:
    keys, credits = given["breakdown_keys"], integers(given["credits"])
    check_columns(keys, credits)
    check_numbers(keys, credits)
    breakdowns = given["breakdowns"]
    with refused_at("parameters", "breakdowns"):
        QueryParameters(breakdowns=breakdowns, cap=1)
    rows = [Row(0, 0, 0, False, key, 0) for key in keys if key < breakdowns]
    counted = [credit for key, credit in zip(keys, credits, strict=True) if key < breakdowns]
    return {"sums": numbers(oracle.sums_per_breakdown(rows, counted, breakdowns))}


def _noise(given: Json) -> Json:
    noise = noise_from_json(given)
    if len(given["words"]) != 2 * noise.digits:
        raise RefusedCaseError("input", "mismatch")
    with refused_at("input", "range"):
        drawn = noise_from_words(integers(given["words"]), noise)
    return {"thresholds": numbers(noise.thresholds), "noise": drawn}


def _query(given: Json) -> Json:
    return {"sums": numbers(oracle.query_in_steps(*asked(given)))}


CLEAR_STEPS: Mapping[str, Callable[[Json], Json]] = {
    "sort": _sort,
    "helper-bits": _helper_bits,
    "last-touch-passes": _last_touch_passes,
    "attribute": _attribute,
    "cap": _cap,
    "aggregate": _aggregate,
    "noise": _noise,
    "query": _query,
}
"""By name, what answers a case of the step."""
