"""What comes over the wire is checked before use: bits, elements, steps, senders."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pytest
from malicious_cases import (
    SEED,
    TINY_EVENTS,
    ChangeMessage,
    MaliciousSimulation,
    honest_messages,
    raised,
    tiny,
)

from ipa.errors import ChannelError
from ipa.network.channel import Message
from ipa.network.simulation import RunOptions
from ipa.parties import left_of, right_of
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.protocols.primitives import resharing
from ipa.query import run_query
from ipa.sharing.bits import Columns, decode_columns
from ipa.sharing.rings import PRIME_FIELD, Ring, decode_elements

Patch = pytest.MonkeyPatch


def sent_otherwise(step: str, change: Callable[[bytes], bytes], numbers: bool) -> str | None:
    """The problem that a helper finds when H1 sends something else in `step`."""

    def intercept(message: Message) -> Iterable[Message]:
        hit = message.sender == 1 and message.step == step
        return [replace(message, payload=change(message.payload)) if hit else message]

    simulation = MaliciousSimulation(SEED, interceptors=[intercept])

    def run() -> None:
        if numbers:
            x = simulation.numbers(PRIME_FIELD, [3])
            multiply_elements(simulation.network, x, x)
        else:
            bits = simulation.bits([1, 0, 1], 1)
            multiply(simulation.network, bits, bits)

    error = raised(run)
    return None if error is None else error.problem


def beyond_the_rows(payload: bytes) -> bytes:
    return bytes([payload[0] | 1 << 7])


def not_canonical(payload: bytes) -> bytes:
    """The same element plus the modulus: equal in every computation, and another message."""
    number = int.from_bytes(payload, "little") + PRIME_FIELD.modulus
    return number.to_bytes(len(payload), "little")


def test_bits_beyond_the_last_row_are_refused(monkeypatch: Patch) -> None:
    assert sent_otherwise("multiply", beyond_the_rows, False) == "padding bits are set"

    def unchecked(step: str, received: Mapping[int, bytes], rows: int) -> dict[int, Columns]:
        return {number: decode_columns(payload, rows) for number, payload in received.items()}

    monkeypatch.setattr(resharing, "decode_received_columns", unchecked)
    assert sent_otherwise("multiply", beyond_the_rows, False) is None


def test_numbers_that_are_no_elements_are_refused(monkeypatch: Patch) -> None:
    problem = sent_otherwise("multiply-numbers", not_canonical, True)
    assert problem == f"not an element of {PRIME_FIELD.name}"

    def unchecked(step: str, received: Mapping[int, bytes], ring: Ring) -> dict[int, list[int]]:
        return {number: decode_elements(ring, payload) for number, payload in received.items()}

    monkeypatch.setattr(resharing, "decode_received_elements", unchecked)
    assert sent_otherwise("multiply-numbers", not_canonical, True) is None


def test_a_message_of_another_step_or_sender_is_refused() -> None:
    """The message of each round taken for that of the next: its label gives it away."""
    messages = honest_messages("proportional")
    first = next(i for i, message in enumerate(messages) if "multiply" in message.step)
    interceptor = ChangeMessage(first, "replay")
    error = raised(
        lambda: run_query(
            TINY_EVENTS,
            tiny(),
            no_noise=True,
            options=RunOptions(seed=SEED, interceptors=[interceptor]),
        )
    )
    assert isinstance(error, ChannelError)
    assert "sent a message of another step" in error.problem
    assert error.detected_by == (left_of(messages[first].sender),)
    assert right_of(error.detected_by[0]) == messages[first].sender
