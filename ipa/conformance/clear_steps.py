"""The right answers to the cases of `clear/`: what each step of a query computes, without any sharing.

They come from the oracle. The rows of a case are events in any order, or columns of sorted rows.
"""

from collections.abc import Callable, Mapping, Sequence

from ipa.conformance.clear_inputs import aggregate_input, asked, cap_input, passes_input
from ipa.conformance.json_values import (
    Json,
    event_from_json,
    event_to_json,
    integers,
    numbers,
    refused_at,
)
from ipa.conformance.noise_values import noise_from_json
from ipa.errors import RefusedCaseError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.noise.digitwise_laplace import noise_from_words
from ipa.oracle import steps as oracle
from ipa.oracle.steps import Row


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
    passes = oracle.last_touch_passes(*passes_input(given))
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
    same, credits, cap, capping = cap_input(given)
    rows, match_key = [], 0
    for place, goes_on in enumerate(same):
        # The first row begins a match key whatever its bit says: there is none before it.
        match_key += not goes_on
        rows.append(Row(match_key, 0, place, False, 0, 0))
    return {"credits": numbers(oracle.cap_credits(rows, credits, cap, capping))}


def _aggregate(given: Json) -> Json:
    keys, credits, breakdowns = aggregate_input(given)
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
