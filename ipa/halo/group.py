"""The one interface to a group of prime order that ElGamal needs, and the group in the clear.

The group in the clear is the integers modulo the order: an element is its own discrete logarithm,
so nothing is hidden. It serves statistics and tests. `ipa.halo.p256` has the curve.
"""

from hashlib import sha256
from typing import Protocol, TypeVar

from ipa.errors import ParameterError

E = TypeVar("E")

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of NIST P-256, a prime; the clear group has the same."""


class Group(Protocol[E]):
    """A group of prime order, written additively; elements compare equal when they are."""

    name: str
    order: int
    element_bytes: int
    generator: E
    identity: E

    def add(self, a: E, b: E) -> E:
        """The sum of two elements."""

    def negate(self, a: E) -> E:
        """The element that gives the identity when added."""

    def multiply(self, scalar: int, element: E) -> E:
        """The element added to itself `scalar` times."""

    def multiply_generator(self, scalar: int) -> E:
        """The generator added to itself `scalar` times."""

    def hash_to_element(self, label: str) -> E:
        """An element that depends on the label alone, of unknown discrete logarithm."""

    def to_bytes(self, element: E) -> bytes:
        """The element as `element_bytes` bytes."""

    def from_bytes(self, data: bytes) -> E:
        """What `to_bytes` wrote.

        Raises: ParameterError for bytes that are no element.
        """


class ClearGroup:
    """The integers modulo P-256's order. Hides nothing."""

    name = "clear"
    order = P256_ORDER
    element_bytes = 32
    generator = 1
    identity = 0

    def add(self, a: int, b: int) -> int:
        """The sum modulo the order."""
        return (a + b) % self.order

    def negate(self, a: int) -> int:
        """The negative modulo the order."""
        return -a % self.order

    def multiply(self, scalar: int, element: int) -> int:
        """The product modulo the order."""
        return scalar * element % self.order

    def multiply_generator(self, scalar: int) -> int:
        """The scalar modulo the order."""
        return scalar % self.order

    def hash_to_element(self, label: str) -> int:
        """SHA-256 of the label modulo the order; everyone knows its discrete logarithm."""
        return int.from_bytes(sha256(b"ipa halo clear" + label.encode()).digest()) % self.order

    def to_bytes(self, element: int) -> bytes:
        """32 bytes, big-endian."""
        return element.to_bytes(self.element_bytes, "big")

    def from_bytes(self, data: bytes) -> int:
        """The number.

        Raises: ParameterError when it is not below the order or of another length.
        """
        element = int.from_bytes(data, "big")
        if len(data) != self.element_bytes or element >= self.order:
            raise ParameterError("bytes are no element of the clear group")
        return element
