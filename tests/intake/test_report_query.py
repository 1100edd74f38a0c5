"""The whole query over reports: agreed parameters, breakdown keys, compressed match keys."""

from dataclasses import replace
from fractions import Fraction

import pytest
from intake_cases import EVENTS, HOME, PARAMETERS, SHOP, answer, make_world, world

from ipa.errors import ParameterError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.network.costs import cost_of
from ipa.network.simulation import RunOptions, simulated_network
from ipa.oracle.steps import query_in_steps
from ipa.parameters import QueryParameters
from ipa.protocols.match_key_compression import compress_match_keys
from ipa.report_query import run_report_query
from ipa.result import QueryResult
from ipa.sharing.dealing import reconstruct_for_testing, share_rows
from ipa.sharing.linear_hash import collision_probability
from ipa.sharing.randomness import Randomness


@pytest.mark.parametrize(
    "parameters",
    [
        replace(PARAMETERS, match_key_bits=13),
        replace(PARAMETERS, match_key_bits=11),
        replace(PARAMETERS, attribution_constraint_id_bits=4),
        replace(PARAMETERS, timestamp_bits=11),
        replace(PARAMETERS, value_bits=8),
        replace(PARAMETERS, breakdowns=5),
    ],
)
def test_parameters_must_be_those_of_the_reports(parameters: QueryParameters) -> None:
    with pytest.raises(ParameterError, match="the reports were made with"):
        run_report_query(
            world().streams,
            world().keys,
            parameters,
            submitter=HOME.report_collector,
            no_budget=True,
            no_noise=True,
        )


def test_exact_sums_must_be_asked_for() -> None:
    with pytest.raises(ParameterError, match="no_noise"):
        run_report_query(
            world().streams,
            world().keys,
            PARAMETERS,
            submitter=HOME.report_collector,
            no_budget=True,
        )


def test_there_are_three_streams_and_three_keys() -> None:
    for streams, keys in ((world().streams[:2], world().keys), (world().streams, ())):
        with pytest.raises(ParameterError, match="3 helpers"):
            run_report_query(
                streams,
                keys,
                PARAMETERS,
                submitter=HOME.report_collector,
                no_budget=True,
                no_noise=True,
            )


def test_a_breakdown_key_beyond_the_query_s_counts_nowhere() -> None:
    """Three breakdown keys in two bits: a report with key 3 still takes credit, for nobody."""
    parameters = replace(PARAMETERS, breakdowns=3)
    events: list[Event] = [
        SourceEvent(1, 1, 1, 0, HOME.site),
        SourceEvent(1, 1, 2, 3, HOME.site),
        TriggerEvent(1, 1, 3, 10, SHOP.site),
        SourceEvent(2, 1, 1, 2, HOME.site),
        TriggerEvent(2, 1, 3, 20, SHOP.site),
    ]
    made = make_world(events)
    result = run_report_query(
        made.streams,
        made.keys,
        parameters,
        submitter=HOME.report_collector,
        no_budget=True,
        no_noise=True,
    )
    assert (result.dropped, result.result.rows) == ({}, 5)
    assert result.result.sums == query_in_steps(events, PARAMETERS)[:3] == [0, 0, 20]


@pytest.mark.parametrize("breakdowns", [1, 2, 3, 4])
def test_reports_may_have_wider_breakdown_keys_than_the_query(breakdowns: int) -> None:
    parameters = replace(PARAMETERS, breakdowns=breakdowns)
    result = run_report_query(
        world().streams,
        world().keys,
        parameters,
        submitter=HOME.report_collector,
        no_budget=True,
        no_noise=True,
    )
    assert result.result.sums == query_in_steps(EVENTS, PARAMETERS)[:breakdowns]


@pytest.mark.parametrize("bits", [2, 8, 11])
def test_compressed_match_keys_keep_users_together(bits: int) -> None:
    """Two users at most can collide here; without a collision the sums are exact."""
    events = list(EVENTS[:4])
    merged = [replace(event, match_key=0) for event in events]
    allowed = [query_in_steps(each, PARAMETERS) for each in (events, merged)]
    made = make_world(events)
    seen = []
    for seed in range(12):
        result = run_report_query(
            made.streams,
            made.keys,
            PARAMETERS,
            submitter=HOME.report_collector,
            compressed_match_key_bits=bits,
            no_budget=True,
            no_noise=True,
            options=RunOptions(seed=seed),
        )
        assert result.compression is not None
        assert result.compression.match_key_bits == bits
        assert result.compression.collision_probability == collision_probability(4, bits)
        assert result.result.parameters.match_key_bits == bits
        assert result.result.sums in allowed
        seen.append(result.result.sums)
    assert allowed[0] in seen


def test_compression_is_linear_and_drawn_anew() -> None:
    values = [0, 1, 2, 3, 0xABC, 0xABC, 0xFFF]
    hashes = set()
    for seed in range(5):
        network = simulated_network(seed)
        shared = share_rows(network.name, values, 12, Randomness())
        hashed = reconstruct_for_testing(compress_match_keys(network, shared, 6))
        assert hashed[0] == 0
        assert hashed[1] ^ hashed[2] == hashed[3]
        assert hashed[4] == hashed[5]
        assert max(hashed) < 64
        hashes.add(tuple(hashed))
        assert cost_of(network.costs, "compress-match-keys").rounds == 6
        assert cost_of(network.costs, "compress-match-keys").and_gates == 12 * 6 * len(values)
    assert len(hashes) == 5


def test_a_malicious_secure_query_over_reports() -> None:
    malicious = replace(PARAMETERS, security="malicious")
    result = run_report_query(
        world().streams,
        world().keys,
        malicious,
        submitter=HOME.report_collector,
        compressed_match_key_bits=11,
        no_budget=True,
        no_noise=True,
    )
    assert result.result.rows == len(EVENTS)
    assert answer(world()).result.sums == query_in_steps(EVENTS, PARAMETERS)


def test_sums_with_noise_are_signed() -> None:
    """Noise far larger than the sums makes about half of them negative; none is off by a power of two."""
    asked = replace(PARAMETERS, epsilon=Fraction(1, 50))
    exact = answered(PARAMETERS, no_noise=True)
    noisy = [answered(asked, seed=seed) for seed in range(3)]
    noise = noisy[0].noise
    assert noise is not None
    for result in noisy:
        errors = [a - b for a, b in zip(result.sums, exact.sums, strict=True)]
        assert max(map(abs, errors)) < 8 * noise.standard_deviation
    drawn = [total for result in noisy for total in result.sums]
    assert min(drawn) < 0 < max(drawn)


def answered(
    parameters: QueryParameters, *, no_noise: bool = False, seed: int | None = None
) -> QueryResult:
    return run_report_query(
        world().streams,
        world().keys,
        parameters,
        submitter=HOME.report_collector,
        no_budget=True,
        no_noise=no_noise,
        options=RunOptions(seed=seed),
    ).result
