"""Rings that numbers are shared over: integers modulo 2^k, and modulo a prime.

Elements are plain Python integers in the ring's range; the ring gives them their arithmetic. Two
rings are the same only if they are equal, and shares over different rings never mix.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from ipa.errors import ParameterError
from ipa.ranges import check_integer

# A keystream this much longer than an element makes the bias of a reduction at most 2^-128.
_EXTRA_BYTES = 16


class Ring(Protocol):
    """What the protocols need of a ring: arithmetic on elements, and elements as bytes."""

    @property
    def name(self) -> str:
        """How the ring is written in messages."""

    @property
    def size(self) -> int:
        """How many elements the ring has."""

    @property
    def is_field(self) -> bool:
        """Whether every element but zero has an inverse."""

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

    def scale_each(self, values: Sequence[int], constant: int) -> list[int]:
        """Every value times one constant."""

    def inverse(self, a: int) -> int:
        """1/a; ParameterError where there is none."""

    @property
    def sample_bytes(self) -> int:
        """How many uniform bytes `sample` uses for one element."""

    def sample(self, uniform: bytes) -> int:
        """The element that `sample_bytes` uniform bytes stand for."""


@dataclass(frozen=True)
class IntegersModulo:
    """The integers modulo `modulus`: Z/2^k for the fields the spec shares additively, or Z/p.

    Raises: ParameterError for a modulus below 2, and for one of PRIMALITY_BOUND or more that is no
        power of two: whether it is prime could not be told for certain.
    """

    modulus: int

    def __post_init__(self) -> None:
        check_integer("a modulus", self.modulus, 2)
        if self.modulus >= PRIMALITY_BOUND and self.modulus & (self.modulus - 1):
            raise ParameterError(
                f"a modulus must be below {PRIMALITY_BOUND} or a power of two, "
                f"not one of {self.modulus.bit_length()} bits"
            )

    @property
    def name(self) -> str:
        """`Z/2^k` or `Z/m`."""
        power = self.modulus.bit_length() - 1
        return f"Z/2^{power}" if self.modulus == 1 << power else f"Z/{self.modulus}"

    @property
    def size(self) -> int:
        """The modulus."""
        return self.modulus

    @property
    def is_field(self) -> bool:
        """Whether the modulus is prime."""
        return _is_prime(self.modulus)

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

    def scale_each(self, values: Sequence[int], constant: int) -> list[int]:
        """Every value times one constant, mod modulus."""
        return [value * constant % self.modulus for value in values]

    def inverse(self, a: int) -> int:
        """a^-1 mod modulus.

        Raises: ParameterError when `a` is not invertible.
        """
        try:
            return pow(a, -1, self.modulus)
        except ValueError:
            raise ParameterError(f"{a} has no inverse in {self.name}") from None

    @property
    def sample_bytes(self) -> int:
        """Sixteen bytes more than an element, so that reducing is uniform up to 2^-128."""
        return self.element_bytes + _EXTRA_BYTES

    def sample(self, uniform: bytes) -> int:
        """The little-endian integer `uniform` reduced mod modulus."""
        return int.from_bytes(uniform, "little") % self.modulus


PRIMALITY_BOUND = 3317044064679887385961981
"""The least composite number that is a strong pseudoprime to the first thirteen prime bases."""

_BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)


@lru_cache(maxsize=64)
def _is_prime(number: int) -> bool:
    """Miller-Rabin with the first thirteen primes: exact below PRIMALITY_BOUND.

    Source: Sorenson and Webster 2015, Strong pseudoprimes to twelve prime bases, table 1. Of what is
    not below the bound, only powers of two come here.
    """
    if number in _BASES:
        return True
    if number % 2 == 0:
        return False
    twos = (number - 1 & 1 - number).bit_length() - 1
    odd = number - 1 >> twos
    for base in _BASES:
        powers = [pow(base, odd << k, number) for k in range(twos)]
        if powers[0] != 1 and number - 1 not in powers:
            return False
    return True


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
