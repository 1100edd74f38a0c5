"""Helpers in processes of their own compute what the simulation computes, bit for bit."""

import os
import pickle
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from apart_cases import Told, act, ask, ask_twice, children_of

from ipa.errors import ChannelError, ParameterError
from ipa.events.workload import generate_events
from ipa.moments import run_moments_query
from ipa.network import apart
from ipa.network.apart import Dealt, Run
from ipa.network.costs import Cost
from ipa.network.interception import Transcript
from ipa.network.simulation import RunOptions, new_run_name, own_key, pairwise_keys
from ipa.network.tls import fresh_credentials
from ipa.oracle.sql import query_sql
from ipa.parameters import QueryParameters, Security
from ipa.parties import HELPERS
from ipa.query import released_sums, run_query
from ipa.reports import share_events
from ipa.sharing.bits import encode_columns
from ipa.sharing.randomness import Randomness

EVENTS = generate_events(40, users=6, breakdowns=4, seed=5)
LOCKSTEP = RunOptions(seed=5)
PLAIN = RunOptions(seed=5, apart=True)
TLS = RunOptions(seed=5, apart=True, tls=True)


def parameters_of(security: Security, **others: Any) -> QueryParameters:
    return QueryParameters(breakdowns=4, cap=100, security=security, **others)


def counts(costs: Mapping[str, Cost]) -> list[tuple[str, Cost]]:
    """The costs without their seconds, in their order."""
    return [(path, replace(cost, seconds=0.0)) for path, cost in costs.items()]


@pytest.mark.parametrize("options", [PLAIN, TLS], ids=["plain", "tls"])
@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_shares_costs_and_steps_are_those_of_lockstep(
    security: Security, options: RunOptions
) -> None:
    parameters = parameters_of(security)
    found = []
    for chosen in (LOCKSTEP, options):
        begun: list[str] = []
        watched = replace(chosen, on_step=begun.append)
        name = new_run_name(watched.seed)
        reports = share_events(name, EVENTS, parameters, Randomness.from_seed(5, "shares"))
        pairs, costs = watched.run(name, security, released_sums, reports, parameters)
        found.append((pairs, counts(costs), begun))
        assert all(cost.seconds >= 0 for cost in costs.values())
        assert sum(cost.seconds for cost in costs.values()) > 0
    assert found[0][0] == found[1][0]
    assert found[0][1] == found[1][1]
    assert found[0][2] == found[1][2]


def test_with_tls_the_processes_accept_each_other_s_certificates_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = {**fresh_credentials(HELPERS), 3: fresh_credentials(HELPERS)[3]}
    monkeypatch.setattr(apart, "fresh_credentials", lambda helpers: made)
    told = Told(dict.fromkeys(HELPERS, "go on"))
    with pytest.raises(ChannelError, match=r"^connect: H[123] does not prove who it is: "):
        TLS.run(new_run_name(5), "malicious", act, told)
    PLAIN.run(new_run_name(5), "malicious", act, told)


def test_a_query_apart_in_a_word() -> None:
    parameters = parameters_of("semi-honest")
    processes: set[int] = set()
    before = set(children_of(os.getpid()))

    def look(_: str) -> None:
        processes.add(len(set(children_of(os.getpid())) - before))

    options = RunOptions(on_step=look)
    result = run_query(EVENTS, parameters, no_noise=True, apart=True, options=options)
    assert processes == {3}
    assert result.sums == query_sql(EVENTS, parameters)
    assert (result.rows, result.parameters) == (len(EVENTS), parameters)


@pytest.mark.parametrize("mechanism", ["laplace", "laplace-per-helper"])
def test_noise_is_that_of_the_seed(mechanism: str) -> None:
    parameters = parameters_of("malicious", epsilon=1, mechanism=mechanism)
    found = [run_query([], parameters, options=options) for options in (LOCKSTEP, PLAIN)]
    assert found[0].sums == found[1].sums
    assert any(found[0].sums)


def test_without_a_seed_two_runs_have_noise_of_their_own() -> None:
    parameters = parameters_of("semi-honest", epsilon=1, mechanism="laplace-per-helper")
    first, second = (run_query([], parameters, apart=True).sums for _ in range(2))
    assert first != second


def test_moments_are_those_of_lockstep() -> None:
    parameters = parameters_of("semi-honest", epsilon=2)
    found = [
        run_moments_query(EVENTS, parameters, covariance=True, options=options)
        for options in (LOCKSTEP, PLAIN)
    ]
    assert counts(found[0].costs) == counts(found[1].costs)
    assert replace(found[0], costs={}) == replace(found[1], costs={})


def test_a_callback_is_called_once_here_and_all_helpers_get_what_it_returns() -> None:
    for options in (LOCKSTEP, PLAIN):
        calls: list[int] = []

        def callback(number: int, calls: list[int] = calls) -> str:
            calls.append(number)
            return "answer"

        told = Told(dict.fromkeys(HELPERS, "go on"))
        result, _ = options.run(new_run_name(5), "semi-honest", ask, told, callback=callback)
        assert result == dict.fromkeys(HELPERS, "answer")
        assert calls == [1]


def test_a_second_question_waits_for_all_helpers_too() -> None:
    calls: list[str] = []

    def callback(which: str) -> str:
        calls.append(which)
        return f"{which} answer"

    told = Told(dict.fromkeys(HELPERS, "go on"))
    result, _ = PLAIN.run(new_run_name(5), "semi-honest", ask_twice, told, callback=callback)
    assert result == dict.fromkeys(HELPERS, ("first answer", "second answer"))
    assert calls == ["first", "second"]


def test_what_a_callback_or_on_step_raises_ends_the_run() -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("here")

    told = Told(dict.fromkeys(HELPERS, "go on"))
    with pytest.raises(ZeroDivisionError, match="here"):
        PLAIN.run(new_run_name(5), "semi-honest", ask, told, callback=fail)
    with pytest.raises(ZeroDivisionError, match="here"):
        replace(PLAIN, on_step=fail).run(new_run_name(5), "semi-honest", act, told)


def test_helpers_need_not_end_at_the_same_time() -> None:
    words = {1: "go on", 2: "linger", 3: "go on"}
    result, _ = PLAIN.run(new_run_name(5), "malicious", act, Told(words))
    assert result == words


def test_what_a_helper_prints_disturbs_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    words = {1: "print", 2: "go on", 3: "print"}
    result, _ = PLAIN.run(new_run_name(5), "semi-honest", act, Told(words))
    assert result == words
    shown = capfd.readouterr()
    assert (shown.out, shown.err.count("printed by a helper")) == ("", 2)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"apart": True, "interceptors": [Transcript()]}, "interceptors"),
        ({"tls": True}, r"tls is for helpers apart: it needs apart=True"),
        ({"apart": "tls"}, "apart must be True or False, not 'tls'"),
        ({"apart": True, "tls": 1}, "tls must be True or False, not 1"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ParameterError, match=problem):
        RunOptions(**options)


def test_helpers_apart_have_no_network_here() -> None:
    with pytest.raises(ParameterError, match=r"use RunOptions\.run"):
        PLAIN.new_network("malicious")


def test_what_cannot_be_handed_to_a_process_is_refused() -> None:
    told = Told(dict.fromkeys(HELPERS, "go on"))
    with pytest.raises(ParameterError, match="cannot be handed to a process"):
        PLAIN.run(new_run_name(5), "semi-honest", act, told, lambda: None)


def test_each_process_is_given_nothing_that_only_others_have() -> None:
    """What it gets is searched for the others' share, PRSS key, randomness and TLS key."""
    parameters = parameters_of("malicious")
    reports = share_events("run", EVENTS, parameters, Randomness())
    keys = pairwise_keys(1)
    dealt = {h: Dealt(prss_keys=keys[h], randomness_key=own_key(h, 1)) for h in HELPERS}
    run = Run(
        network_name="run",
        security="malicious",
        part=released_sums,
        held=reports,
        public=(parameters,),
        callbacks={},
        on_step=None,
        dealt=dealt,
    )
    given = apart._assignments(run, {h: {} for h in HELPERS}, tls=True)
    secrets: dict[int, list[bytes]] = {}
    for helper in HELPERS:
        tls = given[helper].tls
        randomness_key = dealt[helper].randomness_key
        assert tls is not None and randomness_key is not None
        secrets[helper] = [randomness_key, tls.own.private_key, tls.own.password]
    for helper in HELPERS:
        text = pickle.dumps(given[helper])
        for other in HELPERS:
            assert all((secret in text) == (other == helper) for secret in secrets[other])
            # Share and key i are those of helper i and of its left neighbour.
            holds = other in (helper, helper % 3 + 1)
            share = encode_columns(reports.match_key.shares_of(other)[0][:1], len(EVENTS))
            assert (share in text) == holds
            assert (keys[other][0] in text) == holds
        assert str(secrets[helper][0]) not in repr(given[helper])
