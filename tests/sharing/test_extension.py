"""The extension to {0, 1, inf}^l against its definition, point by point."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipa.errors import MismatchError
from ipa.sharing.verification.extension import (
    extend,
    extend_in_pieces,
    extended_products,
    finite_points,
    infinite_points,
)


def value_at(blocks: list[int], point: tuple[int, ...]) -> int:
    """The extension at one point, point[b] for variable b, 2 meaning infinity."""
    total = 0
    for s, block in enumerate(blocks):
        # 1 + t and t at t = 0, 1 and the coefficients of t, both 1, at infinity
        if all(digit == 2 or digit == (s >> b & 1) for b, digit in enumerate(point)):
            total ^= block
    return total


def points(variables: int) -> list[tuple[int, ...]]:
    return [digits[::-1] for digits in product(range(3), repeat=variables)]


@st.composite
def block_lists(draw: st.DrawFn, operands: int, variables: int = 5) -> list[list[int]]:
    size = 1 << draw(st.integers(0, variables))
    block = st.integers(0, (1 << draw(st.integers(1, 70))) - 1)
    return [draw(st.lists(block, min_size=size, max_size=size)) for _ in range(operands)]


@given(block_lists(1))
def test_extend_is_the_multilinear_extension_in_ternary_order(lists: list[list[int]]) -> None:
    (blocks,) = lists
    variables = len(blocks).bit_length() - 1
    values = extend(blocks)
    assert values == [value_at(blocks, point) for point in points(variables)]
    assert [values[e] for e in finite_points(variables)] == blocks


@given(block_lists(2), st.sampled_from([1, 1 << 12, 1 << 14, 1 << 20]))
def test_pieces_make_up_the_whole(lists: list[list[int]], length: int) -> None:
    """However long the columns, which decides how many there are in a piece."""
    wholes: list[list[int]] = [[], []]
    for piece in extend_in_pieces(lists, length):
        assert len(piece[0]) == 1 or length < 1 << 20
        for whole, part in zip(wholes, piece, strict=True):
            whole += part
    assert wholes == [extend(blocks) for blocks in lists]


@pytest.mark.parametrize("variables", range(7))
def test_points_are_split_into_finite_and_infinite(variables: int) -> None:
    infinite = infinite_points(variables)
    assert infinite == tuple(e for e, point in enumerate(points(variables)) if 2 in point)
    assert sorted(infinite + finite_points(variables)) == list(range(3**variables))


@given(block_lists(12))
def test_product_shares_of_three_helpers_add_up(lists: list[list[int]]) -> None:
    """One factor and three columns that it multiplies."""
    x, ys = lists[:3], [lists[3:6], lists[6:9], lists[9:]]
    variables = len(x[0]).bit_length() - 1
    totals = [[0] * (3**variables - 2**variables) for _ in ys]
    for i in range(3):
        shares: list[list[int]] = [[] for _ in ys]
        pairs = [(y[i], y[(i + 1) % 3]) for y in ys]
        for piece in extended_products((x[i], x[(i + 1) % 3]), pairs, 1 << 14):
            for of_product, columns in zip(shares, piece, strict=True):
                of_product += columns
        totals = [
            [a ^ b for a, b in zip(total, share, strict=True)]
            for total, share in zip(totals, shares, strict=True)
        ]
    plain_x = extend([a ^ b ^ c for a, b, c in zip(*x, strict=True)])
    for y, total in zip(ys, totals, strict=True):
        plain_y = extend([a ^ b ^ c for a, b, c in zip(*y, strict=True)])
        assert total == [plain_x[e] & plain_y[e] for e in infinite_points(variables)]


@pytest.mark.parametrize("size", [0, 3, 6])
def test_block_numbers_must_fill_a_cube(size: int) -> None:
    with pytest.raises(MismatchError, match="power of two"):
        extend([0] * size)
