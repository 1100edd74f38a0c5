"""Sorting, by either way that a query can name (spec: Oblivious Sorting)."""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import Sort
from ipa.protocols.circuits.bitonic_sort import (
    bitonic_sort,
    bitonic_sort_gates,
    bitonic_sort_rounds,
)
from ipa.protocols.circuits.comparison import first_difference_gates
from ipa.protocols.circuits.shuffle_sort import number_bits, shuffle_sort
from ipa.sharing.shared_bits import SharedBits


def sort_rows(
    network: HelperPartyNetwork, table: SharedBits, key_bits: int, sort: Sort = "bitonic"
) -> SharedBits:
    """The rows of `table` in ascending order of the number in their lowest `key_bits` columns.

    Which of two rows with equal keys comes first is not defined. The bitonic network takes
    `rows_to_sort` rows.

    Cost: that of bitonic_sort or shuffle_sort.
    Reveals: nothing, or by shuffle_sort a uniformly random permutation, drawn anew each time.
    Raises: ParameterError for a key that is no part of the table, and for another number of rows.
    """
    way = {"bitonic": bitonic_sort, "shuffle": shuffle_sort}[sort]
    return way(network, table, key_bits)


def rows_to_sort(rows: int, sort: Sort) -> int:
    """How many rows a table of at least `rows` must have: for the bitonic network a power of two."""
    return 1 << (rows - 1).bit_length() if rows and sort == "bitonic" else max(1, rows)


def sort_gates(rows: int, key_bits: int, width: int, sort: Sort, overhead: int = 0) -> int:
    """How many AND gates sort_rows takes, with `overhead` more for each product of columns.

    Those of the shuffle sort depend on the order that is opened: this is about the most it takes for
    many rows. For few it is 4,096 comparisons, which stand for the shuffle as well, that takes no gates.
    """
    if sort == "bitonic":
        return bitonic_sort_gates(rows, key_bits, width, overhead)
    depth = number_bits(rows)
    comparison = first_difference_gates(key_bits + depth)
    return comparison * (max(4096, 6 * rows * depth // 5) + overhead * _levels(depth))


def sort_rounds(rows: int, key_bits: int, sort: Sort) -> int:
    """How many rounds sort_rows takes; of the shuffle sort about as many, without checks of products."""
    if sort == "bitonic":
        return bitonic_sort_rounds(rows, key_bits)
    depth = number_bits(rows)
    return 2 + _levels(depth) * (1 + (key_bits + depth - 1).bit_length())


def _levels(depth: int) -> int:
    """About how many levels the opened comparisons of 2^depth rows come in; for few rows, too many."""
    return max(1, 2 * depth - 7)
