"""Every step, and the whole query, in the clear: what the protocols must compute."""

from ipa.oracle.sql import moments_sql, query_sql
from ipa.oracle.steps import (
    LastTouchPass,
    Row,
    attributed_credits,
    cap_credits,
    last_touch_credits,
    last_touch_passes,
    moments_in_steps,
    query_in_steps,
    rows_from_events,
    rows_within_bound,
    same_group_bits,
    same_match_key_bits,
    sort_rows,
    sums_per_breakdown,
)

__all__ = [
    "LastTouchPass",
    "Row",
    "attributed_credits",
    "cap_credits",
    "last_touch_credits",
    "last_touch_passes",
    "moments_in_steps",
    "moments_sql",
    "query_in_steps",
    "query_sql",
    "rows_from_events",
    "rows_within_bound",
    "same_group_bits",
    "same_match_key_bits",
    "sort_rows",
    "sums_per_breakdown",
]
