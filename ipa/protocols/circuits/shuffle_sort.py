"""Sorting by shuffling and then opening comparisons (Hamada et al. 2012, LNCS 7839; spec:
Oblivious Sorting).

The rows are put in an order that nobody knows; then comparisons between them may be opened, since
their outcomes depend on a random permutation alone, as long as no two keys are equal. So every row is
numbered before the shuffle, and the number counts where keys are equal. The place after the
shuffle would not do: equal rows would always come out in the order of their places, and
unequal ones would not (SPEC_NOTES: revealed-order). Asharov et al. 2022 (ePrint 2022/1595) compares
this way of sorting with others for three parties.
"""

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.constants import public_columns
from ipa.protocols.circuits.revealed_order import reveal_order
from ipa.protocols.circuits.shuffle import shuffle
from ipa.sharing.bits import columns_from_rows
from ipa.sharing.joining import join_columns
from ipa.sharing.shared_bits import SharedBits


def shuffle_sort(network: HelperPartyNetwork, table: SharedBits, key_bits: int) -> SharedBits:
    """The rows of `table` in ascending order of the number in their lowest `key_bits` columns.

    Any number of rows; rows with equal keys stay in the order they were in.

    Cost: for n rows a shuffle, and at most about 1.2 n log2 n + 8,192 comparisons of
    w = key_bits + ceil(log2 n) bits, 2 w gates each. They come in 24 levels for 65,536 rows, 13 for
    1,000 and one up to 128; a level takes ceil(log2 w) + 1 rounds, and in a malicious-secure
    network the check of its products.
    Reveals: a uniformly random permutation, drawn anew each time.
    Raises: ParameterError for a key that is no part of the table; VerificationError and ChannelError
    as shuffle and reveal_order.
    """
    if not 1 <= key_bits <= table.width:
        raise ParameterError(f"a key of {key_bits} bits in a table of {table.width} columns")
    rows = table.rows
    if rows < 2:
        return table
    with network.step("sort"):
        bits = number_bits(rows)
        numbers = public_columns(network, rows, columns_from_rows(range(rows), bits))
        shuffled = shuffle(network, join_columns(numbers, table))
        if network.is_traced:
            network.trace(table=shuffled.take(range(rows), shuffled.width)[bits:])
        order = reveal_order(network, shuffled, bits + key_bits)
        return shuffled.take(order, shuffled.width)[bits:]


def number_bits(rows: int) -> int:
    """How many bits the numbers of so many rows have."""
    return max(0, rows - 1).bit_length()
