"""The prime-order group of Ed25519 by libsodium, through PyNaCl: the optional extra `ed25519`.

A multiplication takes half of what P-256 takes by the library's key agreement, and an element, 32
bytes as in RFC 8032, half of the bytes. The curve has eight times as many points as the group. Those
outside it would show one worker the lowest bits of another's secret scalar, and so bytes that are no
element of the group are refused (docs/halo.md says where this differs from upstream).
"""

from hashlib import sha512
from typing import Any

from ipa.errors import ParameterError

L = 2**252 + 27742317777372353535851937790883648493
"""The order of the group, a prime (RFC 8032)."""

_BYTES = 32
_SIGN = 0x80


class Ed25519:
    """The group of order L. Multiplications take a time that does not depend on the scalar.

    Raises: ParameterError where PyNaCl is not installed, or its libsodium has no group operations.
    """

    name = "ed25519"
    order = L
    element_bytes = _BYTES
    identity = bytes([1]) + bytes(_BYTES - 1)

    def __init__(self) -> None:
        try:
            # Imported here: an optional extra.
            from nacl import bindings
        except ImportError:
            raise ParameterError(
                "the group ed25519 needs the package PyNaCl: pip install 'ipa-reference[ed25519]'"
            ) from None
        if not (bindings.has_crypto_core_ed25519 and bindings.has_crypto_scalarmult_ed25519):
            raise ParameterError("the group ed25519 needs a libsodium that is not the minimal one")
        self._sodium: Any = bindings
        self.generator = self.multiply_generator(1)

    def add(self, a: bytes, b: bytes) -> bytes:
        """The sum of two elements."""
        total: bytes = self._sodium.crypto_core_ed25519_add(a, b)
        return total

    def negate(self, a: bytes) -> bytes:
        """The element whose x has the other sign, which is the highest bit."""
        return a if a == self.identity else a[:-1] + bytes([a[-1] ^ _SIGN])

    def multiply(self, scalar: int, element: bytes) -> bytes:
        """The element added to itself `scalar` times; libsodium refuses where that is the identity."""
        scalar %= self.order
        if not scalar or element == self.identity:
            return self.identity
        product: bytes = self._sodium.crypto_scalarmult_ed25519_noclamp(_scalar(scalar), element)
        return product

    def multiply_generator(self, scalar: int) -> bytes:
        """The generator added to itself `scalar` times, from a table."""
        scalar %= self.order
        if not scalar:
            return self.identity
        product: bytes = self._sodium.crypto_scalarmult_ed25519_base_noclamp(_scalar(scalar))
        return product

    def hash_to_element(self, label: str) -> bytes:
        """The sum of two halves of a hash, each mapped to the group by Elligator 2.

        One half alone would reach only about half of the elements.
        """
        digest = sha512(b"ipa halo ed25519" + label.encode()).digest()
        halves = digest[:_BYTES], digest[_BYTES:]
        return self.add(*(self._sodium.crypto_core_ed25519_from_uniform(half) for half in halves))

    def to_bytes(self, element: bytes) -> bytes:
        """The element: 32 bytes."""
        return element

    def from_bytes(self, data: bytes) -> bytes:
        """The element.

        Raises: ParameterError for bytes that are no element, also where they are another point of the
            curve.
        """
        if data == self.identity:
            return data
        if len(data) != _BYTES or not self._sodium.crypto_core_ed25519_is_valid_point(data):
            raise ParameterError("bytes are no element of the group of Ed25519")
        return data


def _scalar(scalar: int) -> bytes:
    return scalar.to_bytes(_BYTES, "little")
