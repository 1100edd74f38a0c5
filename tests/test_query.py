"""The whole query by three simulated helpers against the SQL, and what it releases."""

from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS, Simulation, examples, small_queries

from ipa.errors import EventError, ParameterError, VerificationError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.events.workload import generate_events
from ipa.network.interception import Transcript
from ipa.network.simulation import RunOptions
from ipa.oracle.sql import query_sql
from ipa.parameters import Aggregate, Capping, QueryParameters
from ipa.parties import HELPERS
from ipa.query import query, run_query
from ipa.release import combine_at_collector, shares_for_collector
from ipa.sharing.dealing import reconstruct_for_testing
from ipa.testing import queries

Case = tuple[list[Event], QueryParameters]


@examples(60)
@given(SEEDS, small_queries())
def test_colliding_keys_ties_and_caps(seed: int, case: Case) -> None:
    events, parameters = case
    result = run_query(events, parameters, no_noise=True, options=RunOptions(seed=seed))
    assert result.sums == query_sql(events, parameters)
    assert (result.rows, result.parameters) == (len(events), parameters)


@examples(40)
@given(SEEDS, queries(max_events=12))
def test_every_width_up_to_the_largest(seed: int, case: Case) -> None:
    events, parameters = case
    result = run_query(events, parameters, no_noise=True, options=RunOptions(seed=seed))
    assert result.sums == query_sql(events, parameters)


@pytest.mark.parametrize("capping", get_args(Capping))
@pytest.mark.parametrize("aggregate", get_args(Aggregate))
@pytest.mark.parametrize(("count", "breakdowns", "cap"), [(2500, 5, 3), (1024, 900, 300)])
def test_thousands_of_events(
    count: int, breakdowns: int, cap: int, aggregate: Aggregate, capping: Capping
) -> None:
    """900 breakdowns among 1,024 reports are aggregated by sorting, 5 by routing."""
    events = generate_events(count, breakdowns=breakdowns, seed=count, users=count // 9)
    parameters = QueryParameters(
        breakdowns=breakdowns,
        cap=cap,
        capping=capping,
        aggregate=aggregate,
        security="semi-honest" if aggregate == "sum" else "malicious",
    )
    result = run_query(events, parameters, no_noise=True, options=RunOptions(seed=1))
    assert result.sums == query_sql(events, parameters)
    assert sum(result.sums) > 0
    assert any("aggregation/sort" in path for path in result.costs) == (breakdowns == 900)


def test_a_cap_far_wider_than_the_counts() -> None:
    """More breakdowns than reports, and a cap that no count can reach: the sums are still right."""
    events = generate_events(600, breakdowns=1000, seed=600)
    parameters = QueryParameters(
        breakdowns=1000, cap=10**9, aggregate="count", security="semi-honest"
    )
    result = run_query(events, parameters, no_noise=True, options=RunOptions(seed=1))
    assert result.sums == query_sql(events, parameters)
    assert sum(result.sums) > 0


@pytest.mark.parametrize("capping", get_args(Capping))
def test_the_largest_values_and_keys_do_not_wrap(capping: Capping) -> None:
    """One person with values of 64 ones: in narrower sums she would get past the cap, or lose it."""
    key = ((1 << 256) - 1, (1 << 64) - 1)
    largest = (1 << 64) - 1
    events: list[Event] = [SourceEvent(*key, largest - 2, 0), SourceEvent(*key, largest - 2, 2)]
    events += [TriggerEvent(*key, largest, largest)] * 5
    events += [TriggerEvent(*key, largest - 2, largest)]  # not later than any source
    for cap in (1, largest - 1, largest):
        parameters = QueryParameters(
            breakdowns=3,
            cap=cap,
            capping=capping,
            match_key_bits=256,
            attribution_constraint_id_bits=64,
            timestamp_bits=64,
            value_bits=64,
        )
        result = run_query(events, parameters, no_noise=True, options=RunOptions(seed=1))
        assert result.sums == query_sql(events, parameters) == [0, 0, cap]


SOURCE, TRIGGER = SourceEvent(1, 1, 1, 0), TriggerEvent(1, 1, 2, 5)
SIMPLE = QueryParameters(breakdowns=2, cap=10, security="semi-honest")


@pytest.mark.parametrize(
    ("events", "sums"),
    [
        ([], [0, 0]),
        ([SOURCE], [0, 0]),
        ([TRIGGER], [0, 0]),
        ([SOURCE] * 5, [0, 0]),
        ([TRIGGER] * 5, [0, 0]),
        ([TRIGGER, SOURCE], [5, 0]),
        ([TRIGGER, SOURCE, TRIGGER, TRIGGER], [10, 0]),
    ],
)
@pytest.mark.parametrize("capping", get_args(Capping))
def test_few_events(events: list[Event], sums: list[int], capping: Capping) -> None:
    parameters = QueryParameters(breakdowns=2, cap=10, capping=capping)
    assert run_query(events, parameters, no_noise=True).sums == sums


@examples(20)
@given(SEEDS, small_queries(), st.randoms(use_true_random=False))
def test_the_order_of_the_events_does_not_matter(seed: int, case: Case, rng: Random) -> None:
    events, parameters = case
    shuffled = events[:]
    rng.shuffle(shuffled)
    answers = [
        run_query(e, parameters, no_noise=True, options=RunOptions(seed=seed)).sums
        for e in (events, shuffled)
    ]
    assert answers[0] == answers[1]


@examples(30)
@given(SEEDS, small_queries())
def test_helpers_release_shares_that_the_collector_puts_together(seed: int, case: Case) -> None:
    events, parameters = case
    simulation = Simulation(seed, parameters.security)
    result = query(simulation.network, simulation.reports(events, parameters), parameters)
    pairs = shares_for_collector(simulation.network, result)
    sums = combine_at_collector(pairs, parameters.breakdowns)
    assert sums == reconstruct_for_testing(result) == query_sql(events, parameters)


@given(st.sampled_from(HELPERS), st.sampled_from([0, 1]), st.integers(0, 1))
def test_the_collector_notices_a_helper_that_lies(liar: int, which: int, row: int) -> None:
    simulation = Simulation(1)
    result = query(simulation.network, simulation.reports([SOURCE, TRIGGER], SIMPLE), SIMPLE)
    pairs = {
        h: ([*own], [*right])
        for h, (own, right) in shares_for_collector(simulation.network, result).items()
    }
    assert combine_at_collector(pairs, 2) == [5, 0]
    pairs[liar][which][0] ^= 1 << row
    with pytest.raises(VerificationError, match=r"release: .* different copies"):
        combine_at_collector(pairs, 2)
    del pairs[liar]
    with pytest.raises(VerificationError, match=f"H{liar} sent no shares"):
        combine_at_collector(pairs, 2)


@examples(20)
@given(SEEDS)
def test_a_seed_repeats_a_run_and_its_messages(seed: int) -> None:
    transcripts = [Transcript(), Transcript(), Transcript()]
    for transcript, number in zip(transcripts, (seed, seed, seed + 1), strict=True):
        run_query(
            [SOURCE, TRIGGER],
            SIMPLE,
            no_noise=True,
            options=RunOptions(seed=number, interceptors=[transcript]),
        )
    assert transcripts[0].messages == transcripts[1].messages
    assert transcripts[0].messages != transcripts[2].messages


def test_no_noise_must_be_said() -> None:
    with pytest.raises(ParameterError, match="no_noise=True"):
        run_query([SOURCE], SIMPLE)


def test_a_bad_event_stops_the_query_before_any_work() -> None:
    transcript = Transcript()
    bad = SourceEvent(1, 1, 1, 2)
    with pytest.raises(EventError, match="row 2: breakdown_key: must be an integer from 0 to 1"):
        run_query(
            [SOURCE, bad], SIMPLE, no_noise=True, options=RunOptions(interceptors=[transcript])
        )
    assert transcript.messages == []


def test_steps_are_announced_and_the_result_says_what_it_cost() -> None:
    begun: list[str] = []
    result = run_query(
        [SOURCE, TRIGGER], SIMPLE, no_noise=True, options=RunOptions(seed=1, on_step=begun.append)
    )
    assert begun[0] == "query"
    assert len(begun) == len(set(begun))
    assert set(result.costs) <= set(begun)
    assert repr(result).startswith("QueryResult(sums=[5, 0], rows=2, no noise: not private, ")
