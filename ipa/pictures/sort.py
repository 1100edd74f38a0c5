"""The sorting network with data moving through it: a real sort, and the table after each stage."""

from collections.abc import Sequence

from ipa.display.drawing import arrow, line, words
from ipa.display.markup import Markup
from ipa.display.picture import Picture
from ipa.display.style import GREY, ORANGE
from ipa.errors import ParameterError
from ipa.network.simulation import simulated_network
from ipa.network.trace import Trace
from ipa.protocols.circuits.bitonic_sort import bitonic_sort, bitonic_stages
from ipa.sharing.dealing import reconstruct_for_testing, share_rows
from ipa.sharing.randomness import Randomness

MOST_VALUES = 16
"""A network for more rows would fit no page."""

_LEFT, _TOP, _ROW, _LANE = 26, 40, 24, 13


def picture_of_sort(values: Sequence[int], seed: int | None = 1) -> Picture:
    """Batcher's network sorting `values`, which three simulated helpers hold in shares.

    The values are the caller's, in the clear. Between the stages the table is put together with
    `reconstruct_for_testing`; nobody could see it in a deployment.

    Raises: ParameterError unless there are 2, 4, 8 or 16 values, integers from 0.
    """
    if len(values) not in (2, 4, 8, MOST_VALUES):
        raise ParameterError(
            f"a sorting network is drawn for 2, 4, 8 or 16 values, not {len(values)}"
        )
    if not all(isinstance(value, int) and value >= 0 for value in values):
        raise ParameterError("the values to sort must be integers of at least 0")
    width = max(1, max(values).bit_length())
    trace = Trace()
    network = simulated_network(seed, on_value=trace)
    randomness = Randomness.from_seed(seed, "client shares")
    bitonic_sort(network, share_rows(network, values, width, randomness), width)
    tables = [reconstruct_for_testing(table) for table in trace.named("table")]
    return _drawn(tables)


def _drawn(tables: Sequence[Sequence[int]]) -> Picture:
    rows = len(tables[0])
    stages = list(bitonic_stages(rows.bit_length() - 1))
    digits = 8 * max(len(str(value)) for value in tables[0]) + 14
    parts: list[Markup] = []
    x = _LEFT + digits / 2
    parts += _values(x, tables[0], tables[0])
    for stage, (block, distance) in enumerate(stages):
        start, end = x + digits / 2, x + digits / 2 + _LANE * ((1 << distance) + 1)
        parts.append(words((start + end) / 2, 20, stage, faint=True, size=11))
        before, after = tables[stage], tables[stage + 1]
        for row in range(rows):
            parts.append(line((start, _y(row)), (end, _y(row)), opacity=0.25))
        for low in (row for row in range(rows) if not row >> distance & 1):
            lane = start + _LANE * (1 + low % (1 << distance))
            downwards = block < rows.bit_length() - 1 and bool(low >> block & 1)
            parts.append(_comparator(lane, low, low | 1 << distance, before, after, downwards))
        x = end + digits / 2
        parts += _values(x, after, before)
    size = (x + digits / 2 + 10, _y(rows))
    says = (
        "Numbered stages; an arrow points to where the larger of two rows belongs. Orange: the two changed "
        "places. All helpers compare all pairs, whatever the values, and none sees a value or an exchange."
    )
    return Picture(f"A sorting network for {rows} rows", size, *parts, says=says)


def _y(row: int) -> float:
    return _TOP + _ROW * row


def _values(x: float, table: Sequence[int], before: Sequence[int]) -> list[Markup]:
    """A column of the table; rows that changed are bold."""
    return [
        words(x, _y(row) + 4, value, code=True, bold=value != before[row])
        for row, value in enumerate(table)
    ]


def _comparator(
    x: float, low: int, high: int, before: Sequence[int], after: Sequence[int], downwards: bool
) -> Markup:
    """One pair of rows: whether it changed places, and in which direction it is put in order."""
    moved = before[low] != after[low]
    ends = [(x, _y(low)), (x, _y(high))]
    start, end = reversed(ends) if downwards else ends
    return arrow(start, end, colour=ORANGE if moved else GREY, width=2 if moved else 1)
