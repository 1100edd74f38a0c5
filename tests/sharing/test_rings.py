"""Rings: arithmetic like Python's, canonical elements, elements as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import RINGS, below, examples

from ipa.errors import ParameterError
from ipa.sharing.rings import (
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


@pytest.mark.parametrize("modulus", [1, 0, -5])
def test_a_modulus_below_two_is_refused(modulus: int) -> None:
    with pytest.raises(ParameterError, match="at least 2"):
        IntegersModulo(modulus)
