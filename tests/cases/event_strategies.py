"""Hypothesis strategies for whole queries: events and the parameters that fit them."""

from typing import get_args

from hypothesis import strategies as st

from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.parameters import Attribution, QueryParameters


@st.composite
def queries(draw: st.DrawFn, max_events: int = 40) -> tuple[list[Event], QueryParameters]:
    """Up to `max_events` events and parameters: every parameter is drawn, widths 1 to the largest.

    Each field takes a few distinct values only, so that match keys and times collide; caps are met.
    """

    def pool(bits: int) -> st.SearchStrategy[int]:
        """Any of a few integers of that width; 0 and the largest turn up often."""
        width = st.integers(0, (1 << bits) - 1)
        ends = st.sampled_from([0, (1 << bits) - 1])
        return st.sampled_from(draw(st.lists(ends | width, min_size=1, max_size=4)))

    narrow = st.sampled_from([1, 2, 3])
    timestamp_bits = draw(narrow | st.integers(1, 64))
    window = st.integers(1, (1 << timestamp_bits) - 1) | st.just((1 << timestamp_bits) - 1)
    parameters = QueryParameters(
        breakdowns=draw(st.integers(1, 5)),
        cap=draw(st.integers(1, 40) | st.integers(1, 2**64 - 1)),
        capping=draw(st.sampled_from(["proportional", "truncate"])),
        aggregate=draw(st.sampled_from(["sum", "count"])),
        match_key_bits=draw(narrow | st.integers(1, 256)),
        attribution_constraint_id_bits=draw(narrow | st.integers(1, 64)),
        timestamp_bits=timestamp_bits,
        attribution=draw(st.sampled_from(get_args(Attribution))),
        attribution_window=draw(st.none() | window),
        value_bits=draw(narrow | st.integers(1, 64)),
    )
    key = (
        pool(parameters.match_key_bits),
        pool(parameters.attribution_constraint_id_bits),
        pool(parameters.timestamp_bits),
    )
    breakdown_keys = st.integers(0, parameters.breakdowns - 1)
    event = st.builds(SourceEvent, *key, breakdown_keys) | st.builds(
        TriggerEvent, *key, pool(parameters.value_bits)
    )
    return draw(st.lists(event, max_size=max_events)), parameters
