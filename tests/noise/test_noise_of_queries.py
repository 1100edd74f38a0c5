"""The noise that malicious-secure helpers make follows its exact distribution, and nothing else.

Each test draws with fixed seeds. A right program fails one of them, for an unlucky seed, with a
probability that `goodness.REJECT` and `noise_cases.FALSE_ALARM` state.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import comb

import pytest
from goodness import REJECT, laplace_masses, misfit
from noise_cases import (
    dependent,
    draw,
    drawn_in,
    in_mpc,
    network_with_keys,
    probabilities,
)

from ipa.network.simulation import RunOptions
from ipa.noise.choice import choose_parameters, noise_for
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.oracle.steps import query_in_steps
from ipa.parameters import QueryParameters
from ipa.query import run_query
from ipa.sharing.randomness import Randomness
from ipa.workload import generate_events

DRAWS = 24_000
RARE = Fraction(1, 10**9)
"""The probability of a false alarm in a test of tails."""

KINDS = [(1, Fraction(1)), (2, Fraction(3, 10)), (32, Fraction(1)), (100, Fraction(5))]
SMALL = choose_parameters(Fraction(1), 3, 256)


def check_tails(draws: Sequence[int], masses: dict[int, Fraction]) -> None:
    """Beyond any distance, on either side, there are not far too many or too few draws.

    The number of draws in a tail is binomial; its own tail is added up exactly.
    """
    distance = 0
    while (p := sum((q for x, q in masses.items() if x > distance), Fraction(0))) > 0:
        for count in (sum(x > distance for x in draws), sum(x < -distance for x in draws)):
            assert at_least(count, len(draws), float(p)) > RARE, (distance, count)
            assert 1 - at_least(count + 1, len(draws), float(p)) > RARE or p < 1e-3
        distance += max(1, distance // 4)
        if p * len(draws) < RARE:
            break


def at_least(count: int, draws: int, p: float) -> float:
    """P(a binomial variable is at least `count`), up to rounding, for small counts or by Hoeffding."""
    mean = draws * p
    if count <= mean:
        return 1.0
    if count > 200:  # Chernoff's bound is above the true value
        return float(2.0 ** -((count - mean) ** 2 / (mean + (count - mean) / 3) / 2 * 1.4426))
    return 1.0 - sum(comb(draws, k) * p**k * (1 - p) ** (draws - k) for k in range(count))


@pytest.mark.parametrize(("cap", "epsilon"), KINDS)
def test_noise_of_malicious_runs_fits_its_exact_distribution(cap: int, epsilon: Fraction) -> None:
    noise = choose_parameters(epsilon, cap, 256)
    draws = draw(noise, DRAWS, seed=cap, security="malicious")
    assert misfit(draws, probabilities(noise)) < REJECT
    check_tails(draws, probabilities(noise))
    # The distribution is the ideal one, as near as anybody could tell.
    assert misfit(draws, laplace_masses(noise.rate, noise.largest)) < REJECT
