"""The steps of the query, registered once: what feeds the tests that every step must pass.

A step is a `StepCase`: its inputs in the clear, how it runs on shares of them, what the oracle says, the
shapes of its results and its cost. From here it is tested against the oracle (tests/protocols), for
obliviousness and locality (tests/claims), for its cost (tests/network) and under attack
(tests/malicious). A new step is added to `STEP_CASES`, and to nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cost_formulas import (
    Formula,
    attribution,
    by_sorting,
    capping,
    log2,
    one_hot,
    sorting,
    times,
)

from ipa.events import Event
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.oracle import steps as oracle
from ipa.oracle.steps import Row
from ipa.parameters import QueryParameters, bits_for
from ipa.protocols.aggregation import sums_by_one_hot, sums_by_sorting
from ipa.protocols.capping import cap_credits
from ipa.protocols.helper_bits import helper_bits
from ipa.protocols.last_touch import attribute_last_touch
from ipa.protocols.match_key_compression import compress_match_keys
from ipa.protocols.padding import pad_reports
from ipa.protocols.report_sorting import sort_reports
from ipa.reports import GenericReports
from ipa.sharing.shared_bits import SharedBits

PADDING = Row(0, 0, 0, True, 0, 0)

Inputs = dict[str, tuple[list[int], int]]
"""By name of a table: its rows in the clear, and its width."""

Tables = dict[str, SharedBits]
Columns = list[list[int]]


def as_they_are(results: Columns, _: Inputs) -> Columns:
    """Results that are compared with the oracle's as they are."""
    return results


@dataclass(frozen=True)
class StepCase:
    """One step; results and what the oracle says are lists of rows, one for each result."""

    name: str
    inputs: Callable[[list[Event], QueryParameters], Inputs]
    run: Callable[[HelperPartyNetwork, Tables, QueryParameters], list[SharedBits]]
    oracle: Callable[[list[Event], QueryParameters], Columns]
    shapes: Callable[[Inputs, QueryParameters], list[tuple[int, int]]]
    cost: Callable[[Inputs, QueryParameters], Formula]
    comparable: Callable[[Columns, Inputs], Columns] = as_they_are
    """What of results and oracle has to be equal, where not all of it is defined."""

    def __str__(self) -> str:
        return self.name


def shared(deal: Callable[[list[int], int], SharedBits], inputs: Inputs) -> Tables:
    """The inputs, shared by `deal`, which is given rows and a width."""
    return {name: deal(rows, width) for name, (rows, width) in inputs.items()}


# What the steps work on, in the clear


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


def rows_in(inputs: Inputs) -> int:
    """How many rows the tables have."""
    return len(next(iter(inputs.values()))[0])


def same_shape(inputs: Inputs, _: QueryParameters) -> list[tuple[int, int]]:
    """The shapes of results that are as the inputs."""
    return [(len(values), width) for values, width in inputs.values()]


# Padding and sorting


def padding_shapes(inputs: Inputs, _: QueryParameters) -> list[tuple[int, int]]:
    """A power of two of rows."""
    rows = 1 << log2(max(1, rows_in(inputs)))
    return [(rows, width) for _, width in inputs.values()]


PADDING_CASE = StepCase(
    "padding",
    inputs=lambda events, p: report_inputs(rows_of(events), p),
    run=lambda network, x, p: [*pad_reports(network, GenericReports(**x)).fields],
    oracle=lambda events, p: report_columns(padded(rows_of(events)), p),
    shapes=padding_shapes,
    cost=lambda inputs, p: (0, 0),
)


def sorting_cost(inputs: Inputs, p: QueryParameters) -> Formula:
    """That of the bitonic network on all fields, all but the value in the key."""
    width = sum(width for _, width in inputs.values())
    return sorting(rows_in(inputs), width - p.value_bits, width)


def with_ties_in_order(results: Columns, _: Inputs) -> Columns:
    """Rows that are equal in the key (triggers that differ in value alone) may stand in any order."""
    rows = [Row(m, c, t, bool(i), b, v) for m, c, t, i, b, v in zip(*results, strict=True)]
    keys = [list(row.sort_key) for row in rows]
    assert keys == sorted(keys)
    return [
        [*row.sort_key, row.trigger_value]
        for row in sorted(rows, key=lambda r: (r.sort_key, r.trigger_value))
    ]


SORTING_CASE = StepCase(
    "sorting",
    inputs=lambda events, p: report_inputs(padded(rows_of(events)), p),
    run=lambda network, x, p: [*sort_reports(network, GenericReports(**x)).fields],
    oracle=lambda events, p: report_columns(ordered(events), p),
    shapes=same_shape,
    cost=sorting_cost,
    comparable=with_ties_in_order,
)


# Helper bits and attribution


def run_helper_bits(network: HelperPartyNetwork, x: Tables, _: QueryParameters) -> list[SharedBits]:
    """Both bits."""
    bits = helper_bits(network, GenericReports(**x))
    return [bits.same_match_key_and_constraint, bits.same_match_key]


def helper_bits_cost(inputs: Inputs, p: QueryParameters) -> Formula:
    """Two equalities and a product."""
    m, c = p.match_key_bits, p.attribution_constraint_id_bits
    return 1 + log2(m) + log2(c), (m + c - 1) * rows_in(inputs)


HELPER_BITS_CASE = StepCase(
    "helper bits",
    inputs=lambda events, p: report_inputs(ordered(events), p),
    run=run_helper_bits,
    oracle=lambda events, p: [
        oracle.same_group_bits(ordered(events)),
        oracle.same_match_key_bits(ordered(events)),
    ],
    shapes=lambda inputs, p: [(rows_in(inputs), 1)] * 2,
    cost=helper_bits_cost,
)


def attribution_inputs(events: list[Event], p: QueryParameters) -> Inputs:
    """Sorted rows with the helper bit of attribution."""
    rows = ordered(events)
    return {
        "same": (oracle.same_group_bits(rows), 1),
        "is_trigger": ([int(row.is_trigger) for row in rows], 1),
        "trigger_value": ([row.trigger_value for row in rows], p.value_bits),
    }


ATTRIBUTION_CASE = StepCase(
    "last touch",
    inputs=attribution_inputs,
    run=lambda network, x, p: [
        attribute_last_touch(network, x["same"], x["is_trigger"], x["trigger_value"])
    ],
    oracle=lambda events, p: [oracle.last_touch_credits(ordered(events))],
    shapes=lambda inputs, p: [(rows_in(inputs), credit_bits(rows_in(inputs), p))],
    cost=lambda inputs, p: times(rows_in(inputs), attribution(rows_in(inputs), p.value_bits)),
)


# Capping and aggregation


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


def capping_cost(inputs: Inputs, p: QueryParameters) -> Formula:
    """That of the way of capping."""
    rows, width = rows_in(inputs), inputs["credit"][1]
    return times(rows, capping(rows, width, p.cap, p.capping == "proportional"))


CAPPING_CASE = StepCase(
    "capping",
    inputs=capping_inputs,
    run=lambda network, x, p: [cap_credits(network, x["same"], x["credit"], p.cap, p.capping)],
    oracle=lambda events, p: [capped_credits(events, p)],
    shapes=lambda inputs, p: [(rows_in(inputs), capped_width(inputs["credit"][1], p))],
    cost=capping_cost,
)


def aggregation_inputs(events: list[Event], p: QueryParameters) -> Inputs:
    """Capped credits with their breakdown keys."""
    rows = ordered(events)
    width = capped_width(credit_bits(len(rows), p), p)
    return {
        "breakdown_key": ([row.breakdown_key for row in rows], p.breakdown_key_bits),
        "credit": (capped_credits(events, p), width),
    }


def aggregation_oracle(events: list[Event], p: QueryParameters) -> Columns:
    """The sum of each breakdown key."""
    return [oracle.sums_per_breakdown(ordered(events), capped_credits(events, p), p.breakdowns)]


def sum_bits(inputs: Inputs, p: QueryParameters) -> int:
    """The width of a sum that cannot wrap, also where the cap is wider than all values together."""
    return max(inputs["credit"][1], credit_bits(rows_in(inputs), p))


def aggregation_case(
    name: str, way: Callable[..., SharedBits], cost: Callable[..., Formula]
) -> StepCase:
    """One of the two ways to aggregate."""

    def run(network: HelperPartyNetwork, x: Tables, p: QueryParameters) -> list[SharedBits]:
        key, credit = x["breakdown_key"], x["credit"]
        width = max(credit.width, credit_bits(credit.rows, p))
        return [way(network, key, credit, p.breakdowns, width)]

    def its_cost(inputs: Inputs, p: QueryParameters) -> Formula:
        credit_width = inputs["credit"][1]
        shape = (rows_in(inputs), p.breakdowns, p.breakdown_key_bits, credit_width)
        return cost(*shape, sum_bits(inputs, p))

    return StepCase(
        name,
        inputs=aggregation_inputs,
        run=run,
        oracle=aggregation_oracle,
        shapes=lambda inputs, p: [(p.breakdowns, sum_bits(inputs, p))],
        cost=its_cost,
    )


# Match key compression: which hash it is nobody knows, so the hashes of the numbers 1, 2, 4, .. are asked


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


def linearity(results: Columns, inputs: Inputs) -> Columns:
    """The hash of every match key, plus the hashes of the powers of two that it is made of: zero."""
    keys, width = inputs["match_key"]
    (hashes,) = results
    images = hashes[len(hashes) - width :]
    left = []
    for key, value in zip(keys, hashes, strict=True):
        for i in range(width):
            value ^= images[i] * (key >> i & 1)
        left.append(value)
    return [left]


def compression_cost(inputs: Inputs, _: QueryParameters) -> Formula:
    """A round for each bit of the hash, and a gate for each bit of the matrix and row."""
    rows, width = rows_in(inputs), inputs["match_key"][1]
    return compression_bits_of(width), rows * width * compression_bits_of(width)


COMPRESSION_CASE = StepCase(
    "match key compression",
    inputs=compression_inputs,
    run=lambda network, x, p: [
        compress_match_keys(network, x["match_key"], compression_bits_of(x["match_key"].width))
    ],
    oracle=lambda events, p: [[0] * rows_in(compression_inputs(events, p))],
    shapes=lambda inputs, p: [(rows_in(inputs), compression_bits_of(inputs["match_key"][1]))],
    cost=compression_cost,
    comparable=linearity,
)

STEP_CASES = (
    PADDING_CASE,
    SORTING_CASE,
    HELPER_BITS_CASE,
    ATTRIBUTION_CASE,
    CAPPING_CASE,
    aggregation_case("aggregation by routing", sums_by_one_hot, one_hot),
    aggregation_case("aggregation by sorting", sums_by_sorting, by_sorting),
    COMPRESSION_CASE,
)
