"""The message sequence of a run or of one of its steps: who sends whom how many bytes, and when."""

from collections.abc import Sequence

from ipa.display.disclosure import payload_shown
from ipa.display.drawing import arrow, dot, line, words
from ipa.display.markup import Markup, joined
from ipa.display.numbers import plural
from ipa.display.picture import Picture
from ipa.display.style import BLUE, GREEN, ORANGE
from ipa.errors import ParameterError
from ipa.network.channel import Message, shown_step
from ipa.network.interception import Transcript
from ipa.parties import HELPERS

MOST_MESSAGES = 40
"""So many messages are drawn."""

_PLACES = {1: 330.0, 2: 480.0, 3: 630.0}
_COLOURS = {1: BLUE, 2: ORANGE, 3: GREEN}
_TOP, _ROW = 44, 22


def picture_of_messages(transcript: Transcript, step: str = "") -> Picture:
    """The messages of the step with this path, or below it, in the order sent; of the whole run without.

    Raises: ParameterError when there are none.
    """
    found = [
        message
        for message in transcript.messages
        if not step or message.step == step or message.step.startswith((f"{step}/", f"{step}#"))
    ]
    if not found:
        raise ParameterError(f"the transcript has no message of step {step!r}")
    shown = found[:MOST_MESSAGES]
    bottom = _TOP + _ROW * len(shown) + 8
    parts = [_lifeline(helper, bottom) for helper in HELPERS]
    parts += [_message(place, shown) for place in range(len(shown))]
    rest = len(found) - len(shown)
    says = f"... {plural(rest, 'more message')}" if rest else "An arrow is in its sender's colour."
    title = f"Messages of {step or 'the run'}: {len(found):,}"
    return Picture(title, (880, bottom + 6), *parts, says=says)


def _lifeline(helper: int, bottom: float) -> Markup:
    x = _PLACES[helper]
    name = words(x, 20, f"H{helper}", bold=True, size=14)
    return joined(name, line((x, 30), (x, bottom), opacity=0.4, dashed=True))


def _message(place: int, messages: Sequence[Message]) -> Markup:
    """The arrow, with the step where it changes to the left and the payload to the right."""
    message = messages[place]
    y = _TOP + _ROW * place + 10
    start, end = _PLACES[message.sender], _PLACES[message.receiver]
    parts = [arrow((start, y), (end, y), colour=_COLOURS[message.sender], width=1.5)]
    parts.append(dot(start, y, 3, _COLOURS[message.sender]))
    if place == 0 or messages[place - 1].step != message.step:
        parts.append(line((10, y - 12), (870, y - 12), opacity=0.2))
        parts.append(words(10, y + 4, _cut(shown_step(message.step)), anchor="start", size=11))
    size = plural(len(message.payload), "byte")
    payload = payload_shown(message.payload[:8]) + (" ..." if len(message.payload) > 8 else "")
    parts.append(words(655, y + 4, size, anchor="start", size=11))
    parts.append(words(735, y + 4, payload, anchor="start", size=11, code=True))
    return joined(*parts)


def _cut(step: str) -> str:
    """The end of a long path, which tells more than its beginning."""
    return step if len(step) <= 44 else f"...{step[-41:]}"
