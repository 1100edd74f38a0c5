"""The steps of the query, registered once: what feeds the tests that every step must pass.

A step is a `StepCase`: its inputs in the clear, how it runs on shares of them, what the oracle says, the
shapes of its results and its cost. From here it is tested against the oracle (tests/protocols), for
obliviousness and locality (tests/claims), for its cost (tests/network) and under attack
(tests/malicious). A new step is added to `STEP_CASES`, and to nothing else.
"""

from collections.abc import Callable

from attribution_cases import ATTRIBUTION_CASES
from bound_cases import BOUND_CASES
from cost_formulas import (
    Formula,
    attribution,
    by_sorting,
    capping,
    log2,
    one_hot,
    sorting,
)
from step_cases_base import StepCase as StepCase
from step_cases_base import Tables as Tables
from step_cases_base import same_shape
from step_cases_base import shared as shared
from step_inputs import (
    Columns,
    Inputs,
    aggregation_inputs,
    attribution_inputs,
    capped_credits,
    capped_width,
    capping_inputs,
    compression_bits_of,
    compression_inputs,
    credit_bits,
    ordered,
    padded,
    report_columns,
    report_inputs,
    rows_in,
    rows_of,
    sum_bits,
)

from ipa.events import Event
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.oracle import steps as oracle
from ipa.oracle.steps import Row
from ipa.parameters import QueryParameters
from ipa.protocols.aggregation import sums_by_one_hot, sums_by_sorting
from ipa.protocols.capping import cap_credits
from ipa.protocols.helper_bits import helper_bits
from ipa.protocols.last_touch import attribute_last_touch
from ipa.protocols.match_key_compression import compress_match_keys
from ipa.protocols.padding import pad_reports
from ipa.protocols.report_sorting import sort_reports
from ipa.reports import GenericReports
from ipa.sharing.shared_bits import SharedBits

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


ATTRIBUTION_CASE = StepCase(
    "last touch",
    inputs=attribution_inputs,
    run=lambda network, x, p: [
        attribute_last_touch(network, x["same"], x["is_trigger"], x["trigger_value"])
    ],
    oracle=lambda events, p: [oracle.last_touch_credits(ordered(events))],
    shapes=lambda inputs, p: [(rows_in(inputs), credit_bits(rows_in(inputs), p))],
    cost=lambda inputs, p: attribution(rows_in(inputs), p.value_bits),
)


# Capping and aggregation


def capping_cost(inputs: Inputs, p: QueryParameters) -> Formula:
    """That of the way of capping."""
    rows, width = rows_in(inputs), inputs["credit"][1]
    return capping(rows, rows, width, p.cap, p.capping == "proportional")


CAPPING_CASE = StepCase(
    "capping",
    inputs=capping_inputs,
    run=lambda network, x, p: [cap_credits(network, x["same"], x["credit"], p.cap, p.capping)],
    oracle=lambda events, p: [capped_credits(events, p)],
    shapes=lambda inputs, p: [(rows_in(inputs), capped_width(inputs["credit"][1], p))],
    cost=capping_cost,
)


def aggregation_oracle(events: list[Event], p: QueryParameters) -> Columns:
    """The sum of each breakdown key."""
    return [oracle.sums_per_breakdown(ordered(events), capped_credits(events, p), p.breakdowns)]


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
    *ATTRIBUTION_CASES,
    *BOUND_CASES,
)
