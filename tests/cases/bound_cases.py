"""The bound on the reports of a match key, and the steps that it makes shorter, registered as steps."""

from dataclasses import dataclass

from cost_formulas import Formula, attribution, capping, copies, log2, plus
from step_cases_base import StepCase, Tables
from step_inputs import Columns, Inputs, capped_width, credit_bits, ordered, rows_in

from ipa.events import Event
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.oracle import steps as oracle
from ipa.oracle.steps import Row
from ipa.parameters import QueryParameters, bits_for
from ipa.protocols.capping import cap_credits
from ipa.protocols.last_touch import attribute_last_touch
from ipa.protocols.report_bound import BoundedColumns, bound_reports
from ipa.sharing.shared_bits import SharedBits


def a_bound(p: QueryParameters) -> int:
    """Some power of two, which tables of some rows exceed."""
    return 1 << (bits_for(p.breakdowns) - 1)


def longest(rows: int, p: QueryParameters) -> int:
    """The most rows that a match key has after the step."""
    return min(rows, a_bound(p))


@dataclass(frozen=True)
class Bounded:
    """What the step makes of sorted rows."""

    same_group: list[int]
    same_match_key: list[int]
    values: list[int]


def bounded(rows: list[Row], most: int) -> Bounded:
    """Helper bits by a row's place, values by the places of all rows that are equal to it."""
    kept = {row.sort_key for row in oracle.rows_within_bound(rows, most)}
    if most >= len(rows):
        kept = {row.sort_key for row in rows}
    place, within = -1, []
    for same in oracle.same_match_key_bits(rows):
        place = place + 1 if same else 0
        within.append(int(place < most))
    return Bounded(
        [a & b for a, b in zip(oracle.same_group_bits(rows), within, strict=True)],
        [a & b for a, b in zip(oracle.same_match_key_bits(rows), within, strict=True)],
        [row.trigger_value if row.sort_key in kept else 0 for row in rows],
    )


# The bound itself


def bound_inputs(events: list[Event], p: QueryParameters) -> Inputs:
    """Sorted rows with their helper bits and times."""
    rows = ordered(events)
    return {
        "same_group": (oracle.same_group_bits(rows), 1),
        "same_match_key": (oracle.same_match_key_bits(rows), 1),
        "is_trigger": ([int(row.is_trigger) for row in rows], 1),
        "timestamp": ([row.timestamp for row in rows], p.timestamp_bits),
        "trigger_value": ([row.trigger_value for row in rows], p.value_bits),
    }


def run_bound(network: HelperPartyNetwork, x: Tables, p: QueryParameters) -> list[SharedBits]:
    """Both bits and the values."""
    given = BoundedColumns(x["same_group"], x["same_match_key"], x["trigger_value"])
    found = bound_reports(network, given, x["is_trigger"], x["timestamp"], a_bound(p))
    return [found.same_match_key_and_constraint, found.same_match_key, found.trigger_value]


def bound_oracle(events: list[Event], p: QueryParameters) -> Columns:
    """The same in the clear."""
    found = bounded(ordered(events), a_bound(p))
    return [found.same_group, found.same_match_key, found.values]


def bound_cost(inputs: Inputs, p: QueryParameters) -> Formula:
    """A windowed AND, a comparison of times, the last of each run of ties, and two masks."""
    rows, k, t = rows_in(inputs), log2(a_bound(p)), p.timestamp_bits
    if a_bound(p) >= rows:
        return 0, 0
    per_row = k + (t + 1) + 1 + p.value_bits
    last = copies(rows, min(rows, 2 * a_bound(p)), 1)
    return plus((k + log2(t + 2) + 2, rows * per_row), last)


# Attribution and capping of what it hands on


def attribution_inputs(events: list[Event], p: QueryParameters) -> Inputs:
    """Rows of which a match key has no more than the bound."""
    rows = ordered(events)
    found = bounded(rows, a_bound(p))
    return {
        "same": (found.same_group, 1),
        "is_trigger": ([int(row.is_trigger) for row in rows], 1),
        "trigger_value": (found.values, p.value_bits),
    }


def bounded_credits(events: list[Event], p: QueryParameters) -> list[int]:
    """The last touch of the rows as they then are, from the values that are left."""
    rows = ordered(events)
    values = bounded(rows, a_bound(p)).values
    return oracle.last_touch_credits(
        [
            Row(*row.group, row.timestamp, row.is_trigger, row.breakdown_key, value)
            for row, value in zip(rows, values, strict=True)
        ]
    )


def bounded_credit_bits(rows: int, p: QueryParameters) -> int:
    """The width of a match key's total within the bound."""
    return credit_bits(longest(rows, p), p)


def capping_inputs(events: list[Event], p: QueryParameters) -> Inputs:
    """Credits with the helper bit of the cap."""
    rows = ordered(events)
    same = bounded(rows, a_bound(p)).same_match_key
    return {
        "same": (same, 1),
        "credit": (bounded_credits(events, p), bounded_credit_bits(len(rows), p)),
    }


def capping_cost(inputs: Inputs, p: QueryParameters) -> Formula:
    """As many passes as the bound needs."""
    rows, width = rows_in(inputs), inputs["credit"][1]
    proportional = p.capping == "proportional"
    return capping(rows, longest(rows, p), width, p.cap, proportional)


def attribution_cost(inputs: Inputs, p: QueryParameters) -> Formula:
    """As many passes as the bound needs."""
    return attribution(rows_in(inputs), p.value_bits, a_bound(p))


BOUND_CASES = (
    StepCase(
        "report bound",
        inputs=bound_inputs,
        run=run_bound,
        oracle=bound_oracle,
        shapes=lambda inputs, p: [(rows_in(inputs), width) for width in (1, 1, p.value_bits)],
        cost=bound_cost,
    ),
    StepCase(
        "last touch within a bound",
        inputs=attribution_inputs,
        run=lambda network, x, p: [
            attribute_last_touch(
                network, x["same"], x["is_trigger"], x["trigger_value"], a_bound(p)
            )
        ],
        oracle=lambda events, p: [bounded_credits(events, p)],
        shapes=lambda inputs, p: [
            (rows_in(inputs), bounded_credit_bits(rows_in(inputs), p)),
        ],
        cost=attribution_cost,
    ),
    StepCase(
        "capping within a bound",
        inputs=capping_inputs,
        run=lambda network, x, p: [
            cap_credits(network, x["same"], x["credit"], p.cap, p.capping, a_bound(p))
        ],
        oracle=lambda events, p: [
            oracle.cap_credits(ordered(events), bounded_credits(events, p), p.cap, p.capping)
        ],
        shapes=lambda inputs, p: [(rows_in(inputs), capped_width(inputs["credit"][1], p))],
        cost=capping_cost,
    ),
)
