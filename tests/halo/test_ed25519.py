"""The group of Ed25519 by PyNaCl: the standard's, of prime order, and as good as the others."""

import json
import sys
from hashlib import sha512
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from legions_cases import UPSTREAM, counted, parameters_of

from ipa.commands.command_line import main
from ipa.errors import ParameterError
from ipa.halo.elgamal import combined_key, decrypt, encrypt, random_scalar
from ipa.halo.groups import group_by_name
from ipa.halo.measurement import run_measurement
from ipa.halo.specification import MeasurementSpecification
from ipa.halo.workload import generate_impressions
from ipa.sharing.randomness import Randomness

bindings: Any = pytest.importorskip("nacl.bindings")

GROUP = group_by_name("ed25519")
EDGES = [0, 1, 2, 8, GROUP.order - 1, GROUP.order, GROUP.order + 5]
SCALARS = st.sampled_from(EDGES) | st.integers(0, GROUP.order - 1)

# A point of order 8, a point of order 2 (RFC 8032's encoding), and y = 1 + p, not canonical.
OF_ORDER_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
OF_ORDER_2 = (2**255 - 20).to_bytes(32, "little")
NOT_CANONICAL = (2**255 - 18).to_bytes(32, "little")


@given(SCALARS, SCALARS, SCALARS)
@settings(max_examples=40)
def test_multiples_of_the_generator_add_like_numbers(a: int, b: int, c: int) -> None:
    first, second = GROUP.multiply_generator(a), GROUP.multiply_generator(b)
    assert GROUP.add(first, second) == GROUP.multiply_generator(a + b)
    assert GROUP.multiply(c, first) == GROUP.multiply_generator(a * c)
    assert GROUP.add(first, GROUP.negate(first)) == GROUP.identity
    assert GROUP.multiply(c, GROUP.identity) == GROUP.identity
    assert GROUP.negate(first) == GROUP.multiply_generator(-a)
    assert GROUP.add(first, GROUP.identity) == GROUP.add(GROUP.identity, first) == first
    assert GROUP.from_bytes(GROUP.to_bytes(first)) == first
    assert len(GROUP.to_bytes(first)) == GROUP.element_bytes


def test_the_curve_is_the_standard_s() -> None:
    """The first public key of RFC 8032, section 7.1, from its secret scalar."""
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    hashed = int.from_bytes(sha512(secret).digest()[:32], "little")
    scalar = hashed & ((1 << 254) - 8) | 1 << 254
    expected = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert GROUP.multiply_generator(scalar).hex() == expected
    assert GROUP.generator == GROUP.multiply_generator(1) == bytes.fromhex("58" + "66" * 31)
    assert GROUP.name == "ed25519"


def test_labels_hash_to_elements_of_the_group() -> None:
    elements = [GROUP.hash_to_element(f"label {n}") for n in range(20)]
    assert len(set(elements)) == 20
    assert GROUP.hash_to_element("label 0") == elements[0]
    assert elements[0].hex() == "71ad6fd30d7304852f45a8c4325799551aa66c2e72a376c5d5bad0b7a73122cf"
    for element in elements:
        assert GROUP.from_bytes(element) == element != GROUP.identity
        # libsodium multiplies by a scalar that is not reduced here: the order is L indeed.
        inverse = GROUP.multiply(GROUP.order - 1, element)
        assert GROUP.add(inverse, element) == GROUP.identity


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(31),
        bytes(33),
        b"\xff" * 32,
        bytes([2]) + bytes(31),
        OF_ORDER_8,
        OF_ORDER_2,
        bytes(32),
        NOT_CANONICAL,
        GROUP.identity + b"\0",
    ],
)
def test_bytes_that_are_no_element_are_refused(data: bytes) -> None:
    with pytest.raises(ParameterError, match="bytes are no element of the group of Ed25519"):
        GROUP.from_bytes(data)


def test_an_element_outside_the_group_is_refused() -> None:
    """A point of the curve whose order is eight times too large."""
    outside = bindings.crypto_core_ed25519_add(GROUP.multiply_generator(5), OF_ORDER_8)
    with pytest.raises(ParameterError, match="no element"):
        GROUP.from_bytes(outside)
    assert GROUP.from_bytes(GROUP.identity) == GROUP.identity


@pytest.mark.parametrize("missing", [[0], [1], [0, 1]])
def test_elgamal_needs_every_key(missing: list[int]) -> None:
    randomness = Randomness.from_seed(1, "elgamal")
    secrets = [random_scalar(GROUP, randomness) for _ in range(2)]
    key = combined_key(GROUP, [GROUP.multiply_generator(secret) for secret in secrets])
    message = GROUP.hash_to_element("m")
    ciphertext = encrypt(GROUP, key, message, randomness)
    for place, secret in enumerate(secrets):
        if place not in missing:
            ciphertext = decrypt(GROUP, secret, ciphertext)
    assert ciphertext[1] != message
    for place in missing:
        ciphertext = decrypt(GROUP, secrets[place], ciphertext)
    assert ciphertext[1] == message


def test_a_computation_counts_what_it_counts_in_the_clear() -> None:
    found, clear = (
        counted(UPSTREAM, parameters_of(UPSTREAM, 3, 3, group))[0] for group in ("ed25519", "clear")
    )
    assert found == clear


def test_a_measurement_says_the_same_with_every_group() -> None:
    impressions = generate_impressions(40, persons=20, publishers=2, seed=4)
    asked = MeasurementSpecification(max_frequency=2)
    for protocol in ("llv2", "reach-only-llv2"):
        results = [
            run_measurement(impressions, asked, protocol, group=group, no_noise=True, seed=1)
            for group in ("ed25519", "clear")
        ]
        assert results[0] == results[1]


def test_the_command_line_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(__file__).parents[2] / "examples" / "impressions.csv"
    words = ["--protocol", "reach-only-llv2", "--no-noise", "--medium", "tv", "--group"]
    for group in ("ed25519", "clear"):
        assert main(["measure", str(file), *words, group, "--format", "json", "--seed", "1"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert answers[0]["reach"] == answers[1]["reach"] > 0
    sent = [answer["cost"]["bytes_sent"] for answer in answers]
    assert sent[0] == sent[1]  # an element has 32 bytes in both


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nacl", None)
    with pytest.raises(ParameterError, match=r"pip install 'ipa-reference\[ed25519\]'"):
        group_by_name("ed25519")


@pytest.mark.parametrize("part", ["core", "scalarmult"])
def test_a_minimal_libsodium_is_refused(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setattr(bindings, f"has_crypto_{part}_ed25519", False)
    with pytest.raises(ParameterError, match="not the minimal one"):
        group_by_name("ed25519")
