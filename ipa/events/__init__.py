"""Events: what sources and triggers are, how they are read from frames and files, and made-up ones."""

from ipa.events.event import (
    COLUMNS,
    Event,
    SourceEvent,
    TriggerEvent,
    check_event_type,
    check_events,
    events_from_mappings,
    listed_events,
    read_events_csv,
    write_events_csv,
)
from ipa.events.frames import DataFrame

__all__ = [
    "COLUMNS",
    "DataFrame",
    "Event",
    "SourceEvent",
    "TriggerEvent",
    "check_event_type",
    "check_events",
    "events_from_mappings",
    "listed_events",
    "read_events_csv",
    "write_events_csv",
]
