"""Equality of numbers, row by row, as a tree of ANDs over the bits."""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.joining import join_columns
from ipa.sharing.shared_bits import SharedBits


def all_ones(network: HelperPartyNetwork, x: SharedBits) -> SharedBits:
    """One column: the AND of all columns of `x`, width w >= 1.

    Cost: ceil(log2 w) rounds, w - 1 gates per row.
    Reveals: nothing.
    """
    with network.step("all-ones"):
        while x.width > 1:
            half = x.width // 2
            products = multiply(network, x[:half], x[half : 2 * half])
            x = join_columns(products, x[2 * half :])
        return x


def equal(network: HelperPartyNetwork, a: SharedBits, b: SharedBits) -> SharedBits:
    """One column: 1 where a = b. Widths are equal.

    Cost: that of all_ones.
    Reveals: nothing.
    Raises: MismatchError when rows, widths or networks differ.
    """
    return all_ones(network, ~(a ^ b))
