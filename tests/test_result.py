"""What a result says of its noise, and what it does not let pass."""

from dataclasses import replace
from fractions import Fraction
from math import isclose
from typing import Any

import pytest
from noise_cases import in_mpc, probabilities

from ipa.errors import ParameterError
from ipa.network.costs import Cost
from ipa.noise.choice import noise_for
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.parameters import QueryParameters
from ipa.query import run_query
from ipa.result import NoiseInResult, QueryResult, check_noise_is_said, noise_in

EXACT = QueryParameters(breakdowns=3, cap=10)
LAPLACE = replace(EXACT, epsilon=Fraction(1, 2), delta=Fraction(1, 10**6))
PER_HELPER = replace(LAPLACE, mechanism="laplace-per-helper")


def result(parameters: QueryParameters) -> QueryResult:
    costs = {"query/sort": Cost(rounds=2, bytes_sent=30, and_gates=400, seconds=0.25)}
    return QueryResult([5, -3, 0], 7, parameters, costs)


def test_the_noise_of_an_exact_result_is_none() -> None:
    assert noise_in(EXACT) is None
    assert result(EXACT).noise is None


def test_the_noise_made_inside_the_mpc() -> None:
    noise = in_mpc(LAPLACE)
    said = result(LAPLACE).noise
    assert said == noise_in(LAPLACE)
    assert said == NoiseInResult(
        "laplace",
        Fraction(1, 2),
        Fraction(1, 10**6),
        noise.standard_deviation,
        noise.interval_95,
    )
    inside = {x: p for x, p in probabilities(noise).items() if abs(x) <= said.interval_95}
    assert sum(inside.values()) >= Fraction(95, 100)
    assert isclose(said.standard_deviation, 2**0.5 * 20, rel_tol=0.01)


def test_noise_per_helper_has_no_delta_and_is_wider() -> None:
    noise, said = noise_for(PER_HELPER), noise_in(PER_HELPER)
    assert isinstance(noise, PerHelperLaplace)
    assert said == NoiseInResult(
        "laplace-per-helper",
        Fraction(1, 2),
        Fraction(0),
        noise.standard_deviation,
        noise.interval_95,
    )
    assert isclose(said.standard_deviation, 6**0.5 * 20, rel_tol=0.01)


def test_colliding_match_keys_double_the_noise() -> None:
    for parameters in (LAPLACE, PER_HELPER):
        once, twice = (
            noise_in(parameters),
            noise_in(replace(parameters, match_keys_can_collide=True)),
        )
        assert once is not None
        assert twice is not None
        assert isclose(twice.standard_deviation, 2 * once.standard_deviation, rel_tol=0.01)
        assert (twice.epsilon, twice.delta) == (once.epsilon, once.delta)


def test_negative_sums_are_kept_unless_asked() -> None:
    assert result(LAPLACE).sums == [5, -3, 0]
    assert result(LAPLACE).clipped() == [5, 0, 0]


def test_the_repr_says_how_private_it_is() -> None:
    costs = "security='malicious', 400 AND gates, 2 rounds, 30 bytes, 0.25 s)"
    assert repr(result(EXACT)) == (
        f"QueryResult(sums=[5, -3, 0], rows=7, no noise: not private, {costs}"
    )
    interval = in_mpc(LAPLACE).interval_95
    assert repr(result(LAPLACE)) == (
        f"QueryResult(sums=[5, -3, 0], rows=7, noise +-{interval} at 95 %, epsilon=0.5, {costs}"
    )


@pytest.mark.parametrize("parameters", [LAPLACE, PER_HELPER])
def test_epsilon_and_no_noise_contradict_each_other(parameters: QueryParameters) -> None:
    check_noise_is_said(parameters, no_noise=False)
    with pytest.raises(ParameterError, match="no_noise contradicts epsilon"):
        check_noise_is_said(parameters, no_noise=True)
    with pytest.raises(ParameterError, match="no_noise contradicts epsilon"):
        run_query([], parameters, no_noise=True)


def test_exact_sums_must_be_asked_for() -> None:
    check_noise_is_said(EXACT, no_noise=True)
    with pytest.raises(
        ParameterError, match="give the parameters an epsilon, or say no_noise=True"
    ):
        check_noise_is_said(EXACT, no_noise=False)
    with pytest.raises(ParameterError, match="without noise the result is not private"):
        run_query([], EXACT)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 1.0}, "epsilon must be an int or a Fraction"),
        ({"epsilon": 0}, "epsilon must be from 1/1000000 to 64"),
        ({"delta": 1e-9}, "delta must be an int or a Fraction"),
        ({"delta": 0}, "delta must be from"),
        ({"mechanism": "gaussian"}, "mechanism must be one of laplace, laplace-per-helper"),
    ],
)
def test_noise_that_cannot_be_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        replace(LAPLACE, **change)
