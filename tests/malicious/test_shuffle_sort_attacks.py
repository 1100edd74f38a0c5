"""A helper that deviates in the sort by opened comparisons is noticed before anything is opened."""

from functools import partial, reduce
from operator import xor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from malicious_cases import (
    CHANGES,
    Change,
    ChangeMessage,
    MaliciousSimulation,
    check_detected,
    column_errors,
    corrupt,
    raised,
)

from ipa.attacks import Attack, Tampering
from ipa.errors import UncheckedProductError
from ipa.network.channel import Message
from ipa.network.interception import Transcript
from ipa.network.simulation import simulated_network
from ipa.parties import HELPERS
from ipa.protocols.circuits import revealed_order
from ipa.protocols.circuits.shuffle_sort import shuffle_sort
from ipa.protocols.primitives.abort import agree_to_release
from ipa.protocols.verification.product_check import check_products
from ipa.sharing.dealing import reconstruct_for_testing, share_rows
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import SharedBits

VALUES = [2, 0, 3, 2]


@pytest.fixture(autouse=True)
def many_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search trees for the smallest segments, as large tables have them."""
    monkeypatch.setattr(revealed_order, "_SHORT", 1)
    monkeypatch.setattr(revealed_order, "_PAIRS_PER_ROW", 0)
    monkeypatch.setattr(revealed_order, "_FEW_PAIRS", 1)
    monkeypatch.setattr(revealed_order, "_TREES", ((0, 1, 1),))


def run(simulation: MaliciousSimulation, values: list[int] = VALUES) -> SharedBits:
    """Sort and agree, as every protocol does at its end."""
    result = shuffle_sort(simulation.network, simulation.bits(values, 3), 2)
    check_products(simulation.network)
    agree_to_release(simulation.network)
    return result


def honest_messages() -> list[Message]:
    simulation = MaliciousSimulation(1)
    assert reconstruct_for_testing(run(simulation)) == sorted(VALUES)
    assert simulation.log.gates_made == simulation.log.gates_checked > 0
    return simulation.transcript.messages


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_any_message_of_the_sort_is_detected(change: Change) -> None:
    """All but those of the checks, of which every twelfth: they have tests of their own."""
    messages = honest_messages()
    assert sum(message.step.endswith("compare/open") for message in messages) >= 6
    for index, message in enumerate(messages):
        if "check" in message.step and index % 12:
            continue
        attacked = MaliciousSimulation(1, interceptors=[ChangeMessage(index, change, bit=index)])
        error = raised(partial(run, attacked))
        assert error is not None, message
        check_detected(error, messages, index)


@pytest.mark.parametrize("helper", HELPERS)
def test_nothing_is_opened_after_a_wrong_product(helper: int) -> None:
    """Whichever comparison has the error, its own outcome is not opened."""
    opened = []
    for level in ("compare", "compare#2"):
        attack = column_errors(helper, f"sort/{level}/*multiply", [1])
        simulation = MaliciousSimulation(1, attack=attack)
        error = raised(partial(run, simulation))
        assert error is not None
        assert error.step.endswith("/bits/last")
        steps = {message.step for message in simulation.transcript.messages}
        assert f"sort/{level}/open" not in steps
        opened.append("sort/compare/open" in steps)
    assert opened == [False, True]


def test_without_the_check_of_a_level_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revealed_order, "check_products", lambda network: None)
    with pytest.raises(UncheckedProductError):
        run(MaliciousSimulation(1))


FOUR = st.lists(st.integers(0, 7), min_size=4, max_size=4)


@given(
    FOUR,
    FOUR,
    st.integers(0, 2**32),
    st.sampled_from(HELPERS),
    st.sampled_from(["sort/shuffle/*", "sort/compare/multiply", "sort/compare/open"]),
    st.sampled_from(["flip", "drop", "truncate", "extend"]),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whether_it_aborts_says_nothing_of_the_rows(
    first: list[int], second: list[int], seed: int, helper: int, pattern: str, change: Change
) -> None:
    """In the shuffle and the first level, which is of the same shape in every run."""

    def outcome(values: list[int], own_seed: int) -> tuple[object, ...]:
        attack = Attack(helper, Tampering(helper, pattern, change))
        assert attack.tampering is not None
        simulation = MaliciousSimulation(own_seed, interceptors=[attack.tampering])
        error = raised(partial(run, simulation, values))
        if error is None:
            return (attack.tampering.tampered,)
        return type(error), str(error), error.detected_by, simulation.transcript.shape()

    assert outcome(first, seed) == outcome(second, seed + 1)


@pytest.mark.parametrize("key", range(8))
def test_in_a_semi_honest_network_a_helper_that_deviates_can_open_a_bit(key: int) -> None:
    """Two equal keys: an error in whether their halves differ opens their middle bit each time.

    README says so. In a malicious-secure network nothing is opened after the error.
    """
    for seed in range(10):
        transcript = Transcript()
        network = simulated_network(seed, [transcript])
        corrupt(network, column_errors(2, "sort/compare/multiply", [0, 0, 1]), seed)
        table = share_rows(network.name, [key, key], 3, Randomness.from_seed(seed, "client"))
        shuffle_sort(network, table, 3)
        assert reduce(xor, opened_shares(transcript)) == key >> 1 & 1


def opened_shares(transcript: Transcript) -> list[int]:
    """The share of the opened column that each helper lacks."""
    sent = [m for m in transcript.messages if m.step == "sort/compare/open"]
    return [next(m.payload[0] for m in sent if m.receiver == helper) for helper in HELPERS]
