"""The specification's simple way: each helper samples noise by itself and adds it to the sums.

Each of the three helpers adds an independent, whole discrete Laplace variable of scale
sensitivity / epsilon to every sum. Two of them would protect against outsiders with less, but a
corrupted helper knows its own noise and can take it away, or never have added it. Then the noise
of the two honest helpers is left. It contains one whole discrete Laplace variable, and adding
anything independent to a private value keeps it private. So the promise, epsilon with delta 0,
holds against outsiders and against one corrupted helper. The price is three times the variance of
noise made inside the MPC. A corrupted helper can also add any number it likes: that spoils the
result and betrays nothing.

The noise has no largest value. A helper reduces it modulo 2^w, the modulus of the sums, and never
clamps it: a sum modulo 2^w is a function of the noisy sum, so it is as private, but clamped noise
has another distribution.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from ipa.noise.discrete_laplace import (
    OUTSIDE_95,
    half_width,
    tail_bound_of_three,
    variance_bounds,
)
from ipa.noise.limits import MAX_SENSITIVITY
from ipa.noise.sampling import RandomBelow, sample_discrete_laplace
from ipa.parameters import MAX_EPSILON, MIN_DELTA, MIN_EPSILON
from ipa.ranges import check_integer, exact_fraction

HELPERS = 3
"""How many helpers add noise."""


@dataclass(frozen=True, kw_only=True)
class PerHelperLaplace:
    """The public parameters of the noise on one sum; moments are those of all three noises together.

    Raises: ParameterError where a value is out of the range of `ipa.noise.limits`.
    """

    epsilon: Fraction
    sensitivity: int

    def __post_init__(self) -> None:
        epsilon = exact_fraction("epsilon", self.epsilon, MIN_EPSILON, MAX_EPSILON)
        object.__setattr__(self, "epsilon", epsilon)  # normalised: an int becomes a Fraction
        check_integer("sensitivity", self.sensitivity, 1, MAX_SENSITIVITY)

    @property
    def rate(self) -> Fraction:
        """epsilon / sensitivity: each step away from 0 is exp(-rate) times as likely."""
        return self.epsilon / self.sensitivity

    def sample(self, random_below: RandomBelow) -> int:
        """One helper's secret noise for one sum, exactly distributed."""
        return sample_discrete_laplace(self.rate, random_below)

    @property
    def variance_bounds(self) -> tuple[Fraction, Fraction]:
        """Rational bounds of the variance of the released noise: three times that of one helper."""
        low, high = variance_bounds(self.rate)
        return HELPERS * low, HELPERS * high

    @property
    def standard_deviation(self) -> float:
        """The square root of the variance: a rounded float, for display only."""
        return sqrt(self.variance_bounds[1])

    @property
    def interval_95(self) -> int:
        """The smallest t for which the tail's bound proves |noise| <= t with probability 95 %."""
        return half_width(lambda distance: tail_bound_of_three(self.rate, distance), OUTSIDE_95)

    @property
    def largest(self) -> int:
        """What the released noise exceeds, in size, with probability 2^-64 at most."""
        return self.largest_except_with(Fraction(1, 1 << 64))

    def largest_except_with(self, failure: Fraction) -> int:
        """A t that the released noise exceeds, in size, with probability at most `failure`.

        It bounds how wide a sum must be. Noise beyond it wraps around, which costs accuracy, not
        privacy.

        Raises: ParameterError for a probability below MIN_DELTA or above 1.
        """
        exact_fraction("failure", failure, MIN_DELTA, 1)
        return half_width(lambda distance: tail_bound_of_three(self.rate, distance), failure)
