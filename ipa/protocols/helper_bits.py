"""Step 2 of the query: the helper bits, one for attribution and one for the cap."""

from dataclasses import dataclass

from ipa.display.records import fields_html
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.equality import equal
from ipa.protocols.circuits.multiplication import multiply
from ipa.reports import GenericReports
from ipa.sharing.bits import ones
from ipa.sharing.shared_bits import SharedBits


@dataclass(frozen=True)
class HelperBits:
    """Whether a row has the same key as the row before it; 0 in row 0. One column each.

    `same_match_key_and_constraint` compares (match key, attribution constraint ID) and delimits attribution;
    `same_match_key` compares the match key alone and delimits the cap.
    """

    same_match_key_and_constraint: SharedBits
    same_match_key: SharedBits

    _repr_html_ = fields_html


def helper_bits(
    network: HelperPartyNetwork, reports: GenericReports, padding: int = 0
) -> HelperBits:
    """The helper bits of sorted reports (spec: Overview of the MPC, step 4).

    The spec has one bit; a cap that used it would bound each attribution constraint by itself, so
    there are two (SPEC_NOTES: two-helper-bits). Padding reports sort first. Behind so many of them a
    group begins, so that they never count among the reports of match key 0.

    Cost: for a match key of m bits and a constraint of c, 1 + ceil(log2 m) + ceil(log2 c) rounds and
        m + c - 1 gates per row.
    Reveals: nothing.
    """
    with network.step("helper-bits"):
        keys, constraints = reports.match_key, reports.attribution_constraint_id
        not_first = [ones(reports.rows) & ~1 & ~(1 << padding)]
        same_match_key = equal(network, keys, keys.predecessors(1)).and_public(not_first)
        same_constraint = equal(network, constraints, constraints.predecessors(1))
        bits = HelperBits(multiply(network, same_match_key, same_constraint), same_match_key)
        network.trace(**vars(bits))
        return bits
