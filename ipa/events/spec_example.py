"""The specification's worked example: its nine reports, in no order (spec: Oblivious Sorting).

Times are minutes and seconds in the specification, and seconds here.
"""

from ipa.events.event import Event, SourceEvent, TriggerEvent
from ipa.parameters import QueryParameters

SPEC_EXAMPLE: tuple[Event, ...] = (
    TriggerEvent(9086, 14, 2 * 60 + 56, 100),
    SourceEvent(1454, 53, 1 * 60 + 27, 3),
    TriggerEvent(1454, 72, 7 * 60 + 48, 50),
    TriggerEvent(1454, 53, 4 * 60 + 12, 25),
    SourceEvent(5422, 53, 3 * 60 + 24, 0),
    TriggerEvent(1454, 53, 3 * 60 + 46, 250),
    SourceEvent(1454, 53, 1 * 60 + 7, 2),
    TriggerEvent(1454, 72, 5 * 60 + 52, 130),
    TriggerEvent(1454, 53, 4 * 60 + 39, 20),
)

SPEC_EXAMPLE_PARAMETERS = QueryParameters(
    breakdowns=4,
    cap=200,
    match_key_bits=16,
    attribution_constraint_id_bits=8,
    timestamp_bits=16,
    value_bits=8,
)
"""Fields as wide as the example needs, and a cap that it meets."""
