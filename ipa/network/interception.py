"""Interception: what sits between a helper party and its end of the channel.

An interceptor is given every message that is sent and returns those to deliver instead, so that it may
record, change, drop, repeat or hold back: a transcript for teaching and tests, tampering for attacks.
"""

from collections.abc import Callable, Iterable, Mapping

from ipa.display.messages import messages_html
from ipa.display.numbers import plural
from ipa.network.channel import Channel, Message, shown_step
from ipa.network.view import View, view_of
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements

Interceptor = Callable[[Message], Iterable[Message]]


class InterceptedChannel:
    """A helper's end whose outgoing messages pass through interceptors, the first one first."""

    def __init__(self, channel: Channel, interceptors: Iterable[Interceptor]) -> None:
        self._channel = channel
        self._interceptors = tuple(interceptors)

    def send(self, message: Message) -> None:
        """Send what the interceptors make of `message`."""
        messages = [message]
        for interceptor in self._interceptors:
            messages = [changed for original in messages for changed in interceptor(original)]
        for changed in messages:
            self._channel.send(changed)

    def receive(self, sender: int) -> Message | None:
        """Receive, untouched."""
        return self._channel.receive(sender)

    def is_drained(self) -> bool:
        """Whether the end below is drained."""
        return self._channel.is_drained()


def intercepted(
    channels: Mapping[int, Channel], interceptors: Iterable[Interceptor]
) -> dict[int, Channel]:
    """The ends of a network whose messages all pass through `interceptors`, the first one first."""
    interceptors = tuple(interceptors)
    if not interceptors:
        return dict(channels)
    return {helper: InterceptedChannel(end, interceptors) for helper, end in channels.items()}


class Transcript:
    """An interceptor that remembers every message; `shape()` leaves out what they say."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def __call__(self, message: Message) -> Iterable[Message]:
        """Remember `message` and let it pass."""
        self.messages.append(message)
        return (message,)

    def __repr__(self) -> str:
        size = sum(len(message.payload) for message in self.messages)
        return f"<Transcript: {plural(len(self.messages), 'message')}, {plural(size, 'byte')}>"

    def _repr_html_(self) -> str:
        return messages_html(repr(self)[1:-1], self.messages, shown_step)

    def seen_by(self, helper: int, **held: SharedBits | SharedElements) -> View:
        """All that helper party `helper` saw: what it holds of `held`, its keys' names, its messages.

        `held` are shared values by name, such as the reports' fields that it was sent.

        Raises: ParameterError when it is no helper, MismatchError when its shares are not here.
        """
        received = [message for message in self.messages if message.receiver == helper]
        return view_of(helper, received, held)

    def shape(self) -> list[tuple[str, int, int, int]]:
        """(step, sender, receiver, bytes) of every message: all that an oblivious run may vary by."""
        return [
            (message.step, message.sender, message.receiver, len(message.payload))
            for message in self.messages
        ]
