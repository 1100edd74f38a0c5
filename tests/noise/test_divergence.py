"""Delta from the exact distribution: known figures, several coordinates by enumeration, errors."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from math import prod

import pytest
from goodness import exp
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from ipa.errors import ParameterError
from ipa.noise.accounting import delta_bound
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.divergence import composed_delta, hockey_stick, single_breakdown_delta

PROMISED = Fraction(1, 10**9)
NOTHING = Fraction(1, 2**250)


def noise(
    sensitivity: int, digits: int, precision: int, epsilon: Fraction | int = 1
) -> DigitwiseLaplace:
    return DigitwiseLaplace(
        epsilon=Fraction(epsilon), sensitivity=sensitivity, digits=digits, precision=precision
    )


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [(noise(1, 6, 40), "3.1e-13"), (noise(32, 11, 48), "7.2e-16")],
)
def test_measured_figures(parameters: DigitwiseLaplace, expected: str) -> None:
    assert f"{float(single_breakdown_delta(parameters)):.2g}" == expected


def test_the_measured_figure_of_a_large_cap_is_that_of_its_largest_shift() -> None:
    parameters = noise(300, 14, 64)
    assert f"{float(hockey_stick(parameters.masses, 300, Fraction(1))):.2g}" == "5.8e-20"


def test_small_cases_by_hand() -> None:
    epsilon = Fraction(7, 10)  # e^epsilon is a little above 2
    assert hockey_stick([1, 1], 0, epsilon) == 0
    assert hockey_stick([1, 1], 1, epsilon) == Fraction(1, 2)
    assert hockey_stick([1, 1], 2, epsilon) == 1
    assert hockey_stick([1, 3], 1, epsilon) == Fraction(3, 4)
    assert 0 <= hockey_stick([3, 1], 1, epsilon) - (4 - exp(epsilon)) / 4 < NOTHING


def ways(total: int, coordinates: int) -> Iterator[tuple[int, ...]]:
    """All whole vectors, negative numbers too, of L1 norm from 1 to `total`."""
    for vector in product(range(-total, total + 1), repeat=coordinates):
        if 1 <= sum(map(abs, vector)) <= total:
            yield vector


def delta_of_shift(masses: Sequence[int], shift: Sequence[int], epsilon: Fraction) -> Fraction:
    """The hockey-stick divergence of independent noises that are moved by a vector."""
    reach = len(masses) + max(map(abs, shift))
    table = dict(enumerate(masses))
    growth = exp(epsilon)
    excess = Fraction(0)
    for place in product(range(-reach, reach + 1), repeat=len(shift)):
        moved = prod(table.get(x - s, 0) for x, s in zip(place, shift, strict=True))
        still = prod(table.get(x, 0) for x in place)
        if moved > growth * still:
            excess += moved - growth * still
    return excess / prod([sum(masses)] * len(shift))


@pytest.mark.parametrize(
    ("parameters", "breakdowns"),
    [
        (noise(1, 2, 5), 1),
        (noise(2, 3, 6), 2),
        (noise(3, 3, 4, 2), 2),
        (noise(3, 3, 8, Fraction(1, 2)), 2),
        (noise(3, 1, 6, 3), 3),
    ],
)
def test_delta_of_several_breakdowns_is_at_most_what_is_proven(
    parameters: DigitwiseLaplace, breakdowns: int
) -> None:
    deltas = {
        shift: delta_of_shift(parameters.masses, shift, parameters.epsilon)
        for shift in ways(parameters.sensitivity, breakdowns)
    }
    alone = max(delta for shift, delta in deltas.items() if shift.count(0) == breakdowns - 1)
    assert abs(single_breakdown_delta(parameters) - alone) < NOTHING
    # A person in one sum is the worst here, but that is not proven for all parameters.
    assert alone == max(deltas.values())
    assert alone <= composed_delta(parameters, breakdowns) <= delta_bound(parameters, breakdowns)


@examples(40)
@given(
    st.builds(
        DigitwiseLaplace,
        epsilon=st.fractions(Fraction(1, 1000), 8),
        sensitivity=st.integers(1, 12),
        digits=st.integers(1, 7),
        precision=st.integers(1, 50),
    ),
    st.integers(1, 20),
)
def test_exact_is_at_most_composed_is_at_most_bound(
    parameters: DigitwiseLaplace, breakdowns: int
) -> None:
    exact = single_breakdown_delta(parameters)
    composed = composed_delta(parameters, breakdowns)
    assert 0 < exact <= composed <= delta_bound(parameters, breakdowns)


def test_the_best_split_is_that_of_all_splits() -> None:
    """With a biased lowest digit many small shifts are worse than one large one."""
    parameters = biased(noise(6, 6, 16), 0)
    values = [hockey_stick(parameters.masses, s, parameters.rate * s) for s in range(7)]
    reached = []
    for breakdowns in range(1, 9):
        best = max(
            sum(values[s] for s in split)
            for split in product(range(7), repeat=min(breakdowns, 6))
            if sum(split) <= 6
        )
        assert 0 <= composed_delta(parameters, breakdowns) - best < NOTHING
        reached.append(best)
    assert all(more > fewer for fewer, more in pairwise(reached[:5]))


def test_noise_that_keeps_a_promise_fails_it_with_a_planted_error() -> None:
    right = noise(4, 8, 44)
    assert single_breakdown_delta(right) < PROMISED

    without_sensitivity = noise(1, 8, 44)
    assert hockey_stick(without_sensitivity.masses, 4, Fraction(1)) > Fraction(1, 2)

    assert single_breakdown_delta(replace(right, digits=6)) > PROMISED

    for digit in range(right.digits - 1):
        assert composed_delta(biased(right, digit), 256) > PROMISED


def biased(right: DigitwiseLaplace, digit: int) -> DigitwiseLaplace:
    """The same noise with one coin that shows 1 a hundredth less often."""
    wrong = replace(right)
    thresholds = list(right.thresholds)
    thresholds[digit] = thresholds[digit] * 99 // 100
    vars(wrong)["thresholds"] = tuple(thresholds)
    return wrong


def test_a_biased_lowest_digit_betrays_only_a_person_who_is_spread() -> None:
    """A shift by 2 does not touch the lowest digit, two shifts by 1 do.

    So the delta of one breakdown is no bound for two.
    """
    wrong = biased(noise(2, 4, 16, 2), 0)
    one = single_breakdown_delta(wrong)
    assert one < 2 * single_breakdown_delta(noise(2, 4, 16, 2)) < Fraction(1, 10**4)
    spread = delta_of_shift(wrong.masses, (1, -1), wrong.epsilon)
    assert 20 * one < spread <= composed_delta(wrong, 2)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(ParameterError, match="up to 16777216 terms, not 19660800"):
        single_breakdown_delta(noise(300, 15, 64))
    with pytest.raises(ParameterError, match="breakdowns must be an integer from 1 to"):
        composed_delta(noise(1, 3, 8), 0)
    with pytest.raises(ParameterError, match="shift must not be negative"):
        hockey_stick([1, 1], -1, Fraction(1))
    with pytest.raises(ParameterError, match="must not be negative"):
        hockey_stick([1, 1], 1, Fraction(-1))
