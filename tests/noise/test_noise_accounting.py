"""Neighbours, bounds and guarantees of both mechanisms, and the width of noisy sums."""

from fractions import Fraction
from math import comb, isclose

import pytest
from goodness import exp

from ipa.errors import ParameterError
from ipa.noise.accounting import Guarantee, delta_bound, guarantee, sensitivity
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.noise.width import signed_width

NOISE = DigitwiseLaplace(epsilon=Fraction(1, 2), sensitivity=10, digits=9, precision=40)
PER_HELPER = PerHelperLaplace(epsilon=Fraction(1, 2), sensitivity=10)


def test_a_replacement_moves_the_sums_twice_as_far_as_a_removal() -> None:
    assert sensitivity(100) == sensitivity(100, "removal") == 100
    assert sensitivity(100, "replacement") == 200
    assert sensitivity(2**64 - 1, "replacement") == 2**65 - 2


@pytest.mark.parametrize(
    ("breakdowns", "distance", "differing"), [(1, 10, 1), (3, 10, 3), (256, 10, 10), (256, 20, 20)]
)
def test_the_delta_bound_is_that_of_the_formula(
    breakdowns: int, distance: int, differing: int
) -> None:
    distance_to_ideal = 2 * 9 * Fraction(1, 2**41) + 2 * exp(-Fraction(512, 20))
    exact = (1 + exp(Fraction(distance, 20))) * distance_to_ideal * differing
    bound = delta_bound(NOISE, breakdowns, distance)
    assert exact <= bound
    assert isclose(bound, exact, rel_tol=1e-15)
    if distance == NOISE.sensitivity:
        assert bound == delta_bound(NOISE, breakdowns)


def test_the_guarantee_of_noise_inside_the_mpc() -> None:
    assert guarantee(NOISE, 4) == Guarantee(epsilon=NOISE.epsilon, delta=delta_bound(NOISE, 4))
    replaced = guarantee(NOISE, 4, distance=20)
    assert replaced == Guarantee(epsilon=Fraction(1), delta=delta_bound(NOISE, 4, 20))
    assert replaced.delta > guarantee(NOISE, 4).delta


def test_the_guarantee_of_noise_per_helper_is_pure() -> None:
    assert guarantee(PER_HELPER, 4) == Guarantee(epsilon=Fraction(1, 2), delta=Fraction(0))
    assert guarantee(PER_HELPER, 4, 20) == Guarantee(epsilon=Fraction(1), delta=Fraction(0))


@pytest.mark.parametrize("q", [Fraction(1, 3), Fraction(3, 4)])
def test_what_two_honest_helpers_add_is_as_private_as_one_helpers_noise(q: Fraction) -> None:
    """One discrete Laplace variable has ratios q or 1/q between neighbours; a sum of two, less.

    The corrupted helper's noise is known, so it moves both neighbours alike and drops out.
    """
    reach = 150
    one = {x: (1 - q) / (1 + q) * q ** abs(x) for x in range(-reach, reach + 1)}
    for y in range(8):
        here, there = (sum(one[x] * one[z - x] for x in range(-100, 101)) for z in (y, y + 1))
        assert q < there / here < 1
        assert isclose(here, two_helpers_noise(q, y))


def two_helpers_noise(q: Fraction, y: int) -> Fraction:
    """P(sum of two = y) in closed form, for y >= 0."""
    return ((1 - q) / (1 + q)) ** 2 * q**y * (y + (1 + q**2) / (1 - q**2))


def test_noise_per_helper_has_three_times_the_variance() -> None:
    exact = 3 * 2 * exp(-PER_HELPER.rate) / (1 - exp(-PER_HELPER.rate)) ** 2
    low, high = PER_HELPER.variance_bounds
    assert low <= exact <= high
    assert isclose(PER_HELPER.standard_deviation**2, exact)
    assert isclose(float(exact / NOISE.variance), 3, rel_tol=1e-6)


def test_the_interval_of_noise_per_helper() -> None:
    """Against the sum's probabilities in closed form (three geometric variables less three)."""
    q = float(exp(-PER_HELPER.rate))
    masses = [
        (1 - q) ** 6
        * sum(comb(j + 2, 2) * comb(j + y + 2, 2) * q ** (2 * j + y) for j in range(400))
        for y in range(400)
    ]
    reach = PER_HELPER.interval_95
    inside = masses[0] + 2 * sum(masses[1 : reach + 1])
    assert inside - 2 * masses[reach] < 0.95 <= inside
    rare = PER_HELPER.largest_except_with(Fraction(1, 1000))
    assert 2 * sum(masses[rare + 1 :]) < 1e-3 < 2 * sum(masses[rare:])


@pytest.mark.parametrize(
    ("largest_sum", "largest_noise", "bits"),
    [
        (0, 0, 1),
        (1, 0, 2),
        (0, 1, 2),
        (3, 4, 4),
        (4, 4, 5),
        (127, 0, 8),
        (0, 128, 9),
        (2**64, 1, 66),
    ],
)
def test_the_width_holds_every_noisy_sum_and_is_the_least(
    largest_sum: int, largest_noise: int, bits: int
) -> None:
    assert signed_width(largest_sum, largest_noise) == bits
    assert -(2 ** (bits - 1)) <= -largest_noise
    assert largest_sum + largest_noise <= 2 ** (bits - 1) - 1
    assert largest_sum + largest_noise > 2 ** (bits - 2) - 1 or bits == 1


def test_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(ParameterError, match="cap must be an integer from 1 to"):
        sensitivity(0)
    with pytest.raises(ParameterError, match="neighbours must be removal or replacement, not 'me'"):
        sensitivity(1, "me")  # type: ignore[arg-type]
    for noise in (NOISE, PER_HELPER):
        with pytest.raises(ParameterError, match="breakdowns must be an integer from 1 to"):
            guarantee(noise, 0)
        with pytest.raises(ParameterError, match="distance must be an integer from 1 to"):
            guarantee(noise, 1, 0)
    with pytest.raises(ParameterError, match="must not be negative, not -1 and 0"):
        signed_width(-1, 0)
    with pytest.raises(ParameterError, match="must not be negative, not 0 and -1"):
        signed_width(0, -1)
    with pytest.raises(ParameterError, match="failure must be from"):
        PER_HELPER.largest_except_with(Fraction(0))
    with pytest.raises(ParameterError, match="epsilon must be an int or a Fraction"):
        PerHelperLaplace(epsilon=0.5, sensitivity=1)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="sensitivity must be an integer"):
        PerHelperLaplace(epsilon=Fraction(1), sensitivity=0)
