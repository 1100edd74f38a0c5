"""Delta from the exact distribution: the hockey-stick divergence, added up in integers.

For a mechanism with distributions P and Q on two neighbouring inputs, the smallest delta for which
it is (epsilon, delta)-differentially private in that direction is

    sum over x of max(0, P(x) - e^epsilon Q(x)):

the set that violates the promise most takes every x where P(x) > e^epsilon Q(x). On one sum,
neighbours differ by a whole number, so P is the noise shifted by it and Q the noise itself. The
noise is symmetric around 0, so both directions and both signs of the shift give the same value.

A person may be spread over several breakdowns. The noises are independent, so the promise for all of
them follows from those for each by basic composition (Dwork and Roth 2014, theorem 3.16): a shift by
s out of a sensitivity S is given the share epsilon s / S. Shifts that add up to at most S have shares
that add up to at most epsilon, and the delta of all is the sum of their deltas.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from ipa.errors import ParameterError
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.exponential import exp_bounds
from ipa.parameters import MAX_BREAKDOWNS
from ipa.ranges import check_integer

MAX_TERMS = 1 << 24
"""The most terms, sensitivity * 2^(digits + 1), that are added up: up to a minute of work."""

_BITS = 256
_UNIT = 1 << _BITS


def hockey_stick(masses: Sequence[int], shift: int, epsilon: Fraction) -> Fraction:
    """sum over x of max(0, P(x - shift) - e^epsilon P(x)), for a distribution given by its masses.

    e^epsilon is irrational, so a lower bound of it stands in, which is at most 2^-256 below. The
    result is at least the true value and at most 2^-256 above it.

    Raises: ParameterError for a negative shift or epsilon.
    """
    if shift < 0:
        raise ParameterError(f"shift must not be negative, not {shift}")
    growth, _ = exp_bounds(epsilon, _BITS)
    padding = [0] * shift
    shifted = [growth.denominator * mass for mass in (*padding, *masses)]
    limit = [growth.numerator * mass for mass in (*masses, *padding)]
    excess = sum(p - q for p, q in zip(shifted, limit, strict=True) if p > q)
    return Fraction(excess, growth.denominator * sum(masses))


def single_breakdown_delta(noise: DigitwiseLaplace) -> Fraction:
    """The exact delta (at most 2^-256 above it) where a person is in one sum only.

    It is the largest hockey-stick divergence over all shifts from 1 to the sensitivity.

    Raises: ParameterError where it needs more than MAX_TERMS terms.
    """
    _check_terms(noise)
    shifts = range(1, noise.sensitivity + 1)
    return max(hockey_stick(noise.masses, shift, noise.epsilon) for shift in shifts)


def composed_delta(noise: DigitwiseLaplace, breakdowns: int) -> Fraction:
    """A proven delta for all breakdowns together, from the exact distribution of each.

    For every shift s, its divergence at its share of epsilon is computed. The result is the largest
    sum of divergences of at most `breakdowns` shifts that add up to at most the sensitivity. It is
    at least the exact delta, and at most `ipa.noise.accounting.delta_bound`.

    Raises: ParameterError where it needs more than MAX_TERMS terms.
    """
    check_integer("breakdowns", breakdowns, 1, MAX_BREAKDOWNS)
    _check_terms(noise)
    deltas = [
        ceil(_UNIT * hockey_stick(noise.masses, shift, noise.rate * shift))
        for shift in range(noise.sensitivity + 1)
    ]
    return Fraction(_largest_sum(deltas, min(breakdowns, noise.sensitivity)), _UNIT)


def _largest_sum(values: Sequence[int], parts: int) -> int:
    """The largest values[s_1] + ... + values[s_parts] over s_1 + ... + s_parts < len(values).

    By repeated squaring: what `a` parts and `b` parts reach at best gives what a + b parts reach.
    """
    reached = [0] * len(values)
    power = list(values)
    while parts:
        if parts % 2:
            reached = _best_split(reached, power)
        power = _best_split(power, power)
        parts //= 2
    return max(reached)


def _best_split(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """For each total t, the largest a[s] + b[t - s]."""
    return [max(a[s] + b[total - s] for s in range(total + 1)) for total in range(len(a))]


def _check_terms(noise: DigitwiseLaplace) -> None:
    terms = noise.sensitivity << (noise.digits + 1)
    if terms > MAX_TERMS:
        raise ParameterError(
            f"the exact delta adds up to {MAX_TERMS} terms, not {terms}: use the bound instead"
        )
