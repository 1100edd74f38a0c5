"""What each registered step works on, in the clear: what the steps before it hand on, by the oracle."""

from collections.abc import Sequence

from cost_formulas import log2

from ipa.events import Event
from ipa.oracle import steps as oracle
from ipa.oracle.steps import Row
from ipa.parameters import QueryParameters, bits_for

PADDING = Row(0, 0, 0, True, 0, 0)

Inputs = dict[str, tuple[list[int], int]]
"""By name of a table: its rows in the clear, and its width."""

Columns = list[list[int]]


def rows_of(events: list[Event]) -> list[Row]:
    """The reports as they come."""
    return oracle.rows_from_events(events, "sum")


def padded(rows: Sequence[Row]) -> list[Row]:
    """The rows, and as many neutral ones as make a power of two."""
    return [*rows, *[PADDING] * ((1 << log2(max(1, len(rows)))) - len(rows))]


def ordered(events: list[Event]) -> list[Row]:
    """The rows that the sort hands on."""
    return oracle.sort_rows(padded(rows_of(events)))


def capped_credits(events: list[Event], parameters: QueryParameters) -> list[int]:
    """The credits that capping hands on."""
    rows = ordered(events)
    credits = oracle.last_touch_credits(rows)
    return oracle.cap_credits(rows, credits, parameters.cap, parameters.capping)


def credit_bits(rows: int, parameters: QueryParameters) -> int:
    """The width of a credit that cannot wrap."""
    return bits_for(rows * ((1 << parameters.value_bits) - 1))


def rows_in(inputs: Inputs) -> int:
    """How many rows the tables have."""
    return len(next(iter(inputs.values()))[0])


def report_inputs(rows: Sequence[Row], p: QueryParameters) -> Inputs:
    """The fields of reports, in the order of the generic report."""
    return {
        "match_key": ([row.match_key for row in rows], p.match_key_bits),
        "attribution_constraint_id": (
            [row.attribution_constraint_id for row in rows],
            p.attribution_constraint_id_bits,
        ),
        "timestamp": ([row.timestamp for row in rows], p.timestamp_bits),
        "is_trigger": ([int(row.is_trigger) for row in rows], 1),
        "breakdown_key": ([row.breakdown_key for row in rows], p.breakdown_key_bits),
        "trigger_value": ([row.trigger_value for row in rows], p.value_bits),
    }


def report_columns(rows: Sequence[Row], p: QueryParameters) -> Columns:
    """The same as results."""
    return [values for values, _ in report_inputs(rows, p).values()]


def attribution_inputs(events: list[Event], p: QueryParameters) -> Inputs:
    """Sorted rows with the helper bit of attribution."""
    rows = ordered(events)
    return {
        "same": (oracle.same_group_bits(rows), 1),
        "is_trigger": ([int(row.is_trigger) for row in rows], 1),
        "trigger_value": ([row.trigger_value for row in rows], p.value_bits),
    }


def capping_inputs(events: list[Event], p: QueryParameters) -> Inputs:
    """Credits with the helper bit of the cap."""
    rows = ordered(events)
    return {
        "same": (oracle.same_match_key_bits(rows), 1),
        "credit": (oracle.last_touch_credits(rows), credit_bits(len(rows), p)),
    }


def capped_width(width: int, p: QueryParameters) -> int:
    """A cap that no credit of that width exceeds changes nothing."""
    return width if p.cap >= (1 << width) - 1 else bits_for(p.cap)


def aggregation_inputs(events: list[Event], p: QueryParameters) -> Inputs:
    """Capped credits with their breakdown keys."""
    rows = ordered(events)
    width = capped_width(credit_bits(len(rows), p), p)
    return {
        "breakdown_key": ([row.breakdown_key for row in rows], p.breakdown_key_bits),
        "credit": (capped_credits(events, p), width),
    }


def sum_bits(inputs: Inputs, p: QueryParameters) -> int:
    """The width of a sum that cannot wrap, also where the cap is wider than all values together."""
    return max(inputs["credit"][1], credit_bits(rows_in(inputs), p))


def compression_inputs(events: list[Event], p: QueryParameters) -> Inputs:
    """The match keys three bits wider than their hashes, and below them each power of two."""
    keys = [event.match_key * 0x9E37 for event in events]
    bits = compressed_bits(len(events))
    width = bits + 3
    return {
        "match_key": ([*(k % (1 << width) for k in keys), *(1 << i for i in range(width))], width)
    }


def compressed_bits(events: int) -> int:
    """Enough for so many events and for the powers of two below them."""
    return bits_for(events + 32)


def compression_bits_of(width: int) -> int:
    """The width of the hashes of match keys of `width` bits."""
    return width - 3
