"""The strategies that others draw from: what they give fits, and what matters is among it."""

from collections import Counter

from hypothesis import find, given, settings
from hypothesis import strategies as st
from strategies import examples

from ipa.attacks import Attack, Tampering, run_attack
from ipa.client.configuration import HelperKeys, NetworkConfiguration
from ipa.client.encrypted_match_key import EncryptedMatchKey, open_match_key
from ipa.client.fanout_query import FanoutQuery
from ipa.client.keys import PrivateKey
from ipa.events import Event, SourceEvent, TriggerEvent, check_events
from ipa.network.simulation import simulated_network
from ipa.oracle.steps import last_touch_credits, rows_from_events
from ipa.parameters import QueryParameters
from ipa.parties import HELPERS
from ipa.sharing.dealing import reconstruct_for_testing
from ipa.testing import (
    encrypted_match_keys,
    fanout_queries,
    generic_reports,
    parameters,
    queries,
    small_queries,
    tamperings,
    workloads,
)

PARAMETERS = QueryParameters(
    breakdowns=3,
    cap=3,
    match_key_bits=2,
    attribution_constraint_id_bits=1,
    timestamp_bits=3,
    value_bits=2,
)


@given(parameters().flatmap(lambda asked: st.tuples(st.just(asked), workloads(asked))))
def test_workloads_fit_their_parameters(drawn: tuple[QueryParameters, list[Event]]) -> None:
    asked, events = drawn
    check_events(events, asked)
    assert len(events) <= 40
    assert len({event.match_key for event in events}) <= 6


@given(queries() | small_queries(min_events=2))
def test_queries_fit_their_parameters(drawn: tuple[list[Event], QueryParameters]) -> None:
    events, asked = drawn
    check_events(events, asked)


def has_tie(events: list[Event]) -> bool:
    """A trigger at the time of a source of its group."""
    at = {
        (event.match_key, event.attribution_constraint_id, event.timestamp)
        for event in events
        if isinstance(event, SourceEvent)
    }
    return any(
        (event.match_key, event.attribution_constraint_id, event.timestamp) in at
        for event in events
        if isinstance(event, TriggerEvent)
    )


def test_workloads_have_ties_collisions_and_long_histories() -> None:
    drawn: Counter[str] = Counter()

    @settings(max_examples=200, database=None, derandomize=True)
    @given(workloads(PARAMETERS))
    def count(events: list[Event]) -> None:
        """What there is in one workload."""
        people = Counter(event.match_key for event in events)
        drawn["tie"] += has_tie(events)
        drawn["collision"] += any(number > 1 for number in people.values())
        drawn["long"] += any(number >= 6 for number in people.values())
        drawn["two people"] += len(people) > 1
        rows = rows_from_events(events, "sum")
        drawn["credit"] += sum(last_touch_credits(rows)) > 0

    count()
    assert (
        min(drawn[what] for what in ("tie", "collision", "long", "two people", "credit")) >= 20
    ), drawn


def network(width: int) -> tuple[NetworkConfiguration, list[PrivateKey]]:
    keys = [PrivateKey(1, "X25519", bytes([16 + helper] * 32)) for helper in HELPERS]
    own = [
        HelperKeys("net.example", helper, (key,), width, "three-party")
        for helper, key in zip(HELPERS, keys, strict=True)
    ]
    public = tuple(tuple(key.public() for key in each.keys) for each in own)
    return NetworkConfiguration("net.example", public, width, "three-party"), keys


CONFIGURATION, KEYS = network(20)


@given(encrypted_match_keys(CONFIGURATION))
def test_an_encrypted_match_key_opens_to_its_shares(drawn: tuple[int, EncryptedMatchKey]) -> None:
    match_key, encrypted = drawn
    total = 0
    for helper, key, part in zip(HELPERS, KEYS, encrypted.sealed, strict=True):
        bound = encrypted.context.info(helper, part.key_id, 20, "three-party")
        shares, _ = open_match_key(key, bound, part.ciphertext, 20, 2)
        total ^= shares[0]
    assert total == match_key


def test_the_same_example_has_the_same_ciphertexts() -> None:
    smallest = [
        find(encrypted_match_keys(CONFIGURATION), lambda _: True, settings=settings(database=None))
        for _ in range(2)
    ]
    assert smallest[0][1].to_bytes() == smallest[1][1].to_bytes()


@given(fanout_queries())
def test_fanout_queries_are_those_of_the_site_that_asks(query: FanoutQuery) -> None:
    assert query.context.site == query.context.on_behalf_of
    assert query.to_bytes()


@given(st.data())
def test_generic_reports_are_shared_and_their_kinds_are_bits(data: st.DataObject) -> None:
    reports = data.draw(generic_reports(simulated_network(1), max_reports=5))
    assert reports.rows <= 5
    assert set(reconstruct_for_testing(reports.is_trigger)) <= {0, 1}


@examples(25)
@given(tamperings(st.sampled_from(["query/*", "check/*", "query/agreement/*"])))
def test_no_tampering_releases_a_wrong_result(tampering: Tampering) -> None:
    events: list[Event] = [SourceEvent(1, 0, 0, 1), TriggerEvent(1, 0, 1, 3)]
    report = run_attack(events, PARAMETERS, Attack(tampering.helper, tampering=tampering), seed=1)
    assert report.tampered > 0
    assert report.outcome == "aborted" or report.result_is_right
