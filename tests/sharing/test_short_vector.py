"""Short vectors against the same vectors in bit slices and against scalars."""

from functools import reduce
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipa.sharing.verification import short_vector
from ipa.sharing.verification.binary_field import MODULI, BinaryField

FIELDS = [BinaryField(degree) for degree in MODULI]


@st.composite
def two_vectors(draw: st.DrawFn) -> tuple[BinaryField, list[int], list[int]]:
    """A field and two equally long lists of its elements."""
    field = draw(st.sampled_from(FIELDS))
    element = st.integers(0, field.order - 1)
    pairs = draw(st.lists(st.tuples(element, element), max_size=40))
    return field, [a for a, _ in pairs], [b for _, b in pairs]


@given(two_vectors())
def test_the_inner_product_is_that_of_scalars(
    case: tuple[BinaryField, list[int], list[int]],
) -> None:
    field, a, b = case
    expected = reduce(xor, [field.multiply(p, q) for p, q in zip(a, b, strict=True)], 0)
    assert short_vector.inner_product(field, a, b) == expected


@given(two_vectors(), st.integers(0, (1 << 64) - 1))
def test_adding_and_folding(case: tuple[BinaryField, list[int], list[int]], coin: int) -> None:
    field, low, high = case
    point = coin % field.order
    assert short_vector.add(low, high) == [p ^ q for p, q in zip(low, high, strict=True)]
    assert short_vector.fold(field, low, high, point) == [
        p ^ field.multiply(point, p ^ q) for p, q in zip(low, high, strict=True)
    ]


def test_counts_of_all_ones_do_not_run_into_each_other() -> None:
    """64 is the most that a byte counts to in one product; hundreds are added up."""
    field, largest = BinaryField(64), (1 << 64) - 1
    square = field.multiply(largest, largest)
    for count in (1, 2, 511, 512):
        vector = [largest] * count
        assert short_vector.inner_product(field, vector, vector) == (square if count % 2 else 0)


def test_lengths_must_agree() -> None:
    for combine in (short_vector.add, lambda a, b: short_vector.inner_product(FIELDS[0], a, b)):
        with pytest.raises(ValueError, match="zip"):
            combine([1, 2], [1])
