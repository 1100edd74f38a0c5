"""Events: mappings and the check of ranges; each kind of bad input names row and field."""

import math
from collections.abc import Mapping
from fractions import Fraction

import pytest
from event_cases import EVENTS, LARGEST, PARAMETERS

from ipa.errors import EventError
from ipa.events import COLUMNS, Event, SourceEvent, TriggerEvent, check_events, events_from_mappings
from ipa.parameters import QueryParameters

BAD_INTEGERS = ("1", True, 1.5, -1, -1.0, math.inf, Fraction(1), 1j)


def test_events_from_mappings() -> None:
    common: Mapping[str, object] = {"match_key": 7, "attribution_constraint_id": 1}
    source = {"report": "source", **common, "timestamp": 10, "breakdown_key": 3}
    trigger = {"report": "trigger", **common, "timestamp": 20, "trigger_value": 250}
    assert events_from_mappings([source, trigger]) == EVENTS
    padded = [{**source, "trigger_value": None}, {**trigger, "breakdown_key": "", "site": ""}]
    assert events_from_mappings(padded) == EVENTS
    frame = [{**source, "trigger_value": math.nan}, {**trigger, "breakdown_key": math.nan}]
    assert events_from_mappings(frame) == EVENTS
    elsewhere = {**trigger, "site": "a.example"}
    assert events_from_mappings([elsewhere]) == [TriggerEvent(7, 1, 20, 250, "a.example")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *[({field: value}, field) for field in COLUMNS[1:5] for value in BAD_INTEGERS],
        ({"match_key": None}, "match_key"),
        ({"match_key": math.nan}, "match_key"),
        ({"trigger_value": 0}, "trigger_value"),
        ({"trigger_value": 0.0}, "trigger_value"),
        ({"report": "view"}, "report"),
        ({"report": ["source"]}, "report"),
        ({"site": 7}, "site"),
        ({"site": "a\n"}, "site"),
        ({"value": 1}, "value"),
    ],
)
def test_bad_mappings(change: dict[str, object], field: str) -> None:
    good: Mapping[str, object] = dict(zip(COLUMNS, ["source", 7, 1, 10, 3, None], strict=True))
    with pytest.raises(EventError) as caught:
        events_from_mappings([good, {**good, **change}])
    assert (caught.value.row, caught.value.field) == (2, field)
    if field in LARGEST and field != "trigger_value":
        assert caught.value.problem == "must be an int from 0"


def test_a_mapping_without_a_field_and_no_mapping() -> None:
    good: Mapping[str, object] = dict(zip(COLUMNS[:5], ["source", 7, 1, 10, 3], strict=True))
    for missing in (*COLUMNS[:2], *COLUMNS[3:5]):
        with pytest.raises(EventError, match=f"row 1: {missing}: must be"):
            events_from_mappings([{k: v for k, v in good.items() if k != missing}])
    with pytest.raises(EventError, match="row 1: must be a mapping, not tuple"):
        events_from_mappings([("source", 7, 1, 10, 3)])  # type: ignore[list-item]


LIMITS = {
    "match_key": 255,
    "attribution_constraint_id": 3,
    "timestamp": 31,
    "breakdown_key": 4,
    "trigger_value": 511,
}


@pytest.mark.parametrize("field", LIMITS)
def test_check_events_names_row_field_and_range(field: str) -> None:
    event_type: type[Event] = TriggerEvent if field == "trigger_value" else SourceEvent
    fields = COLUMNS[1:4] + ((field,) if field in COLUMNS[4:] else ("breakdown_key",))

    def event(value: object) -> Event:
        return event_type(**{**dict.fromkeys(fields, 0), field: value})  # type: ignore[arg-type]

    check_events([event(0), event(LIMITS[field])], PARAMETERS)
    for bad in (-1, LIMITS[field] + 1, 2**300, True, 1.0, "1", None):
        with pytest.raises(EventError) as caught:
            check_events([event(0), event(bad)], PARAMETERS, "e.csv")
        expected = f"e.csv: row 2: {field}: must be an integer from 0 to {LIMITS[field]}"
        assert str(caught.value) == expected


def test_check_events_at_the_widest() -> None:
    widest = QueryParameters(breakdowns=1, cap=1, match_key_bits=256, value_bits=64)
    check_events([TriggerEvent(2**256 - 1, 0, 0, 2**64 - 1)], widest)
    with pytest.raises(EventError, match=r"match_key: must be an integer from 0 to 2\*\*256 - 1"):
        check_events([TriggerEvent(2**256, 0, 0, 0)], widest)


def test_check_events_takes_sites_only() -> None:
    with pytest.raises(EventError, match="row 1: site: must be printable text"):
        check_events([SourceEvent(1, 1, 1, 1, None)], PARAMETERS)  # type: ignore[arg-type]
