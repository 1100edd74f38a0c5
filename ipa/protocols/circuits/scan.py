"""Segmented scans: running over the rows of a group in O(log n) passes.

A group is a run of rows; `same[r]` is 1 where row r belongs to the group of row r - 1. Every pass
doubles the distance looked at, as in the attribution of the spec. `longest` is the most rows that a
group has, where that is known to be fewer than there are rows; n is the smaller of the two.
"""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.addition import add, add_gates
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.shared_bits import SharedBits, join_columns


def running_totals(
    network: HelperPartyNetwork, same: SharedBits, values: SharedBits, longest: int | None = None
) -> SharedBits:
    """For each row the sum of its group's values up to and including it, modulo 2^w.

    `values` must be wide enough for the largest total.

    Cost: ceil(log2 n) passes, each of one round and one addition; in each pass w + 1 gates per row
        and those of the addition.
    Reveals: nothing.
    """
    with network.step("running-totals"):
        distance = 1
        while distance < longest_group(values.rows, longest):
            before = join_columns(same, values).predecessors(distance)
            taken = multiply(network, same, before)
            same, values = taken[0], add(network, values, taken[1:])
            distance *= 2
        return values


def running_totals_gates(rows: int, width: int, overhead: int = 0) -> int:
    """How many AND gates running_totals takes, with `overhead` more for each product of columns."""
    passes = (rows - 1).bit_length()
    return passes * (rows + overhead) * (width + 1 + add_gates(width))


def nearest_before(
    network: HelperPartyNetwork,
    same: SharedBits,
    marked: SharedBits,
    values: SharedBits,
    longest: int | None = None,
) -> SharedBits:
    """For each row the value of the nearest marked row at or before it in its group.

    One column more on top says whether there is one; where there is none the value is 0. `marked`
    is one column.

    Cost: 2 + ceil(log2 n) rounds; w + 1 gates per row, and w + 2 per row and pass.
    Reveals: nothing.
    """
    with network.step("nearest-before"):
        goes_on = multiply(network, ~marked, same)
        found = join_columns(multiply(network, marked, values), marked)
        distance = 1
        while distance < longest_group(values.rows, longest):
            before = join_columns(goes_on, found).predecessors(distance)
            taken = multiply(network, goes_on, before)
            goes_on, found = taken[0], found ^ taken[1:]
            distance *= 2
        return found


def nearest_after(
    network: HelperPartyNetwork, same: SharedBits, marked: SharedBits, values: SharedBits
) -> SharedBits:
    """The same for the nearest marked row at or after each row in its group.

    Cost: 2 + ceil(log2 n) rounds; w + 1 gates per row, and w + 2 per row and pass.
    Reveals: nothing.
    """
    with network.step("nearest-after"):
        goes_on = multiply(network, ~marked, same.successors(1))
        found = join_columns(multiply(network, marked, values), marked)
        distance = 1
        while distance < values.rows:
            after = join_columns(goes_on, found).successors(distance)
            taken = multiply(network, goes_on, after)
            goes_on, found = taken[0], found ^ taken[1:]
            distance *= 2
        return found


def last_of_group(
    network: HelperPartyNetwork, same: SharedBits, values: SharedBits, longest: int | None = None
) -> SharedBits:
    """For each row the value in the last row of its group.

    Cost: ceil(log2 n) rounds; w + 1 gates per row in each.
    Reveals: nothing.
    """
    with network.step("last-of-group"):
        goes_on, distance = same.successors(1), 1
        while distance < longest_group(values.rows, longest):
            after = values.successors(distance)
            taken = multiply(
                network, goes_on, join_columns(goes_on.successors(distance), values ^ after)
            )
            goes_on, values = taken[0], values ^ taken[1:]
            distance *= 2
        return values


def longest_group(rows: int, longest: int | None) -> int:
    """The most rows that a group can have: all of them, unless `longest` says less."""
    return rows if longest is None else min(rows, longest)
