"""Proven rational bounds of the exponential function, and coins whose bias comes from it.

Differential privacy is stated with e^epsilon, which is irrational for every rational epsilon but 0.
A float near it proves nothing. Here every value is an interval with rational ends that holds the
true value, as narrow as asked for.
"""

from fractions import Fraction
from math import ceil, floor

from ipa.errors import ParameterError


def exp_minus_bounds(x: Fraction, bits: int) -> tuple[Fraction, Fraction]:
    """Rational numbers low <= exp(-x) <= high with high - low <= 2^-bits, for x >= 0, bits >= 1.

    The argument is halved r times, so that y = x / 2^r is below 1. The alternating series gives
    exp(-y) as an integer in units of 2^-w, and r squarings lead back to exp(-x). Every squaring
    rounds the lower end down and the upper end up, so the true value stays inside.

    Width: the series has n <= w terms and an interval of 4n units. As both ends are at most 1, a
    squaring turns a width of d units into at most 2d + 2. So the last width is at most
    2^r (4n + 2) <= 2^r (4w + 2) units. With w = bits + r + b + 8, where b is the number of bits of
    `bits` and r <= b <= bits, 4w + 2 <= 46 bits < 2^(b + 8), hence 2^r (4w + 2) units < 2^-bits.

    Raises: ParameterError for a negative x or fewer than one bit.
    """
    if x < 0 or bits < 1:
        raise ParameterError(f"x must not be negative and bits at least 1, not {x} and {bits}")
    if x >= bits:
        return Fraction(0), Fraction(1, 1 << bits)  # exp(-x) < 2^-x
    halvings = ceil(x).bit_length()
    working = bits + halvings + bits.bit_length() + 8
    low, high = _series(x / (1 << halvings), working)
    for _ in range(halvings):
        low = low * low >> working
        high = -(-high * high >> working)
    return Fraction(low, 1 << working), Fraction(high, 1 << working)


def _series(y: Fraction, working: int) -> tuple[int, int]:
    """Integers around 2^working exp(-y), for 0 <= y < 1, from sum of (-y)^j / j!.

    Each stored term is rounded down from the one before it, so it is below the true term, by less
    than 1 for j = 1 and by less than 2 y / j + 1 <= 2 from then on. The sum ends before the first
    stored term that is 0. The true term there is below 2, and as the series alternates with falling
    terms, all that is left out is below 2. With n terms, the first of them exact, the error is below
    2 (n - 1) + 2 = 2n.
    """
    one = 1 << working
    total, terms, term = 0, 0, one
    while term:
        total += -term if terms % 2 else term
        terms += 1
        term = term * y.numerator // (y.denominator * terms)
    return max(0, total - 2 * terms), min(one, total + 2 * terms)


def exp_bounds(x: Fraction, bits: int) -> tuple[Fraction, Fraction]:
    """Multiples of 2^-(bits + 2), low <= exp(x) <= high, with high - low <= 2^-bits, for x >= 0.

    They are the reciprocals of bounds of exp(-x) that are 2^-i apart, i = bits + 3 ceil(x) + 3.
    The lower one of those is at least exp(-x) / 2, so the reciprocals are at most
    4 exp(2x) 2^-i <= 2^(2 + 3x - i) <= 2^-(bits + 1) apart. Rounding outwards adds at most as much.

    Raises: ParameterError for a negative x or fewer than one bit.
    """
    if bits < 1:
        raise ParameterError(f"bits must be at least 1, not {bits}")
    low, high = exp_minus_bounds(x, bits + 3 * max(0, ceil(x)) + 3)
    unit = 1 << (bits + 2)
    return Fraction(floor(unit / high), unit), Fraction(ceil(unit / low), unit)


def coin_threshold(x: Fraction, precision: int) -> int:
    """The integer c nearest to 2^precision / (1 + exp(x)), for x >= 0.

    A uniform word U of `precision` bits makes the coin [U < c], which is 1 with probability
    c / 2^precision: that of 1 / (1 + exp(x)), up to an error of at most 2^-(precision + 1).

    With e = exp(-x) the value is 2^precision e / (1 + e), which grows with e. So where both bounds
    of e give the same nearest integer, it is the true one. Otherwise the bounds are refined. This
    ends: for rational x > 0, exp(x) is irrational (Lambert), so the value is never half-way between
    two integers, and for x = 0 both bounds of e surround 1, where the value is 2^(precision - 1).

    Raises: ParameterError for a negative x or a precision below 1.
    """
    if precision < 1:
        raise ParameterError(f"precision must be at least 1, not {precision}")
    bits = precision + 8
    while True:
        low, high = (
            floor((1 << precision) * e / (1 + e) + Fraction(1, 2))
            for e in exp_minus_bounds(x, bits)
        )
        if low == high:
            return low
        bits *= 2
