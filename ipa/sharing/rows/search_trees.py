"""Search trees over shuffled rows: every row's splitter, for all rows of all trees at once.

The rows of a tree lie together. Its 2^depth - 1 splitters come first, node by node: node 0 is the
root, nodes 2j + 1 and 2j + 2 are below node j, on the side of smaller and of larger rows. Where a
row is in its tree is public; the splitters are secret, and to hand them out is a linear map.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from ipa.sharing.bits import table_from_columns

Segment = list[int]
"""The places, in the shuffled table, of rows that stand together in the final order."""

_BINARY_DIGITS = bytes([48, 49]) + bytes(254)


@dataclass(frozen=True)
class Tree:
    """A search tree over the sorted rows `sample`, and the `others` that it divides.

    Every `spacing`-th row of the sample is a splitter, 2^depth - 1 of them; between them, and at
    both ends, are spacing - 1 rows of which the place in the tree is known.
    """

    depth: int
    spacing: int
    sample: Segment
    others: Segment

    @property
    def splitters(self) -> Segment:
        """The splitters in order."""
        return self.sample[self.spacing - 1 :: self.spacing]

    @property
    def rows(self) -> Segment:
        """The rows in the order they lie: splitters node by node, then the others."""
        splitters, leaves = self.splitters, 1 << self.depth
        nodes = [
            splitters[place - 1]
            for level in range(self.depth)
            for place in range(leaves >> level + 1, leaves, leaves >> level)
        ]
        return nodes + self.others

    def segments(self, paths: bytes) -> list[Segment]:
        """The leaves, and between them the splitters, in order; none is empty.

        `paths` says for each of the others to which leaf it belongs, from 0 in ascending order.
        """
        step = self.spacing
        leaves = [self.sample[k : k + step - 1] for k in range(0, len(self.sample) + 1, step)]
        append = [leaf.append for leaf in leaves]
        for place, path in zip(self.others, paths, strict=True):
            append[path](place)
        parts = chain([leaves[0]], *zip(([s] for s in self.splitters), leaves[1:], strict=True))
        return [part for part in parts if part]


class Forest:
    """One tree or more, one after another, the deepest first, and how far their rows have come.

    `rows` is how many rows are still to be compared with a splitter of the next level, splitters and
    all. `searching` has a one at each of them but the splitters.
    """

    def __init__(self, trees: Sequence[Tree]) -> None:
        self._depths = [tree.depth for tree in trees]
        sizes = [(1 << tree.depth) - 1 + len(tree.others) for tree in trees]
        self._ends = list(accumulate(sizes))
        self._starts = [end - size for end, size in zip(self._ends, sizes, strict=True)]
        self._outcomes: list[int] = []
        self._select()
        self._at_node = [self.searching]

    def _select(self) -> None:
        level = len(self._outcomes)
        count = sum(depth > level for depth in self._depths)
        self.rows = self._ends[count - 1] if count else 0
        self._roots = _column(self._starts[:count], self.rows)
        firsts = [
            start + (1 << depth) - 1
            for start, depth in zip(self._starts[:count], self._depths, strict=False)
        ]
        ends = _column(self._ends[:count], self.rows + 1)
        self.searching = ends - _column(firsts, self.rows + 1)
        self._inside = (1 << self.rows) - 1 - self._roots

    def splitters(self, column: int) -> int:
        """From a column of all rows the column of their splitters at this level; linear.

        To fill a tree with a bit that stands right after its start, add it to ones all over the
        tree but at the start: a carry turns them all over, and ends at the next tree's start.
        """
        column <<= 1
        filled = self.searching
        inside, roots = self._inside, self._roots << 1
        for node, rows in enumerate(self._at_node, len(self._at_node) - 1):
            filled ^= ((column & roots << node) >> node) + inside & rows
        return filled

    def descend(self, above: int) -> None:
        """Go to the next level; `above` has a one at each row that is above its splitter."""
        self._outcomes.append(above)
        at_node = self._at_node
        self._select()
        self._at_node = [
            rows & side & self.searching for rows in at_node for side in (~above, above)
        ]

    def paths(self) -> Iterable[bytes]:
        """For each tree the leaf of each of its other rows, once all have arrived."""
        deepest = len(self._outcomes)
        digits = table_from_columns(self._outcomes[::-1], self._ends[-1])
        shifts = [bytes(path >> shift for path in range(256)) for shift in range(deepest)]
        for depth, start, end in zip(self._depths, self._starts, self._ends, strict=True):
            first = start + (1 << depth) - 1
            yield digits[first:end].translate(shifts[deepest - depth])


def _column(places: Iterable[int], rows: int) -> int:
    digits = bytearray(rows)
    for place in places:
        digits[place] = 1
    return int(digits.translate(_BINARY_DIGITS)[::-1] or b"0", 2)
