"""Differentially private noise of Halo's workers: exact sampling, and how much of it is needed.

Every worker adds its own noise, as dummy registers: `offset + Z` of them, with Z integer noise
truncated to |Z| <= offset, so that the number is never negative and the offset can be subtracted
from the result. Samplers are those of ipa.noise.sampling, exact in integers.
Square roots, logarithms and exponentials of a parameter are computed to 50 decimal digits and
rounded towards more noise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from typing import Literal

from ipa.errors import ParameterError
from ipa.noise.sampling import RandomBelow, bernoulli_exp_minus, sample_discrete_gaussian
from ipa.ranges import exact_fraction
from ipa.sharing.randomness import Randomness

Mechanism = Literal["gaussian", "geometric"]

Sampler = Callable[[Fraction, RandomBelow], int]
"""Draws a discrete Gaussian number of a given variance."""

# decimal's sqrt, ln and exp are correctly rounded, so one unit in the last place more is a bound.
_PRECISE = Context(prec=50)
_UNIT = 1 + Fraction(1, 10**49)

SMALLEST_EPSILON = Fraction(1, 10**9)
LARGEST_EPSILON = 1000
SMALLEST_DELTA = Fraction(1, 10**30)


@dataclass(frozen=True)
class PrivacyParameters:
    """Epsilon and delta of one noised statistic, exact.

    Raises: ParameterError for one that is no exact number, or out of range: epsilon from 10^-9 to 1000,
        delta from 10^-30 to 1.
    """

    epsilon: Fraction
    delta: Fraction

    def __post_init__(self) -> None:
        exact_fraction("epsilon", self.epsilon, SMALLEST_EPSILON, LARGEST_EPSILON)
        exact_fraction("delta", self.delta, SMALLEST_DELTA, 1)


@dataclass(frozen=True)
class WorkerNoise:
    """What one of `workers` workers draws: offset + Z with |Z| <= offset.

    Z is discrete Gaussian of `variance`, or the worker's part of a geometric variable with ratio
    exp(-1/scale), which is `scale` (0 for the Gaussian).
    """

    offset: int
    variance: Fraction
    scale: Fraction
    workers: int


NO_NOISE = WorkerNoise(0, Fraction(0), Fraction(0), 1)
"""Nothing is drawn."""


def polya(workers: int, scale: Fraction, randomness: Randomness) -> int:
    """One worker's part of a geometric number of ratio exp(-1/scale): the sum of all parts is one.

    A part k has probability proportional to exp(-k/scale) times the product of (i - 1 + 1/workers)/i
    over i = 1 to k. A geometric number is drawn and kept with the probability of that product, one
    factor at a time, so that the distribution is exact.
    """
    while True:
        candidate = 0
        while bernoulli_exp_minus(1 / scale, randomness.random_below):
            candidate += 1
        if all(
            randomness.random_below(workers * i) < workers * (i - 1) + 1
            for i in range(1, candidate + 1)
        ):
            return candidate


def draw(
    noise: WorkerNoise, randomness: Randomness, sampler: Sampler = sample_discrete_gaussian
) -> int:
    """What one worker adds: an integer from 0 to 2 * offset."""
    if not noise.offset:
        return 0
    while True:
        if noise.scale:
            up, down = (polya(noise.workers, noise.scale, randomness) for _ in range(2))
            number = up - down
        else:
            number = sampler(noise.variance, randomness.random_below)
        if abs(number) <= noise.offset:
            return noise.offset + number


def gaussian_noise(
    parameters: PrivacyParameters, workers: int, sensitivity: int = 1
) -> WorkerNoise:
    """Each worker's noise so that the sum of all is close to a discrete Gaussian of `sigma`.

    `sigma` is the Gaussian mechanism's times the sensitivity. Half of delta pays for the Gaussian,
    half for the truncation: offset = ceil(sd sqrt(2 ln(workers (1 + e^epsilon) / (delta/2)))) with
    sd = sigma / sqrt(workers).
    """
    half = parameters.delta / 2
    total = gaussian_variance(parameters.epsilon, half) * sensitivity**2
    variance = _up(total / workers)
    tail = _ln(workers * (1 + _exp(parameters.epsilon)) / half)
    return WorkerNoise(_ceiling(_sqrt(2 * tail * variance)), variance, Fraction(0), workers)


def gaussian_variance(epsilon: Fraction, delta: Fraction) -> Fraction:
    """sigma^2 of the Gaussian mechanism for a statistic of sensitivity 1.

    Upstream's sigma = sqrt(2 ln(1.25/delta)) / epsilon is proven for epsilon up to 1 only. Above,
    the larger of it and 1/(2 rho) is taken, with rho + 2 sqrt(rho ln(1/delta)) = epsilon: the
    discrete Gaussian has concentrated privacy 1/(2 sigma^2) (Canonne, Kamath and Steinke 2020).
    """
    classical = 2 * _ln(Fraction(5, 4) / delta) / epsilon**2
    if epsilon <= 1:
        return classical
    logarithm = _ln(1 / delta)
    # sqrt(rho) = sqrt(L + epsilon) - sqrt(L) = epsilon / (sqrt(L + epsilon) + sqrt(L))
    concentrated = ((_sqrt(logarithm + epsilon) + _sqrt(logarithm)) / epsilon) ** 2 / 2
    return max(classical, concentrated)


def geometric_noise(parameters: PrivacyParameters, workers: int, sensitivity: int) -> WorkerNoise:
    """Each worker's part of a two-sided geometric number, for a count that one person moves by s.

    Ratio exp(-epsilon/s); offset = ceil(ln(2 workers s (1 + e^epsilon) / delta) s / epsilon).
    """
    scale = sensitivity / parameters.epsilon
    tail = _ln(2 * workers * sensitivity * (1 + _exp(parameters.epsilon)) / parameters.delta)
    return WorkerNoise(_ceiling(tail * scale), Fraction(0), scale, workers)


def worker_noise(
    parameters: PrivacyParameters | None,
    workers: int,
    sensitivity: int = 1,
    mechanism: Mechanism = "gaussian",
) -> WorkerNoise:
    """Each worker's noise by a mechanism, for a count that one person moves by `sensitivity`.

    There is none when there are no parameters.

    Raises: ParameterError for an unknown mechanism.
    """
    if parameters is None:
        return NO_NOISE
    if mechanism == "geometric":
        return geometric_noise(parameters, workers, sensitivity)
    if mechanism != "gaussian":
        raise ParameterError(f"the mechanism must be gaussian or geometric, not {mechanism!r}")
    return gaussian_noise(parameters, workers, sensitivity)


def _up(value: Fraction) -> Fraction:
    """A fraction not below the value, with a denominator of 64 bits: samplers take time with it."""
    return Fraction(-(-(value.numerator << 64) // value.denominator), 1 << 64)


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)


def _decimal(value: Fraction) -> Decimal:
    """The value as a decimal of 50 digits, rounded up."""
    rounding_up = Context(prec=50, rounding=ROUND_CEILING)
    return rounding_up.divide(Decimal(value.numerator), Decimal(value.denominator))


def _bound(value: Decimal) -> Fraction:
    return Fraction(value) * _UNIT


def _ln(value: Fraction) -> Fraction:
    return _bound(_PRECISE.ln(_decimal(value)))


def _exp(value: Fraction) -> Fraction:
    return _bound(_PRECISE.exp(_decimal(value)))


def _sqrt(value: Fraction) -> Fraction:
    return _bound(_PRECISE.sqrt(_decimal(value)))
