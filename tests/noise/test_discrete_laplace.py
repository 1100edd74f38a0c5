"""Tails and variance of the ideal distribution, against sums of its probabilities."""

from fractions import Fraction

import pytest
from goodness import laplace_masses

from ipa.noise.discrete_laplace import (
    half_width,
    tail_bound,
    tail_bound_of_three,
    variance_bounds,
)

RATES = [Fraction(1, 5), Fraction(1), Fraction(9, 4), Fraction(20)]
NEAR = Fraction(1, 10**30)


def reach(rate: Fraction) -> int:
    """Far enough that what lies beyond is below 10^-40."""
    return int(100 / rate) + 2


def sum_of_three(rate: Fraction) -> dict[int, Fraction]:
    """The probabilities of the sum of three, by two convolutions, where they matter."""
    one = laplace_masses(rate, reach(rate))
    total = {0: Fraction(1)}
    for _ in range(3):
        last, total = total, {}
        for a, p in last.items():
            for b, r in one.items():
                if abs(a + b) <= reach(rate):
                    total[a + b] = total.get(a + b, Fraction(0)) + p * r
        total = {x: Fraction(int(p * 2**300), 2**300) for x, p in total.items()}
    return total


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("distance", [0, 1, 2, 7, 30])
def test_the_tail_is_what_lies_beyond(rate: Fraction, distance: int) -> None:
    masses = laplace_masses(rate, reach(rate) + distance)
    beyond = sum(p for x, p in masses.items() if abs(x) > distance)
    assert -NEAR * NEAR <= tail_bound(rate, distance) - beyond <= NEAR


@pytest.mark.parametrize("rate", RATES[1:])
def test_the_tail_of_three_is_what_lies_beyond(rate: Fraction) -> None:
    masses = sum_of_three(rate)
    for distance in (0, 1, 2, 3, 10):
        beyond = sum(p for x, p in masses.items() if abs(x) > distance)
        assert abs(tail_bound_of_three(rate, distance) - beyond) <= NEAR


@pytest.mark.parametrize("rate", RATES)
def test_the_variance_is_the_second_moment(rate: Fraction) -> None:
    low, high = variance_bounds(rate)
    moment = sum(x * x * p for x, p in laplace_masses(rate, reach(rate)).items())
    assert low - NEAR <= moment <= high
    assert high - low <= NEAR


@pytest.mark.parametrize("answer", [0, 1, 2, 3, 4, 5, 100, 10**30])
def test_bisection_finds_the_first_distance(answer: int) -> None:
    assert half_width(lambda t: Fraction(t < answer), Fraction(1, 2)) == answer
    assert half_width(lambda t: Fraction(1 + (t < answer), 2), Fraction(1, 2)) == answer
