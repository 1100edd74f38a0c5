"""The passes of last touch attribution: who looks at whom in each pass, and what it takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from ipa.display.drawing import arrow, box, line, words
from ipa.display.markup import Markup
from ipa.display.picture import Picture
from ipa.display.style import BLUE, ORANGE
from ipa.errors import ParameterError
from ipa.events import Event, check_events
from ipa.events.worked_example import WORKED_EXAMPLE, WORKED_EXAMPLE_PARAMETERS
from ipa.network.simulation import simulated_network
from ipa.network.trace import Trace
from ipa.parameters import QueryParameters
from ipa.protocols.helper_bits import helper_bits
from ipa.protocols.last_touch import attribute_last_touch
from ipa.protocols.padding import pad_reports
from ipa.protocols.report_sorting import sort_reports
from ipa.reports import share_events
from ipa.sharing.dealing import reconstruct_for_testing
from ipa.sharing.randomness import Randomness

MOST_EVENTS = 16
"""A picture of more would fit no page."""

_TOP, _ROW = 58, 24
_FIELDS = (("match key", 40), ("constraint", 112), ("time", 176), ("event", 232), ("same", 288))
_LEFT = 316


@dataclass(frozen=True)
class _Pass:
    """One pass: the distance looked ahead, and what each row then has."""

    distance: int
    flag: Sequence[int]
    credit: Sequence[int]

    @property
    def lanes(self) -> int:
        """How many arrows may have to stand side by side."""
        return min(self.distance, sum(self.flag))


def picture_of_last_touch(
    events: Sequence[Event] = WORKED_EXAMPLE,
    parameters: QueryParameters = WORKED_EXAMPLE_PARAMETERS,
    seed: int | None = 1,
) -> Picture:
    """Sorting and attribution of `events`, by default of the specification's worked example.

    The events are the caller's, in the clear. Three simulated helpers run the protocol, and the flag
    of every pass and the credit after it are put together with `reconstruct_for_testing`.

    Raises: ParameterError for no events or more than 16; EventError for a bad event.
    """
    if not 1 <= len(events) <= MOST_EVENTS:
        raise ParameterError(f"passes are drawn for 1 to {MOST_EVENTS} events, not {len(events)}")
    check_events(events, parameters)
    trace = Trace()
    network = simulated_network(seed, on_value=trace)
    randomness = Randomness.from_seed(seed, "client shares")
    padded = pad_reports(network, share_events(network, events, parameters, randomness))
    padding = padded.rows - len(events)
    ordered = sort_reports(network, padded)
    same = helper_bits(network, ordered, padding).same_match_key_and_constraint
    credit = attribute_last_touch(network, same, ordered.is_trigger, ordered.trigger_value)

    def rows(name: str) -> list[list[int]]:
        """All values of that name in the clear, without the rows of padding, which come first."""
        return [reconstruct_for_testing(value)[padding:] for value in trace.named(name)]

    states = zip(rows("flag"), rows("result"), strict=True)
    passes = [_Pass(1 << number, *state) for number, state in enumerate(states)]
    names = ("match_key", "attribution_constraint_id", "timestamp", "is_trigger")
    known = [rows(name)[0] for name in names]
    known.append(rows("same_match_key_and_constraint")[0])
    return _drawn(
        known, rows("trigger_value")[0], passes, reconstruct_for_testing(credit)[padding:]
    )


def _drawn(
    known: Sequence[Sequence[int]],
    values: Sequence[int],
    passes: Sequence[_Pass],
    credit: Sequence[int],
) -> Picture:
    count = len(values)
    triggers = known[3]
    parts = [words(x, _TOP - 22, name, size=11, faint=True) for name, x in _FIELDS]
    for row in range(count):
        cells = [known[0][row], known[1][row], known[2][row], "", known[4][row]]
        cells[3] = "trigger" if triggers[row] else "source"
        parts += [
            words(
                x, _y(row) + 4, cell, bold=cell == "source", code=cell not in ("source", "trigger")
            )
            for cell, (_, x) in zip(cells, _FIELDS, strict=True)
        ]
    x = _LEFT + 18.0
    parts += _numbers(x, "value", values, values)
    before = values
    for each in passes:
        x += 32
        parts += _takes(x, each)
        x += 9 * each.lanes + 18
        parts += _state(x, each, before)
        before, x = each.credit, x + 44
    x += 32
    parts += _numbers(x, "result", credit, [0] * count)
    parts += [line((4, _y(row) + 12), (x + 28, _y(row) + 12), opacity=0.15) for row in range(count)]
    says = (
        "In each pass a row looks 1, 2, 4, ... rows ahead. Where its flag is 1 (blue arrow), it adds that "
        "row's credit to its own (bold). At the end triggers keep nothing. same: the same match key and "
        "constraint as the row before."
    )
    size = (x + 34, _TOP + _ROW * count + 4)
    return Picture("Last touch attribution, pass by pass", size, *parts, says=says)


def _y(row: int) -> float:
    return _TOP + _ROW * row


def _numbers(x: float, name: str, numbers: Sequence[int], before: Sequence[int]) -> list[Markup]:
    """A column of numbers; those that changed are bold."""
    head = words(x, _TOP - 22, name, size=11, faint=True)
    pairs = zip(numbers, before, strict=True)
    return [
        head,
        *(
            words(x, _y(row) + 4, number, code=True, bold=number != old)
            for row, (number, old) in enumerate(pairs)
        ),
    ]


def _takes(x: float, each: _Pass) -> list[Markup]:
    """An arrow from each row that is taken from to the row that takes."""
    takers = [row for row, flag in enumerate(each.flag) if flag]
    parts = []
    for place, row in enumerate(takers):
        lane = x + 9 * (place % each.lanes)
        start, end = (lane, _y(row + each.distance) + 3), (lane, _y(row) - 3)
        parts.append(arrow(start, end, colour=BLUE, width=1.5))
    return parts


def _state(x: float, each: _Pass, before: Sequence[int]) -> list[Markup]:
    """Flag and credit of every row after the pass."""
    title = words(x + 16, _TOP - 40, f"distance {each.distance}", bold=True, size=11)
    parts = [title]
    parts += _numbers(x, "flag", each.flag, each.flag)
    parts += _numbers(x + 34, "credit", each.credit, before)
    taken = (row for row, flag in enumerate(each.flag) if flag)
    parts += [box(x - 8, _y(row) - 8, 16, 16, border=ORANGE, rounded=3) for row in taken]
    return parts
