"""Leaving out what a match key has too many of (spec: Oblivious Last Touch Attribution).

The specification lets attribution take fewer iterations where no match key has more than 2^i reports.
Helper parties cannot see that in shared reports, so they make it so: reports of a match key beyond the
bound take part in nothing (SPEC_NOTES: report-bound).
"""

from dataclasses import dataclass

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.equality import all_ones
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import last_of_group
from ipa.sharing.joining import join_columns
from ipa.sharing.shared_bits import SharedBits


@dataclass(frozen=True)
class BoundedColumns:
    """What the bound changes of sorted reports: their helper bits and values."""

    same_match_key_and_constraint: SharedBits
    same_match_key: SharedBits
    trigger_value: SharedBits


def bound_reports(
    network: HelperPartyNetwork,
    reports: BoundedColumns,
    is_trigger: SharedBits,
    timestamp: SharedBits,
    most: int,
) -> BoundedColumns:
    """Leave out of sorted reports what a match key has beyond its first `most`, a power of two.

    A row beyond has both helper bits 0 and value 0: it is a group of its own, from which nothing comes
    and to which nothing goes. Triggers that are equal in all but the value have no order of their own, so
    they have value 0 as soon as one of them is beyond. Where there are no more than `most` rows at all,
    nothing is done.

    Cost: for M = `most`, times of t bits and values of v, 2 + log2 M + ceil(log2(t + 2)) rounds and
        v + t + 2 + log2 M gates per row, and those of last_of_group for one column and 2M rows.
    Reveals: nothing.
    """
    if most >= timestamp.rows:
        return reports
    same_match_key, same_group = reports.same_match_key, reports.same_match_key_and_constraint
    with network.step("report-bound"):
        beyond = _beyond(network, same_match_key, most)
        # A trigger of the group and time of the row before follows a trigger: those come first.
        same_time = ~(timestamp ^ timestamp.predecessors(1))
        tied = all_ones(network, join_columns(same_time, is_trigger, same_group))
        # A run of ties that begins within the bound ends, or is beyond it, after `most` rows more.
        left_out = last_of_group(network, tied, beyond, 2 * most)
        return BoundedColumns(
            multiply(network, ~beyond, same_group),
            # A row beyond has the match key of the row before, so adding it takes it away.
            same_match_key ^ beyond,
            multiply(network, ~left_out, reports.trigger_value),
        )


def _beyond(network: HelperPartyNetwork, same_match_key: SharedBits, most: int) -> SharedBits:
    """1 where `most` rows up to this one all have the match key of the row before them."""
    beyond, distance = same_match_key, 1
    while distance < most:
        beyond = multiply(network, beyond, beyond.predecessors(distance))
        distance *= 2
    return beyond
