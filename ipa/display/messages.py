"""Messages between parties: who sent whom how much in which step, and how the payload begins."""

from collections.abc import Callable, Sequence
from typing import Protocol

from ipa.display.disclosure import payload_shown
from ipa.display.markup import Markup
from ipa.display.numbers import count, plural
from ipa.display.style import framed
from ipa.display.tables import Column, folded, table

StepName = Callable[[str], str]
"""How a step's path may be shown: it may come from a peer."""


class SentMessage(Protocol):
    """A message, as far as it is shown."""

    @property
    def step(self) -> str:
        """The step's path."""

    @property
    def sender(self) -> int:
        """Who sent it."""

    @property
    def receiver(self) -> int:
        """To whom."""

    @property
    def payload(self) -> bytes:
        """What was sent."""


def messages_html(title: str, messages: Sequence[SentMessage], shown_step: StepName) -> Markup:
    """The messages in the order sent, folded. `shown_step` says how a step's path may be shown."""
    return framed(title, messages_table(messages, shown_step))


def messages_table(messages: Sequence[SentMessage], shown_step: StepName) -> Markup:
    """The table without a frame of its own, folded away."""
    columns = [
        Column("step", "code"),
        Column("from"),
        Column("to"),
        Column("bytes", "number"),
        Column("payload", "code", wide=True),
    ]
    rows = (
        (
            shown_step(message.step),
            f"H{message.sender}",
            f"H{message.receiver}",
            count(len(message.payload)),
            payload_shown(message.payload),
        )
        for message in messages
    )
    size = sum(len(message.payload) for message in messages)
    summary = f"{plural(len(messages), 'message')}, {plural(size, 'byte')}"
    return folded(summary, table(columns, rows, len(messages), what="messages"))
