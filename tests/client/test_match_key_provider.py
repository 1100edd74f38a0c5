"""A match key provider and offline events: the same person, on devices and at a till."""

from dataclasses import replace

import pytest
from client_cases import HOME, MATCH_KEY_BITS, fixed_network

from ipa.client import CollectedEvent, FanoutQuery, FieldWidths, MatchKeyProvider, UserAgent
from ipa.client.encrypted_match_key import EncryptedMatchKey, open_match_key
from ipa.client.report_collector import SourceData, TriggerData, assemble_fanout_query
from ipa.client.user_agent import ON_DEVICE
from ipa.errors import ParameterError
from ipa.parameters import QueryParameters
from ipa.report_query import run_report_query
from ipa.sharing.randomness import Randomness

NETWORK, OWN = fixed_network()
LOGIN = HOME.match_key_provider


def provider(seed: int | None = None) -> MatchKeyProvider:
    drawn = Randomness() if seed is None else Randomness.from_seed(seed, "provider")
    return MatchKeyProvider(LOGIN, match_key_bits=MATCH_KEY_BITS, randomness=drawn)


def offline(of: MatchKeyProvider, account: str, epoch: int = HOME.epoch) -> EncryptedMatchKey:
    return of.encrypt_offline(
        account,
        NETWORK,
        site="till.example",
        report_collector=HOME.report_collector,
        on_behalf_of=HOME.on_behalf_of,
        epoch=epoch,
    )


def match_key_of(encrypted: EncryptedMatchKey) -> int:
    first, third = (
        open_match_key(
            OWN[helper - 1].keys[0],
            encrypted.context.info(helper, 1, MATCH_KEY_BITS, "three-party"),
            encrypted.sealed[helper - 1].ciphertext,
            MATCH_KEY_BITS,
            2,
        )[0]
        for helper in (1, 3)
    )
    return first[0] ^ first[1] ^ third[0]


def signed_in(of: MatchKeyProvider, account: str) -> UserAgent:
    device = UserAgent([NETWORK], [LOGIN], epoch=HOME.epoch - 1)
    of.set_match_key_on(device, account)
    device.advance_epoch()
    return device


def online(device: UserAgent) -> EncryptedMatchKey:
    return device.get_encrypted_match_key(
        HOME.site,
        HOME.report_collector,
        LOGIN,
        on_behalf_of=HOME.on_behalf_of,
        network_name=NETWORK.name,
    )


def test_an_account_has_one_match_key_everywhere() -> None:
    login = provider()
    phone, laptop = signed_in(login, "a@mail.example"), signed_in(login, "a@mail.example")
    keys = {match_key_of(online(device)) for device in (phone, laptop)}
    keys |= {match_key_of(offline(login, "a@mail.example", epoch)) for epoch in (7, 8)}
    assert len(keys) == 1
    others = {match_key_of(offline(login, f"{name}@mail.example")) for name in "bcdefgh"}
    assert len(others - keys) > 5


def test_an_account_that_is_seen_offline_first_keeps_its_match_key() -> None:
    login = provider()
    before = match_key_of(offline(login, "a@mail.example"))
    assert match_key_of(online(signed_in(login, "a@mail.example"))) == before


def test_an_offline_event_has_the_context_that_it_was_given() -> None:
    encrypted = offline(provider(), "a@mail.example", 9)
    assert encrypted.context == replace(HOME, site="till.example", epoch=9)
    assert offline(provider(3), "x").context == offline(provider(3), "y").context


def test_offline_purchases_are_attributed_to_the_ads_that_were_seen_online() -> None:
    login = provider()
    accounts = [f"{name}@mail.example" for name in "abc"]
    events = [
        CollectedEvent(SourceData(timestamp=5, breakdown_key=place), online(signed_in(login, name)))
        for place, name in enumerate(accounts)
    ]
    events += [
        CollectedEvent(TriggerData(timestamp=9, trigger_value=10 + place), offline(login, name))
        for place, name in enumerate([*accounts[:2], "stranger@mail.example"])
    ]
    parameters = QueryParameters(
        breakdowns=4, cap=60, security="semi-honest", match_key_bits=MATCH_KEY_BITS
    )
    query = FanoutQuery(
        context=HOME,
        fanout="source",
        widths=FieldWidths.of(parameters),
        match_key_bits=MATCH_KEY_BITS,
    )
    streams = assemble_fanout_query(query, events, NETWORK, Randomness())
    answer = run_report_query(
        streams, OWN, parameters, submitter=HOME.report_collector, no_budget=True, no_noise=True
    )
    assert answer.dropped == {}
    assert answer.result.sums == [10, 11, 0, 0]


def test_whether_an_account_is_known_does_not_show() -> None:
    login = provider()
    signed_in(login, "a@mail.example")
    known, unknown = offline(login, "a@mail.example"), offline(login, "b@mail.example")
    assert repr(known) == repr(unknown)
    assert len(known.to_bytes()) == len(unknown.to_bytes())
    assert repr(login) == "<MatchKeyProvider login.example>"


def test_what_a_match_key_provider_cannot_be_or_do() -> None:
    for name in ("", ON_DEVICE, "two words"):
        with pytest.raises(ParameterError):
            MatchKeyProvider(name)
    for width in (0, 257):
        with pytest.raises(ParameterError, match="match_key_bits"):
            MatchKeyProvider(LOGIN, match_key_bits=width)
    with pytest.raises(ParameterError, match=r"20 bits, those of 'login.example' 64"):
        offline(MatchKeyProvider(LOGIN), "a")
    with pytest.raises(ParameterError, match="not an approved match key provider"):
        provider().set_match_key_on(UserAgent([NETWORK], ["other.example"]), "a")
