"""The bounds on what passes the check, for the real fields: what they count and how small they are."""

from math import log2
from typing import get_args

import pytest

from ipa.events.workload import generate_events
from ipa.network.product_log import CheckRules
from ipa.network.simulation import RunOptions
from ipa.parameters import QueryParameters, Sort
from ipa.protocols.circuits.sorting import sort_gates
from ipa.protocols.verification.bit_check import soundness_error
from ipa.query import run_query
from ipa.sharing.rings import PRIME_FIELD
from ipa.sharing.verification.blocks import Layout, Section, choose_layout

SORTS = 3
"""More than a query has: one of reports, and two where there are many breakdown keys."""

LEVELS = 100
"""More batches than the opened comparisons of a million rows come in; each is checked by itself."""

SHUFFLE_ERROR = 3 / 2**64
"""An error in a shuffle passes each of three comparisons with 2^-64 (SPEC_NOTES: shuffle)."""


@pytest.mark.parametrize("sort", get_args(Sort))
def test_the_bound_for_a_query_of_a_million_events(sort: Sort) -> None:
    """Batches times the bound of a batch, with room for every width: at most 2^-40."""
    parameters = QueryParameters(breakdowns=256, cap=1 << 16)
    rows = 1 << 20
    key = 64 + 16 + 32 + 1 + parameters.breakdown_key_bits
    # A million rows sorted three times is more than the whole query (see the next test).
    gates = SORTS * sort_gates(rows, key, key + parameters.value_bits, "bitonic")
    batches = -(-gates // CheckRules().batch_gates) + 1
    if sort == "shuffle":
        assert sort_gates(rows, key, key + parameters.value_bits, sort) < gates / SORTS
        batches += SORTS * LEVELS
    worst = max(
        soundness_error(
            choose_layout({(shape, count): -(-2 * CheckRules().batch_gates // (shape * count))}),
            1 << 64,
        )
        for shape in (1, 3, 127, 128, 129, 1 << 10, (1 << 15) + 1, 1 << 19, 1 << 20)
        for count in (1, 2, 3, 129, 256)
    )
    assert 0 < worst < 2.0**-50
    assert batches * worst + SORTS * SHUFFLE_ERROR <= 2.0**-40


def test_three_sorts_are_more_than_a_query() -> None:
    """At a size that can be run; of a larger query the sort is a larger part."""
    parameters = QueryParameters(
        breakdowns=256, cap=1 << 16, security="semi-honest", sort="bitonic"
    )
    events = generate_events(1024, breakdowns=256)
    result = run_query(events, parameters, no_noise=True, options=RunOptions(seed=1))
    gates = sum(cost.and_gates for cost in result.costs.values())
    key = 64 + 16 + 32 + 1 + parameters.breakdown_key_bits
    sort = sort_gates(1024, key, key + parameters.value_bits, "bitonic")
    assert gates < 3 * sort


def test_the_bound_for_products_of_numbers() -> None:
    batch = CheckRules().batch_elements
    assert (batch + 2 * (log2(batch) + 2)) / PRIME_FIELD.modulus < 2.0**-44


@pytest.mark.parametrize("degree", [8, 16, 64])
def test_the_bound_grows_with_the_batch_and_shrinks_with_the_field(degree: int) -> None:
    size = 1 << degree
    small = Layout(128, {1: Section(1, 0, 1)})
    assert 0 < soundness_error(small, 2 * size) < soundness_error(small, size)
    for larger in (
        Layout(1 << 15, {1: Section(1, 0, 1)}),
        Layout(128, {1: Section(1, 3, 1)}),
        Layout(128, {1: Section(1, 0, 9)}),
        Layout(128, {4: Section(4, 0, 1)}),
        Layout(128, {1: Section(1, 0, 1), 4: Section(4, 2, 1)}),
    ):
        assert soundness_error(small, size) < soundness_error(larger, size)


@pytest.mark.parametrize(
    ("layout", "points"),
    [
        # Blocks of the hash, and one; groups and products, less one of each; twice the variables;
        # twice the halvings, up to 64 elements, and two.
        (Layout(128, {1: Section(1, 0, 1)}), 1 + 1 + 0 + 0 + 0 + 2 * (1 + 2)),
        (Layout(128, {1: Section(1, 3, 1)}), 1 + 1 + 0 + 0 + 6 + 2 * (1 + 2)),
        (Layout(136, {1: Section(1, 3, 1)}), 2 + 1 + 0 + 0 + 6 + 2 * (2 + 2)),
        (Layout(1 << 16, {1: Section(1, 6, 8)}), 512 + 1 + 7 + 0 + 12 + 2 * (13 + 2)),
        (Layout(1 << 16, {1: Section(1, 6, 9)}), 512 + 1 + 8 + 0 + 12 + 2 * (14 + 2)),
        (Layout(128, {4: Section(4, 2, 1)}), 1 + 1 + 0 + 3 + 4 + 2 * (1 + 2)),
        # Groups of all sections count; the most products and the most variables of any.
        (
            Layout(128, {1: Section(1, 6, 3), 2: Section(2, 5, 5), 256: Section(256, 2, 1)}),
            1 + 1 + 8 + 255 + 12 + 2 * (1 + 4 + 2),
        ),
    ],
)
def test_the_bound_counts_every_coin_that_a_cheater_may_be_lucky_with(
    layout: Layout, points: int
) -> None:
    assert soundness_error(layout, 1 << 20) == points / (1 << 20)
