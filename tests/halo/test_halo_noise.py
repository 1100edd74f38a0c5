"""Noise: the parameters are upstream's, what is drawn exact. Seeds are fixed: nothing here is flaky."""

from decimal import Context, Decimal
from fractions import Fraction
from math import erfc, exp, log, sqrt

import pytest
from chi_squared import fits
from hypothesis import given
from hypothesis import strategies as st

from ipa.errors import ParameterError
from ipa.halo.noise import (
    NO_NOISE,
    PrivacyParameters,
    WorkerNoise,
    draw,
    gaussian_noise,
    gaussian_variance,
    geometric_noise,
    polya,
    worker_noise,
)
from ipa.sharing.randomness import Randomness

LN_3_TENTH = Fraction(Decimal(3).ln()) / 10
UPSTREAM = PrivacyParameters(LN_3_TENTH, Fraction(2, 10**6))


def randomness(label: str) -> Randomness:
    return Randomness.from_seed(11, label)


@pytest.mark.parametrize(("workers", "sd", "offset"), [(1, "48.231", 261), (4, "24.115", 137)])
def test_upstream_s_vectors_of_gaussian_noise(workers: int, sd: str, offset: int) -> None:
    noise = gaussian_noise(UPSTREAM, workers)
    assert noise.offset == offset
    assert str(sqrt(noise.variance))[: len(sd)] == sd


def test_upstream_s_vector_of_geometric_noise() -> None:
    assert geometric_noise(UPSTREAM, 1, 3).offset == 428


@given(
    st.fractions(Fraction(1, 100), 1, max_denominator=1000), st.integers(1, 30), st.integers(1, 5)
)
def test_variance_and_offset_are_the_formula_rounded_up(
    epsilon: Fraction, digits: int, workers: int
) -> None:
    delta = Fraction(1, 10**digits)
    noise = gaussian_noise(PrivacyParameters(epsilon, delta), workers, 2)
    half = float(delta) / 2
    formula = 4 * 2 * log(1.25 / half) / float(epsilon) ** 2 / workers
    assert float(noise.variance) == pytest.approx(formula, rel=1e-12)
    tail = sqrt(formula) * sqrt(2 * log(workers * (1 + exp(float(epsilon))) / half))
    assert tail - 1e-9 <= noise.offset < tail + 1 + 1e-9
    twice = geometric_noise(PrivacyParameters(epsilon, delta), workers, 2)
    bound = log(4 * workers * (1 + exp(float(epsilon))) / float(delta)) * 2 / float(epsilon)
    assert bound - 1e-9 <= twice.offset < bound + 1 + 1e-9
    assert twice.scale == 2 / epsilon


@pytest.mark.parametrize("digits", [1, 6, 9, 30])
def test_rounding_is_towards_more_noise(digits: int) -> None:
    exact = Fraction(Context(prec=90).ln(Decimal(5).scaleb(digits) / 4))
    for epsilon in (Fraction(1), Fraction(1, 3)):
        excess = gaussian_variance(epsilon, Fraction(1, 10**digits)) * epsilon**2 / 2 - exact
        assert 0 < excess < exact / 10**48
    privacy = PrivacyParameters(Fraction(1), Fraction(2, 10**digits))
    noise = gaussian_noise(privacy, 3)
    assert 0 < noise.variance - 2 * exact / 3 < Fraction(1, 1 << 63)


def test_above_epsilon_1_the_classical_formula_is_not_trusted() -> None:
    """exp(epsilon)-indistinguishability of two Gaussians, by the exact condition of Balle and Wang."""

    def normal(x: float) -> float:
        return erfc(-x / sqrt(2)) / 2

    for epsilon in (Fraction(1, 10), Fraction(1), Fraction(2), Fraction(8), Fraction(50)):
        for delta in (Fraction(1, 100), Fraction(1, 10**6)):
            sigma = sqrt(gaussian_variance(epsilon, delta))
            e = float(epsilon)
            half, tail = 1 / (2 * sigma), e * sigma
            assert normal(half - tail) - exp(e) * normal(-half - tail) <= float(delta)
    # The classical formula alone fails there.
    sigma = sqrt(2 * log(1.25 / 0.01)) / 50
    assert (
        normal(1 / (2 * sigma) - 50 * sigma) - exp(50) * normal(-1 / (2 * sigma) - 50 * sigma)
        > 0.01
    )


def test_the_parts_of_a_geometric_number_fit_and_sum_to_one() -> None:
    scale = Fraction(5, 2)
    ratio = exp(-1 / float(scale))
    source = randomness("polya")
    parts = [[polya(3, scale, source) for _ in range(3)] for _ in range(3000)]

    def mass(k: int) -> float:
        product = 1.0
        for i in range(1, k + 1):
            product *= (i - 1 + 1 / 3) / i
        return product * ratio**k if k >= 0 else 0.0

    assert fits([part[0] for part in parts], mass, 0, 6)
    assert fits([sum(part) for part in parts], lambda k: ratio**k if k >= 0 else 0.0, 0, 6)
    # For one worker the product is 1: an ordinary geometric number.
    assert fits(
        [polya(1, scale, source) for _ in range(3000)], lambda k: ratio**k if k >= 0 else 0, 0, 6
    )


@pytest.mark.parametrize(
    "noise",
    [
        WorkerNoise(3, Fraction(4), Fraction(0), 2),
        WorkerNoise(3, Fraction(0), Fraction(2), 2),
    ],
)
def test_what_is_drawn_is_within_twice_the_offset_and_centred(noise: WorkerNoise) -> None:
    source = randomness("truncated")
    drawn = [draw(noise, source) for _ in range(2000)]
    assert set(drawn) == set(range(7))
    assert abs(sum(drawn) / 2000 - 3) < 0.12


def test_the_mechanism_decides() -> None:
    assert worker_noise(UPSTREAM, 4) == gaussian_noise(UPSTREAM, 4)
    assert worker_noise(UPSTREAM, 1, 3, "geometric") == geometric_noise(UPSTREAM, 1, 3)
    assert worker_noise(UPSTREAM, 2, 3).variance > 8.99 * worker_noise(UPSTREAM, 2).variance


def test_a_sampler_can_be_put_in() -> None:
    noise = WorkerNoise(5, Fraction(1), Fraction(0), 2)
    numbers = iter([6, -6, -5])
    assert draw(noise, Randomness(), lambda variance, source: next(numbers)) == 0
    assert next(numbers, None) is None


def test_no_parameters_no_noise() -> None:
    assert worker_noise(None, 3) == NO_NOISE
    assert draw(NO_NOISE, Randomness()) == 0


@pytest.mark.parametrize(
    ("epsilon", "delta", "said"),
    [
        (Fraction(0), Fraction(1, 10), "epsilon must be from"),
        (Fraction(1001), Fraction(1, 10), "epsilon must be from 1/1000000000 to 1000"),
        (0.5, Fraction(1, 10), "epsilon must be an int or a Fraction"),
        (Fraction(1), Fraction(2), "delta must be"),
        (Fraction(1), Fraction(0), "delta must be"),
    ],
)
def test_parameters_are_checked(epsilon: Fraction, delta: Fraction, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        PrivacyParameters(epsilon, delta)


def test_other_arguments_are_checked() -> None:
    with pytest.raises(ParameterError, match="mechanism"):
        worker_noise(UPSTREAM, 1, 1, "laplace")  # type: ignore[arg-type]
