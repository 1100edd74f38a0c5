"""The name of a run: new each time, the same at all helpers, whatever one of them sends."""

import hashlib
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from ipa.errors import MisbehaviourError, RandomnessReuseError
from ipa.network.channel import Channel, Message, in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import Interceptor, Transcript, intercepted
from ipa.network.simulation import pairwise_keys
from ipa.parties import HELPERS
from ipa.protocols.primitives.run_name import NONCE_BYTES, agree_on_run_name
from ipa.sharing.prss import Prss

KEYS = pairwise_keys()


def parties(interceptors: Iterable[Interceptor] = (), timeout: float = 0) -> list[HelperParty]:
    channels = intercepted(in_memory_channels(timeout), interceptors)
    return [HelperParty(helper, Prss(*KEYS[helper]), channels[helper]) for helper in HELPERS]


def test_every_name_is_new_and_makes_a_new_run_under_the_same_keys() -> None:
    names = [agree_on_run_name(parties()) for _ in range(5)]
    assert len(set(names)) == 5
    for name in names:
        network = HelperPartyNetwork(name, parties())
        assert network.name == name
        with pytest.raises(RandomnessReuseError):
            HelperPartyNetwork(name, parties())


def test_helpers_apart_agree_on_one_name() -> None:
    local = parties(timeout=30)
    with ThreadPoolExecutor(3) as pool:
        names = list(pool.map(lambda party: agree_on_run_name([party]), local))
    assert len(set(names)) == 1


def test_every_helper_s_nonce_is_in_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """All other nonces alike: a helper's own makes the name another."""
    names, real = set(), secrets.token_bytes
    for changed in (None, *HELPERS):
        nonces = iter([bytes([helper == changed]) * NONCE_BYTES for helper in HELPERS])
        draw = partial(next, nonces)
        monkeypatch.setattr(
            secrets, "token_bytes", lambda n, draw=draw: draw() if n == NONCE_BYTES else real(n)
        )
        names.add(agree_on_run_name(parties()))
    assert len(names) == 4


@pytest.mark.parametrize("liar", HELPERS)
def test_a_helper_that_tells_two_nonces_is_noticed(liar: int) -> None:
    def tell_another(message: Message) -> list[Message]:
        lies = message.sender == liar and message.receiver == liar % 3 + 1
        if lies and message.step.endswith("broadcast"):
            return [replace(message, payload=bytes(len(message.payload)))]
        return [message]

    with pytest.raises(MisbehaviourError, match="run-name/echo"):
        agree_on_run_name(parties([tell_another]))


def test_the_cost_and_what_is_sent() -> None:
    transcript = Transcript()
    agree_on_run_name(parties([transcript]))
    assert {message.step for message in transcript.messages} == {
        "run-name/broadcast",
        "run-name/echo",
    }
    for helper in HELPERS:
        sent = [len(m.payload) for m in transcript.messages if m.sender == helper]
        assert sent == [32, 32, 32, 32] and NONCE_BYTES == 32


def test_the_name_is_the_hash_of_the_nonces_in_the_helpers_order() -> None:
    transcript = Transcript()
    name = agree_on_run_name(parties([transcript]))
    nonces = {m.sender: m.payload for m in transcript.messages if m.step.endswith("broadcast")}
    joined = b"".join(nonces[helper] for helper in HELPERS)
    assert name == "run-" + hashlib.sha256(b"ipa v1 run name" + joined).hexdigest()


def test_nothing_is_drawn_from_the_pairwise_keys() -> None:
    local = parties()
    agree_on_run_name(local)
    assert all(repr(party.prss).endswith("0 draws>") for party in local)
    channel: Channel = local[0].channel
    assert channel.is_drained()
