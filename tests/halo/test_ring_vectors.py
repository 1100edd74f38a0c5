"""Vectors modulo q and the seeds they come from."""

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipa.errors import ParameterError
from ipa.halo.ring_vectors import (
    LARGEST_MODULUS,
    SEED_BYTES,
    Keystream,
    add,
    element_bytes,
    from_bytes,
    is_prime,
    modulus_for,
    multiply,
    shuffle,
    subtract,
    to_bytes,
)

SEED = bytes(range(SEED_BYTES))
MODULI = st.sampled_from([2, 7, 8, 127, 251, 256, 257, 1009, 65521])


@given(MODULI, st.integers(0, 300), st.booleans())
def test_elements_are_the_keystream_s_words_in_order(
    modulus: int, count: int, nonzero: bool
) -> None:
    words = Keystream(SEED).random_bytes(20_000)
    width = element_bytes(modulus)
    mask = (1 << (modulus - 1).bit_length()) - 1
    expected: list[int] = []
    for at in range(0, len(words), width):
        element = int.from_bytes(words[at : at + width], "little") & mask
        if element < modulus and (element or not nonzero):
            expected.append(element)
    stream = Keystream(SEED)
    assert stream.elements(count, modulus, nonzero=nonzero) == expected[:count]
    # What was not needed is still there for the next draw.
    assert stream.elements(7, modulus, nonzero=nonzero) == expected[count : count + 7]


@pytest.mark.parametrize("modulus", [7, 127])
def test_elements_are_uniform(modulus: int) -> None:
    counts = Counter(Keystream(SEED).elements(200 * modulus, modulus))
    statistic = sum((counts[k] - 200) ** 2 / 200 for k in range(modulus))
    assert statistic < modulus + 4 * (2 * modulus) ** 0.5
    assert len(counts) == modulus


@given(MODULI, st.data())
def test_arithmetic_and_bytes(modulus: int, data: st.DataObject) -> None:
    element = st.integers(0, modulus - 1)
    pairs = data.draw(st.lists(st.tuples(element, element), max_size=20))
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    assert add(first, second, modulus) == [(a + b) % modulus for a, b in pairs]
    assert subtract(first, second, modulus) == [(a - b) % modulus for a, b in pairs]
    assert multiply(first, second, modulus) == [a * b % modulus for a, b in pairs]
    encoded = to_bytes(first, modulus)
    assert len(encoded) == len(first) * element_bytes(modulus)
    assert from_bytes(encoded, modulus) == first


def test_two_byte_elements_are_little_endian() -> None:
    assert to_bytes([1, 0x0203], 1009) == b"\1\0\3\2"
    with pytest.raises(ParameterError, match="not below the modulus 127"):
        from_bytes(b"\1\x7f", 127)
    with pytest.raises(ParameterError, match="3 bytes are no elements of 2 bytes"):
        from_bytes(b"\1\0\3", 1009)


def test_every_permutation_is_as_likely() -> None:
    counts = Counter(
        tuple(shuffle([1, 2, 3, 4], bytes([n % 256, n // 256]) + SEED[2:])) for n in range(4800)
    )
    assert set(counts) == set(permutations([1, 2, 3, 4]))
    assert sum((seen - 200) ** 2 / 200 for seen in counts.values()) < 23 + 4 * 46**0.5


@given(st.lists(st.integers(0, 5), max_size=9))
def test_a_shuffle_keeps_the_multiset_and_depends_on_the_seed_alone(values: list[int]) -> None:
    places = shuffle(range(len(values)), SEED)
    assert shuffle(values, SEED) == [values[place] for place in places]
    assert sorted(places) == list(range(len(values)))


def test_primes() -> None:
    assert [n for n in range(30) if is_prime(n)] == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]


def test_the_modulus_is_a_prime_with_room_for_a_sentinel() -> None:
    assert [modulus_for(largest) for largest in (0, 125, 126, 250)] == [127, 127, 131, 257]
    assert modulus_for(LARGEST_MODULUS - 16) == 65521
    with pytest.raises(ParameterError, match="more than 16 bits"):
        modulus_for(LARGEST_MODULUS - 15)
    with pytest.raises(ParameterError, match="a seed has 48 bytes, not 5"):
        Keystream(b"short")
