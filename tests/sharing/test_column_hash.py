"""The GHASH weights of the batch check against the definition of GHASH."""

from functools import reduce
from operator import xor

import pytest
from check_mathematics import from_elements, sum_of_products
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from ipa.errors import MismatchError, ParameterError
from ipa.sharing.verification.binary_field import MODULI, BinaryField
from ipa.sharing.verification.column_hash import ColumnHash
from ipa.sharing.verification.sliced_vector import to_elements

FIELDS = {degree: BinaryField(degree) for degree in MODULI}
KEYS = st.binary(min_size=16, max_size=16)
LENGTHS = st.integers(0, 300) | st.sampled_from([1, 2, 3, 127, 128, 129, 1025])


@given(st.sampled_from(sorted(FIELDS)), KEYS, LENGTHS, st.data())
def test_a_hash_is_the_sum_of_the_weights_of_its_ones(
    degree: int, key: bytes, length: int, data: st.DataObject
) -> None:
    column_hash = ColumnHash(FIELDS[degree], key, length)
    weights = to_elements(column_hash.weights())
    columns = data.draw(st.lists(st.integers(0, (1 << length) - 1), max_size=4))
    expected = [
        reduce(xor, [w for c, w in enumerate(weights) if column >> c & 1], 0) for column in columns
    ]
    assert column_hash.sums(columns) == expected
    size = (length + 7) // 8
    in_bytes = [column.to_bytes(size, "little") for column in columns]
    assert column_hash.sums_of_bytes(in_bytes) == expected
    assert column_hash.sums_of_bytes(data.rstrip(b"\0") for data in in_bytes) == expected
    assert all(column < 1 << length for column in column_hash.weights().columns)


@given(st.sampled_from(sorted(FIELDS)), KEYS, st.integers(0, 200), st.data())
def test_weighted_sum_of_a_vector(
    degree: int, key: bytes, length: int, data: st.DataObject
) -> None:
    field = FIELDS[degree]
    element = st.integers(0, field.order - 1)
    elements = data.draw(st.lists(element, min_size=length, max_size=length))
    column_hash = ColumnHash(field, key, length)
    weights = to_elements(column_hash.weights())
    expected = sum_of_products(field, weights, elements)
    assert column_hash.weighted_sum(from_elements(field, elements)) == expected


def test_weights_are_those_of_the_gcm_specification() -> None:
    # The top bit of a block's first byte is x^0: the weight in the last block is H^2 (H belongs to
    # the block of lengths), and GMAC of that single block gives H^2 as a difference of two tags.
    key = bytes(range(16))
    column_hash = ColumnHash(FIELDS[64], key, 128)
    gcm = AESGCM(key)
    tags = [gcm.encrypt(bytes(12), b"", block) for block in (b"\x80" + bytes(15), bytes(16))]
    difference = int.from_bytes(tags[0], "big") ^ int.from_bytes(tags[1], "big")
    assert to_elements(column_hash.weights())[7] == difference >> 64


def test_weights_differ_between_keys_and_columns() -> None:
    weights = [
        weight
        for first in range(4)
        for weight in to_elements(ColumnHash(FIELDS[64], bytes([first] * 16), 700).weights())
    ]
    assert len(set(weights)) == 4 * 700


def test_a_key_has_sixteen_bytes() -> None:
    with pytest.raises(ParameterError, match="16 bytes, not 15"):
        ColumnHash(FIELDS[64], bytes(15), 8)


def test_a_column_must_fit() -> None:
    column_hash = ColumnHash(FIELDS[64], bytes(16), 5)
    with pytest.raises(MismatchError, match="more than 5 bits"):
        column_hash.sums([31, 32])
    with pytest.raises(MismatchError, match="more than 16 bytes"):
        column_hash.sums_of_bytes([bytes(16), bytes(17)])
