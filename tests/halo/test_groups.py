"""The groups are groups of the stated order; P-256 is the standard's; ElGamal needs every key."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from ipa.errors import ParameterError
from ipa.halo.elgamal import (
    add,
    combined_key,
    decrypt,
    encrypt,
    from_bytes,
    random_scalar,
    rerandomise,
    scale,
    subtract,
    to_bytes,
    trivial,
)
from ipa.halo.group import P256_ORDER, ClearGroup, Group
from ipa.halo.groups import group_by_name
from ipa.halo.p256 import GENERATOR, P256, PythonP256
from ipa.sharing.randomness import Randomness

NAMES = ["p256", "p256-python", "clear"]
GROUPS = st.sampled_from(NAMES).map(group_by_name)
EDGES = [0, 1, 2, 3, 31, P256_ORDER - 2, P256_ORDER - 1, P256_ORDER, P256_ORDER + 5]
SCALARS = st.sampled_from(EDGES) | st.integers(0, P256_ORDER - 1) | st.integers(0, 100)


@given(GROUPS, SCALARS, SCALARS, SCALARS)
@settings(max_examples=40)
def test_multiples_of_the_generator_add_like_numbers(
    group: Group[Any], a: int, b: int, c: int
) -> None:
    first, second = group.multiply_generator(a), group.multiply_generator(b)
    assert group.add(first, second) == group.multiply_generator(a + b)
    assert group.multiply(c, first) == group.multiply_generator(a * c)
    assert group.add(first, group.negate(first)) == group.identity
    assert group.add(first, group.identity) == group.add(group.identity, first) == first
    assert group.multiply(c, group.identity) == group.identity
    assert group.from_bytes(group.to_bytes(first)) == first
    assert len(group.to_bytes(first)) == group.element_bytes


@given(SCALARS, SCALARS)
@settings(max_examples=20)
def test_both_multiplications_on_the_curve_agree(a: int, b: int) -> None:
    point = PythonP256().multiply_generator(a)
    assert P256().multiply_generator(a) == point
    assert P256().multiply(b, point) == PythonP256().multiply(b, point)


@pytest.mark.parametrize("scalar", [1, 2, 3, 112233445566778899, P256_ORDER - 1])
def test_the_curve_is_the_library_s(scalar: int) -> None:
    numbers = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
    assert PythonP256().multiply_generator(scalar) == (numbers.x, numbers.y)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_is_the_order(name: str) -> None:
    group = group_by_name(name)
    assert (group.name, group.order) == (name, P256_ORDER)
    assert group.multiply(P256_ORDER, group.generator) == group.identity
    assert group.multiply_generator(1) == group.generator != group.identity


@pytest.mark.parametrize("name", NAMES)
def test_labels_hash_to_elements(name: str) -> None:
    group = group_by_name(name)
    elements = [group.hash_to_element(f"label {n}") for n in range(20)]
    assert len(set(elements)) == 20
    assert group.hash_to_element("label 0") == elements[0]
    for element in elements:
        assert group.from_bytes(group.to_bytes(element)) == element != group.identity
        assert group.multiply(P256_ORDER, element) == group.identity


@pytest.mark.parametrize(
    ("group", "data"),
    [
        (PythonP256(), b""),
        (PythonP256(), bytes(63)),
        (PythonP256(), bytes(65)),
        (PythonP256(), bytes(63) + b"\1"),
        (PythonP256(), b"\xff" * 64),
        (PythonP256(), GENERATOR[0].to_bytes(32, "big") + (5).to_bytes(32, "big")),
        (ClearGroup(), bytes(31)),
        (ClearGroup(), P256_ORDER.to_bytes(32, "big")),
    ],
)
def test_bytes_that_are_no_element_are_refused(group: Group[Any], data: bytes) -> None:
    with pytest.raises(ParameterError, match="bytes are no"):
        group.from_bytes(data)


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(
        ParameterError, match="must be p256, p256-python, ed25519, clear, not 'p384'"
    ):
        group_by_name("p384")


def keys_of(group: Group[Any], count: int, randomness: Randomness) -> tuple[list[int], Any]:
    secrets = [random_scalar(group, randomness) for _ in range(count)]
    return secrets, combined_key(group, [group.multiply_generator(secret) for secret in secrets])


def decrypted(group: Group[Any], secrets: list[int], ciphertext: tuple[Any, Any]) -> Any:
    for secret in secrets:
        ciphertext = decrypt(group, secret, ciphertext)
    return ciphertext[1]


@given(st.sampled_from(["p256", "clear"]), st.integers(1, 3), st.integers(0, 2**32))
@settings(max_examples=15)
def test_elgamal_needs_every_key_and_computes_underneath(name: str, count: int, seed: int) -> None:
    group = group_by_name(name)
    randomness = Randomness.from_seed(seed, "elgamal")
    secrets, key = keys_of(group, count, randomness)
    m, n = (group.hash_to_element(f"{label} {seed}") for label in "mn")
    first, second = (encrypt(group, key, element, randomness) for element in (m, n))
    assert decrypted(group, secrets, first) == decrypted(group, secrets[::-1], first) == m
    for missing in range(count):
        assert decrypted(group, secrets[:missing] + secrets[missing + 1 :], first) != m
    assert decrypted(group, secrets, add(group, first, second)) == group.add(m, n)
    assert decrypted(group, secrets, subtract(group, first, first)) == group.identity
    assert decrypted(group, secrets, subtract(group, first, trivial(group, n))) == group.add(
        m, group.negate(n)
    )
    assert decrypted(group, secrets, scale(group, 7, first)) == group.multiply(7, m)
    again = rerandomise(group, key, first, randomness)
    assert decrypted(group, secrets, again) == m
    assert not set(again) & set(first)
    assert encrypt(group, key, m, randomness) != first
    assert from_bytes(group, to_bytes(group, [first, again])) == [first, again]


def test_cut_ciphertexts_are_refused() -> None:
    with pytest.raises(ParameterError, match="63 bytes are no ciphertexts of 64 bytes"):
        from_bytes(ClearGroup(), bytes(63))
    with pytest.raises(ParameterError, match="32 bytes are no ciphertexts of 64 bytes"):
        from_bytes(ClearGroup(), bytes(32))


def test_scalars_are_never_zero() -> None:
    class Small(ClearGroup):
        order = 3

    randomness = Randomness.from_seed(1, "scalars")
    assert {random_scalar(Small(), randomness) for _ in range(50)} == {1, 2}
