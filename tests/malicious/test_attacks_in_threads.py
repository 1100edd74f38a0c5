"""Attacks with every helper in a thread: each honest helper finds out by itself."""

import pytest
from attack_cases import PARAMETERS, assert_aborted
from malicious_cases import SEED, TINY_EVENTS

from ipa.attacks import (
    Attack,
    add_error,
    feed_other_input,
    run_attack_in_threads,
    tamper,
    use_other_keys,
)
from ipa.errors import ChannelError, MisbehaviourError, VerificationError
from ipa.network.channel import Message
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.simulation import pairwise_keys
from ipa.parties import HELPERS
from ipa.protocols.primitives.abort import aborting_together
from ipa.sharing.prss import Prss


@pytest.mark.parametrize(
    ("attack", "timeout"),
    [
        (tamper(1, "query/sort/*/multiply", "flip"), 20.0),
        (tamper(2, "query/helper-bits/*", "truncate"), 20.0),
        (tamper(3, "query/aggregation/*", "extend"), 20.0),
        (tamper(1, "query/sort/*", "replay"), 20.0),
        (tamper(2, "query/capping/*", "delay"), 1.0),
        (tamper(3, "check/bits/values", "drop"), 1.0),
        (tamper(1, "check/bits/coin/ready", "flip", receiver=2), 20.0),
        (tamper(2, "check/bits/coin/open", "flip", receiver=3), 20.0),
        (tamper(3, "check/bits/last/open-shamir", "flip", receiver=1), 20.0),
        (tamper(1, "check/bits/last/open", "flip", receiver=2), 20.0),
        (tamper(2, "query/agreement/verdict", "flip", receiver=1), 20.0),
        (add_error(3, "query/sort/*"), 20.0),
        (use_other_keys(1), 20.0),
        (feed_other_input(2), 20.0),
    ],
    ids=lambda value: (
        f"{value.tampering.change}-{value.tampering.pattern}"
        if isinstance(value, Attack) and value.tampering
        else None
    ),
)
def test_in_threads_both_honest_helpers_abort(attack: Attack, timeout: float) -> None:
    report = run_attack_in_threads(TINY_EVENTS, PARAMETERS, attack, SEED, timeout)
    assert_aborted(report)
    honest = [helper for helper in HELPERS if helper != attack.helper]
    assert sorted(report.errors) == honest
    for helper, error in report.errors.items():
        assert isinstance(error, MisbehaviourError)
        assert error.step.startswith(("query/", "check/"))
        assert error.detected_by == (helper,)


def test_a_lie_in_the_very_last_round_leaves_no_result() -> None:
    """The one honest helper that hears it aborts; the collector needs the shares of all three."""
    attack = tamper(1, "query/agreement/confirmation", "flip", receiver=3)
    report = run_attack_in_threads(TINY_EVENTS, PARAMETERS, attack, SEED, timeout=20)
    assert_aborted(report)
    assert list(report.errors) == [3]


class GoneChannel:
    """A channel whose peer H3 has closed its connection, so that sending to it fails."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def send(self, message: Message) -> None:
        if message.receiver == 3:
            raise ChannelError(message.step, "H3 closed its connection", [1])
        self.told.append(message.receiver)

    def receive(self, sender: int) -> Message | None:
        return None

    def is_drained(self) -> bool:
        return True


def test_a_helper_that_closes_its_connection_does_not_silence_an_abort() -> None:
    """H1 tells H2 nevertheless, and raises what it noticed first."""
    channel = GoneChannel()
    party = HelperParty(1, Prss(*pairwise_keys(SEED)[1]), channel)
    network = HelperPartyNetwork("deployment", [party])
    with pytest.raises(VerificationError, match="a product is wrong"), aborting_together(network):
        raise VerificationError("check", "a product is wrong", [1])
    assert channel.told == [2]
