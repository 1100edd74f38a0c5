"""Steps of the moments query: what each person contributes to each breakdown key.

A person is a match key. Its total for a breakdown key is the sum of its capped credits there. (Spec:
Privacy Preserving Mean and Covariance Estimation, which points to Biswas, Dong, Kamath and Ullman
2020, arXiv 2006.06618; SPEC_NOTES: moments.)
"""

from dataclasses import dataclass
from itertools import combinations

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import Sort, bits_for
from ipa.protocols.circuits.addition import multiply_integers, sum_rows
from ipa.protocols.circuits.constants import public_number
from ipa.protocols.circuits.equality import all_ones, equal
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import running_totals
from ipa.protocols.circuits.sorting import sort_rows
from ipa.sharing.bits import ones
from ipa.sharing.joining import join_columns, join_rows
from ipa.sharing.shared_bits import SharedBits


@dataclass(frozen=True)
class PersonTotals:
    """A row for each total of a person, among rows of 0: its breakdown key and the total."""

    breakdown_key: SharedBits
    total: SharedBits


def person_totals(
    network: HelperPartyNetwork,
    same_match_key: SharedBits,
    breakdown_key: SharedBits,
    credit: SharedBits,
    sort: Sort = "bitonic",
) -> PersonTotals:
    """The totals of each person for each breakdown key, from rows in which a person's stand together.

    `credit` holds any person's total. People are numbered in the order of the rows, the rows sorted
    by person and breakdown key, and the last row of each run keeps the run's total.

    Cost: that of a running total, a sort by bits_for(n) + breakdown key bits, a comparison of
    neighbours, running totals and a product.
    Reveals: what sort_rows reveals.
    """
    rows, key_bits = credit.rows, breakdown_key.width
    with network.step("person-totals"):
        everyone = public_number(network, rows, 1, 1).and_public([ones(rows) & ~1])
        width = max(1, bits_for(rows))
        person = running_totals(network, everyone, ~same_match_key, width)
        table = join_columns(breakdown_key, person, credit)
        ordered = sort_rows(network, table, key_bits + width, sort)
        key = ordered[: key_bits + width]
        same = equal(network, key, key.predecessors(1)).and_public([ones(rows) & ~1])
        totals = running_totals(network, same, ordered[key_bits + width :])
        is_last = ~same.successors(1)
        return PersonTotals(ordered[:key_bits], multiply(network, is_last, totals))


def is_positive(network: HelperPartyNetwork, x: SharedBits) -> SharedBits:
    """One column: 1 where the number is not 0.

    Cost: that of all_ones.
    Reveals: nothing.
    """
    return ~all_ones(network, ~x)


def cross_products(
    network: HelperPartyNetwork,
    same_match_key: SharedBits,
    breakdown_key: SharedBits,
    credit: SharedBits,
    breakdowns: int,
    width: int,
) -> SharedBits:
    """For each pair a < b of breakdown keys the sum over people of the product of their two totals.

    A row of `width` columns per pair, in the order (0, 1), (0, 2), ..., (1, 2), ...; `width` holds the
    largest sum. All breakdown keys are worked on at once, below one another.

    Cost: for B breakdown keys and credits of w bits about B (B - 1) / 2 times 3 w^2 gates per row, and
    running totals of B n rows.
    Reveals: nothing.
    """
    rows = credit.rows
    with network.step("cross-products"):
        keys = range(breakdowns)
        has_key = join_rows(
            *(
                equal(network, breakdown_key, public_number(network, rows, b, breakdown_key.width))
                for b in keys
            )
        )
        credits = multiply(network, has_key, join_rows(*[credit] * breakdowns))
        same = join_rows(*[same_match_key] * breakdowns)
        is_last = join_rows(*[~same_match_key.successors(1)] * breakdowns)
        totals = multiply(network, is_last, running_totals(network, same, credits))
        of_key = [totals.take_rows(b * rows, (b + 1) * rows) for b in keys]
        pairs = list(combinations(keys, 2))
        products = multiply_integers(
            network,
            join_rows(*(of_key[a] for a, _ in pairs)),
            join_rows(*(of_key[b] for _, b in pairs)),
        )
        beside = join_columns(
            *(products.take_rows(p * rows, (p + 1) * rows) for p in range(len(pairs)))
        )
        digit_by_digit = beside.select(
            [p * products.width + d for d in range(products.width) for p in range(len(pairs))]
        )
        return sum_rows(network, digit_by_digit, len(pairs), width)
