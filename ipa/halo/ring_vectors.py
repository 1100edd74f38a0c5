"""Vectors over the integers modulo q: expanded from a seed, added, shuffled, written as bytes.

An element takes one byte where q is at most 256 and two, little-endian, above. Elements are drawn
from a keystream one word at a time: the lowest bits of a word, drawn again while not below q.
"""

import sys
from array import array
from collections.abc import Sequence
from functools import cache
from math import isqrt

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ipa.errors import ParameterError

SEED_BYTES = 48
"""A seed is an AES-256 key and an initial counter block."""

SMALLEST_MODULUS = 127
LARGEST_MODULUS = (1 << 16) - 1

_INDEX_BYTES = 16


class Keystream:
    """AES-256-CTR keystream of a seed of 48 bytes: bytes in order, never the same twice."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ParameterError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
        cipher = Cipher(algorithms.AES256(seed[:32]), modes.CTR(seed[32:]))
        self._encryptor = cipher.encryptor()

    def random_bytes(self, count: int) -> bytes:
        """The next `count` bytes."""
        return self._encryptor.update(bytes(count))

    def elements(self, count: int, modulus: int, *, nonzero: bool = False) -> list[int]:
        """The next `count` elements, uniform below `modulus`; or uniform among those not 0."""
        mask = (1 << (modulus - 1).bit_length()) - 1
        width = element_bytes(modulus)
        drawn: list[int] = []
        while len(drawn) < count:
            words = _words(self.random_bytes(width * (count - len(drawn))), width)
            drawn += [
                element
                for word in words
                if (element := word & mask) < modulus and (element or not nonzero)
            ]
        return drawn


def modulus_for(largest: int) -> int:
    """The modulus for values 0 to `largest` beside a sentinel q - 1: a prime, at least 127.

    Raises: ParameterError when it would not fit 16 bits.
    """
    modulus = max(SMALLEST_MODULUS, largest + 2)
    while not is_prime(modulus):
        modulus += 1
    if modulus > LARGEST_MODULUS:
        raise ParameterError(f"frequencies up to {largest} need more than 16 bits")
    return modulus


def element_bytes(modulus: int) -> int:
    """How many bytes an element takes."""
    return 1 if modulus <= 1 << 8 else 2


def add(first: Sequence[int], second: Sequence[int], modulus: int) -> list[int]:
    """The sum, element by element."""
    return [(a + b) % modulus for a, b in zip(first, second, strict=True)]


def subtract(first: Sequence[int], second: Sequence[int], modulus: int) -> list[int]:
    """The difference, element by element."""
    return [(a - b) % modulus for a, b in zip(first, second, strict=True)]


def multiply(first: Sequence[int], second: Sequence[int], modulus: int) -> list[int]:
    """The product, element by element."""
    return [a * b % modulus for a, b in zip(first, second, strict=True)]


def shuffle(values: Sequence[int], seed: bytes) -> list[int]:
    """The values in the order that a seed decides: Fisher and Yates, 16 bytes a place.

    Place i is swapped with i + r mod (n - i). The remainder of a 128-bit number is within n 2^-128
    of uniform for every place.
    """
    shuffled, size = list(values), len(values)
    drawn = Keystream(seed).random_bytes(_INDEX_BYTES * size)
    for place in range(size):
        number = int.from_bytes(drawn[_INDEX_BYTES * place : _INDEX_BYTES * (place + 1)], "little")
        other = place + number % (size - place)
        shuffled[place], shuffled[other] = shuffled[other], shuffled[place]
    return shuffled


def to_bytes(values: Sequence[int], modulus: int) -> bytes:
    """The elements one after another."""
    words = array("B" if element_bytes(modulus) == 1 else "H", values)
    if sys.byteorder == "big":
        words.byteswap()
    return words.tobytes()


def from_bytes(data: bytes, modulus: int) -> list[int]:
    """What `to_bytes` wrote.

    Raises: ParameterError for an element that is cut or not below the modulus.
    """
    width = element_bytes(modulus)
    if len(data) % width:
        raise ParameterError(f"{len(data)} bytes are no elements of {width} bytes")
    values = list(_words(data, width))
    if any(value >= modulus for value in values):
        raise ParameterError(f"an element is not below the modulus {modulus}")
    return values


def _words(data: bytes, width: int) -> Sequence[int]:
    if width == 1:
        return data
    words = array("H")
    words.frombytes(data)
    if sys.byteorder == "big":
        words.byteswap()
    return words


@cache
def is_prime(number: int) -> bool:
    """Whether a number of at most 16 bits is a prime."""
    return number > 1 and all(number % factor for factor in range(2, isqrt(number) + 1))
