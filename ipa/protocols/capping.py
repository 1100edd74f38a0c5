"""Step 4 of the query: capping what each match key contributes (spec: User Level Sensitivity Capping)."""

from typing import get_args

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import Capping, bits_for
from ipa.protocols.circuits.addition import multiply_by_constant, subtract
from ipa.protocols.circuits.comparison import exceeds
from ipa.protocols.circuits.constants import public_number
from ipa.protocols.circuits.division import divide
from ipa.protocols.circuits.multiplexer import choose
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import last_of_group, running_totals, saturating_totals
from ipa.sharing.shared_bits import SharedBits


def cap_credits(
    network: HelperPartyNetwork,
    same_match_key: SharedBits,
    credit: SharedBits,
    cap: int,
    capping: Capping,
    longest: int | None = None,
) -> SharedBits:
    """The credits of sorted rows, reduced so that no match key's total exceeds `cap`.

    `credit` must be wide enough to hold any match key's total. Returns at most bits_for(cap)
    columns. A cap that no total can exceed is public knowledge and changes nothing. No match key has
    more rows than `longest`, if that is given.

    Cost: for `truncate` that of saturating_totals, for `proportional` of running_totals, last_of_group, a
        product with the cap and a division; for both a comparison with the cap, a choice, and what
        the row before has, by a product and a subtraction of bits_for(cap) columns.
    Reveals: nothing.
    Raises: ParameterError for a cap below 1 or an unknown way of capping.
    """
    if cap < 1 or capping not in get_args(Capping):
        raise ParameterError(f"no capping {capping!r} at {cap}: caps are positive")
    if cap >= (1 << credit.width) - 1:
        return credit
    with network.step("capping"):
        if capping == "truncate":
            return _truncate(network, same_match_key, credit, cap, longest)
        return _scale_down(network, same_match_key, credit, cap, longest)


def _scale_down(
    network: HelperPartyNetwork,
    same_match_key: SharedBits,
    credit: SharedBits,
    cap: int,
    longest: int | None,
) -> SharedBits:
    """Where the match key's total T exceeds the cap, floor(cap S / T) less that of the row before.

    S is the running total, so the rows of a match key add up to the cap (SPEC_NOTES: rounding).
    """
    width = bits_for(cap)
    so_far = running_totals(network, same_match_key, credit, longest=longest)
    network.trace(totals=so_far)
    total = last_of_group(network, same_match_key, so_far, longest)
    product = multiply_by_constant(network, so_far, cap, so_far.width + width)
    scaled = divide(network, product, total, width)
    over = exceeds(network, total, cap)
    return choose(network, over, _growth(network, same_match_key, scaled), credit[:width])


def _truncate(
    network: HelperPartyNetwork,
    same_match_key: SharedBits,
    credit: SharedBits,
    cap: int,
    longest: int | None,
) -> SharedBits:
    """Each row keeps what is left of the cap: min(S, cap) less that of the row before.

    S is the running total, of which more need not be known than min(S, cap), so it has the cap's
    width and one bit that says whether it is wider (SPEC_NOTES: widths).
    """
    width = bits_for(cap)
    if credit.width > width + 1:
        totals = saturating_totals(network, same_match_key, credit, width, longest)
    else:
        totals = running_totals(network, same_match_key, credit, longest=longest)
    network.trace(totals=totals)
    over = exceeds(network, totals, cap)
    limit = public_number(network, totals.rows, cap, width)
    kept = choose(network, over, limit, totals[:width])
    return _growth(network, same_match_key, kept)


def _growth(
    network: HelperPartyNetwork, same_match_key: SharedBits, so_far: SharedBits
) -> SharedBits:
    """By how much a running number is above that of the row before, or above 0 where a match key begins."""
    before = multiply(network, same_match_key, so_far.predecessors(1))
    return subtract(network, so_far, before)
