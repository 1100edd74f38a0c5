"""The moments query by three simulated helpers against the clear and SQL, and its noise."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from strategies import SEEDS, Simulation, examples, small_queries

from ipa.errors import ParameterError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.events.workload import generate_events
from ipa.moments import run_moments_query, statistics
from ipa.network import RunOptions
from ipa.noise.choice import choose_parameters
from ipa.oracle import moments_in_steps, moments_sql
from ipa.parameters import QueryParameters
from ipa.protocols.circuits.addition import multiply_integers
from ipa.sharing.dealing import reconstruct_for_testing

Case = tuple[list[Event], QueryParameters]

PARAMETERS = QueryParameters(breakdowns=3, cap=50)


@examples(25)
@given(SEEDS, small_queries())
def test_the_statistics_are_the_oracle_s(seed: int, case: Case) -> None:
    events, parameters = case
    covariance = parameters.breakdowns > 1 and bool(seed % 2)
    result = run_moments_query(
        events, parameters, covariance=covariance, no_noise=True, options=RunOptions(seed=seed)
    )
    expected = moments_in_steps(events, parameters)
    assert (result.people, result.totals) == (expected["people"], expected["totals"])
    assert result.squares == expected["squares"]
    crossed = None if result.cross_products is None else list(result.cross_products.values())
    assert crossed == (expected["cross_products"] if covariance else None)
    assert result.rows == len(events)


@given(small_queries())
def test_oracle_and_sql_agree(case: Case) -> None:
    events, parameters = case
    assert moments_in_steps(events, parameters) == moments_sql(events, parameters)


@examples(30)
@given(SEEDS, small_queries())
def test_one_person_changes_each_statistic_by_its_cap_at_most(seed: int, case: Case) -> None:
    """What the noise is scaled to: the largest change when a person's reports become nobody's."""
    events, parameters = case
    people = sorted({event.match_key for event in events})
    if not people:
        return
    person = people[seed % len(people)]
    # Match keys that nobody else has, one for each report.
    wide = replace(parameters, match_key_bits=32)
    gone = [
        replace(event, match_key=1000 + row) if event.match_key == person else event
        for row, event in enumerate(events)
    ]
    caps: dict[str, int] = {
        name: asked.cap for name, asked in statistics(wide, covariance=False).items()
    }
    caps["cross_products"] = max(1, parameters.cap**2 // 2)
    with_her, without = moments_in_steps(events, wide), moments_in_steps(gone, wide)
    for name, cap in caps.items():
        pairs = zip(with_her[name], without[name], strict=True)
        assert sum(abs(a - b) for a, b in pairs) <= cap


@examples(40)
@given(SEEDS)
def test_products_of_integers(seed: int) -> None:
    width = seed % 6
    simulation = Simulation(seed)
    a = [seed >> k & (1 << width) - 1 for k in range(5)]
    b = [seed >> 2 * k & (1 << width) - 1 for k in range(5)]
    shared = simulation.bits(a, width), simulation.bits(b, width)
    if not width:
        return
    product = multiply_integers(simulation.network, *shared)
    assert reconstruct_for_testing(product) == [x * y for x, y in zip(a, b, strict=True)]
    assert product.width == 2 * width


def test_noise_is_near_the_exact_statistics_and_scaled_to_each() -> None:
    events = generate_events(500, breakdowns=3, seed=1)
    asked = replace(PARAMETERS, epsilon=3)
    result = run_moments_query(events, asked, covariance=True, options=RunOptions(seed=5))
    exact = moments_in_steps(events, asked)
    caps = {"people": 3, "totals": 50, "squares": 2500}
    for name, cap in caps.items():
        noise = choose_parameters(Fraction(3, 4), cap, 3, asked.delta / 4)
        errors = [a - b for a, b in zip(getattr(result, name), exact[name], strict=True)]
        assert any(errors)
        # Three draws beyond 20 scales happen once in a hundred million.
        assert all(abs(error) <= 20 * cap / Fraction(3, 4) for error in errors)
        assert statistics(asked, covariance=True)[name].cap == noise.sensitivity  # type: ignore[index]


def test_statistics_with_noise_are_signed() -> None:
    """Of nobody: all that is released is noise, about half of it negative."""
    asked = replace(PARAMETERS, epsilon=Fraction(1, 10))
    found = run_moments_query([], asked, covariance=True, options=RunOptions(seed=1))
    assert found.cross_products is not None
    lists = (found.people, found.totals, found.squares, list(found.cross_products.values()))
    drawn = [number for each in lists for number in each]
    assert min(drawn) < 0 < max(drawn)


def test_estimates_from_exact_statistics() -> None:
    """Two people with 10 and 30 in key 0, the second with 5 in key 1 too."""
    events: list[Event] = [
        SourceEvent(1, 1, 1, 0),
        TriggerEvent(1, 1, 2, 10),
        SourceEvent(2, 1, 1, 0),
        TriggerEvent(2, 1, 2, 30),
        SourceEvent(2, 2, 1, 1),
        TriggerEvent(2, 2, 2, 5),
    ]
    result = run_moments_query(events, PARAMETERS, covariance=True, no_noise=True)
    assert (result.mean(0), result.variance(0)) == (20, 100)
    assert (result.mean(1), result.variance(1)) == (5, 0)
    assert (result.mean(2), result.variance(2)) == (None, None)
    assert result.covariance(0, 1, 2) == 30 * 5 / 2 - 40 * 5 / 4 == result.covariance(1, 0, 2)


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ParameterError, match="cap of a moments query must be at most"):
        statistics(replace(PARAMETERS, cap=1 << 31), covariance=False)
    for breakdowns in (1, 17):
        with pytest.raises(ParameterError, match="2 to 16 breakdown keys"):
            statistics(replace(PARAMETERS, breakdowns=breakdowns), covariance=True)
    with pytest.raises(ParameterError, match="not private"):
        run_moments_query([], PARAMETERS)
    result = run_moments_query([], PARAMETERS, no_noise=True)
    with pytest.raises(ParameterError, match="covariance=True"):
        result.covariance(0, 1, 5)
