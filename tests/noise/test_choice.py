"""Digits and precision: enough for the promise at every corner of the range, and no more."""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from goodness import exp

from ipa.errors import ParameterError
from ipa.noise.accounting import delta_bound, sensitivity
from ipa.noise.choice import choose_parameters
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.divergence import composed_delta
from ipa.noise.limits import MAX_CAP, MAX_DIGITS, MAX_PRECISION
from ipa.parameters import DEFAULT_DELTA, MAX_BREAKDOWNS, MIN_DELTA, MIN_EPSILON

EPSILONS = [MIN_EPSILON, Fraction(1, 100), Fraction(1), Fraction(8), Fraction(64)]
CAPS = [1, 2, 100, 65_537, MAX_CAP]
BREAKDOWNS = [1, 2, 256, MAX_BREAKDOWNS]
GRID = list(product(EPSILONS, CAPS, BREAKDOWNS))


@pytest.mark.parametrize("delta", [DEFAULT_DELTA, Fraction(1, 1000), MIN_DELTA])
@pytest.mark.parametrize("neighbours", ["removal", "replacement"])
def test_the_promise_is_kept_from_the_smallest_to_the_largest(
    delta: Fraction, neighbours: Any
) -> None:
    for epsilon, cap, breakdowns in GRID:
        noise = choose_parameters(epsilon, cap, breakdowns, delta, neighbours=neighbours)
        assert noise.epsilon == epsilon
        assert noise.sensitivity == sensitivity(cap, neighbours)
        differing = min(breakdowns, noise.sensitivity)
        truncation = 2 * exp(-(2**noise.digits) * epsilon / noise.sensitivity)
        distance = 2 * noise.digits * Fraction(1, 2 ** (noise.precision + 1)) + truncation
        assert (1 + exp(epsilon)) * differing * distance <= delta
        assert delta_bound(noise, breakdowns) <= delta


@pytest.mark.parametrize("delta", [DEFAULT_DELTA, Fraction(1, 10)])
def test_nothing_cheaper_keeps_the_promise(delta: Fraction) -> None:
    for epsilon, cap, breakdowns in GRID[::3]:
        noise = choose_parameters(epsilon, cap, breakdowns, delta)
        gates = noise.digits * noise.precision
        for digits in range(1, MAX_DIGITS + 1):
            precision = min(MAX_PRECISION, (gates - (digits >= noise.digits)) // digits)
            if precision:
                cheaper = replace(noise, digits=digits, precision=precision)
                assert delta_bound(cheaper, breakdowns) > delta


@pytest.mark.parametrize("epsilon", [Fraction(1, 10), Fraction(1), Fraction(4)])
@pytest.mark.parametrize("cap", [1, 2, 5, 16])
def test_the_exact_delta_is_within_the_promise(epsilon: Fraction, cap: int) -> None:
    for breakdowns in (1, 2, 256):
        noise = choose_parameters(epsilon, cap, breakdowns)
        assert 0 < composed_delta(noise, breakdowns) <= delta_bound(noise, breakdowns) <= 1e-9


@pytest.mark.parametrize(("cap", "digits", "precision"), [(1, 6, 30), (7, 8, 40), (300, 14, 64)])
def test_a_promise_that_is_met_exactly_is_met_and_a_smaller_one_is_not(
    cap: int, digits: int, precision: int
) -> None:
    epsilon, breakdowns = Fraction(1), 256
    noise = DigitwiseLaplace(epsilon=epsilon, sensitivity=cap, digits=digits, precision=precision)
    delta = delta_bound(noise, breakdowns)
    less = delta * (1 - Fraction(1, 10**60))
    assert choose_parameters(epsilon, cap, breakdowns, delta, digits=digits) == noise
    following = replace(noise, precision=precision + 1)
    assert choose_parameters(epsilon, cap, breakdowns, less, digits=digits) == following
    rounding = Fraction(digits, 2**precision)
    truncation_alone = delta * (1 - rounding / noise.total_variation_bound)
    with pytest.raises(ParameterError, match=f"noise with digits {digits} is not proven"):
        choose_parameters(epsilon, cap, breakdowns, truncation_alone, digits=digits)


def test_some_choices() -> None:
    def chosen(epsilon: int, cap: int, breakdowns: int) -> tuple[int, int]:
        noise = choose_parameters(Fraction(epsilon), cap, breakdowns)
        return noise.digits, noise.precision

    assert chosen(1, 1, 1) == (5, 35)
    assert chosen(1, 1, 256) == (5, 35)
    assert chosen(1, 32, 256) == (10, 41)
    assert chosen(1, 300, 256) == (14, 44)


def test_what_the_caller_fixes_is_kept_and_the_rest_chosen() -> None:
    noise = choose_parameters(Fraction(1), 32, 256, digits=12)
    assert (noise.digits, noise.precision) == (12, 41)
    noise = choose_parameters(Fraction(1), 32, 256, precision=64)
    assert (noise.digits, noise.precision) == (10, 64)
    noise = choose_parameters(Fraction(1), 32, 256, digits=11, precision=50)
    assert (noise.digits, noise.precision) == (11, 50)


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        (
            {"digits": 9},
            "noise with digits 9 is not proven to keep delta 1e-09; with digits 10 and precision 41",
        ),
        ({"precision": 40}, "noise with precision 40 is not proven to keep delta 1e-09"),
        ({"digits": 10, "precision": 40}, "noise with digits 10 and precision 40 is not proven"),
        ({"digits": 0}, "digits must be an integer from 1 to 96"),
        ({"precision": 257}, "precision must be an integer from 1 to 256"),
        ({"delta": Fraction(0)}, "delta must be from"),
        ({"delta": 1e-9}, "delta must be an int or a Fraction"),
        ({"epsilon": 1.0}, "epsilon must be an int or a Fraction"),
        ({"epsilon": Fraction(1, 10**7)}, "epsilon must be from 1/1000000 to 64"),
        ({"cap": 0}, "cap must be an integer from 1"),
        ({"cap": 2**64}, "cap must be an integer from 1"),
        ({"breakdowns": 0}, "breakdowns must be an integer from 1"),
        ({"neighbours": "both"}, "neighbours must be removal or replacement"),
    ],
)
def test_what_cannot_be_kept_is_refused(fixed: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"epsilon": Fraction(1), "cap": 32, "breakdowns": 256}
    with pytest.raises(ParameterError, match=message):
        choose_parameters(**arguments | fixed)
