"""Goodness of fit with exact expectations, and an independent exponential from `decimal`."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from fractions import Fraction
from math import cbrt, sqrt

DIGITS = 300
"""Decimal digits that `exp` is correct to."""

SMALLEST_EXPECTED = 25
"""Neighbouring values are pooled until this many draws are expected among them."""

REJECT = 5.0
"""A statistic beyond it has a probability below one in a million; planted errors must exceed it."""


def exp(x: Fraction) -> Fraction:
    """exp(x), correct to DIGITS digits: `decimal` rounds its exponential correctly."""
    with localcontext() as context:
        context.prec, context.Emin = DIGITS + 30, -(10**15)
        return Fraction((Decimal(x.numerator) / Decimal(x.denominator)).exp())


def laplace_masses(rate: Fraction, reach: int) -> dict[int, Fraction]:
    """The ideal discrete Laplace probabilities from -reach to reach."""
    q = exp(-rate)
    powers = [(1 - q) / (1 + q)]
    for _ in range(reach):
        powers.append(round_to(powers[-1] * q))
    return {x: powers[abs(x)] for x in range(-reach, reach + 1)}


def round_to(x: Fraction) -> Fraction:
    """x rounded to 1000 binary places, so that repeated products stay small."""
    return Fraction(int(x * (1 << 1000)), 1 << 1000)


def misfit(draws: Iterable[int], probabilities: Mapping[int, Fraction]) -> float:
    """Pearson's chi-square statistic as a standard normal quantile (Wilson and Hilferty 1931).

    The values are pooled from the lowest up, so that the tails are. What is missing from a total
    probability of 1 goes to the last pool.
    """
    counts = Counter(draws)
    total = sum(counts.values())
    pools: list[tuple[Fraction, int]] = []
    expected, seen = Fraction(0), 0
    left, unseen = Fraction(total), total
    for value in sorted(probabilities):
        expected += total * probabilities[value]
        seen += counts[value]
        if expected >= SMALLEST_EXPECTED and left - expected >= SMALLEST_EXPECTED:
            pools.append((expected, seen))
            left, unseen = left - expected, unseen - seen
            expected, seen = Fraction(0), 0
    pools.append((left, unseen))
    statistic = sum(float((seen - mean) ** 2 / mean) for mean, seen in pools)
    freedom = len(pools) - 1
    spread = 2 / (9 * freedom)
    return (cbrt(statistic / freedom) - (1 - spread)) / sqrt(spread)
