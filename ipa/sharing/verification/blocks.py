"""Blocks: columns of any lengths laid out as equally long ints, for the batch check.

The check wants 2^l blocks of C bits per group. Columns of equal length are put one above another
into a block as long as they fit; a column longer than a block is cut. What is left of a block is
zero, which is a true product of zeros.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ipa.sharing.bits import ones

_LONGEST_BLOCK = 1 << 16  # bits; longer ones fall out of the processor's cache
_SHORTEST_BLOCK = 1 << 7  # bits; shorter ones cost Python calls and save nothing
_MOST_VARIABLES = 6  # 64 blocks per group: more saves vectors and costs extended products


@dataclass(frozen=True)
class Layout:
    """`groups` groups of 2^variables blocks of `length` bits."""

    variables: int
    length: int
    groups: int

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return self.groups << self.variables


def choose_layout(widths: Mapping[int, int]) -> Layout:
    """The layout for `widths[rows]` columns of `rows` bits: long blocks, and as few as that allows."""
    bits = sum(rows * width for rows, width in widths.items())
    length = max(1, bits >> _MOST_VARIABLES)
    length = 1 << min(_LONGEST_BLOCK, max(_SHORTEST_BLOCK, length)).bit_length() - 1
    blocks = sum(_block_count(width, rows, length) for rows, width in widths.items())
    variables = min(_MOST_VARIABLES, max(0, blocks - 1).bit_length())
    return Layout(variables, length, -(-blocks >> variables))


def _block_count(width: int, rows: int, length: int) -> int:
    if rows == 0:
        return 0
    if rows > length:
        return width * -(-rows // length)
    return -(-width // (length // rows))


def to_blocks(columns: Mapping[int, Sequence[int]], layout: Layout) -> list[int]:
    """The blocks of `columns[rows]`, in ascending order of rows, zero blocks at the end."""
    blocks: list[int] = []
    for rows in sorted(columns):
        if rows > layout.length:
            blocks += _cut(columns[rows], rows, layout.length)
        elif rows:
            blocks += _stack(columns[rows], rows, layout.length // rows)
    return blocks + [0] * (layout.blocks - len(blocks))


def _cut(columns: Iterable[int], rows: int, length: int) -> list[int]:
    keep = ones(length)
    return [column >> start & keep for column in columns for start in range(0, rows, length)]


def _stack(columns: Sequence[int], rows: int, count: int) -> list[int]:
    """Every `count` columns in one int, pairs at a time so that each bit moves log2 times.

    A factor common to many columns comes as the same column many times, and is stacked once.
    """
    stacked: list[int] = []
    previous: Sequence[int] = ()
    for start in range(0, len(columns), count):
        parts, size = list(columns[start : start + count]), rows
        if parts == previous:
            stacked.append(stacked[-1])
            continue
        previous = parts
        while len(parts) > 1:
            odd = parts[-1:] if len(parts) % 2 else []
            parts = [a | b << size for a, b in zip(parts[::2], parts[1::2], strict=False)] + odd
            size *= 2
        stacked.append(parts[0])
    return stacked
