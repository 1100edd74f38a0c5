"""The specification's worked example, in the clear (spec: Oblivious Sorting, Oblivious Last Touch)."""

from ipa.events.event import Event, SourceEvent, TriggerEvent
from ipa.parameters import QueryParameters

WORKED_EXAMPLE: tuple[Event, ...] = (
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
"""Its nine events, in an order that a report collector may have them in. Times are minutes as seconds."""

WORKED_EXAMPLE_PARAMETERS = QueryParameters(
    breakdowns=4,
    cap=200,
    match_key_bits=16,
    attribution_constraint_id_bits=8,
    timestamp_bits=16,
    value_bits=8,
)
"""Parameters in whose widths the events fit, with a cap below what one of the match keys has."""
