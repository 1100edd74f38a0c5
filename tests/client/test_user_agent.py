"""The two web APIs on one device: match keys, caching, epochs, storage, web views."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from client_cases import MATCH_KEY_BITS, fixed_network
from hypothesis import given, settings
from hypothesis import strategies as st

from ipa.client.encrypted_match_key import EncryptedMatchKey, open_match_key
from ipa.client.rotation import add_key
from ipa.client.user_agent import ON_DEVICE, EmbeddingApp, UserAgent
from ipa.errors import ParameterError, ReportError
from ipa.sharing.randomness import Randomness
from ipa.sharing.xor import combine_xor

NETWORK, OWN = fixed_network()
OTHER_NETWORK, _ = fixed_network("other.example", filler=2)
LOGIN = "login.example"
READER = EmbeddingApp("reader.app", reads_content=True)
TABS = EmbeddingApp("tabs.app", reads_content=False)
STABLE = EmbeddingApp("stable.app", reads_content=True, access="denied-stable")
FRESH = EmbeddingApp("fresh.app", reads_content=True, access="denied-fresh")


def device(seed: int | None = None) -> UserAgent:
    randomness = Randomness.from_seed(seed, "device")
    return UserAgent([NETWORK, OTHER_NETWORK], [LOGIN], epoch=3, randomness=randomness)


def get(
    agent: UserAgent,
    site: str = "shoes.example",
    collector: str = "search.example",
    provider: str = LOGIN,
    network_name: str = "net.example",
    app: EmbeddingApp | None = None,
    on_behalf_of: str = "search.example",
) -> EncryptedMatchKey:
    return agent.get_encrypted_match_key(
        site, collector, provider, on_behalf_of=on_behalf_of, network_name=network_name, app=app
    )


def match_key_of(encrypted: EncryptedMatchKey) -> int:
    """What all helpers together could learn, checking that their shares fit together."""
    pairs, nonces = [], []
    for own, sealed in zip(OWN, encrypted.sealed, strict=True):
        info = encrypted.context.info(own.helper, sealed.key_id, MATCH_KEY_BITS, "three-party")
        opened = open_match_key(own.keys[0], info, sealed.ciphertext, MATCH_KEY_BITS, 2)
        pairs.append(opened[0])
        nonces.append(opened[1])
    assert [pair[1] for pair in pairs] == [pairs[1][0], pairs[2][0], pairs[0][0]]
    assert [pair[1] for pair in nonces] == [nonces[1][0], nonces[2][0], nonces[0][0]]
    assert len({pair[0] for pair in nonces}) == 3
    return combine_xor(tuple(pair[0] for pair in pairs), MATCH_KEY_BITS)


@settings(max_examples=50, deadline=None)
@given(match_keys=st.lists(st.integers(0, 2**MATCH_KEY_BITS - 1), min_size=1, max_size=3))
def test_match_key_takes_effect_at_the_next_epoch_and_the_last_one_counts(
    match_keys: list[int],
) -> None:
    agent = device(seed=1)
    before = match_key_of(get(agent))
    for match_key in match_keys:
        agent.set_match_key(LOGIN, match_key)
    assert match_key_of(get(agent, site="news.example")) == before
    agent.advance_epoch()
    assert match_key_of(get(agent)) == match_keys[-1]
    agent.advance_epoch(9)
    assert match_key_of(get(agent)) == match_keys[-1]


def test_random_match_key_is_stored_and_differs_by_provider_and_device() -> None:
    agent = device()
    random_key, on_device = match_key_of(get(agent)), match_key_of(get(agent, provider=ON_DEVICE))
    agent.advance_epoch()
    assert match_key_of(get(agent)) == random_key
    assert match_key_of(get(agent, provider=ON_DEVICE)) == on_device
    keys = {match_key_of(get(device(), provider=p)) for p in (LOGIN, ON_DEVICE) for _ in range(9)}
    assert len(keys) > 12


def test_setting_a_match_key_leaves_the_on_device_one_alone() -> None:
    agent = device()
    before = match_key_of(get(agent, provider=ON_DEVICE))
    agent.set_match_key(LOGIN, before ^ 1)
    agent.advance_epoch()
    assert match_key_of(get(agent, provider=ON_DEVICE)) == before


def test_only_approved_providers_set_match_keys_and_only_ones_that_fit() -> None:
    agent = device()
    for provider in ("evil.example", ON_DEVICE, ""):
        with pytest.raises(ParameterError, match="not an approved match key provider"):
            agent.set_match_key(provider, 1)
    for match_key in (-1, 1 << MATCH_KEY_BITS):
        with pytest.raises(ParameterError) as caught:
            agent.set_match_key(LOGIN, match_key)
        assert str(match_key) not in str(caught.value)


def test_unapproved_network_and_provider_are_refused() -> None:
    with pytest.raises(ParameterError, match="network"):
        get(device(), network_name="evil.example")
    with pytest.raises(ParameterError, match="provider"):
        get(device(), provider="evil.example")
    with pytest.raises(ParameterError, match="site"):
        get(device(), site="")


CHANGES: list[Callable[[UserAgent], EncryptedMatchKey]] = [
    lambda agent: get(agent, site="news.example"),
    lambda agent: get(agent, collector="news.example"),
    lambda agent: get(agent, on_behalf_of="news.example"),
    lambda agent: get(agent, provider=ON_DEVICE),
    lambda agent: get(agent, network_name="other.example"),
    lambda agent: get(agent, app=READER),
]


@pytest.mark.parametrize("change", CHANGES)
def test_ciphertext_is_the_same_until_one_thing_changes(
    change: Callable[[UserAgent], EncryptedMatchKey],
) -> None:
    agent = device()
    first, other = get(agent), change(agent)
    assert get(agent).to_bytes() == first.to_bytes()
    assert change(agent).to_bytes() == other.to_bytes()
    ciphertexts = {part.ciphertext for part in first.sealed}
    assert ciphertexts.isdisjoint(part.ciphertext for part in other.sealed)


def test_new_epoch_gives_a_new_ciphertext_of_the_same_match_key() -> None:
    agent = device()
    first = get(agent)
    agent.advance_epoch()
    second = get(agent)
    assert (first.context.epoch, second.context.epoch, agent.epoch) == (3, 4, 4)
    assert first.sealed != second.sealed
    assert match_key_of(first) == match_key_of(second)
    for epoch in (4, 3, -1, 1 << 32):
        with pytest.raises(ParameterError, match="epoch"):
            agent.advance_epoch(epoch)


def test_clearing_a_sites_storage_renews_its_ciphertexts_alone() -> None:
    agent = device()
    sites = ["shoes.example", "news.example"]
    before = {site: get(agent, site=site) for site in sites}
    in_app = get(agent, app=READER)
    agent.clear_site_storage("shoes.example")
    after = {site: get(agent, site=site) for site in sites}
    assert after["news.example"] == before["news.example"]
    assert after["shoes.example"].sealed != before["shoes.example"].sealed
    assert match_key_of(after["shoes.example"]) == match_key_of(before["shoes.example"])
    assert get(agent, app=READER) == in_app
    agent.clear_site_storage("shoes.example", app=READER)
    assert get(agent, app=READER) != in_app
    assert get(agent) == after["shoes.example"]


def test_web_views() -> None:
    agent = device()
    browser, reader, tabs = get(agent), get(agent, app=READER), get(agent, app=TABS)
    other_reader = get(agent, app=EmbeddingApp("reader2.app", reads_content=True))
    assert tabs == browser
    assert len({e.to_bytes() for e in (browser, reader, other_reader)}) == 3
    assert match_key_of(reader) == match_key_of(other_reader) == match_key_of(browser)


def test_apps_denied_access_get_random_match_keys() -> None:
    agent = device()
    agent.set_match_key(LOGIN, 5)
    agent.advance_epoch()
    stable = get(agent, app=STABLE)
    assert get(agent, app=STABLE) == stable
    elsewhere = get(agent, site="news.example", app=STABLE)
    agent.advance_epoch()
    assert match_key_of(stable) == match_key_of(elsewhere) == match_key_of(get(agent, app=STABLE))
    other = replace(STABLE, identity="other.app")
    assert len({5, match_key_of(stable), match_key_of(get(agent, app=other))}) == 3
    fresh = [get(agent, app=FRESH) for _ in range(8)]
    assert len({match_key_of(e) for e in fresh}) > 6
    assert match_key_of(get(agent)) == 5


def test_denying_an_app_access_counts_from_the_next_call() -> None:
    agent = device()
    granted = get(agent, app=replace(STABLE, access="granted"))
    assert match_key_of(get(agent, app=STABLE)) != match_key_of(granted)


def test_only_content_reading_apps_are_denied() -> None:
    with pytest.raises(ParameterError, match="read the content"):
        EmbeddingApp("tabs.app", reads_content=False, access="denied-fresh")
    with pytest.raises(ParameterError, match="access must be"):
        EmbeddingApp("tabs.app", reads_content=True, access="no")  # type: ignore[arg-type]


@given(match_key=st.integers(0, 2**MATCH_KEY_BITS - 1))
def test_what_is_returned_does_not_tell_whether_a_key_was_set(match_key: int) -> None:
    plain, provided = device(), device()
    assert provided.set_match_key(LOGIN, match_key) is None  # type: ignore[func-returns-value]
    assert repr(plain) == repr(provided)
    for agent in (plain, provided):
        agent.advance_epoch()
    for app in (None, READER, STABLE, FRESH):
        first, second = get(plain, app=app), get(provided, app=app)
        assert repr(first) == repr(second)
        assert len(first.to_bytes()) == len(second.to_bytes())
        for a, b in zip(first.sealed, second.sealed, strict=True):
            assert (a.key_id, len(a.ciphertext)) == (b.key_id, len(b.ciphertext))
            assert repr(a) == repr(b)
    assert repr(plain) == repr(provided)


def test_new_keys_are_used_after_the_network_is_updated() -> None:
    agent = device()
    first = get(agent)
    network, _ = add_key(NETWORK, OWN[1])
    agent.update_configuration(network)
    assert get(agent) == first
    agent.advance_epoch()
    assert [part.key_id for part in get(agent).sealed] == [1, 2, 1]
    for wrong in (
        replace(network, name="evil.example"),
        replace(network, match_key_bits=9),
        replace(network, sharing="two-party"),
    ):
        with pytest.raises(ParameterError, match="is approved"):
            agent.update_configuration(wrong)


def test_networks_of_both_sharings_on_one_device() -> None:
    two, _ = fixed_network("two.example", filler=2, sharing="two-party")
    agent = UserAgent([NETWORK, two], [LOGIN])
    for name, count in ((NETWORK.name, 3), (two.name, 2)):
        encrypted = get(agent, network_name=name)
        assert len(encrypted.sealed) == count
        assert EncryptedMatchKey.from_bytes(encrypted.to_bytes()) == encrypted
    for count in (0, 1, 4):
        sealed = (get(agent).sealed * 2)[:count]
        with pytest.raises(ReportError, match=f"has {count} shares"):
            EncryptedMatchKey.from_bytes(EncryptedMatchKey(encrypted.context, sealed).to_bytes())


def test_what_a_user_agent_is_made_of() -> None:
    for networks, providers in (
        ([], []),
        ([NETWORK, replace(OTHER_NETWORK, match_key_bits=9)], []),
        ([NETWORK], [ON_DEVICE]),
        ([NETWORK], ["two words"]),
    ):
        with pytest.raises(ParameterError):
            UserAgent(networks, providers)
    with pytest.raises(ParameterError, match="epoch"):
        UserAgent([NETWORK], epoch=-1)


def test_seeded_devices_have_the_same_match_keys_and_shares() -> None:
    first, second = get(device(7)), get(device(7))
    assert match_key_of(first) == match_key_of(second)
    for own, a, b in zip(OWN, first.sealed, second.sealed, strict=True):
        info = first.context.info(own.helper, 1, MATCH_KEY_BITS, "three-party")
        assert own.keys[0].open(a.ciphertext, info) == own.keys[0].open(b.ciphertext, info)
