"""A helper that deviates in the shuffle is noticed, whatever the rows are.

A corrupted helper also sends what digests it likes. So the comparison of the two honest helpers must
suffice: most attacks here run with every comparison that the corrupted helper takes part in always
satisfied.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from malicious_cases import (
    CHANGES,
    Change,
    ChangeMessage,
    MaliciousSimulation,
    check_detected,
    column_errors,
    raised,
    share_errors,
)
from shuffle_attack_cases import (
    COMPARED,
    MESSAGES,
    ROW_CHANGES,
    VALUES,
    WIDTH,
    ChangeRows,
    corrupted_comparisons_pass,
    run,
)

from ipa.attacks import Attack
from ipa.errors import MisbehaviourError
from ipa.network.channel import in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import InterceptedChannel
from ipa.network.simulation import pairwise_keys
from ipa.parties import HELPERS, left_of, right_of
from ipa.protocols.circuits import shuffle as shuffle_module
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.shuffle import shuffle
from ipa.protocols.primitives.abort import aborting_together, agree_to_release
from ipa.sharing.dealing import only_helper, reconstruct_for_testing, share_rows
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness
from ipa.sharing.rows.permutation import Permutation


@pytest.mark.parametrize("change", ROW_CHANGES)
@pytest.mark.parametrize("message", MESSAGES)
def test_changed_rows_are_noticed_by_both_honest_helpers(
    message: tuple[str, int, int], change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = message[1]
    corrupted_comparisons_pass(monkeypatch, sender)
    interceptor = ChangeRows(message, ROW_CHANGES[change])
    error = raised(lambda: run(MaliciousSimulation(1, interceptors=[interceptor])))
    assert interceptor.changed == 1
    assert error is not None
    assert str(error).startswith(COMPARED)
    assert set(error.detected_by) == set(HELPERS) - {sender}


class DeviatingPrss(Prss):
    """Uses other permutations, or adds an error to the bytes it masks with some draw of the step."""

    __slots__ = ("index", "own_order", "right_order", "shift")

    def __init__(
        self,
        keys: tuple[bytes, bytes],
        own_order: bool = False,
        right_order: bool = False,
        index: int | None = None,
    ) -> None:
        super().__init__(*keys)
        self.own_order, self.right_order, self.index = own_order, right_order, index

    def random_permutations(
        self, step: str, rows: int, index: int = 0
    ) -> tuple[Permutation, Permutation]:
        own, right = super().random_permutations(step, rows, index)
        return own[:: -1 if self.own_order else 1], right[:: -1 if self.right_order else 1]

    def masked_bytes(
        self, step: str, own: bytes, right: bytes, index: int = 0
    ) -> tuple[bytes, bytes]:
        masked = super().masked_bytes(step, own, right, index)
        if index != self.index:
            return masked
        first, second = (part[:-1] + bytes([part[-1] ^ 128]) if part else part for part in masked)
        return first, second


def deviates(helper: int, **how: bool | int) -> Attack:
    return Attack(helper, prss=lambda keys: DeviatingPrss(keys, **how))  # type: ignore[arg-type]


DEVIATIONS = [
    deviates(1, own_order=True),
    deviates(1, right_order=True),
    deviates(1, index=shuffle_module._MASK_2),
    deviates(1, index=shuffle_module._MASK_1),
    deviates(2, own_order=True),
    deviates(2, right_order=True),
    deviates(2, index=shuffle_module._MASK_2),
    deviates(2, index=shuffle_module._SHARES),
    deviates(3, own_order=True),
    deviates(3, right_order=True),
    deviates(3, index=shuffle_module._MASK_1),
    deviates(3, index=shuffle_module._SHARES),
]


@pytest.mark.parametrize("attack", DEVIATIONS)
def test_another_permutation_or_mask_is_noticed(attack: Attack) -> None:
    error = raised(lambda: run(MaliciousSimulation(1, attack=attack)))
    assert error is not None
    assert str(error).startswith(COMPARED)
    assert set(error.detected_by) - {attack.helper}


@pytest.mark.parametrize("helper", HELPERS)
def test_a_wrong_tag_is_noticed(helper: int) -> None:
    """An error in the helper's summand of a tag, in what it sends and in what it keeps."""
    attack = column_errors(helper, "shuffle/tag", [2])
    error = raised(lambda: run(MaliciousSimulation(1, attack=attack)))
    assert error is not None
    assert str(error).startswith(COMPARED)
    assert set(error.detected_by) == set(HELPERS)


@pytest.mark.parametrize(("own", "right"), [([1], [0]), ([0], [1])])
@pytest.mark.parametrize("helper", HELPERS)
def test_wrong_keys_are_not_opened(helper: int, own: list[int], right: list[int]) -> None:
    """Its two shares of a key are those of its neighbours too, who compare the copies."""
    attack = share_errors(helper, "shuffle/tag", own, right)
    error = raised(lambda: run(MaliciousSimulation(1, attack=attack)))
    assert error is not None
    assert str(error).startswith("shuffle/keys/open: the two copies of the opened share differ")
    receiver = right_of(helper) if own[0] else left_of(helper)
    assert receiver in error.detected_by


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_any_message_of_the_shuffle_is_detected(change: Change) -> None:
    honest = MaliciousSimulation(1)
    assert sorted(reconstruct_for_testing(run(honest))) == sorted(VALUES)
    messages = honest.transcript.messages
    assert len(messages) == 23 + 12
    for index, message in enumerate(messages):
        for bit in {0, 8 * len(message.payload) // 2, 8 * len(message.payload) - 1}:
            interceptor = ChangeMessage(index, change, bit)
            attacked = MaliciousSimulation(1, interceptors=[interceptor])
            error = raised(partial(run, attacked))
            assert error is not None, message
            check_detected(error, messages, index)


def test_keys_are_opened_after_every_row_has_arrived() -> None:
    """Until everybody is ready nobody sends a share of a key, nor anything of a later step."""
    honest = MaliciousSimulation(1)
    run(honest)
    steps = list(dict.fromkeys(message.step for message in honest.transcript.messages))
    assert steps[:6] == [
        "shuffle/tag",
        "shuffle/pass/first",
        "shuffle/pass/last",
        "shuffle/keys/ready",
        "shuffle/keys/open",
        "shuffle/compare",
    ]


def test_products_are_checked_before_their_rows_are_shuffled() -> None:
    simulation = MaliciousSimulation(1, attack=column_errors(2, "multiply", [1]))
    product = multiply(simulation.network, simulation.bits([1, 2], 2), simulation.bits([3, 3], 2))
    error = raised(lambda: shuffle(simulation.network, product))
    assert error is not None
    assert error.step.endswith("check/bits/last")
    assert not any("shuffle/" in m.step for m in simulation.transcript.messages)


def in_threads(interceptor: ChangeMessage, sender: int) -> dict[int, MisbehaviourError | None]:
    """What becomes of every helper, each in a thread of its own, one of them changing messages."""
    name, keys, channels = "threads", pairwise_keys(1), in_memory_channels(timeout=1)
    table = share_rows(name, VALUES, WIDTH, Randomness.from_seed(1, "client"))

    def one(helper: int) -> MisbehaviourError | None:
        channel = channels[helper]
        if helper == sender:
            channel = InterceptedChannel(channel, [interceptor])
        party = HelperParty(helper, Prss(*keys[helper]), channel)
        network = HelperPartyNetwork(name, [party], security="malicious")

        def work() -> None:
            with aborting_together(network):
                shuffle(network, only_helper(table, helper))
                agree_to_release(network)

        return raised(work)

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(HELPERS, pool.map(one, HELPERS), strict=True))


@pytest.mark.parametrize("sender", HELPERS)
def test_both_honest_helpers_abort_in_threads(sender: int) -> None:
    honest = MaliciousSimulation(1)
    run(honest)
    own = [message for message in honest.transcript.messages if message.sender == sender]
    rounds = [index for index, message in enumerate(own) if "shuffle" in message.step]
    assert in_threads(ChangeMessage(10**6, "flip"), sender) == dict.fromkeys(HELPERS)
    for index in rounds:
        errors = in_threads(ChangeMessage(index, "flip", bit=index), sender)
        assert all(errors[helper] for helper in HELPERS if helper != sender), own[index]
