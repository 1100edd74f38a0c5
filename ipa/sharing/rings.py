"""Rings that numbers are shared over: integers modulo 2^k, and modulo a prime.

Elements are plain Python integers in the ring's range; the ring gives them their arithmetic. Two
rings are the same only if they are equal, and shares over different rings never mix.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ipa.errors import ParameterError

# A keystream this much longer than an element makes the bias of a reduction at most 2^-128.
_EXTRA_BYTES = 16


class Ring(Protocol):
    """What the protocols need of a ring: arithmetic on elements, and elements as bytes."""

    @property
    def name(self) -> str:
        """How the ring is written in messages."""

    @property
    def element_bytes(self) -> int:
        """How many bytes an element travels as."""

    def contains(self, value: int) -> bool:
        """Whether `value` is an element in its one canonical form."""

    def add(self, a: int, b: int) -> int:
        """The sum of two elements."""

    def subtract(self, a: int, b: int) -> int:
        """The difference of two elements."""

    def multiply(self, a: int, b: int) -> int:
        """The product of two elements."""

    @property
    def sample_bytes(self) -> int:
        """How many uniform bytes `sample` uses for one element."""

    def sample(self, uniform: bytes) -> int:
        """The element that `sample_bytes` uniform bytes stand for."""


@dataclass(frozen=True)
class IntegersModulo:
    """The integers modulo `modulus`, a power of two or a prime (not verified to be prime)."""

    modulus: int

    def __post_init__(self) -> None:
        if self.modulus < 2:
            raise ParameterError(f"a modulus must be at least 2, not {self.modulus}")

    @property
    def name(self) -> str:
        """`Z/2^k` or `Z/m`."""
        power = self.modulus.bit_length() - 1
        return f"Z/2^{power}" if self.modulus == 1 << power else f"Z/{self.modulus}"

    @property
    def element_bytes(self) -> int:
        """The fewest bytes that hold modulus - 1."""
        return ((self.modulus - 1).bit_length() + 7) // 8

    def contains(self, value: int) -> bool:
        """Whether 0 <= value < modulus."""
        return 0 <= value < self.modulus

    def add(self, a: int, b: int) -> int:
        """(a + b) mod modulus."""
        return (a + b) % self.modulus

    def subtract(self, a: int, b: int) -> int:
        """(a - b) mod modulus."""
        return (a - b) % self.modulus

    def multiply(self, a: int, b: int) -> int:
        """(a * b) mod modulus."""
        return a * b % self.modulus

    @property
    def sample_bytes(self) -> int:
        """Sixteen bytes more than an element, so that reducing is uniform up to 2^-128."""
        return self.element_bytes + _EXTRA_BYTES

    def sample(self, uniform: bytes) -> int:
        """The little-endian integer `uniform` reduced mod modulus."""
        return int.from_bytes(uniform, "little") % self.modulus


def modulo_power_of_two(bits: int) -> IntegersModulo:
    """Z/2^bits, the ring of the fields that the spec shares additively."""
    return IntegersModulo(1 << bits)


# The prime field of arithmetic products; a Mersenne prime, large enough to be its own challenge
# field (the batch check's soundness error is a small multiple of 2^-61).
PRIME_FIELD = IntegersModulo((1 << 61) - 1)


def encode_elements(ring: Ring, elements: Sequence[int]) -> bytes:
    """The bytes of elements one after another, each little endian in ring.element_bytes bytes."""
    size = ring.element_bytes
    return b"".join([element.to_bytes(size, "little") for element in elements])


def decode_elements(ring: Ring, payload: bytes) -> list[int]:
    """The inverse of encode_elements; elements may be out of range, the caller checks."""
    size = ring.element_bytes
    return [
        int.from_bytes(payload[start : start + size], "little")
        for start in range(0, len(payload), size)
    ]
