"""Search trees and pairs over shuffled rows, on public numbers in the place of secret ones."""

from bisect import bisect
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from ipa.sharing.rows.all_pairs import first_and_second, in_order, lay_out
from ipa.sharing.rows.search_trees import Forest, Tree

Randoms = st.randoms(use_true_random=False)


def test_the_rows_of_a_tree_lie_node_by_node() -> None:
    """Seven splitters, every second row of the sample; the root is the middle one."""
    tree = Tree(3, 2, list(range(15)), [20, 21, 22])
    assert tree.splitters == [1, 3, 5, 7, 9, 11, 13]
    assert tree.rows == [7, 3, 11, 1, 5, 9, 13, 20, 21, 22]
    assert tree.segments(bytes([7, 0, 7])) == [
        *([0, 21], [1], [2], [3], [4], [5], [6], [7], [8], [9], [10], [11], [12], [13]),
        [14, 20, 22],
    ]
    assert Tree(1, 1, [5], [3, 8]).segments(bytes([1, 1])) == [[5], [3, 8]]


@examples(60)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=5), Randoms)
def test_every_row_finds_its_leaf(shapes: list[tuple[int, int]], randoms: object) -> None:
    """Places are ranks here, so that a row is above its splitter when its place is larger."""
    trees, start = [], 0
    for depth, spacing in sorted(shapes, reverse=True):
        size = (spacing << depth) - 1
        places = list(range(start, start + size + randoms.randrange(20)))  # type: ignore[attr-defined]
        randoms.shuffle(places)  # type: ignore[attr-defined]
        trees.append(Tree(depth, spacing, sorted(places[:size]), places[size:]))
        start += len(places)
    layout = [place for tree in trees for place in tree.rows]
    forest, level = Forest(trees), 0
    while forest.rows:
        deep = [tree for tree in trees if tree.depth > level]
        assert forest.rows == sum(len(tree.rows) for tree in deep)
        rows = layout[: forest.rows]
        columns = [sum((p >> k & 1) << r for r, p in enumerate(rows)) for k in range(9)]
        found = [forest.splitters(column) for column in columns]
        assert all(not column & ~forest.searching for column in found)
        assert forest.searching.bit_count() == sum(len(tree.others) for tree in deep)
        above = 0
        for row, place in enumerate(rows):
            if forest.searching >> row & 1:
                splitter = sum((column >> row & 1) << k for k, column in enumerate(found))
                assert splitter in layout
                above |= (place > splitter) << row
        forest.descend(above)
        level += 1
    for tree, paths in zip(trees, forest.paths(), strict=True):
        assert list(paths) == [bisect(tree.splitters, place) for place in tree.others]
        segments = tree.segments(paths)
        assert [min(segment) for segment in segments] == sorted(map(min, segments))
        assert sorted(p for s in segments for p in s) == sorted(tree.sample + tree.others)


@examples(60)
@given(st.lists(st.integers(0, 9), max_size=12), Randoms)
def test_all_pairs(sizes: list[int], randoms: object) -> None:
    """Every pair of every segment is compared once, and the winners are put last."""
    ranks = list(range(sum(sizes)))
    randoms.shuffle(ranks)  # type: ignore[attr-defined]
    segments = [[ranks.pop() for _ in range(size)] for size in sizes]
    groups, rows = lay_out(segments)
    assert sorted(rows) == sorted(rank for segment in segments for rank in segment)
    first, second = first_and_second(groups)
    columns = [sum((rank >> k & 1) << row for row, rank in enumerate(rows)) for k in range(7)]
    count = sum(group.pairs for group in groups)
    pairs = [
        tuple(
            sum((change(column) >> pair & 1) << k for k, column in enumerate(columns))
            for change in (first, second)
        )
        for pair in range(count)
    ]
    expected = [frozenset(pair) for segment in segments for pair in combinations(segment, 2)]
    assert sorted(map(sorted, map(frozenset, pairs))) == sorted(map(sorted, expected))
    above = sum((a > b) << k for k, (a, b) in enumerate(pairs))
    assert in_order(segments, groups, above) == [sorted(segment) for segment in segments]


def test_a_segment_of_as_many_rows_as_a_byte_counts() -> None:
    segment = list(range(256))[::-1]
    groups, rows = lay_out([segment])
    assert rows == segment
    assert in_order([segment], groups, (1 << groups[0].pairs) - 1) == [sorted(segment)]
