"""Runs of three services: what they answer is what the simulation answers, and how they end otherwise."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from intake_cases import EVENTS, PARAMETERS, world
from payment_cases import NOW
from service_cases import (
    COLLECTOR,
    Services,
    new_ledgers,
    noisy_query,
    small_query,
    three_services,
    wait_until,
)

from ipa.budget.ledger_directory import outcomes, queries
from ipa.client.configuration import HelperKeys
from ipa.names import host_itself
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.simulation import RunOptions, new_run_name
from ipa.oracle.steps import query_in_steps
from ipa.parties import HELPERS
from ipa.report_answer import Answer, Charge, Received, Request, promise_of, released_answer
from ipa.service import run
from ipa.service.asked import Asked
from ipa.service.pairwise_keys import agree_on_pairwise_keys
from ipa.service.queries import State
from ipa.sharing.prss import Prss

SEED = 5


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """Services without a budget, for as many queries as come."""
    with three_services() as made:
        yield made


@pytest.fixture(scope="module")
def seeded() -> Iterator[Services]:
    """Services that draw what the simulation of a seed draws, two queries at once."""
    with three_services(seed=SEED, at_once=2) as made:
        yield made


def simulated(asked: Asked, keys: tuple[HelperKeys, ...]) -> dict[int, Answer]:
    """What the simulation of the seed gives each helper."""
    answers, _ = RunOptions(seed=SEED).run(
        new_run_name(SEED),
        asked.parameters.security,
        released_answer,
        Received(
            dict(zip(HELPERS, world().streams, strict=True)),
            dict(zip(HELPERS, keys, strict=True)),
            {},
        ),
        Request(asked.submitter, asked.parameters, asked.compressed_match_key_bits, None),
        registrable_domain=host_itself,
    )
    return answers


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_services_answer_what_the_oracle_answers(services: Services, security: str) -> None:
    asked = small_query(f"sums-{security}", security=security)
    services.submit(asked)
    assert services.sums(asked.query_id) == query_in_steps(EVENTS, PARAMETERS)
    answers = [query.answer for query in services.ended(asked.query_id).values()]
    assert all(answer and answer.rows == answer.submitted == len(EVENTS) for answer in answers)
    assert all(query.stream == b"" for query in services.ended(asked.query_id).values())


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
@pytest.mark.parametrize("noise", [False, True])
def test_a_seed_gives_the_shares_of_the_simulation(
    seeded: Services, security: str, noise: bool
) -> None:
    make = noisy_query if noise else small_query
    asked = make(f"seeded-{security}-{noise:d}", security=security)
    seeded.submit(asked)
    answers = {h: query.answer for h, query in seeded.ended(asked.query_id).items()}
    assert answers == simulated(asked, seeded.parties.keys)


def test_the_noise_that_helpers_draw_alone_is_that_of_the_seed(seeded: Services) -> None:
    asked = noisy_query("alone", mechanism="laplace-per-helper")
    seeded.submit(asked)
    answers = {h: query.answer for h, query in seeded.ended("alone").items()}
    assert answers == simulated(asked, seeded.parties.keys)


def test_without_a_seed_a_run_uses_the_keys_that_it_agreed_on(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed, used = [], []

    def agree(*given: Any) -> tuple[bytes, bytes]:
        agreed.append(agree_on_pairwise_keys(*given))
        return agreed[-1]

    def prss(*keys: bytes) -> Prss:
        used.append(keys)
        return Prss(*keys)

    monkeypatch.setattr(run, "agree_on_pairwise_keys", agree)
    monkeypatch.setattr(run, "Prss", prss)
    services.submit(small_query("own-keys"))
    services.sums("own-keys")
    assert len(agreed) == 3 and set(used) == set(agreed)


def test_without_a_seed_the_helpers_agree_on_a_new_name_for_every_run(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []

    def named(name: str, *given: Any, **more: Any) -> HelperPartyNetwork:
        names.append(name)
        return HelperPartyNetwork(name, *given, **more)

    monkeypatch.setattr(run, "HelperPartyNetwork", named)
    for query_id in ("name-1", "name-2"):
        services.submit(small_query(query_id))
        services.sums(query_id)
    first, second = sorted(set(names))
    assert names.count(first) == names.count(second) == len(HELPERS)
    assert names[:3].count(names[0]) == len(HELPERS)


def test_without_a_seed_no_share_comes_again(services: Services) -> None:
    shares = []
    for query_id in ("again-1", "again-2", "again-3"):
        services.submit(small_query(query_id, breakdowns=4))
        services.sums(query_id)
        shares.append([services.query(h, query_id).answer for h in HELPERS])
    pairs = [[answer.pair for answer in each if answer] for each in shares]
    assert pairs[0] != pairs[1] or pairs[1] != pairs[2]


def test_two_queries_run_at_once_and_no_third(seeded: Services) -> None:
    most = 0
    for number in range(6):
        seeded.submit(small_query(f"at-once-{number}", security="malicious"))
    names = [f"at-once-{number}" for number in range(6)]

    def all_ended() -> bool:
        nonlocal most
        most = max(most, *(len(seeded.servers[h].queries.running()) for h in HELPERS))
        return all(seeded.query(h, name).state is State.DONE for h in HELPERS for name in names)

    wait_until(all_ended)
    assert most == 2
    assert {tuple(seeded.sums(name)) for name in names} == {
        tuple(query_in_steps(EVENTS, PARAMETERS))
    }


def test_ledgers_are_charged_and_the_receipts_are_theirs(tmp_path: Path) -> None:
    with three_services(new_ledgers(tmp_path)) as services:
        for clock in services.clocks.values():
            clock.at = NOW
        for number, security in enumerate(("semi-honest", "malicious"), start=1):
            asked = noisy_query(f"paid-{security}", security=security)
            services.submit(asked)
            services.sums(asked.query_id)
            for helper, query in services.ended(asked.query_id).items():
                assert query.answer is not None
                receipt = query.answer.receipt
                assert receipt is not None and receipt.number == number
                assert receipt.query.promise == promise_of(asked.parameters)
                assert (receipt.query.report_collector, receipt.query.charged_at) == (
                    COLLECTOR,
                    NOW,
                )
                assert services.ledgers is not None
                ledger = services.ledgers[helper - 1]
                assert [each.query_id for each in queries(ledger)][-1] == asked.query_id
                assert outcomes(ledger)[asked.query_id] == len(EVENTS)


def test_noise_with_a_ledger_is_that_of_the_simulation(tmp_path: Path) -> None:
    (tmp_path / "simulated").mkdir()
    asked = noisy_query("paid")
    own = new_ledgers(tmp_path / "simulated")
    expected, _ = RunOptions(seed=SEED).run(
        new_run_name(SEED),
        asked.parameters.security,
        released_answer,
        Received(
            dict(zip(HELPERS, world().streams, strict=True)),
            dict(zip(HELPERS, world().keys, strict=True)),
            dict(zip(HELPERS, own, strict=True)),
        ),
        Request(
            COLLECTOR, asked.parameters, None, Charge("paid", NOW, promise_of(asked.parameters))
        ),
        registrable_domain=host_itself,
    )
    with three_services(new_ledgers(tmp_path), seed=SEED) as services:
        for clock in services.clocks.values():
            clock.at = NOW
        services.submit(asked)
        assert {h: query.answer for h, query in services.ended("paid").items()} == expected


def test_what_cannot_be_asked_of_the_reports_is_refused_before_a_charge(tmp_path: Path) -> None:
    with three_services(new_ledgers(tmp_path)) as services:
        for clock in services.clocks.values():
            clock.at = NOW
        services.submit(noisy_query("wide", value_bits=9))
        assert set(services.reasons("wide").values()) == {
            "the reports were made with value_bits 7, the query asks for 9"
        }
        services.submit(small_query("exact"))
        assert all("exact sums are never paid for" in r for r in services.reasons("exact").values())
        other = replace(noisy_query("other"), submitter="other.example")
        services.submit(other)
        assert all("'other.example'" in why for why in services.reasons("other").values())
        assert services.ledgers is not None and not queries(*services.ledgers)
