"""What one worker may try in the malicious-secure share shuffle, and that no result comes of it."""

import random
from functools import cache

import pytest
from malicious_cases import (
    CHANGES,
    Change,
    ChangeMessage,
    MaliciousSimulation,
    check_detected,
    column_errors,
    raised,
)
from malicious_shuffle_cases import NOISE, SMALL, TINY, VECTORS, dealt, opened_by, parameters_for

from ipa.errors import MisbehaviourError
from ipa.halo.malicious_share_shuffle import (
    malicious_share_shuffle,
)
from ipa.network.channel import Message
from ipa.sharing.shared_bits import SharedBits


@cache
def honest_run(most: int) -> tuple[Message, ...]:
    _, simulation = opened_by(SMALL, parameters_for(SMALL, most, TINY))
    return tuple(simulation.transcript.messages)


def changed_run(most: int, index: int, change: Change) -> None:
    messages = honest_run(most)
    bit = random.Random(index).randrange(8 * len(messages[index].payload))
    interceptor = ChangeMessage(index, change, bit)
    with pytest.raises(MisbehaviourError) as caught:
        opened_by(SMALL, parameters_for(SMALL, most, TINY), interceptors=[interceptor])
    assert interceptor.seen > index
    check_detected(caught.value, messages, index)


@pytest.mark.parametrize("change", CHANGES)
def test_no_message_of_a_measurement_can_be_changed(change: Change) -> None:
    for index in range(len(honest_run(2))):
        changed_run(2, index, change)


def test_nor_one_of_the_reach_alone() -> None:
    ones = [[min(1, value) for value in vector] for vector in SMALL]
    parameters = parameters_for(ones, 0, TINY)
    messages = opened_by(ones, parameters)[1].transcript.messages
    for index in range(len(messages)):
        error = raised(
            lambda: opened_by(ones, parameters, interceptors=[ChangeMessage(index, "flip", index)])  # noqa: B023
        )
        assert error is not None
        check_detected(error, messages, index)


def test_the_messages_are_of_every_part() -> None:
    steps = {message.step for message in honest_run(2)}
    for part in ("input-check", "sum", "compare", "multiply", "noise-registers", "shuffle", "open"):
        assert any(step.startswith(f"hmss-malicious/{part}") for step in steps), part
    assert any(step.startswith("check") for step in steps)
    assert "hmss-malicious/agreement/confirmation" in steps


@pytest.mark.parametrize("helper", [1, 2, 3])
@pytest.mark.parametrize("step", ["sum", "compare", "multiply", "noise-registers"])
def test_no_worker_can_put_an_error_into_a_product(helper: int, step: str) -> None:
    attack = column_errors(helper, f"hmss-malicious/{step}*", [1])
    parameters = parameters_for(SMALL, 2, TINY)
    error = raised(lambda: opened_by(SMALL, parameters, attack=attack))
    assert error is not None and error.step.startswith("check")


def test_a_provider_that_deals_different_copies_is_noticed() -> None:
    simulation = MaliciousSimulation(1)
    parameters = parameters_for(SMALL, 2)
    first, second = dealt(simulation.network, SMALL, parameters)
    shares = {helper: second.shares_of(helper) for helper in (1, 2, 3)}
    own, right = shares[2]
    shares[2] = ([own[0] ^ 1, *own[1:]], right)
    wrong = SharedBits(second.network_name, second.rows, second.width, shares)
    with pytest.raises(MisbehaviourError, match="neighbours hold different input shares"):
        malicious_share_shuffle(simulation.network, [first, wrong], parameters)


def test_what_is_sent_depends_on_public_sizes_alone() -> None:
    parameters = parameters_for(VECTORS, 3, NOISE)
    shapes = [
        opened_by(vectors, parameters, seed)[1].transcript.shape()
        for seed, vectors in enumerate([VECTORS, [[0] * 5] * 3, [[3] * 5] * 3])
    ]
    assert shapes[0] == shapes[1] == shapes[2]
