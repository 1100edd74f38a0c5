"""Channels carry bytes between helper parties, labelled with the step they belong to.

A helper holds one end and sees only `send` and `receive`. `in_memory_channels` connects three ends in
one process; `SocketChannel` (ipa.network.sockets) carries the same messages between threads or processes.
Interceptors sit between a helper and its end: each is given every message sent and returns those
to deliver instead, so that it may record, change, drop, repeat or hold back (teaching, attacks).
"""

from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

from ipa.errors import ChannelError
from ipa.parties import HELPERS


@dataclass(frozen=True, slots=True)
class Message:
    """What one helper party sends another in one step."""

    step: str
    sender: int
    receiver: int
    payload: bytes

    def __repr__(self) -> str:
        return (
            f"<Message H{self.sender} -> H{self.receiver}, {self.step}, {len(self.payload)} bytes>"
        )


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
    """One end of three connected in memory. `timeout` is in seconds, 0 where helpers run in lockstep."""

    def __init__(
        self,
        inboxes: dict[int, "SimpleQueue[Message]"],
        outboxes: dict[int, "SimpleQueue[Message]"],
        timeout: float,
    ) -> None:
        self._inboxes = inboxes
        self._outboxes = outboxes
        self._timeout = timeout

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


def in_memory_channels(timeout: float = 0) -> dict[int, Channel]:
    """The three ends of a network in one process, by helper."""
    queues: dict[tuple[int, int], SimpleQueue[Message]] = {
        (sender, receiver): SimpleQueue()
        for sender in HELPERS
        for receiver in HELPERS
        if sender != receiver
    }
    return {
        helper: InMemoryChannel(
            {other: queues[other, helper] for other in HELPERS if other != helper},
            {other: queues[helper, other] for other in HELPERS if other != helper},
            timeout,
        )
        for helper in HELPERS
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
        problem = f"H{sender} sent a message of another step, {message.step}"
        raise ChannelError(step, problem, [receiver])
    if len(message.payload) != size:
        problem = f"H{sender} sent {len(message.payload)} bytes instead of {size}"
        raise ChannelError(step, problem, [receiver])
    return message.payload
