"""The exact samplers: their probabilities read off the tree of draws, and goodness of fit."""

from collections.abc import Callable
from fractions import Fraction
from itertools import islice

import pytest
from goodness import REJECT, exp, laplace_masses, misfit

from ipa.errors import ParameterError
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.noise.sampling import (
    RandomBelow,
    bernoulli,
    bernoulli_exp_minus,
    sample_discrete_gaussian,
    sample_discrete_laplace,
)
from ipa.sharing.randomness import Randomness

DRAWS = 10_000


class DrawNeeded(Exception):
    """The script of draws has ended; one more below `bound` is needed."""

    def __init__(self, bound: int) -> None:
        self.bound = bound


class Script:
    """A `random_below` that returns what it is told."""

    def __init__(self, draws: tuple[int, ...]) -> None:
        self.draws = iter(draws)

    def __call__(self, bound: int) -> int:
        for drawn in self.draws:
            return drawn
        raise DrawNeeded(bound)


def distribution(
    program: Callable[[RandomBelow], int], smallest: Fraction
) -> tuple[dict[int, Fraction], Fraction]:
    """The exact probability of each result over all draws, and that of paths not followed.

    A path is followed while its probability is at least `smallest`.
    """
    found: dict[int, Fraction] = {}
    missing = Fraction(0)
    paths: list[tuple[tuple[int, ...], Fraction]] = [((), Fraction(1))]
    while paths:
        draws, probability = paths.pop()
        if probability < smallest:
            missing += probability
            continue
        try:
            result = program(Script(draws))
        except DrawNeeded as needed:
            paths += [
                ((*draws, drawn), probability / needed.bound) for drawn in range(needed.bound)
            ]
        else:
            found[result] = found.get(result, Fraction(0)) + probability
    return found, missing


@pytest.mark.parametrize("gamma", [Fraction(n, 4) for n in (0, 1, 2, 3, 4, 5, 9)])
def test_the_coin_of_an_exponential_has_exactly_that_bias(gamma: Fraction) -> None:
    found, missing = distribution(lambda draw: bernoulli_exp_minus(gamma, draw), Fraction(1, 10**9))
    assert missing < Fraction(1, 10**3)
    assert found.get(True, 0) <= exp(-gamma) <= found.get(True, 0) + missing


@pytest.mark.parametrize("probability", [Fraction(n, 7) for n in (0, 1, 5, 7)])
def test_a_coin_has_exactly_its_bias(probability: Fraction) -> None:
    found, missing = distribution(lambda draw: bernoulli(probability, draw), Fraction(0))
    assert missing == 0
    assert found.get(True, 0) == probability


@pytest.mark.parametrize(
    "rate", [Fraction(3), Fraction(1), Fraction(5, 7), Fraction(1, 3), Fraction(7, 1000)]
)
def test_draws_follow_the_discrete_laplace_distribution(rate: Fraction) -> None:
    draw = Randomness.from_seed(3, f"laplace {rate}").random_below
    draws = [sample_discrete_laplace(rate, draw) for _ in range(DRAWS)]
    ideal = laplace_masses(rate, int(20 / rate))
    assert misfit(draws, ideal) < REJECT
    if rate < 1:
        assert misfit(draws, laplace_masses(rate * Fraction(6, 5), int(20 / rate))) > REJECT


@pytest.mark.parametrize(
    "variance", [Fraction(1, 10), Fraction(1), Fraction(7, 2), Fraction(9), Fraction(12345, 10)]
)
def test_draws_follow_the_discrete_gaussian_distribution(variance: Fraction) -> None:
    draw = Randomness.from_seed(4, f"gaussian {variance}").random_below
    draws = [sample_discrete_gaussian(variance, draw) for _ in range(DRAWS // 2)]
    assert misfit(draws, gaussian_masses(variance)) < REJECT
    if variance >= 1:
        assert misfit(draws, gaussian_masses(variance * Fraction(4, 3))) > REJECT
        assert misfit((-abs(x) for x in draws), gaussian_masses(variance)) > 2 * REJECT


def gaussian_masses(variance: Fraction) -> dict[int, Fraction]:
    reach = 12 * (int(variance) + 1) if variance < 10 else int(variance) // 3
    weights = {x: exp(-(x**2) / (2 * variance)) for x in range(reach + 1)}
    total = 2 * sum(weights.values()) - weights[0]
    return {x: weights[abs(x)] / total for x in range(-reach, reach + 1)}


def minus_zero_kept(rate: Fraction, draw: RandomBelow) -> int:
    """A planted error: the sign is drawn, but minus zero is not drawn again."""
    x = sample_discrete_laplace(rate, draw)
    return 0 if x == 0 or draw(4) == 0 else x


def test_goodness_of_fit_finds_a_zero_too_many() -> None:
    draw = Randomness.from_seed(5, "planted").random_below
    rate = Fraction(1, 3)
    draws = [minus_zero_kept(rate, draw) for _ in range(DRAWS)]
    assert misfit(draws, laplace_masses(rate, 60)) > 2 * REJECT


def test_each_helper_draws_noise_of_the_whole_scale() -> None:
    noise = PerHelperLaplace(epsilon=Fraction(1, 2), sensitivity=3)
    draw = Randomness.from_seed(6, "helper").random_below
    draws = iter(lambda: noise.sample(draw), None)
    assert misfit(islice(draws, DRAWS), laplace_masses(Fraction(1, 6), 120)) < REJECT


def test_arguments_out_of_range_are_refused() -> None:
    draw = Randomness.from_seed(7, "unused").random_below
    for probability in (Fraction(-1, 2), Fraction(3, 2)):
        with pytest.raises(ParameterError, match="a probability must be from 0 to 1"):
            bernoulli(probability, draw)
    with pytest.raises(ParameterError, match="gamma must not be negative"):
        bernoulli_exp_minus(Fraction(-1), draw)
    with pytest.raises(ParameterError, match="rate must be positive"):
        sample_discrete_laplace(Fraction(0), draw)
    with pytest.raises(ParameterError, match="variance must be positive"):
        sample_discrete_gaussian(Fraction(0), draw)
