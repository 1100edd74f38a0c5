"""The noise made inside the MPC: its exact distribution, its oracle, and planted errors in both."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import isclose
from typing import Any

import pytest
from goodness import REJECT, exp, laplace_masses, misfit
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from ipa.errors import ParameterError
from ipa.noise.digitwise_laplace import DigitwiseLaplace, noise_from_words, truncation_bound
from ipa.sharing.randomness import Randomness

DRAWS = 20_000
SMALL = DigitwiseLaplace(epsilon=Fraction(1), sensitivity=3, digits=4, precision=20)
FITTED = [
    DigitwiseLaplace(epsilon=Fraction(1), sensitivity=1, digits=6, precision=40),
    DigitwiseLaplace(epsilon=Fraction(3, 10), sensitivity=2, digits=8, precision=48),
    DigitwiseLaplace(epsilon=Fraction(2), sensitivity=100, digits=11, precision=41),
]


def noises(most_digits: int, most_precision: int) -> st.SearchStrategy[DigitwiseLaplace]:
    return st.builds(
        DigitwiseLaplace,
        epsilon=st.fractions(Fraction(1, 100), 8),
        sensitivity=st.integers(1, 40),
        digits=st.integers(1, most_digits),
        precision=st.integers(1, most_precision),
    )


def with_thresholds(noise: DigitwiseLaplace, thresholds: list[int]) -> DigitwiseLaplace:
    """The same noise with planted thresholds."""
    changed = replace(noise)
    vars(changed)["thresholds"] = tuple(thresholds)
    return changed


def probabilities(noise: DigitwiseLaplace) -> dict[int, Fraction]:
    values = range(-noise.largest, noise.largest + 1)
    return {
        x: Fraction(mass, noise.denominator) for x, mass in zip(values, noise.masses, strict=True)
    }


def all_words(noise: DigitwiseLaplace) -> Iterator[tuple[int, ...]]:
    return product(range(1 << noise.precision), repeat=2 * noise.digits)


def random_words(noise: DigitwiseLaplace, label: str, count: int) -> Iterator[list[int]]:
    randomness = Randomness.from_seed(9, label)
    for _ in range(count):
        yield [randomness.random_bits(noise.precision) for _ in range(2 * noise.digits)]


@examples(40)
@given(noises(most_digits=9, most_precision=64))
def test_masses_add_up_to_the_denominator_and_are_symmetric(noise: DigitwiseLaplace) -> None:
    assert sum(noise.masses) == noise.denominator
    assert noise.masses == noise.masses[::-1]
    assert len(noise.masses) == 2 * noise.largest + 1
    assert noise.variance == sum(x * x * p for x, p in probabilities(noise).items())


@examples(30)
@given(noises(most_digits=4, most_precision=30))
def test_masses_are_those_of_independent_digits(noise: DigitwiseLaplace) -> None:
    one = 1 << noise.precision
    geometric: Counter[int] = Counter()
    for bits in product((0, 1), repeat=noise.digits):
        mass = 1
        for bit, threshold in zip(bits, noise.thresholds, strict=True):
            mass *= threshold if bit else one - threshold
        geometric[sum(bit << digit for digit, bit in enumerate(bits))] += mass
    expected: Counter[int] = Counter()
    for (a, p), (b, q) in product(geometric.items(), repeat=2):
        expected[a - b] += p * q
    values = range(-noise.largest, noise.largest + 1)
    assert list(noise.masses) == [expected[x] for x in values]


@pytest.mark.parametrize(("digits", "precision"), [(1, 5), (2, 2), (2, 3), (3, 2)])
@pytest.mark.parametrize("epsilon", [Fraction(1, 2), Fraction(2)])
def test_all_words_together_make_exactly_the_masses(
    digits: int, precision: int, epsilon: Fraction
) -> None:
    noise = DigitwiseLaplace(epsilon=epsilon, sensitivity=2, digits=digits, precision=precision)
    counts = Counter(noise_from_words(words, noise) for words in all_words(noise))
    assert {x: counts[x] for x in range(-noise.largest, noise.largest + 1)} == {
        x: p * noise.denominator for x, p in probabilities(noise).items()
    }


@examples(40)
@given(noises(most_digits=96, most_precision=256))
def test_thresholds_are_rounded_to_the_nearest_integer(noise: DigitwiseLaplace) -> None:
    for digit, threshold in enumerate(noise.thresholds[:12]):
        odds = exp(noise.epsilon * 2**digit / noise.sensitivity)
        assert abs(threshold - 2**noise.precision / (1 + odds)) <= Fraction(1, 2)


def test_thresholds_of_one_case_are_these() -> None:
    noise = DigitwiseLaplace(epsilon=Fraction(1), sensitivity=2, digits=3, precision=16)
    assert noise.thresholds == (24743, 17625, 7812)


@pytest.mark.parametrize("noise", [SMALL, replace(SMALL, digits=6, precision=8), *FITTED[:2]])
def test_the_distance_to_the_ideal_distribution_is_within_the_bound(
    noise: DigitwiseLaplace,
) -> None:
    ideal = laplace_masses(noise.rate, noise.largest)
    inside = sum(abs(p - ideal[x]) for x, p in probabilities(noise).items())
    distance = (inside + 1 - sum(ideal.values())) / 2
    assert distance <= noise.total_variation_bound
    assert distance > noise.total_variation_bound / 100


def test_the_bound_is_that_of_the_formula() -> None:
    tail = 2 * exp(-16 * SMALL.rate)
    assert isclose(truncation_bound(SMALL.rate, 4), tail, rel_tol=1e-14)
    assert isclose(SMALL.total_variation_bound, 2 * 4 * Fraction(1, 2**21) + tail, rel_tol=1e-14)
    assert truncation_bound(SMALL.rate, 4) >= tail


@pytest.mark.parametrize("noise", [SMALL, *FITTED])
def test_the_interval_holds_95_percent_and_no_shorter_one_does(noise: DigitwiseLaplace) -> None:
    inside = [
        sum(p for x, p in probabilities(noise).items() if abs(x) <= reach)
        for reach in (noise.interval_95 - 1, noise.interval_95)
    ]
    assert inside[1] >= Fraction(95, 100)
    # With so few digits the bound counts a truncation that in fact takes from both tails.
    assert inside[0] < Fraction(95, 100) or noise is SMALL
    assert isclose(noise.standard_deviation**2, noise.variance)


@pytest.mark.parametrize("precision", range(1, 12))
def test_the_interval_holds_95_percent_of_coarse_noise_too(precision: int) -> None:
    for epsilon, digits in product((Fraction(1, 2), Fraction(1), Fraction(5, 2)), range(1, 7)):
        noise = DigitwiseLaplace(epsilon=epsilon, sensitivity=2, digits=digits, precision=precision)
        inside = (p for x, p in probabilities(noise).items() if abs(x) <= noise.interval_95)
        assert sum(inside) >= Fraction(95, 100)


def test_where_the_bound_proves_nothing_the_interval_is_everything() -> None:
    noise = DigitwiseLaplace(epsilon=Fraction(1), sensitivity=100, digits=3, precision=4)
    assert noise.interval_95 == noise.largest == 7


@pytest.mark.parametrize("noise", FITTED)
def test_the_oracle_follows_the_exact_distribution(noise: DigitwiseLaplace) -> None:
    words = random_words(noise, "fit", DRAWS)
    assert misfit((noise_from_words(w, noise) for w in words), probabilities(noise)) < REJECT


def scale_without_sensitivity(noise: DigitwiseLaplace) -> DigitwiseLaplace:
    return replace(noise, sensitivity=1)


def one_digit_less(noise: DigitwiseLaplace) -> DigitwiseLaplace:
    return with_thresholds(noise, [*noise.thresholds[:3], 0])


def biased_lowest_digit(noise: DigitwiseLaplace) -> DigitwiseLaplace:
    return with_thresholds(noise, [noise.thresholds[0] * 3 // 4, *noise.thresholds[1:]])


def digits_in_reverse(noise: DigitwiseLaplace) -> DigitwiseLaplace:
    return with_thresholds(noise, list(reversed(noise.thresholds)))


@pytest.mark.parametrize(
    "plant", [scale_without_sensitivity, one_digit_less, biased_lowest_digit, digits_in_reverse]
)
def test_goodness_of_fit_finds_planted_errors(
    plant: Callable[[DigitwiseLaplace], DigitwiseLaplace],
) -> None:
    wrong = plant(SMALL)
    words = random_words(SMALL, "planted", DRAWS)
    assert misfit((noise_from_words(w, wrong) for w in words), probabilities(SMALL)) > REJECT


def test_goodness_of_fit_finds_one_geometric_variable_used_twice_or_alone() -> None:
    words = list(random_words(SMALL, "planted", DRAWS))
    half = [0] * SMALL.digits
    never = [(1 << SMALL.precision) - 1] * SMALL.digits
    expected = probabilities(SMALL)
    twice = (noise_from_words(w[: SMALL.digits] * 2, SMALL) for w in words)
    alone = (noise_from_words(w[: SMALL.digits] + never, SMALL) for w in words)
    assert misfit(twice, expected) > 2 * REJECT
    assert misfit(alone, expected) > 2 * REJECT
    assert noise_from_words(half + never, SMALL) == SMALL.largest
    assert noise_from_words(never + half, SMALL) == -SMALL.largest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 0.5}, "epsilon must be an int or a Fraction"),
        ({"epsilon": True}, "epsilon must be an int or a Fraction"),
        ({"epsilon": Fraction(0)}, "epsilon must be from 1/1000000 to 64"),
        ({"epsilon": Fraction(65)}, "epsilon must be from 1/1000000 to 64"),
        ({"sensitivity": 0}, "sensitivity must be an integer from 1 to"),
        ({"sensitivity": 2**65 - 1}, "sensitivity must be an integer from 1 to"),
        ({"digits": 0}, "digits must be an integer from 1 to 96"),
        ({"digits": 97}, "digits must be an integer from 1 to 96"),
        ({"precision": 0}, "precision must be an integer from 1 to 256"),
        ({"precision": 257}, "precision must be an integer from 1 to 256"),
    ],
)
def test_parameters_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        replace(SMALL, **change)


def test_words_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ParameterError, match="needs 8 words, not 7"):
        noise_from_words([0] * 7, SMALL)
    with pytest.raises(ParameterError, match="word 7 must be an integer from 0 to 1048575"):
        noise_from_words([0] * 7 + [1 << 20], SMALL)


def test_a_distribution_too_large_to_write_down_is_refused() -> None:
    with pytest.raises(ParameterError, match="up to 16 digits, not 17"):
        _ = replace(SMALL, digits=17).masses
