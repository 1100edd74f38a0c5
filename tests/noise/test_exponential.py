"""Bounds of the exponential function, and thresholds of coins, against `decimal`."""

from fractions import Fraction

import pytest
from goodness import exp
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from ipa.errors import ParameterError
from ipa.noise.exponential import coin_threshold, exp_bounds, exp_minus_bounds

ARGUMENTS = (
    st.fractions(0, 4)
    | st.fractions(0, 600)
    | st.sampled_from([Fraction(n, d) for n in (0, 1, 2, 3, 64) for d in (1, 2, 10**30)])
)
BITS = st.sampled_from([1, 2, 3, 8]) | st.integers(1, 600)


@examples(150)
@given(ARGUMENTS, BITS)
def test_bounds_of_exp_minus_hold_and_are_as_near_as_asked(x: Fraction, bits: int) -> None:
    low, high = exp_minus_bounds(x, bits)
    assert low <= exp(-x) <= high or (x == 0 and high == 1)
    assert high - low <= Fraction(1, 2**bits)
    assert 0 <= low < high <= 1


@examples(100)
@given(st.fractions(0, 130), BITS)
def test_bounds_of_exp_hold_and_are_as_near_as_asked(x: Fraction, bits: int) -> None:
    low, high = exp_bounds(x, bits)
    assert low <= exp(x) <= high
    assert high - low <= Fraction(1, 2**bits)
    assert (low * 2 ** (bits + 2)).denominator == (high * 2 ** (bits + 2)).denominator == 1


@pytest.mark.parametrize("x", [Fraction(1, 3), Fraction(1), Fraction(7, 2), Fraction(40)])
def test_more_bits_only_narrow_the_interval(x: Fraction) -> None:
    for bits in range(1, 200, 7):
        low, high = exp_minus_bounds(x, bits)
        inner_low, inner_high = exp_minus_bounds(x, bits + 30)
        assert low <= inner_low < inner_high <= high


@examples(100)
@given(ARGUMENTS, st.sampled_from([1, 2, 3]) | st.integers(1, 256))
def test_a_threshold_is_the_nearest_integer(x: Fraction, precision: int) -> None:
    value = 2**precision / (1 + exp(x))
    assert abs(coin_threshold(x, precision) - value) <= Fraction(1, 2)


def log(y: Fraction) -> Fraction:
    """The natural logarithm for y > 1, to 100 digits: Newton's iteration on `exp`."""
    x = Fraction(y.numerator.bit_length() - y.denominator.bit_length())
    for _ in range(60):
        x = Fraction(int((x - 1 + y / exp(x)) * 10**120), 10**120)
    return x


@pytest.mark.parametrize(("precision", "below"), [(1, 0), (8, 37), (8, 126), (40, 12345), (64, 0)])
def test_rounding_is_right_next_to_a_half(precision: int, below: int) -> None:
    """Where 2^precision / (1 + e^x) = below + 1/2, up to 10^-90, the first bounds cannot decide."""
    x = log(2**precision / (below + Fraction(1, 2)) - 1)
    nudge = Fraction(1, 10**90)
    assert coin_threshold(x + nudge, precision) == below
    assert coin_threshold(x - nudge, precision) == below + 1


def test_ends_of_the_range() -> None:
    assert coin_threshold(Fraction(0), 1) == 1
    assert coin_threshold(Fraction(0), 64) == 2**63
    assert coin_threshold(Fraction(10**9), 64) == 0
    assert exp_minus_bounds(Fraction(10**9), 5) == (Fraction(0), Fraction(1, 32))


@pytest.mark.parametrize("bounds", [exp_minus_bounds, exp_bounds, coin_threshold])
def test_a_negative_argument_or_no_bits_are_refused(bounds: object) -> None:
    assert callable(bounds)
    with pytest.raises(ParameterError, match="must not be negative"):
        bounds(Fraction(-1, 10**6), 8)
    with pytest.raises(ParameterError, match="at least 1"):
        bounds(Fraction(1), 0)
