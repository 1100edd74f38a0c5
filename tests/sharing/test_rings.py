"""Rings: arithmetic like Python's, canonical elements, elements as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import RINGS, below, examples

from ipa.errors import ParameterError
from ipa.sharing.rings import (
    PRIMALITY_BOUND,
    PRIME_FIELD,
    IntegersModulo,
    decode_elements,
    encode_elements,
    modulo_power_of_two,
)


@examples(100)
@given(st.data(), RINGS)
def test_arithmetic_is_modular(data: st.DataObject, ring: IntegersModulo) -> None:
    m = ring.modulus
    a, b = data.draw(below(m)), data.draw(below(m))
    assert ring.add(a, b) == (a + b) % m
    assert ring.subtract(a, b) == (a - b) % m
    assert ring.multiply(a, b) == a * b % m
    assert all(map(ring.contains, (0, m - 1, ring.add(a, b), ring.subtract(a, b))))
    assert not ring.contains(-1)
    assert not ring.contains(m)


@examples(100)
@given(st.data(), RINGS)
def test_samples_are_reduced_and_reach_everything(
    data: st.DataObject, ring: IntegersModulo
) -> None:
    assert ring.sample_bytes >= ring.element_bytes + 16
    element = data.draw(below(ring.modulus))
    multiple = data.draw(st.integers(0, 2**100)) * ring.modulus
    assert ring.sample((element + multiple).to_bytes(ring.sample_bytes, "little")) == element


@examples(100)
@given(st.data(), RINGS)
def test_elements_as_bytes_round_trip(data: st.DataObject, ring: IntegersModulo) -> None:
    elements = data.draw(st.lists(below(ring.modulus), max_size=9))
    payload = encode_elements(ring, elements)
    assert len(payload) == len(elements) * ring.element_bytes
    assert decode_elements(ring, payload) == elements
    assert 256 ** (ring.element_bytes - 1) < ring.modulus <= 256**ring.element_bytes


@given(st.integers(1, 200))
def test_powers_of_two(bits: int) -> None:
    ring = modulo_power_of_two(bits)
    assert ring.modulus == 2**bits
    assert ring.name == f"Z/2^{bits}"
    assert ring == IntegersModulo(2**bits)


def test_names_tell_rings_apart() -> None:
    assert IntegersModulo(7).name == "Z/7"
    assert IntegersModulo(9).name == "Z/9"
    assert PRIME_FIELD.modulus == 2**61 - 1
    assert IntegersModulo(7) != IntegersModulo(8)


@pytest.mark.parametrize("modulus", [1, 0, -5, True, 7.0])
def test_a_modulus_below_two_is_refused(modulus: int) -> None:
    with pytest.raises(ParameterError, match="at least 2"):
        IntegersModulo(modulus)


# The least composite numbers that pass Miller-Rabin with the first 1, 2, .., 12 primes as bases
# (Sorenson and Webster 2015).
STRONG_PSEUDOPRIMES = [
    2047,
    1373653,
    25326001,
    3215031751,
    2152302898747,
    3474749660383,
    341550071728321,
    3825123056546413051,
    318665857834031151167461,
]


@pytest.mark.parametrize("modulus", [*STRONG_PSEUDOPRIMES, 4, 9, 15, 561, 1 << 40, 37 * 41])
def test_a_composite_modulus_is_no_field(modulus: int) -> None:
    assert not IntegersModulo(modulus).is_field


@pytest.mark.parametrize("modulus", [2, 3, 41, 43, 2**31 - 1, 2**61 - 1, 2**64 - 59, 2**80 - 65])
def test_a_prime_modulus_is_a_field(modulus: int) -> None:
    assert IntegersModulo(modulus).is_field


def test_small_moduli_are_fields_if_they_have_no_divisor() -> None:
    for modulus in range(2, 3000):
        is_prime = all(modulus % divisor for divisor in range(2, int(modulus**0.5) + 1))
        assert IntegersModulo(modulus).is_field == is_prime


@pytest.mark.parametrize("modulus", [PRIMALITY_BOUND, PRIMALITY_BOUND + 2, 2**89 - 1, 3 << 100])
def test_a_modulus_whose_primality_is_not_certain_is_refused(modulus: int) -> None:
    with pytest.raises(ParameterError, match="a modulus must be below 3317044064679887385961981"):
        IntegersModulo(modulus)
    assert IntegersModulo(PRIMALITY_BOUND - 2).modulus == PRIMALITY_BOUND - 2
    assert not IntegersModulo(1 << 200).is_field
