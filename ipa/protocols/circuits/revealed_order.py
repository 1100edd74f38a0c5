"""The order of shuffled rows, found by opening comparisons: a sample sort, all segments at once.

The numbers compared all differ, and the rows were shuffled, so the rank of each place is a uniformly
random permutation, whatever the numbers are. Every opened bit says which of two public places has
the higher rank, and which places come next is computed from the bits opened before. So all that is opened,
and with it the number of rounds and the size of every message, is a function of that permutation
(Hamada et al. 2012, section 4; SPEC_NOTES: revealed-order).

At any time the rows fall into segments, which stand in order one after another. A long segment is
divided by a search tree: a sample of its rows is sorted by comparing all pairs, some of these rows
become splitters, and the other rows find their place between them level by level. When little is
left, all pairs of every segment are compared at once.
"""

from collections.abc import Iterable
from itertools import chain, filterfalse

from ipa.errors import MismatchError, VerificationError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.comparison import bit_at_first_difference
from ipa.protocols.circuits.constants import public_columns
from ipa.protocols.primitives.opening import open_bits
from ipa.protocols.verification.product_check import check_products
from ipa.sharing.bits import columns_from_rows, ones
from ipa.sharing.rows.all_pairs import first_and_second, in_order, lay_out
from ipa.sharing.rows.search_trees import Forest, Segment, Tree
from ipa.sharing.rows.shared_rows import SharedRows
from ipa.sharing.shared_bits import SharedBits

Run = tuple[int, int]
"""Where a segment of at least two rows starts and stops in the order found so far."""

# Measured for 65,536 rows: more pairs cost gates, fewer cost levels and moves of rows.
_SHORT = 8  # rows; a segment of no more is left for the last level
_PAIRS_PER_ROW = 3  # when this is all that is left, it is compared in one level
_FEW_PAIRS = 1 << 13  # or this: it takes as long as a level of few rows
_FAR = 1 << 13  # rows apart; in a longer segment they are slow to gather from memory
_TREES = ((16384, 5, 2), (512, 4, 2), (100, 3, 2), (32, 2, 2), (13, 2, 1), (0, 1, 1))
"""(rows, depth, spacing): the tree of a segment that has at least so many rows. Every spacing-th row
of its sorted sample is a splitter, 2^depth - 1 of them."""


def reveal_order(network: HelperPartyNetwork, table: SharedRows, width: int) -> list[int]:
    """The places of the rows in ascending order of their lowest `width` bits, in the clear.

    The rows of `table` must come from a shuffle, and these bits must differ in any two of them: else
    what is opened says more than a random permutation.

    Cost: a level is one comparison of all rows concerned, with ceil(log2 width) + 1 rounds, and a
    check of products in a malicious-secure network. For n rows about 1.2 n log2 n + 8,192
    comparisons at most: their number depends on the order.
    Reveals: the order, and nothing else.
    Raises: VerificationError, before anything is opened that depends on a wrong product; in a
    semi-honest network, which does not check products, for outcomes that no order has.
    """
    order = list(range(table.rows))
    places = list(order)  # where a row of the moved table was in the given one
    runs = [(0, table.rows)] if table.rows > 1 else []
    enough = max(_PAIRS_PER_ROW * table.rows, _FEW_PAIRS)
    while sum(map(_pairs, runs)) > enough and any(map(_is_long, runs)):
        longest = max(stop - start for start, stop in runs)
        runs = _divide(network, table, width, order, runs)
        _trace(network, places, order)
        if longest > _FAR:
            table, places = table.move(order), [places[row] for row in order]
            order = list(range(table.rows))
    segments = [order[start:stop] for start, stop in runs]
    for (start, stop), segment in zip(runs, _sort(network, table, width, segments), strict=True):
        order[start:stop] = segment
    _trace(network, places, order)
    return [places[row] for row in order]


def _trace(network: HelperPartyNetwork, places: list[int], order: list[int]) -> None:
    """Hand out the order found so far, which all helpers know: the place of each row in the given table."""
    if network.is_traced and order:
        columns = columns_from_rows([places[row] for row in order], (len(order) - 1).bit_length())
        network.trace(order=public_columns(network, len(order), columns))


def _pairs(run: Run) -> int:
    size = run[1] - run[0]
    return size * (size - 1) // 2


def _is_long(run: Run) -> bool:
    return run[1] - run[0] > _SHORT


def _divide(
    network: HelperPartyNetwork, table: SharedRows, width: int, order: list[int], runs: list[Run]
) -> list[Run]:
    """Divide every long run by a search tree; the runs that are left."""
    long = sorted(filter(_is_long, runs), key=_pairs, reverse=True)
    left = list(filterfalse(_is_long, runs))
    shapes = [_shape(stop - start) for start, stop in long]
    sample_sizes = [(spacing << depth) - 1 for depth, spacing in shapes]
    samples = [order[run[0] : run[0] + size] for run, size in zip(long, sample_sizes, strict=True)]
    trees = [
        Tree(*shape, sample, order[start + len(sample) : stop])
        for shape, sample, (start, stop) in zip(
            shapes, _sort(network, table, width, samples), long, strict=True
        )
    ]
    for (place, _), tree, paths in zip(
        long, trees, _search(network, table, width, trees), strict=True
    ):
        for segment in tree.segments(paths):
            stop = place + len(segment)
            order[place:stop] = segment
            if len(segment) > 1:
                left.append((place, stop))
            place = stop
    return left


def _shape(rows: int) -> tuple[int, int]:
    return next((depth, spacing) for least, depth, spacing in _TREES if rows >= least)


def _search(
    network: HelperPartyNetwork, table: SharedRows, width: int, trees: list[Tree]
) -> Iterable[bytes]:
    """The leaf of every tree's rows: each level, all rows are compared with their splitters."""
    forest = Forest(trees)
    keys = table.take(list(chain.from_iterable(tree.rows for tree in trees)), width)
    while forest.rows:
        keys = keys.take_rows(0, forest.rows)
        splitters = keys.map_columns(keys.rows, forest.splitters)
        forest.descend(_open_comparison(network, keys, splitters, forest.searching))
    return forest.paths()


def _sort(
    network: HelperPartyNetwork, table: SharedRows, width: int, segments: list[Segment]
) -> list[Segment]:
    """Each segment in order, by comparing all pairs of its rows, in one level."""
    groups, places = lay_out(segments)
    pairs = sum(group.pairs for group in groups)
    if not pairs:
        return segments
    keys = table.take(places, width)
    first, second = (keys.map_columns(pairs, change) for change in first_and_second(groups))
    outcomes = _open_comparison(network, first, second, ones(pairs))
    try:
        return in_order(segments, groups, outcomes)
    except MismatchError as error:
        raise VerificationError(network.path, str(error), network.helpers) from None


def _open_comparison(network: HelperPartyNetwork, a: SharedBits, b: SharedBits, rows: int) -> int:
    """A public column: whether a > b, where `rows` has a one, and 0 elsewhere.

    Where `rows` has none, a and b are no two rows, and the bit must not be opened.
    """
    with network.step("compare"):
        above = bit_at_first_difference(network, a, b).and_public([rows])
        check_products(network)
        return open_bits(network, above)[0]
