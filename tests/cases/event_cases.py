"""Events that are right, and the largest values of their fields, for the tests of bad ones."""

from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.parameters import QueryParameters

EVENTS: list[Event] = [SourceEvent(7, 1, 10, 3), TriggerEvent(7, 1, 20, 250)]
LARGEST = {
    "match_key": (2**256 - 1, "2**256 - 1"),
    "attribution_constraint_id": (2**64 - 1, "2**64 - 1"),
    "timestamp": (2**64 - 1, "2**64 - 1"),
    "breakdown_key": (2**20 - 1, "1048575"),
    "trigger_value": (2**64 - 1, "2**64 - 1"),
}
PARAMETERS = QueryParameters(
    breakdowns=5,
    cap=1,
    match_key_bits=8,
    attribution_constraint_id_bits=2,
    timestamp_bits=5,
    value_bits=9,
)
