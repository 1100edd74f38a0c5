"""The noise that malicious-secure helpers make follows its exact distribution, and nothing else.

Each test draws with fixed seeds. A right program fails one of them, for an unlucky seed, with a
probability that `goodness.REJECT` and `noise_cases.FALSE_ALARM` state.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import comb, log

import pytest
from goodness import REJECT, laplace_masses, misfit
from noise_cases import (
    MECHANISMS,
    dependent,
    draw,
    drawn_in,
    indicators,
    network_with_keys,
    own_noise,
    probabilities,
)

from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.network.simulation import RunOptions
from ipa.noise.choice import choose_parameters, noise_for
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.oracle.steps import query_in_steps
from ipa.parameters import Mechanism, QueryParameters
from ipa.parties import HELPERS, right_of
from ipa.query import run_query
from ipa.sharing.prss import KEY_BYTES

DRAWS = 24_000
RARE = Fraction(1, 10**9)
"""The probability of a false alarm in a test of tails."""

KINDS = [(1, 1, 24_000), (2, Fraction(3, 10), 12_000), (32, 1, 8_000), (100, 5, 8_000)]
"""Cap, epsilon, and how many draws: about fifty thousand in all."""

SMALL = choose_parameters(Fraction(1), 3, 256)


def check_tails(draws: Sequence[int], masses: Mapping[int, Fraction]) -> None:
    """On either side, beyond any distance that few draws exceed, there are not too many and not none.

    With n draws and probability p beyond, c of them are there with probability at most C(n, c) p^c, and
    none with probability (1 - p)^n.
    """
    beyond = Fraction(0)
    for distance in range(max(masses) - 1, 0, -1):
        beyond += masses[distance + 1]
        if len(draws) * beyond > 60:
            return
        chance = log(beyond)
        for count in (sum(x > distance for x in draws), sum(x < -distance for x in draws)):
            assert log(comb(len(draws), count)) + count * chance > log(RARE), (distance, count)
            assert count or -len(draws) * float(beyond) > log(RARE), distance


@pytest.mark.parametrize(("cap", "epsilon", "count"), KINDS)
def test_noise_of_malicious_runs_fits_its_exact_distribution(
    cap: int, epsilon: Fraction, count: int
) -> None:
    noise = choose_parameters(Fraction(epsilon), cap, 256)
    draws = draw(noise, count, seed=cap, security="malicious")
    assert misfit(draws, probabilities(noise)) < REJECT
    check_tails(draws, probabilities(noise))
    # The distribution is the ideal one, as near as anybody could tell.
    assert misfit(draws, laplace_masses(noise.rate, noise.largest)) < REJECT


def test_the_tails_are_looked_at() -> None:
    """Draws cut off, or with a few far outliers, fit in the middle and not in the tails."""
    draws, masses = small_draws(5), probabilities(SMALL)
    check_tails(draws, masses)
    reach = sorted(draws)[-40]
    with pytest.raises(AssertionError):
        check_tails([min(x, reach) for x in draws], masses)
    with pytest.raises(AssertionError):
        check_tails([*draws[:-3], *[SMALL.largest // 2] * 3], masses)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_noise_of_whole_malicious_queries_fits_too(mechanism: Mechanism) -> None:
    """Result less exact sums, in queries over the same events, each with another seed."""
    events: list[Event] = [
        SourceEvent(1, 0, 0, 7),
        TriggerEvent(1, 0, 1, 3),
        TriggerEvent(2, 0, 2, 1),
    ]
    parameters = QueryParameters(
        breakdowns=1000,
        cap=3,
        epsilon=Fraction(1),
        mechanism=mechanism,
        match_key_bits=2,
        attribution_constraint_id_bits=1,
        timestamp_bits=2,
        value_bits=2,
    )
    exact = query_in_steps(events, parameters)
    assert sum(exact) > 0
    draws: list[int] = []
    for seed in range(3):
        released = run_query(events, parameters, options=RunOptions(seed=seed)).sums
        draws += [a - b for a, b in zip(released, exact, strict=True)]
    noise = noise_for(parameters)
    if isinstance(noise, DigitwiseLaplace):
        masses = probabilities(noise)
        check_tails(draws, masses)
    else:
        masses = three_laplace_masses(Fraction(1, 3))
    assert misfit(draws, masses) < REJECT
    assert misfit(draws, laplace_masses(Fraction(1, 3), 80)) > REJECT or mechanism == "laplace"


def three_laplace_masses(rate: Fraction) -> dict[int, Fraction]:
    """The sum of three discrete Laplace variables, by two convolutions, to 80 on either side."""
    one = {x: Fraction(round(p * 2**64), 2**64) for x, p in laplace_masses(rate, 80).items()}
    two = convolved(one, one)
    return {x: p for x, p in convolved(two, one).items() if abs(x) <= 80}


def convolved(a: Mapping[int, Fraction], b: Mapping[int, Fraction]) -> dict[int, Fraction]:
    total: dict[int, Fraction] = {}
    for x, p in a.items():
        for y, q in b.items():
            total[x + y] = total.get(x + y, Fraction(0)) + p * q
    return total


# Independence


@cache
def small_draws(seed: int) -> list[int]:
    return draw(SMALL, DRAWS, seed)


@pytest.mark.parametrize("lag", [1, 2, 3, DRAWS // 2])
def test_noises_of_two_breakdowns_are_independent(lag: int) -> None:
    draws = small_draws(5)
    assert dependent(draws[:-lag], draws[lag:], SMALL) == []


def test_noises_of_two_runs_are_independent() -> None:
    assert dependent(small_draws(5), small_draws(6), SMALL) == []


@pytest.mark.parametrize("helper", HELPERS)
def test_another_key_of_any_helper_makes_independent_noise(helper: int) -> None:
    """Each of the three pairwise keys is needed: the two that a helper holds say nothing."""
    keys = [bytes([number]) * KEY_BYTES for number in (1, 2, 3)]
    others = [*keys[: helper - 1], bytes([9]) * KEY_BYTES, *keys[helper:]]
    first, second = (drawn_in(network_with_keys(k, "run"), SMALL, DRAWS) for k in (keys, others))
    assert dependent(first, second, SMALL) == []


def test_dependence_is_found() -> None:
    draws = small_draws(5)
    everything = [(name, name) for name in indicators(SMALL)]
    assert set(everything) <= set(dependent(draws, draws, SMALL))
    assert ("small", "small") in dependent(draws, [-x for x in draws], SMALL)
    assert ("positive", "positive") in dependent(draws, [x + 1 for x in draws], SMALL)
    sometimes = [y if i % 4 else x for i, (x, y) in enumerate(pairwise(draws))]
    assert ("odd", "odd") in dependent(draws[:-1], sometimes, SMALL)


def test_each_helper_s_own_noise_is_independent_of_the_others() -> None:
    """What is left without one helper's is what the two others sampled, and fits two noises."""
    noise = PerHelperLaplace(epsilon=Fraction(1), sensitivity=3)
    own = {helper: own_noise(9, helper, noise, DRAWS // 4) for helper in HELPERS}
    shape = choose_parameters(Fraction(1), 3, 1)
    for helper in HELPERS:
        assert misfit(own[helper], laplace_masses(noise.rate, 90)) < REJECT
        assert dependent(own[helper], own[right_of(helper)], shape) == []
