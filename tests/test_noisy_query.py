"""Every way to a result has noise: exactly that of the words behind it, or of what helpers sampled."""

from dataclasses import replace
from fractions import Fraction
from typing import get_args

import pytest
from intake_cases import EVENTS, HOME, PARAMETERS, make_world, world
from noise_cases import MECHANISMS, SECURITIES, expected_noise

from ipa.errors import ParameterError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.events.workload import generate_events
from ipa.network.costs import cost_of
from ipa.network.simulation import RunOptions
from ipa.noise.choice import noise_for
from ipa.oracle.steps import query_in_steps
from ipa.parameters import Aggregate, Attribution, Capping, Mechanism, QueryParameters, Security
from ipa.query import run_query
from ipa.report_query import run_report_query
from ipa.result import QueryResult

SEED = 11
CONVERSIONS: list[Event] = [
    SourceEvent(1, 0, 1, 0),
    TriggerEvent(1, 0, 2, 9),
    SourceEvent(2, 0, 1, 2),
    TriggerEvent(2, 0, 3, 1),
    TriggerEvent(2, 0, 3, 2),
]
NO_CONVERSIONS: list[Event] = [SourceEvent(1, 0, 1, 0), TriggerEvent(2, 0, 2, 9)]
INPUTS: dict[str, list[Event]] = {
    "zero reports": [],
    "no conversions": NO_CONVERSIONS,
    "conversions": CONVERSIONS,
}


def noisy(mechanism: Mechanism = "laplace", **others: object) -> QueryParameters:
    parameters = QueryParameters(
        breakdowns=40,
        cap=4,
        epsilon=Fraction(1, 2),
        mechanism=mechanism,
        match_key_bits=4,
        attribution_constraint_id_bits=1,
        timestamp_bits=3,
        value_bits=4,
    )
    return replace(parameters, **others)  # type: ignore[arg-type]


def check_noise(result: QueryResult, events: list[Event], seed: int = SEED) -> list[int]:
    """The sums are the exact ones and the noise of this seed, which is some and of both signs."""
    parameters = result.parameters
    exact = query_in_steps(events, parameters)
    noise = expected_noise(seed, noise_for(parameters), parameters.breakdowns)
    assert result.sums == [a + b for a, b in zip(exact, noise, strict=True)]
    assert min(noise) < 0 < max(noise)
    assert result.noise is not None
    return noise


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("capping", get_args(Capping))
@pytest.mark.parametrize("aggregate", get_args(Aggregate))
@pytest.mark.parametrize("kind", INPUTS)
def test_every_input_capping_aggregate_and_mechanism(
    kind: str, aggregate: Aggregate, capping: Capping, mechanism: Mechanism
) -> None:
    parameters = noisy(mechanism, capping=capping, aggregate=aggregate)
    noises = set()
    for security in SECURITIES:
        secured = replace(parameters, security=security)
        result = run_query(INPUTS[kind], secured, options=RunOptions(seed=SEED))
        noises.add(tuple(check_noise(result, INPUTS[kind])))
    assert len(noises) == 1  # the check of products takes nothing from the noise's randomness


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("attribution", get_args(Attribution))
@pytest.mark.parametrize(("breakdowns", "by_sorting"), [(12, False), (900, True)])
def test_every_attribution_and_both_ways_of_aggregation(
    attribution: Attribution, breakdowns: int, by_sorting: bool, mechanism: Mechanism
) -> None:
    parameters = QueryParameters(
        breakdowns=breakdowns,
        cap=9,
        attribution=attribution,
        epsilon=Fraction(1, 2),
        mechanism=mechanism,
        security="semi-honest",
    )
    events = generate_events(64, users=9, breakdowns=breakdowns, seed=3)
    result = run_query(events, parameters, options=RunOptions(seed=SEED))
    assert any("aggregation/sort" in path for path in result.costs) == by_sorting
    check_noise(result, events)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize("events", [(), EVENTS], ids=["zero reports", "reports"])
@pytest.mark.parametrize("compressed", [None, 8])
def test_encrypted_reports(
    compressed: int | None, events: tuple[Event, ...], security: Security, mechanism: Mechanism
) -> None:
    asked = replace(PARAMETERS, epsilon=Fraction(1, 2), mechanism=mechanism, security=security)
    made = make_world(events) if not events else world()
    answered = run_report_query(
        made.streams,
        made.keys,
        asked,
        submitter=HOME.report_collector,
        no_budget=True,
        compressed_match_key_bits=compressed,
        options=RunOptions(seed=SEED),
    )
    result = answered.result
    assert result.parameters.match_keys_can_collide == (compressed is not None)
    assert result.parameters.sensitivity == asked.cap * (2 if compressed else 1)
    exact = query_in_steps(events, asked)
    drawn = expected_noise(SEED, noise_for(result.parameters), 4)
    assert result.sums == [a + b for a, b in zip(exact, drawn, strict=True)]
    assert 0 not in drawn


def test_reports_too_need_noise_or_a_word_that_there_is_none() -> None:
    made = world()
    with pytest.raises(ParameterError, match="without noise the result is not private"):
        run_report_query(
            made.streams,
            made.keys,
            PARAMETERS,
            submitter=HOME.report_collector,
            no_budget=True,
        )
    with pytest.raises(ParameterError, match="no_noise contradicts epsilon"):
        run_report_query(
            made.streams,
            made.keys,
            replace(PARAMETERS, epsilon=Fraction(1)),
            submitter=HOME.report_collector,
            no_budget=True,
            no_noise=True,
        )


def test_noise_does_not_depend_on_what_it_is_added_to() -> None:
    """The same randomness, other events: the same noise. So no input can weaken it."""
    for mechanism in MECHANISMS:
        noises = [
            check_noise(run_query(events, noisy(mechanism), options=RunOptions(seed=SEED)), events)
            for events in INPUTS.values()
        ]
        assert noises[0] == noises[1] == noises[2]


def test_noise_is_fresh_for_every_run_without_a_seed() -> None:
    for mechanism in MECHANISMS:
        parameters = noisy(mechanism, cap=100, security="semi-honest")
        assert run_query([], parameters).sums != run_query([], parameters).sums


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_noise_for_256_breakdowns_is_a_small_part_of_a_query(mechanism: Mechanism) -> None:
    """Under 5 % of gates and bytes at 2,048 events; with 16,384 the rest is more than eightfold."""
    events = generate_events(2048, breakdowns=256, seed=1)
    parameters = QueryParameters(
        breakdowns=256, cap=100, epsilon=Fraction(1), mechanism=mechanism, security="semi-honest"
    )
    costs = run_query(events, parameters, options=RunOptions(seed=1)).costs
    whole, noise = cost_of(costs), cost_of(costs, "query/noise")
    assert 0 < 20 * noise.and_gates < whole.and_gates
    assert 0 < 20 * noise.bytes_sent < whole.bytes_sent
    assert noise.rounds < 20
