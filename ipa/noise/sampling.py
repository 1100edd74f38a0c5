"""Exact sampling with integers only (Canonne, Kamath and Steinke 2020, "The Discrete Gaussian").

Samplers that compute with floating point have distributions with holes, and which outputs can occur
betrays the value behind the noise (Mironov 2012). These use nothing but uniform integers below a
bound and comparisons of integers, so the distribution is exactly the one named.

`random_below(n)` is a uniform integer 0 <= r < n, such as `Randomness().random_below`.

How long a sampler takes depends on what it draws. Whoever can time it to the microsecond learns
something of the noise; the noise made inside the MPC has no such channel.
"""

from collections.abc import Callable
from fractions import Fraction
from math import isqrt

from ipa.errors import ParameterError

RandomBelow = Callable[[int], int]
"""Draws a uniform integer from 0 to its argument less 1."""


def bernoulli(probability: Fraction, random_below: RandomBelow) -> bool:
    """True with the given probability.

    Raises: ParameterError for a probability outside 0 to 1.
    """
    if not 0 <= probability <= 1:
        raise ParameterError(f"a probability must be from 0 to 1, not {probability}")
    return random_below(probability.denominator) < probability.numerator


def bernoulli_exp_minus(gamma: Fraction, random_below: RandomBelow) -> bool:
    """True with probability exp(-gamma), for gamma >= 0 (algorithm 1).

    For gamma <= 1, coins of probability gamma / 1, gamma / 2, gamma / 3, ... are thrown until one
    shows False. At least k of them show True with probability gamma^k / k!, so the number of these is
    even with probability 1 - gamma + gamma^2 / 2! - ... = exp(-gamma). A larger gamma is cut into
    pieces, all of which must come out True.

    Raises: ParameterError for a negative gamma.
    """
    if gamma < 0:
        raise ParameterError(f"gamma must not be negative, not {gamma}")
    while gamma > 1:
        if not _bernoulli_exp_minus_small(Fraction(1), random_below):
            return False
        gamma -= 1
    return _bernoulli_exp_minus_small(gamma, random_below)


def _bernoulli_exp_minus_small(gamma: Fraction, random_below: RandomBelow) -> bool:
    successes = 0
    while bernoulli(gamma / (successes + 1), random_below):
        successes += 1
    return successes % 2 == 0


def sample_discrete_laplace(rate: Fraction, random_below: RandomBelow) -> int:
    """A whole number x with probability proportional to exp(-rate |x|), for rate > 0 (algorithm 2).

    With rate = s / t in lowest terms: a number below t is drawn with probability proportional to
    exp(-u / t) by rejection, then the number of multiples of t, geometric with ratio exp(-1). Their
    sum is geometric with ratio exp(-1 / t); the quotient by s is geometric with ratio exp(-s / t).
    A random sign makes it two-sided, and minus zero is drawn again, since zero would else count twice.

    Cost: about ten calls of `random_below` on average for rates up to 1, under twenty for any.
    Raises: ParameterError for a rate that is not positive.
    """
    if rate <= 0:
        raise ParameterError(f"rate must be positive, not {rate}")
    while True:
        magnitude = _geometric(rate.denominator, random_below) // rate.numerator
        negative = bernoulli(Fraction(1, 2), random_below)
        if magnitude or not negative:
            return -magnitude if negative else magnitude


def _geometric(scale: int, random_below: RandomBelow) -> int:
    """A whole number x >= 0 with probability proportional to exp(-x / scale)."""
    while True:
        rest = random_below(scale)
        if bernoulli_exp_minus(Fraction(rest, scale), random_below):
            break
    multiples = 0
    while bernoulli_exp_minus(Fraction(1), random_below):
        multiples += 1
    return rest + scale * multiples


def sample_discrete_gaussian(variance: Fraction, random_below: RandomBelow) -> int:
    """A whole number x with probability proportional to exp(-x^2 / (2 variance)) (algorithm 3).

    A discrete Laplace variable of scale t = floor(sqrt(variance)) + 1 is kept with probability
    exp(-(|x| - variance / t)^2 / (2 variance)), which is what the Gaussian's weight is in units of
    the Laplace weight, up to a constant. The parameter is sigma^2 of the continuous distribution; the
    variance of the discrete one is at most that, and nearly equal from variance 1 on.

    Raises: ParameterError for a variance that is not positive.
    """
    if variance <= 0:
        raise ParameterError(f"variance must be positive, not {variance}")
    scale = isqrt(variance.numerator // variance.denominator) + 1
    while True:
        candidate = sample_discrete_laplace(Fraction(1, scale), random_below)
        distance = abs(candidate) - variance / scale
        if bernoulli_exp_minus(distance**2 / (2 * variance), random_below):
            return candidate
