"""Random bits for whoever makes shares: from the operating system, or reproducible from a seed.

A seeded stream is AES-128 in counter mode under a key that SHAKE256 derives from (label, seed), so
that two labels of one seed give independent streams. Protocols between helpers do not use this:
their common randomness is PRSS.
"""

import os
from hashlib import shake_256

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ipa.errors import ParameterError
from ipa.ranges import check_integer

_DOMAIN = b"ipa randomness v1"
_ZEROS = bytes(1 << 12)


class Randomness:
    """A source of uniformly random bits, bytes and numbers.

    `Randomness()` asks the operating system: the only choice outside tests, teaching and
    reproducible experiments. `Randomness.from_seed(seed, label)` is a reproducible stream;
    whoever knows the seed knows every share made with it.
    """

    def __init__(self) -> None:
        self._keystream: _Keystream | None = None

    @classmethod
    def from_seed(cls, seed: int | bytes | None, label: str) -> "Randomness":
        r"""A stream determined by `seed` and `label`; with seed None, the operating system's.

        The seed is a string of bytes or a non-negative integer (1 and b"\x01" are different
        seeds).

        Raises: ParameterError for any other seed.
        """
        return cls.from_key(stream_key(seed, label))

    @classmethod
    def from_key(cls, key: bytes | None) -> "Randomness":
        """The stream of a `stream_key`; with None, the operating system's."""
        randomness = cls()
        if key is not None:
            randomness._keystream = _Keystream(key)
        return randomness

    def random_bytes(self, count: int) -> bytes:
        """The next `count` random bytes.

        Raises: ParameterError for a negative count.
        """
        if count < 0:
            raise ParameterError(f"the number of random bytes must not be negative, not {count}")
        return os.urandom(count) if self._keystream is None else self._keystream.read(count)

    def random_bits(self, width: int) -> int:
        """A uniform integer of `width` bits: 0 <= r < 2**width. Uses up ceil(width / 8) bytes.

        Raises: ParameterError for a negative width.
        """
        if width < 0:
            raise ParameterError(f"the number of random bits must not be negative, not {width}")
        count = (width + 7) // 8
        return int.from_bytes(self.random_bytes(count), "little") >> (8 * count - width)

    def random_below(self, bound: int) -> int:
        """A uniform integer 0 <= r < bound, by rejection (under two draws on average).

        Raises: ParameterError for a bound below 1.
        """
        if bound < 1:
            raise ParameterError(f"the bound of a random number must be at least 1, not {bound}")
        width = (bound - 1).bit_length()
        while (number := self.random_bits(width)) >= bound:
            pass
        return number


def stream_key(seed: int | bytes | None, label: str) -> bytes | None:
    """The key of the stream of a seed and label; None for no seed.

    Who is given the key of one label learns nothing of the streams of the others.

    Raises: ParameterError for a seed that is no string of bytes and no integer of at least 0.
    """
    if seed is None:
        return None
    parts = (_DOMAIN, label.encode(), _seed_bytes(seed))
    absorbed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return shake_256(absorbed).digest(16)


class _Keystream:
    """AES-128-CTR keystream of a key: bytes in order, never the same twice."""

    def __init__(self, key: bytes) -> None:
        self._encryptor = Cipher(algorithms.AES128(key), modes.CTR(bytes(16))).encryptor()

    def read(self, count: int) -> bytes:
        """The next `count` bytes of the stream."""
        zeros = _ZEROS[:count] if count <= len(_ZEROS) else bytes(count)
        return self._encryptor.update(zeros)


def _seed_bytes(seed: int | bytes) -> bytes:
    """An injective encoding of the two kinds of seeds."""
    if isinstance(seed, bytes):
        return b"bytes" + seed
    check_integer("a seed that is no bytes", seed, 0)
    return b"int" + seed.to_bytes((seed.bit_length() + 7) // 8, "big")
