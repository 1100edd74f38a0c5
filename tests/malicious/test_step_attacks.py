"""Whichever message of a step is changed, both honest helpers abort; so for an error in any product."""

import pytest
from malicious_cases import (
    CHANGES,
    SEED,
    TINY_EVENTS,
    Change,
    ChangeMessage,
    MaliciousSimulation,
    column_errors,
    raised,
    tiny,
)
from step_cases import STEP_CASES, StepCase, shared

from ipa.attacks import Attack
from ipa.network.channel import Message
from ipa.network.interception import Interceptor
from ipa.parties import HELPERS
from ipa.protocols.primitives.abort import agree_to_release

STEPS_THAT_SEND = [case for case in STEP_CASES if case.name != "padding"]


def messages_of(
    case: StepCase, interceptors: list[Interceptor], attack: Attack | None = None
) -> list[Message]:
    """Run the step and its check, and agree to release; all messages, unless somebody aborts."""
    simulation = MaliciousSimulation(SEED, interceptors=interceptors, attack=attack)
    inputs = shared(simulation.bits, case.inputs(TINY_EVENTS, tiny()))
    case.run(simulation.network, inputs, tiny())
    simulation.finish()
    agree_to_release(simulation.network)
    return simulation.transcript.messages


@pytest.mark.parametrize("case", STEPS_THAT_SEND, ids=str)
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_any_message_of_a_step_is_detected(case: StepCase, change: Change) -> None:
    messages = messages_of(case, [])
    own = [place for place, message in enumerate(messages) if "multiply" in message.step]
    assert len(own) >= 3 and own == list(range(len(own)))
    for place in [*own[::7], own[-1]]:
        interceptor = ChangeMessage(place, change, bit=place)
        error = raised(lambda i=interceptor: messages_of(case, [i]))  # type: ignore[misc]
        assert interceptor.seen > place
        assert error is not None, messages[place]
        assert set(error.detected_by) - {messages[place].sender}


@pytest.mark.parametrize("case", STEPS_THAT_SEND, ids=str)
@pytest.mark.parametrize("helper", HELPERS)
def test_an_error_in_any_product_of_a_step_is_detected(case: StepCase, helper: int) -> None:
    steps = [message.step for message in messages_of(case, []) if "multiply" in message.step]
    for step in [*dict.fromkeys(steps)][::3]:
        attack = column_errors(helper, step, [1])
        error = raised(lambda a=attack: messages_of(case, [], a))  # type: ignore[misc]
        assert error is not None, step
        assert str(error).startswith("check/bits/last: a product is wrong")
        assert set(HELPERS) - {helper} <= set(error.detected_by)


def test_padding_sends_nothing_that_could_be_changed() -> None:
    case = next(case for case in STEP_CASES if case.name == "padding")
    simulation = MaliciousSimulation(SEED)
    inputs = shared(simulation.bits, case.inputs(TINY_EVENTS, tiny()))
    case.run(simulation.network, inputs, tiny())
    assert simulation.transcript.messages == []
