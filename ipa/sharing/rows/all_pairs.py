"""All pairs of rows within many small segments, as columns: which rows to compare, and who won.

Segments of one size m form a group of g, laid out position by position: the first rows of all g
segments, then the second ones, and so on. Then rows d positions apart are d g places apart, and the
pairs at distance d are two runs of a column.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipa.errors import MismatchError
from ipa.sharing.bits import ones, table_from_columns


@dataclass(frozen=True)
class Group:
    """The segments `members` of `size` rows each, laid out from row `start` on."""

    start: int
    size: int
    members: Sequence[int]

    @property
    def count(self) -> int:
        """How many segments there are."""
        return len(self.members)

    @property
    def pairs(self) -> int:
        """How many pairs there are in all segments."""
        return self.size * (self.size - 1) // 2 * self.count


def lay_out(segments: Sequence[Sequence[int]]) -> tuple[list[Group], list[int]]:
    """The groups, and the rows of all segments in the order they lie."""
    by_size: dict[int, list[int]] = {}
    for helper, segment in enumerate(segments):
        by_size.setdefault(len(segment), []).append(helper)
    groups: list[Group] = []
    rows: list[int] = []
    for size, members in by_size.items():
        groups.append(Group(len(rows), size, members))
        for position in range(size):
            rows += [segments[helper][position] for helper in members]
    return groups, rows


def first_and_second(
    groups: Sequence[Group],
) -> tuple[Callable[[int], int], Callable[[int], int]]:
    """Maps from a column of the layout to the column of the first, and of the second, rows of all pairs.

    Group by group, distance by distance.
    """
    cuts = [
        (group.start, ones(group.size * group.count), _runs(group), group.pairs)
        for group in reversed(groups)
    ]

    def gather(column: int, second: bool) -> int:
        """The bits of the first, or of the second, row of every pair."""
        total = 0
        for start, keep, runs, pairs in cuts:
            rows, gathered = column >> start & keep, 0
            for distance, kept, length in runs:
                run = rows >> distance if second else rows & kept
                gathered = gathered << length | run
            total = total << pairs | gathered
        return total

    return lambda column: gather(column, False), lambda column: gather(column, True)


def _runs(group: Group) -> list[tuple[int, int, int]]:
    """For each distance, from the longest: in rows of the layout, as a mask, and how many pairs."""
    lengths = [pairs * group.count for pairs in range(1, group.size)]
    total = group.size * group.count
    return [(total - length, ones(length), length) for length in lengths]


def in_order(segments: Sequence[list[int]], groups: Sequence[Group], above: int) -> list[list[int]]:
    """The segments with their rows in order.

    `above` has a one for each pair whose first row is above the second, in the order of
    first_and_second. Segments have at most 256 rows: what a row has won is counted in a byte.

    Raises: MismatchError for outcomes that no order of the rows has.
    """
    ordered = list(segments)
    outcomes = table_from_columns([above], sum(group.pairs for group in groups))
    for group in groups:
        wins = _wins(group, outcomes)
        outcomes = outcomes[group.pairs :]
        for k, helper in enumerate(group.members):
            ranks = wins[k :: group.count]
            placed = dict(zip(ranks, segments[helper], strict=True))
            if len(placed) < group.size:
                raise MismatchError("the outcomes of comparisons are those of no order")
            ordered[helper] = [placed[rank] for rank in range(group.size)]
    return ordered


def _wins(group: Group, outcomes: bytes) -> bytes:
    """How many rows of its segment each row is above, in the order they lie."""
    total = start = 0
    for distance in range(1, group.size):
        length = (group.size - distance) * group.count
        won = int.from_bytes(outcomes[start : start + length], "little")
        lost = int.from_bytes(b"\x01" * length, "little") - won
        total += won + (lost << 8 * distance * group.count)
        start += length
    return total.to_bytes(group.size * group.count, "little")
