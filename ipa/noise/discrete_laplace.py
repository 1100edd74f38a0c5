"""The discrete Laplace distribution: the noise that every mechanism here is measured against.

X has P(X = x) = (1 - q) / (1 + q) q^|x| with q = exp(-rate). Adding it to a whole number that
one person changes by at most s makes the result (rate s)-differentially private, with delta 0
(Ghosh, Roughgarden and Sundararajan 2009, there called the geometric mechanism). So
rate = epsilon / sensitivity; the reciprocal, sensitivity / epsilon, is the scale.

It is also the difference of two independent geometric variables, P(G = g) = (1 - q) q^g.
"""

from collections.abc import Callable
from fractions import Fraction
from math import comb

from ipa.noise.exponential import exp_minus_bounds

OUTSIDE_95 = Fraction(5, 100)
"""The probability that noise lies outside its 95 % interval."""

_BITS = 256
"""Bounds of exponentials here are 2^-256 apart: far below every probability that is asked for."""


def tail_bound(rate: Fraction, distance: int) -> Fraction:
    """At least P(|X| > distance) = 2 q^(distance + 1) / (1 + q), and less than 2^-253 above it."""
    q, _ = exp_minus_bounds(rate, _BITS)
    _, power = exp_minus_bounds(rate * (distance + 1), _BITS)
    return 2 * power / (1 + q)


def tail_bound_of_three(rate: Fraction, distance: int) -> Fraction:
    """At least P(|X1 + X2 + X3| > distance) for three independent discrete Laplace variables.

    The sum is the difference of two sums of three geometric variables, so for y >= 0
    P(sum = y) = (1 - q)^6 q^y (sum over j of C(j + 2, 2) C(j + y + 2, 2) q^(2j)). By
    C(j + y + 2, 2) = C(j + 2, 2) + (j + 2) y + C(y, 2) the sum over j is, with r = q^2,
    (1 + 4r + r^2) / (1 - r)^5 + y (2 + r) / (1 - r)^4 + C(y, 2) / (1 - r)^3.
    Summing over y >= u = distance + 1 in the same way gives q^u times the three terms below. All of
    them are positive, so the upper bound takes each q in a numerator from above, each q in a
    denominator and each 1 - q from below.
    """
    u = distance + 1
    low, high = exp_minus_bounds(rate, _BITS)
    _, power = exp_minus_bounds(rate * u, _BITS)
    rest, square = 1 - low, high**2
    constant = (1 + 4 * square + square**2) / (1 + low) ** 5
    linear = (2 + square) * (u * rest + high) / (1 + low) ** 4
    quadratic = (comb(u, 2) * rest**2 + u * high * rest + square) / (1 + low) ** 3
    return 2 * power * (constant + linear + quadratic)


def variance_bounds(rate: Fraction) -> tuple[Fraction, Fraction]:
    """Rational bounds of the variance 2q / (1 - q)^2, which is near 2 scale^2."""
    low, high = exp_minus_bounds(rate, _BITS)
    return 2 * low / (1 - low) ** 2, 2 * high / (1 - high) ** 2


def half_width(tail: Callable[[int], Fraction], outside: Fraction) -> int:
    """The smallest t >= 0 with tail(t) <= outside, for a tail that falls to below `outside`."""
    low, high = 0, 1
    while tail(high) > outside:
        low, high = high + 1, 2 * high
    while low < high:
        middle = (low + high) // 2
        if tail(middle) <= outside:
            high = middle
        else:
            low = middle + 1
    return low
