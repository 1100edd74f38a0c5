"""Segmented scans: running over the rows of a group in O(log n) passes.

A group is a run of rows; `same[r]` is 1 where row r belongs to the group of row r - 1. Every pass
doubles the distance looked at, as in the attribution of the spec.
"""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.addition import add, add_gates
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.shared_bits import SharedBits, join_columns


def running_totals(network: HelperPartyNetwork, same: SharedBits, values: SharedBits) -> SharedBits:
    """For each row the sum of its group's values up to and including it, modulo 2^w.

    `values` must be wide enough for the largest total.

    Cost: ceil(log2 n) passes, each of one round and one addition; in each pass w + 1 gates per row
        and those of the addition.
    Reveals: nothing.
    """
    with network.step("running-totals"):
        distance = 1
        while distance < values.rows:
            before = join_columns(same, values).predecessors(distance)
            taken = multiply(network, same, before)
            same, values = taken[0], add(network, values, taken[1:])
            distance *= 2
        return values


def running_totals_gates(rows: int, width: int, overhead: int = 0) -> int:
    """How many AND gates running_totals takes, with `overhead` more for each product of columns."""
    passes = (rows - 1).bit_length()
    return passes * (rows + overhead) * (width + 1 + add_gates(width))


def last_of_group(network: HelperPartyNetwork, same: SharedBits, values: SharedBits) -> SharedBits:
    """For each row the value in the last row of its group.

    Cost: ceil(log2 n) rounds; w + 1 gates per row in each.
    Reveals: nothing.
    """
    with network.step("last-of-group"):
        goes_on, distance = same.successors(1), 1
        while distance < values.rows:
            after = values.successors(distance)
            taken = multiply(
                network, goes_on, join_columns(goes_on.successors(distance), values ^ after)
            )
            goes_on, values = taken[0], values ^ taken[1:]
            distance *= 2
        return values
