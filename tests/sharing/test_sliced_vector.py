"""Every kernel on bit-sliced vectors against the same computation on scalars."""

from functools import reduce
from operator import xor

import pytest
from check_mathematics import from_elements, zero_vector
from hypothesis import given
from hypothesis import strategies as st

from ipa.errors import MismatchError
from ipa.sharing.verification.binary_field import MODULI, BinaryField
from ipa.sharing.verification.shamir import shamir_points
from ipa.sharing.verification.sliced_vector import (
    SlicedVector,
    add,
    combine,
    fold,
    halves,
    inner_product,
    leaf_products,
    multiply,
    product_sum,
    scale,
    to_elements,
)

FIELDS = {degree: BinaryField(degree) for degree in MODULI}


@st.composite
def vectors(
    draw: st.DrawFn, count: int, *, smallest: int = 0
) -> tuple[BinaryField, list[list[int]]]:
    """A field and `count` equally long lists of its elements, of any length 0, 1, 2, 3, .."""
    field = FIELDS[draw(st.sampled_from(sorted(FIELDS)))]
    length = draw(st.integers(smallest, 20) | st.sampled_from([1, 2, 3, 31, 33]))
    element = st.integers(0, field.order - 1)
    lists = st.lists(element, min_size=length, max_size=length)
    return field, [draw(lists) for _ in range(count)]


def dot(field: BinaryField, a: list[int], b: list[int]) -> int:
    return reduce(xor, [field.multiply(p, q) for p, q in zip(a, b, strict=True)], 0)


@given(vectors(2))
def test_slicing_and_adding(case: tuple[BinaryField, list[list[int]]]) -> None:
    field, (a, b) = case
    left, right = from_elements(field, a), from_elements(field, b)
    assert len(left.columns) == field.degree
    assert to_elements(left) == a
    assert to_elements(add(left, right)) == [p ^ q for p, q in zip(a, b, strict=True)]
    assert add(left, left) == zero_vector(field, len(a))
    assert all(
        column >> c & 1 == a[c] >> k & 1
        for k, column in enumerate(left.columns)
        for c in range(len(a))
    )


@given(st.sampled_from(sorted(FIELDS)), st.integers(1, 70), st.integers(0, 70), st.data())
def test_combine_is_a_weighted_sum_of_bits(
    degree: int, length: int, count: int, data: st.DataObject
) -> None:
    field = FIELDS[degree]
    block, weight = st.integers(0, (1 << length) - 1), st.integers(0, field.order - 1)
    blocks = data.draw(st.lists(block, min_size=count, max_size=count))
    weights = data.draw(st.lists(weight, min_size=count, max_size=count))
    expected = [
        reduce(xor, [w for w, block in zip(weights, blocks, strict=True) if block >> c & 1], 0)
        for c in range(length)
    ]
    assert to_elements(combine(field, blocks, weights, length)) == expected


@given(vectors(2, smallest=1))
def test_scaling_and_elementwise_products(case: tuple[BinaryField, list[list[int]]]) -> None:
    field, (a, b) = case
    left, right = from_elements(field, a), from_elements(field, b)
    assert to_elements(scale(field, left, b[0])) == [field.multiply(p, b[0]) for p in a]
    expected = [field.multiply(p, q) for p, q in zip(a, b, strict=True)]
    assert to_elements(multiply(field, left, right)) == expected


@given(vectors(6))
def test_sums_of_products_over_pairs(case: tuple[BinaryField, list[list[int]]]) -> None:
    field, lists = case
    sliced = [from_elements(field, elements) for elements in lists]
    for count in range(4):
        pairs = list(zip(sliced[:count], sliced[3 : 3 + count], strict=True))
        plain = list(zip(lists[:count], lists[3 : 3 + count], strict=True))
        expected = reduce(xor, [dot(field, a, b) for a, b in plain], 0)
        assert inner_product(field, pairs) == expected
        assert reduce(xor, to_elements(product_sum(field, pairs)), 0) == expected


def test_no_pairs_have_an_empty_sum() -> None:
    field = FIELDS[8]
    assert list(leaf_products([])) == []
    assert inner_product(field, []) == 0
    assert product_sum(field, []) == zero_vector(field, 0)


@given(vectors(6))
def test_shamir_shares_multiply_locally(case: tuple[BinaryField, list[list[int]]]) -> None:
    # x and y in three summands each; helper i has summands i and i + 1 of both.
    field, lists = case
    summands = [from_elements(field, elements) for elements in lists]
    length = len(lists[0])
    units = [1 << k for k in range(field.degree)]
    points = shamir_points(field, {1: 1, 2: field.omega, 3: field.omega ^ 1})

    def shares(parts: list[SlicedVector]) -> list[SlicedVector]:
        return [
            combine(
                field,
                parts[i].columns + parts[(i + 1) % 3].columns,
                field.scale_each(units, points.own[i + 1])
                + field.scale_each(units, points.right[i + 1]),
                length,
            )
            for i in range(3)
        ]

    x, y = shares(summands[:3]), shares(summands[3:])
    plain_x, plain_y = (
        [a ^ b ^ c for a, b, c in zip(*part, strict=True)] for part in (lists[:3], lists[3:])
    )
    products = [inner_product(field, [pair]) for pair in zip(x, y, strict=True)]
    # at the points of GF(4)* the shares at zero are simply added
    assert set(points.at_zero.values()) == {1}
    assert reduce(xor, products) == dot(field, plain_x, plain_y)
    assert to_elements(reduce(add, x)) == plain_x
    line = [scale(field, share, points.leading[i]) for i, share in enumerate(x, 1)]
    assert reduce(add, line) == zero_vector(field, length)


@given(vectors(1, smallest=1), st.integers(1, 5), st.data())
def test_fold_is_the_multilinear_extension_of_the_padded_vector(
    case: tuple[BinaryField, list[list[int]]], chunks: int, data: st.DataObject
) -> None:
    field, (first,) = case
    element = st.integers(0, field.order - 1)
    more = st.lists(element, min_size=len(first), max_size=len(first))
    lists = [first] + [data.draw(more) for _ in range(chunks - 1)]
    point = data.draw(element)
    low, high = halves([from_elements(field, elements) for elements in lists])
    if chunks == 1:
        half = (len(first) + 1) // 2
        plain_low, plain_high = [first[:half]], [first[half:] + [0] * (len(first) % 2)]
    else:
        half = (chunks + 1) // 2
        plain_low = lists[:half]
        plain_high = lists[half:] + [[0] * len(first)] * (chunks % 2)
    assert [to_elements(v) for v in low] == plain_low
    assert [to_elements(v) for v in high] == plain_high
    assert [to_elements(v) for v in fold(field, low, high, point)] == [
        [field.multiply(1 ^ point, p) ^ field.multiply(point, q) for p, q in zip(a, b, strict=True)]
        for a, b in zip(plain_low, plain_high, strict=True)
    ]


def test_long_columns_agree_with_their_pieces() -> None:
    field = FIELDS[64]
    length, cut = 5000, 1777
    columns = [(3**k << 4000 | 7 ** (1000 + k)) % (1 << length) for k in range(128)]
    a, b = SlicedVector(tuple(columns[:64]), length), SlicedVector(tuple(columns[64:]), length)

    def piece(vector: SlicedVector, start: int, end: int) -> SlicedVector:
        mask = (1 << end - start) - 1
        return SlicedVector(tuple(c >> start & mask for c in vector.columns), end - start)

    pieces = [
        (piece(a, start, end), piece(b, start, end)) for start, end in ((0, cut), (cut, length))
    ]
    expected = dot(field, to_elements(a), to_elements(b))
    assert inner_product(field, [(a, b)]) == expected != 0
    assert reduce(xor, [inner_product(field, [pair]) for pair in pieces]) == expected


def test_lengths_must_agree_and_columns_stay_out_of_repr() -> None:
    field = FIELDS[8]
    a, b = zero_vector(field, 2), zero_vector(field, 3)
    with pytest.raises(MismatchError, match=r"\[2, 3\]"):
        add(a, b)
    with pytest.raises(MismatchError, match=r"\[2, 3\]"):
        inner_product(field, [(a, b)])
    with pytest.raises(MismatchError, match=r"\[2, 3\]"):
        product_sum(field, [(a, a), (b, b)])
    assert repr(from_elements(field, [77])) == "SlicedVector(length=1)"
