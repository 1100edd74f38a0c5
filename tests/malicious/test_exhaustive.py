"""Every message of a whole malicious query, changed in every way: nobody gets a result."""

import random

import pytest
from malicious_cases import (
    CAPPINGS,
    CHANGES,
    SEED,
    TINY_EVENTS,
    Change,
    ChangeMessage,
    MaliciousSimulation,
    check_detected,
    honest_messages,
    tiny,
)

from ipa.errors import MisbehaviourError
from ipa.events import Event
from ipa.events.workload import generate_events
from ipa.network.channel import Message
from ipa.network.interception import Transcript
from ipa.network.product_log import CheckRules
from ipa.network.simulation import RunOptions
from ipa.oracle.steps import query_in_steps
from ipa.parameters import Capping, QueryParameters, Sort
from ipa.query import run_query

CHUNKS = 4
WAYS: list[tuple[Capping, Sort]] = [
    *((capping, "bitonic") for capping in CAPPINGS),
    ("truncate", "shuffle"),
]


def changed_run(
    events: list[Event],
    parameters: QueryParameters,
    messages: tuple[Message, ...],
    index: int,
    change: Change,
) -> None:
    """Run the query with one message changed; the bit that is flipped is any, but always the same."""
    bit = random.Random(index).randrange(8 * len(messages[index].payload))
    interceptor = ChangeMessage(index, change, bit)
    with pytest.raises(MisbehaviourError) as caught:
        run_query(
            events,
            parameters,
            no_noise=True,
            options=RunOptions(seed=SEED, interceptors=[interceptor]),
        )
    assert interceptor.seen > index
    check_detected(caught.value, messages, index)


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("capping", "sort"), WAYS)
def test_a_change_of_any_message_is_detected(
    capping: Capping, sort: Sort, change: Change, chunk: int
) -> None:
    messages = honest_messages(capping, sort)
    for index in range(chunk, len(messages), CHUNKS):
        changed_run(TINY_EVENTS, tiny(capping, sort), messages, index, change)


@pytest.mark.parametrize(("capping", "sort"), WAYS)
def test_the_unchanged_query_is_right(capping: Capping, sort: Sort) -> None:
    """So the runs above fail for the change alone; and their messages include every part."""
    asked = tiny(capping, sort)
    result = run_query(TINY_EVENTS, asked, no_noise=True, options=RunOptions(seed=SEED))
    assert result.sums == query_in_steps(TINY_EVENTS, asked) == [0, 2]
    steps = {message.step for message in honest_messages(capping, sort)}
    parts = ["input-check", "multiply", "coin/ready", "coin/open", "products"]
    by_shuffling = ("tag", "pass/first", "pass/last", "keys/ready", "keys/open", "shuffle/compare")
    parts += ["values"] if sort == "bitonic" else [*by_shuffling, "sort/compare/open"]
    for part in parts:
        assert any(part in step for step in steps), part
    for part in ("open-shamir", "last/open", "verdict", "confirmation"):
        assert any(step.endswith(part) for step in steps), part


def test_a_change_of_any_message_is_detected_when_batches_are_small() -> None:
    """Checks in the middle of the query: some messages of every kind flipped."""
    transcript = Transcript()
    honest = MaliciousSimulation(SEED, CheckRules(batch_gates=150), [transcript])
    honest.query(TINY_EVENTS, tiny())
    messages = transcript.messages
    assert any(message.step.startswith("check#2/") for message in messages)
    for index in range(0, len(messages), 8):
        attacked = MaliciousSimulation(
            SEED, CheckRules(batch_gates=150), [ChangeMessage(index, "flip", bit=index)]
        )
        with pytest.raises(MisbehaviourError) as caught:
            attacked.query(TINY_EVENTS, tiny())
        check_detected(caught.value, messages, index)


@pytest.mark.parametrize("change", CHANGES)
def test_changes_in_a_larger_query(change: Change) -> None:
    parameters = QueryParameters(breakdowns=5, cap=100, match_key_bits=16)
    events = generate_events(70, breakdowns=5, match_key_bits=16, seed=3)
    transcript = Transcript()
    run_query(
        events, parameters, no_noise=True, options=RunOptions(seed=SEED, interceptors=[transcript])
    )
    messages = tuple(transcript.messages)
    for index in random.Random(change).sample(range(len(messages)), 12):
        changed_run(events, parameters, messages, index, change)
