"""Multiplexer: choosing between two numbers, row by row, by a secret bit."""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.shared_bits import SharedBits


def choose(
    network: HelperPartyNetwork, bit: SharedBits, if_one: SharedBits, if_zero: SharedBits
) -> SharedBits:
    """`if_one` in rows where `bit` is 1, else `if_zero`.

    Cost: one round, w gates per row.
    Reveals: nothing.
    Raises: MismatchError when rows, widths or networks differ.
    """
    return if_zero ^ multiply(network, bit, if_one ^ if_zero)
