"""Multiplexer: choosing between two numbers, row by row, by a secret bit."""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.shared_bits import SharedBits


def choose(
    network: HelperPartyNetwork, bit: SharedBits, if_one: SharedBits, if_zero: SharedBits
) -> SharedBits:
    """`if_one` in rows where `bit` is 1, else `if_zero`. One round, w gates per row."""
    return if_zero ^ multiply(network, bit, if_one ^ if_zero)
