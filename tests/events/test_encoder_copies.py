"""An encoder is kept and sent elsewhere with what it remembers, and takes rows that leave a field out."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from encoder_cases import COLUMNS, SOURCE, TRIGGER, fresh

import ipa
from ipa.errors import EventError
from ipa.events import SourceEvent, TriggerEvent
from ipa.events.encoding import EventEncoder

BOB = {**SOURCE, "user": "bob", "advertiser": "hats.example"}
CYD = {**SOURCE, "user": "cyd", "advertiser": "toys.example"}

WAYS: dict[str, Callable[[EventEncoder], EventEncoder]] = {
    "pickled": lambda encoder: pickle.loads(pickle.dumps(encoder)),
    "copied": copy.copy,
    "copied deeply": copy.deepcopy,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_copy_remembers_and_goes_on_by_itself(
    way: Callable[[EventEncoder], EventEncoder],
) -> None:
    encoder = fresh(other_label="other")
    encoder.encode([SOURCE, BOB])
    again = way(encoder)
    assert again == encoder and repr(again) == repr(encoder)
    rows = [SOURCE, TRIGGER, BOB, {**BOB, "campaign": "autumn", "advertiser": None}]
    assert again.encode(rows) == encoder.encode(rows)
    # Each gives the next number to the next person that it sees, whoever the other one has seen.
    assert encoder.encode([CYD])[0].match_key == 2
    dan = {**SOURCE, "user": "dan", "advertiser": "books.example"}
    for each in (again, way(again)):
        (event,) = each.encode([dan])
        assert (event.match_key, event.attribution_constraint_id) == (2, 2)
    assert again.encode([CYD])[0].match_key == 3
    assert replace(encoder).encode([CYD])[0].match_key == 0


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_copy_has_the_key_of_its_hashes_and_the_time(
    way: Callable[[EventEncoder], EventEncoder],
) -> None:
    hashed, plain = fresh(hash_key=bytes(range(16))), EventEncoder(breakdown_labels=range(4))
    row = {"report": "source", "match_key": "ada", "timestamp": 7, "breakdown_key": 3}
    assert way(hashed).encode([SOURCE]) == hashed.encode([SOURCE])
    assert way(plain).encode([row]) == [SourceEvent(0, 0, 7, 3)]


@pytest.mark.parametrize("kind", [None, "source"])
def test_a_row_may_leave_out_the_field_of_the_other_kind(kind: Any) -> None:
    source = {name: cell for name, cell in SOURCE.items() if name != "value"}
    trigger = {name: cell for name, cell in TRIGGER.items() if name != "campaign"}
    assert fresh().encode([source], kind) == [SourceEvent(0, 0, 90, 1)]
    assert fresh().encode([source, trigger])[1] == TriggerEvent(0, 0, 86_400, 1999)
    alone = fresh(columns={name: field for name, field in COLUMNS.items() if name != "value"})
    assert alone.encode([source], kind) == [SourceEvent(0, 0, 90, 1)]


def test_plain_dictionaries_are_taken_as_without_an_encoder() -> None:
    rows: list[dict[str, object]] = [
        {"report": "source", "match_key": 0, "timestamp": 1, "breakdown_key": 2},
        {"report": "trigger", "match_key": 0, "timestamp": 2, "trigger_value": 25},
    ]
    encoder = EventEncoder(breakdown_labels=range(4))
    assert encoder.encode(rows) == ipa.events_from_mappings(rows)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**SOURCE, "value": 5}, "row 2: value: must be empty on a source report"),
        ({**TRIGGER, "campaign": "other"}, "row 2: campaign: must be empty on a trigger report"),
        ({**SOURCE, "campaign": ...}, "row 2: campaign: column is missing"),
        ({**TRIGGER, "value": ...}, "row 2: value: column is missing"),
        ({**SOURCE, "type": ...}, "row 2: type: column is missing"),
        ({**SOURCE, "value": ..., "user": ...}, "row 2: user: column is missing"),
    ],
)
def test_what_is_wrong_still_names_row_and_column(row: dict[str, Any], said: str) -> None:
    given = {name: cell for name, cell in row.items() if cell is not ...}
    with pytest.raises(EventError) as caught:
        fresh().encode([SOURCE, given])
    assert str(caught.value) == said
