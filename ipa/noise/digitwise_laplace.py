"""The noise made inside the MPC: a discrete Laplace variable from independent binary digits.

Let G be geometric, P(G = g) proportional to q^g with q = exp(-epsilon / sensitivity), for
0 <= g < 2^k. Write g in binary: q^g is the product of q^(2^i) over the digits i of g that are 1. A
product of factors, one per digit, means that the digits are independent, and

    P(digit i = 1) = q^(2^i) / (1 + q^(2^i)) = 1 / (1 + exp(2^i epsilon / sensitivity)).

(Dwork, Kenthapadi, McSherry, Mironov and Naor 2006, "Our Data, Ourselves".) So k independent biased
coins make a geometric variable. A coin is [U < c], where U is a uniform word of `precision` bits
and c a public threshold: in an MPC a comparison with a constant, which needs no secret branch. The
noise is X = G1 - G2.

Two things keep X from the ideal discrete Laplace distribution: G ends below 2^k, and thresholds
are rounded. Both are known exactly, and `ipa.noise.accounting` charges them to delta.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import sqrt

from ipa.errors import ParameterError
from ipa.noise.discrete_laplace import OUTSIDE_95, half_width, tail_bound
from ipa.noise.exponential import coin_threshold, exp_minus_bounds
from ipa.noise.limits import MAX_DIGITS, MAX_PRECISION, MAX_SENSITIVITY
from ipa.parameters import MAX_EPSILON, MIN_EPSILON
from ipa.ranges import check_integer, exact_fraction

MAX_TABULATED_DIGITS = 16
"""The most digits for which the distribution is written down, a table of 2^(digits + 1) integers."""

_BITS = 512
"""The exponential in `truncation_bound` is at most 2^-512 too large: far below any delta."""


@dataclass(frozen=True, kw_only=True)
class DigitwiseLaplace:
    """The public parameters of the noise on one sum, and its exact distribution.

    `sensitivity` is by how much one person changes all sums together; `digits` (k) the number of
    binary digits of each geometric variable; `precision` (lambda) the number of random bits behind
    one digit. `ipa.noise.choice` finds digits and precision for a promise.

    Raises: ParameterError where a value is out of the range of `ipa.noise.limits`.
    """

    epsilon: Fraction
    sensitivity: int
    digits: int
    precision: int

    def __post_init__(self) -> None:
        epsilon = exact_fraction("epsilon", self.epsilon, MIN_EPSILON, MAX_EPSILON)
        object.__setattr__(self, "epsilon", epsilon)  # normalised: an int becomes a Fraction
        check_integer("sensitivity", self.sensitivity, 1, MAX_SENSITIVITY)
        check_integer("digits", self.digits, 1, MAX_DIGITS)
        check_integer("precision", self.precision, 1, MAX_PRECISION)

    @property
    def rate(self) -> Fraction:
        """epsilon / sensitivity: each step away from 0 is exp(-rate) times as likely."""
        return self.epsilon / self.sensitivity

    @property
    def largest(self) -> int:
        """The largest |X| that can occur: 2^digits - 1."""
        return (1 << self.digits) - 1

    @cached_property
    def thresholds(self) -> tuple[int, ...]:
        """For each digit, lowest first, the c of its coin [U < c]. Public."""
        return tuple(
            coin_threshold(self.rate * (1 << digit), self.precision) for digit in range(self.digits)
        )

    @property
    def denominator(self) -> int:
        """What `masses` are counted in: probability is mass / 2^(2 precision digits)."""
        return 1 << (2 * self.precision * self.digits)

    @cached_property
    def masses(self) -> tuple[int, ...]:
        """P(X = x) for x from -largest to largest, times `denominator`: exact integers.

        X is the sum over digits i of 2^i (A_i - B_i), with A_i and B_i the digits of G1 and G2. With
        c the threshold and d = 2^precision - c, the difference of two such coins is 1 or -1 with
        mass c d each and 0 with mass c^2 + d^2. So each digit adds a variable with three values, and
        the distribution grows digit by digit.

        Cost: 3 * 2^(digits + 1) products of an integer of up to 2 precision digits bits with one of
        2 precision bits.
        Raises: ParameterError for more than MAX_TABULATED_DIGITS digits.
        """
        if self.digits > MAX_TABULATED_DIGITS:
            raise ParameterError(
                f"the distribution is written down for up to {MAX_TABULATED_DIGITS} digits, "
                f"not {self.digits}"
            )
        masses = [1]
        for digit, one in enumerate(self.thresholds):
            zero = (1 << self.precision) - one
            step = [0] * (1 << digit)
            aside = [one * zero * mass for mass in masses]
            stay = [(one * one + zero * zero) * mass for mass in masses]
            parts = (step + step + aside, step + stay + step, aside + step + step)
            masses = [sum(part) for part in zip(*parts, strict=True)]
        return tuple(masses)

    @property
    def variance(self) -> Fraction:
        """The exact variance: twice the sum over digits of 4^i p (1 - p), with p = c / 2^precision."""
        one = 1 << self.precision
        doubled = sum(2 * c * (one - c) << 2 * digit for digit, c in enumerate(self.thresholds))
        return Fraction(doubled, one * one)

    @property
    def standard_deviation(self) -> float:
        """The square root of the variance: a rounded float, for display only."""
        return sqrt(self.variance)

    @property
    def interval_95(self) -> int:
        """A t such that |X| <= t with probability at least 95 %.

        It is the smallest one for which the tail of the ideal distribution and the distance to it
        prove that.
        """

        def tail(distance: int) -> Fraction:
            """A bound on the probability of this distance and more, on one side."""
            if distance >= self.largest:
                return Fraction(0)
            return tail_bound(self.rate, distance) + self.total_variation_bound

        return half_width(tail, OUTSIDE_95)

    @cached_property
    def total_variation_bound(self) -> Fraction:
        """At least the total variation distance of X from the ideal discrete Laplace variable.

        Each of the two geometric variables has `digits` coins. A rounded coin is off by at most
        2^-(precision + 1), and the distances of independent parts add up. To that comes the truncation:

            2 digits 2^-(precision + 1) + truncation_bound.
        """
        rounding = Fraction(self.digits, 1 << self.precision)
        return rounding + truncation_bound(self.rate, self.digits)


def truncation_bound(rate: Fraction, digits: int) -> Fraction:
    """At least 2 q^(2^digits), q = exp(-rate): what two geometric variables lose by truncation.

    A geometric variable is below 2^digits with probability 1 - q^(2^digits). Conditioning on an event
    of probability 1 - t moves a distribution by t in total variation.
    """
    _, tail = exp_minus_bounds(rate * (1 << digits), _BITS)
    return 2 * tail


def noise_from_words(words: Sequence[int], parameters: DigitwiseLaplace) -> int:
    """The noise X = G1 - G2 that given uniform words make: the oracle of the protocol, in the clear.

    `words` are 2 digits integers of `precision` bits: the digits of G1, lowest first, then those
    of G2. Digit i of either is [word < thresholds[i]].

    Raises: ParameterError for another number of words, or one that is out of range.
    """
    digits = parameters.digits
    if len(words) != 2 * digits:
        raise ParameterError(f"the noise needs {2 * digits} words, not {len(words)}")
    for position, word in enumerate(words):
        check_integer(f"word {position}", word, 0, (1 << parameters.precision) - 1)
    return _geometric(words[:digits], parameters) - _geometric(words[digits:], parameters)


def _geometric(words: Sequence[int], parameters: DigitwiseLaplace) -> int:
    return sum(
        (word < threshold) << digit
        for digit, (word, threshold) in enumerate(zip(words, parameters.thresholds, strict=True))
    )
