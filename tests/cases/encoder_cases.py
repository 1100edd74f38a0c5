"""A researcher's encoder and two rows of a table, for the tests of frames."""

import datetime as dt
import math
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ipa.events.encoding import EventEncoder

MARCH = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
COLUMNS = {
    "user": "match_key",
    "advertiser": "attribution_constraint_id",
    "time": "timestamp",
    "campaign": "breakdown_key",
    "value": "trigger_value",
    "type": "report",
}
ENCODER = EventEncoder(
    breakdown_labels=["spring", "letter", "other"],
    columns=COLUMNS,
    kinds={"impression": "source", "purchase": "trigger"},
    start=MARCH,
    value_step="0.01",
    largest_value="500",
    timestamp_bits=22,
)
SOURCE: dict[str, Any] = {
    "user": "ada",
    "advertiser": "shop.example",
    "time": MARCH + dt.timedelta(seconds=90),
    "campaign": "letter",
    "value": None,
    "type": "impression",
    "browser": "left alone",
}
TRIGGER: dict[str, Any] = {
    **SOURCE,
    "time": MARCH + dt.timedelta(days=1, milliseconds=999),
    "campaign": math.nan,
    "value": Decimal("19.99"),
    "type": "purchase",
}


def fresh(**changes: Any) -> EventEncoder:
    """An encoder that has not numbered anybody yet."""
    return replace(ENCODER, **changes)
