"""From replicated shares to Shamir shares of degree 1, without messages.

A replicated sharing over a field becomes a Shamir sharing when every helper evaluates, at its own
point, the polynomial f of degree 1 with f(0) = x1 + x2 + x3 whose term in x_j vanishes at the helper
that lacks x_j (Cramer, Damgard and Ishai 2005). That is one share instead of two, and the product
of two such shares is a point on a polynomial of degree 2, so an additive share of the product up to
a public factor: half the work of the products in the batch check (SPEC_NOTES: shamir-in-check).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ipa.parties import HELPERS, left_of, right_of
from ipa.sharing.rings import Ring


@dataclass(frozen=True)
class ShamirPoints:
    """The public factors of each helper, for three distinct nonzero points of a field.

    Helper i's Shamir share is own[i] * x_i + right[i] * x_(i+1). Three points of a polynomial of
    degree at most 2 give its value at 0 as sum at_zero[i] * f_i and its leading coefficient, which
    is 0 for every sharing of degree 1, as sum leading[i] * f_i.
    """

    own: Mapping[int, int]
    right: Mapping[int, int]
    at_zero: Mapping[int, int]
    leading: Mapping[int, int]


def shamir_points(field: Ring, points: Mapping[int, int]) -> ShamirPoints:
    """The factors that belong to each helper's point.

    Raises: ParameterError for equal points.
    """
    subtract, times, inverse = field.subtract, field.multiply, field.inverse

    def ratio(a: int, b: int) -> int:
        """a / b."""
        return times(a, inverse(b))

    own, right, at_zero, leading = {}, {}, {}, {}
    for helper in HELPERS:
        here, after, before = (points[h] for h in (helper, right_of(helper), left_of(helper)))
        # Share x_j is lacked by the right neighbour of helper j.
        own[helper] = subtract(1, ratio(here, after))
        right[helper] = subtract(1, ratio(here, before))
        leading[helper] = inverse(times(subtract(here, after), subtract(here, before)))
        at_zero[helper] = times(times(after, before), leading[helper])
    return ShamirPoints(own, right, at_zero, leading)
