"""Each check is needed: with it taken away, an attack that it stops goes through.

So a run in which a check were missing would fail the attack tests; this shows that they have teeth.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from malicious_cases import SEED, TINY_EVENTS, MaliciousSimulation, column_errors, raised, tiny

import ipa.query
from ipa.attacks import Attack, add_error, run_attack, run_attack_in_threads, tamper
from ipa.errors import ChannelError, UncheckedProductError, VerificationError
from ipa.network.channel import InMemoryChannel, in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import InterceptedChannel, Transcript
from ipa.network.product_log import CheckRules, ProductLog
from ipa.network.simulation import pairwise_keys
from ipa.parties import HELPERS
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.protocols.primitives import abort as agreement
from ipa.protocols.primitives import coins, opening
from ipa.protocols.primitives.opening import open_bits
from ipa.protocols.verification import inner_product as compression
from ipa.protocols.verification.product_check import check_products
from ipa.reports import share_events
from ipa.sharing.bits import Columns
from ipa.sharing.dealing import only_helper
from ipa.sharing.prss import Prss
from ipa.sharing.rings import PRIME_FIELD
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements

Patch = pytest.MonkeyPatch


def nothing(*_: object, **__: object) -> None:
    """In place of a check."""


def outcome(attack: Attack) -> str:
    return run_attack(TINY_EVENTS, tiny(), attack, SEED).outcome


# The coin


def coin_sent_before_everybody_is_ready() -> bool:
    """Whether H2 shows its share of the coin although H3 may not have all products yet.

    H2 alone, with everything that the others send it in an honest run up to the coin: H1 has not
    sent H3 its part of the product, so H3 is not ready. From H2's share H1 would learn the coin.
    """
    simulation = MaliciousSimulation(SEED)
    x = simulation.bits([1, 0, 1], 2)
    multiply(simulation.network, x, x)
    simulation.finish()
    ends, keys = in_memory_channels(timeout=0.02), pairwise_keys(SEED)
    for message in simulation.transcript.messages:
        late = message.sender == 3 and message.step.startswith("check")
        if message.receiver == 2 and not late:
            ends[message.sender].send(message)
    sent = Transcript()
    party = HelperParty(2, Prss(*keys[2]), InterceptedChannel(ends[2], [sent]))
    alone = HelperPartyNetwork(simulation.network.name, [party], security="malicious")
    mine = only_helper(x, 2)
    multiply(alone, mine, mine)
    with pytest.raises(ChannelError, match="H3"):
        check_products(alone)
    return any(message.step == "check/bits/coin/open" for message in sent.messages)


def test_the_coin_waits_for_everybody(monkeypatch: Patch) -> None:
    """What an early coin is worth: test_weights, who_knows_the_weights_beforehand."""
    assert not coin_sent_before_everybody_is_ready()
    monkeypatch.setattr(coins, "wait_for_everybody", nothing)
    assert coin_sent_before_everybody_is_ready()


def without_comparison(
    network: HelperPartyNetwork,
    x: SharedBits | SharedElements,
    encode: Callable[[list[int]], bytes],
    size: int,
) -> dict[int, bytes]:
    own, right = (
        {helper: encode(x.shares_of(helper)[share]) for helper in network.helpers}
        for share in (0, 1)
    )
    _, from_left = network.exchange(right, own, size)
    return from_left


def test_the_copies_of_an_opened_coin_are_compared(monkeypatch: Patch) -> None:
    attack = tamper(3, "check/bits/halve/coin/open", "flip", receiver=2)
    assert outcome(attack) == "aborted"
    monkeypatch.setattr(opening, "_exchange_copies", without_comparison)
    assert outcome(attack) == "released"


def test_the_copies_of_an_opened_value_are_compared(monkeypatch: Patch) -> None:
    def opened() -> Columns:
        attack = tamper(3, "open", "flip", receiver=1)
        assert attack.tampering is not None
        simulation = MaliciousSimulation(SEED, interceptors=[attack.tampering])
        return open_bits(simulation.network, simulation.bits([1, 1], 1))

    assert isinstance(raised(opened), VerificationError)
    monkeypatch.setattr(opening, "_exchange_copies", without_comparison)
    assert opened() == [2]


# Agreement


def honest_aborts(attack: Attack) -> list[int]:
    report = run_attack_in_threads(TINY_EVENTS, tiny(), attack, SEED, timeout=10)
    return sorted(report.errors)


def test_without_agreement_one_helper_releases_what_the_other_refuses(monkeypatch: Patch) -> None:
    attack = tamper(1, "check/bits/last/open", "flip", receiver=2)
    assert honest_aborts(attack) == [2, 3]
    monkeypatch.setattr(ipa.query, "agree_to_release", nothing)
    with pytest.raises(UncheckedProductError, match="have not agreed to release"):
        honest_aborts(attack)
    monkeypatch.setattr(ProductLog, "refuse_unreleased", nothing)
    assert honest_aborts(attack) == [2]


def test_a_helper_that_aborts_tells_the_other(monkeypatch: Patch) -> None:
    def problem() -> str:
        attack = tamper(1, "check/bits/last/open-shamir", "flip", receiver=2)
        report = run_attack_in_threads(TINY_EVENTS, tiny(), attack, SEED, timeout=1.0)
        return report.errors[3].problem

    assert problem() == "H2 aborted"
    monkeypatch.setattr(HelperPartyNetwork, "announce_abort", nothing)
    assert problem() == "no message from H2"


def test_without_confirmation_a_lie_about_the_verdict_splits_the_helpers(
    monkeypatch: Patch,
) -> None:
    attack = tamper(1, "query/agreement/verdict", "flip", receiver=2)
    assert honest_aborts(attack) == [2, 3]
    wait = agreement.wait_for_everybody

    def one_round(network: HelperPartyNetwork, name: str = "ready") -> None:
        if name != "confirmation":
            wait(network, name)

    monkeypatch.setattr(agreement, "wait_for_everybody", one_round)
    assert honest_aborts(attack) == [2]


def test_a_message_nobody_waits_for_is_noticed(monkeypatch: Patch) -> None:
    attack = tamper(2, "query/agreement/confirmation", "replay")
    assert outcome(attack) == "aborted"
    monkeypatch.setattr(InMemoryChannel, "is_drained", lambda self: True)
    assert outcome(attack) == "released"


# Inputs


def inconsistent_copies_released() -> bool:
    """Whether a query takes no notice that two honest helpers hold different shares of a field.

    With one report there is nothing to sort, so that no product depends on the time.
    """
    parameters = tiny()
    simulation = MaliciousSimulation(SEED)
    reports = share_events(
        simulation.network.name, TINY_EVENTS[:1], parameters, simulation.randomness
    )
    time = reports.timestamp
    shares = {helper: time.shares_of(helper) for helper in HELPERS}
    shares[2] = ([shares[2][0][0] ^ 1, *shares[2][0][1:]], shares[2][1])
    changed = replace(reports, timestamp=SharedBits(time.network_name, 1, time.width, shares))
    error = raised(lambda: ipa.query.query(simulation.network, changed, parameters))
    assert error is None or error.step == "query/input-check"
    return error is None


def test_inputs_are_compared_before_use(monkeypatch: Patch) -> None:
    assert not inconsistent_copies_released()
    monkeypatch.setattr(ipa.query, "check_inputs", nothing)
    assert inconsistent_copies_released()


# The batch check


def test_the_last_batch_is_checked_before_the_release(monkeypatch: Patch) -> None:
    attack = add_error(1, "query/*")
    assert outcome(attack) == "aborted"
    monkeypatch.setattr(ipa.query, "check_products", nothing)
    with pytest.raises(UncheckedProductError):
        outcome(attack)  # the collector is not even sent anything
    monkeypatch.setattr(ProductLog, "refuse_unchecked", nothing)
    report = run_attack(TINY_EVENTS, tiny(), attack, SEED)
    assert (report.outcome, report.result_is_right) == ("released", False)


def test_a_batch_that_is_full_is_checked_at_once(monkeypatch: Patch) -> None:
    def checked_early() -> int:
        simulation = MaliciousSimulation(SEED, CheckRules(batch_gates=10, batch_elements=1))
        log = simulation.log
        x = simulation.bits([1, 2, 3], 4)
        multiply(simulation.network, x, x)
        y = simulation.numbers(PRIME_FIELD, [5])
        multiply_elements(simulation.network, y, y)
        return log.gates_checked + log.elements_checked

    assert checked_early() == 13
    monkeypatch.setattr(ProductLog, "is_due", property(lambda self: False))
    assert checked_early() == 0


def test_the_product_at_the_end_is_compared(monkeypatch: Patch) -> None:
    attack = add_error(1, "query/*")
    assert outcome(attack) == "aborted"
    monkeypatch.setattr(compression, "_verify_masked", nothing)
    assert outcome(attack) == "released"


@pytest.mark.parametrize("bit", [0, 63, 64, 4095, 4096, 8191])
def test_opened_shamir_shares_have_to_lie_on_a_line(monkeypatch: Patch, bit: int) -> None:
    """Every element of both of them, x and y."""
    attack = tamper(1, "check/bits/last/open-shamir", "flip", receiver=2, bit=bit)
    report = run_attack(TINY_EVENTS, tiny(), attack, SEED)
    assert (report.outcome, report.detected_by) == ("aborted", (2,))
    really = compression._open_shamir

    def without(network, points, field, shares):  # type: ignore[no-untyped-def]
        blind = replace(points, leading=dict.fromkeys(HELPERS, 0))
        return really(network, blind, field, shares)

    monkeypatch.setattr(compression, "_open_shamir", without)
    assert outcome(attack) == "released"


def test_unchecked_products_are_not_opened(monkeypatch: Patch) -> None:
    def opened() -> Columns:
        simulation = MaliciousSimulation(SEED, attack=column_errors(1, "multiply", [1]))
        x = simulation.bits([0], 1)
        return open_bits(simulation.network, multiply(simulation.network, x, x))

    with pytest.raises(UncheckedProductError):
        opened()
    monkeypatch.setattr(ProductLog, "refuse_unchecked", nothing)
    assert opened() == [1]  # 0 AND 0, with the error
