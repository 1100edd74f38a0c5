"""Step 4 of the query: capping what each match key contributes (spec: User Level Sensitivity Capping)."""

from typing import get_args

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import Capping, bits_for
from ipa.protocols.circuits.addition import multiply_by_constant, subtract
from ipa.protocols.circuits.comparison import greater_than
from ipa.protocols.circuits.constants import public_number
from ipa.protocols.circuits.division import divide
from ipa.protocols.circuits.multiplexer import choose
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import last_of_group, running_totals
from ipa.sharing.shared_bits import SharedBits, join_rows


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

    Cost: that of running_totals. For `truncate` also a comparison, a choice and two subtractions. For
        `proportional` also last_of_group, a product with the cap, a division, a comparison and a choice.
    Reveals: nothing.
    Raises: ParameterError for a cap below 1 or an unknown way of capping.
    """
    if cap < 1 or capping not in get_args(Capping):
        raise ParameterError(f"no capping {capping!r} at {cap}: caps are positive")
    if cap >= (1 << credit.width) - 1:
        return credit
    with network.step("capping"):
        totals = running_totals(network, same_match_key, credit, longest)
        network.trace(totals=totals)
        if capping == "truncate":
            return _truncate(network, totals, credit, cap)
        return _scale_down(network, same_match_key, totals, credit, cap, longest)


def _scale_down(
    network: HelperPartyNetwork,
    same_match_key: SharedBits,
    so_far: SharedBits,
    credit: SharedBits,
    cap: int,
    longest: int | None,
) -> SharedBits:
    """Where the match key's total T exceeds the cap, floor(cap S / T) less that of the row before.

    S is the running total, so the rows of a match key add up to the cap (SPEC_NOTES: rounding).
    """
    width = bits_for(cap)
    total = last_of_group(network, same_match_key, so_far, longest)
    product = multiply_by_constant(network, so_far, cap, so_far.width + width)
    scaled = divide(network, product, total, width)
    before = multiply(network, same_match_key, scaled.predecessors(1))
    over = greater_than(network, total, public_number(network, total.rows, cap, total.width))
    return choose(network, over, subtract(network, scaled, before), credit[:width])


def _truncate(
    network: HelperPartyNetwork, totals: SharedBits, credit: SharedBits, cap: int
) -> SharedBits:
    """Each row keeps what is left of the cap: min(before + credit, cap) - min(before, cap)."""
    rows, width = credit.rows, bits_for(cap)
    before = subtract(network, totals, credit)
    both = join_rows(totals, before)
    limit = public_number(network, both.rows, cap, both.width)
    clamped = choose(network, greater_than(network, both, limit), limit[:width], both[:width])
    return subtract(network, clamped.take_rows(0, rows), clamped.take_rows(rows, 2 * rows))
