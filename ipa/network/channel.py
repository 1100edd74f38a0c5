"""Channels carry bytes between helper parties, labelled with the step they belong to.

A helper holds one end and sees only `send` and `receive`. `in_memory_channels` connects three ends in
one process; `SocketChannel` (ipa.network.sockets) carries the same messages between threads or processes.
Interceptors sit between a helper and its end: each is given every message sent and returns those
to deliver instead, so that it may record, change, drop, repeat or hold back (teaching, attacks).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from queue import Empty, SimpleQueue
from typing import Protocol

from ipa.errors import ChannelError, ParameterError
from ipa.parties import HELPERS


@dataclass(frozen=True, slots=True)
class Message:
    """What one helper party sends another in one step."""

    step: str
    sender: int
    receiver: int
    payload: bytes

    def __repr__(self) -> str:
        step = shown_step(self.step)
        return f"<Message H{self.sender} -> H{self.receiver}, {step}, {len(self.payload)} bytes>"


_STEP = re.compile(r"[a-z0-9/#-]{1,100}")


def shown_step(step: str) -> str:
    """A step path that came from a peer, as it may be shown: as it is, or that it is none.

    A path of this library is short and of few characters. What else a peer sends could be long, or
    move the cursor of whoever reads the error.
    """
    return step if _STEP.fullmatch(step) else "whose name is malformed"


ABORT = "abort"
"""The step of the message by which a helper says that it aborts."""


class Channel(Protocol):
    """One helper party's end."""

    def send(self, message: Message) -> None:
        """Deliver `message` to its receiver; never waits for the receiver."""

    def receive(self, sender: int) -> Message | None:
        """The next message from `sender`, in the order sent; None when none comes in time."""

    def is_drained(self) -> bool:
        """Whether every message that has arrived was received."""


class InMemoryChannel:
    """One end of three connected in memory. `timeout` is in seconds, 0 where helpers run in lockstep.

    Raises: ParameterError for a timeout that is no number of at least 0 seconds.
    """

    def __init__(
        self,
        inboxes: dict[int, "SimpleQueue[Message]"],
        outboxes: dict[int, "SimpleQueue[Message]"],
        timeout: float,
    ) -> None:
        self._inboxes = inboxes
        self._outboxes = outboxes
        self._timeout = checked_timeout(timeout, zero_allowed=True)

    def send(self, message: Message) -> None:
        """Put the message into the receiver's queue."""
        self._outboxes[message.receiver].put(message)

    def receive(self, sender: int) -> Message | None:
        """Take the next message of `sender`; None when there is none within the timeout."""
        try:
            if self._timeout:
                return self._inboxes[sender].get(timeout=self._timeout)
            return self._inboxes[sender].get_nowait()
        except Empty:
            return None

    def is_drained(self) -> bool:
        """Whether all queues of this end are empty."""
        return all(inbox.empty() for inbox in self._inboxes.values())


def checked_timeout(timeout: float, *, zero_allowed: bool = False) -> float:
    """A number of seconds to wait for a message at most.

    Raises: ParameterError unless it is a finite number above 0, or 0 where that is allowed.
    """
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not is_number or not (0 < timeout < inf or (zero_allowed and timeout == 0)):
        least = "of at least" if zero_allowed else "above"
        raise ParameterError(
            f"a timeout must be a finite number of seconds {least} 0, not {timeout!r}"
        )
    return timeout


def in_memory_channels(timeout: float = 0, parties: Sequence[int] = HELPERS) -> dict[int, Channel]:
    """The ends of a network in one process, by party: the three helpers, unless others are given.

    Raises: ParameterError for a timeout that is no number of at least 0 seconds.
    """
    queues: dict[tuple[int, int], SimpleQueue[Message]] = {
        (sender, receiver): SimpleQueue()
        for sender in parties
        for receiver in parties
        if sender != receiver
    }
    return {
        party: InMemoryChannel(
            {other: queues[other, party] for other in parties if other != party},
            {other: queues[party, other] for other in parties if other != party},
            timeout,
        )
        for party in parties
    }


def receive_expected(channel: Channel, step: str, sender: int, receiver: int, size: int) -> bytes:
    """The payload of the message that must come next.

    Raises: ChannelError when it is another message, has another length, or does not come.
    """
    message = channel.receive(sender)
    if message is None:
        raise ChannelError(step, f"no message from H{sender}", [receiver])
    if message.step == ABORT:
        raise ChannelError(step, f"H{sender} aborted", [receiver])
    if (message.step, message.sender, message.receiver) != (step, sender, receiver):
        problem = f"H{sender} sent a message of another step, {shown_step(message.step)}"
        raise ChannelError(step, problem, [receiver])
    if len(message.payload) != size:
        problem = f"H{sender} sent {len(message.payload)} bytes instead of {size}"
        raise ChannelError(step, problem, [receiver])
    return message.payload
