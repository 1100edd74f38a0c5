"""Pseudorandom secret sharing (PRSS): correlated randomness from pairwise keys, no messages.

Keys k_1, k_2, k_3; helper i holds (k_i, k_(i+1)), just as it holds shares (x_i, x_(i+1)). From F, a
pseudorandom function of (key, step, index), the helpers derive without talking:

- a random sharing r of a value nobody knows: r_i = F(k_i);
- a sharing of zero, one summand each: F(k_i) - F(k_(i+1)) (Araki et al. 2016, section 2.2).

F is AES-128 in counter mode under a key derived with HMAC-SHA256 from the pairwise key, the path of
the step and the index of the draw. Drawing twice from one (step, index) raises, because two zero
sharings that are equal let a helper subtract them and see the difference of products.
"""

import hmac
from collections.abc import Sequence
from copy import copy
from hashlib import blake2b
from threading import Lock

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ipa.errors import ParameterError, RandomnessReuseError
from ipa.sharing.bits import Columns, bytes_per_column, decode_columns, ones
from ipa.sharing.rings import Ring
from ipa.sharing.rows.permutation import SORT_KEY_BYTES, Permutation, uniform_permutation

KEY_BYTES = 32

_runs: set[bytes] = set()
"""Digests of the keys and names of all runs of this process."""

_runs_lock = Lock()


class ReproducibleKey(bytes):
    """A pairwise key that is made from a seed, for tests and teaching: its runs may be repeated."""


TAG_BYTES = 8
"""Length of a tag: two different messages have the same one with probability 2^-64."""

_COUNTER_START = bytes(16)


def _keystream_over(key: bytes, label: bytes, data: bytes) -> bytes:
    """`data` XOR the keystream that belongs to (key, label)."""
    stream_key = hmac.digest(key, label, "sha256")[:16]
    return Cipher(algorithms.AES(stream_key), modes.CTR(_COUNTER_START)).encryptor().update(data)


class Prss:
    """One helper party's two pairwise keys, and what they have been used for.

    `own_key` is k_i and `right_key` is k_(i+1) for helper i, each 32 bytes. Everything drawn depends
    on the session too: the name of the run, which must never come again under the same keys, also
    after an abort, or coins would be known before they are due (SPEC_NOTES: fresh-session).

    Raises: ParameterError for a key of another length; RandomnessReuseError, from every method that
        draws, when something was drawn in this step under this index before.
    """

    __slots__ = ("_own_key", "_right_key", "_session", "_used")

    def __init__(self, own_key: bytes, right_key: bytes) -> None:
        if len(own_key) != KEY_BYTES or len(right_key) != KEY_BYTES:
            raise ParameterError(f"a PRSS key has {KEY_BYTES} bytes")
        self._own_key = own_key
        self._right_key = right_key
        self._session = ""
        self._used: set[tuple[str, int]] = set()

    def __repr__(self) -> str:
        return f"<Prss: two pairwise keys, {len(self._used)} draws>"

    def for_session(self, session: str) -> "Prss":
        """The same keys for the run named `session`, of which nothing has been drawn yet.

        Raises: RandomnessReuseError when this process has had a run of that name under these keys,
            unless they are reproducible ones (SPEC_NOTES: fresh-session).
        """
        keys = self._own_key, self._right_key
        if not any(isinstance(key, ReproducibleKey) for key in keys):
            run = blake2b(b"".join(keys) + session.encode(), digest_size=32).digest()
            with _runs_lock:
                if run in _runs:
                    raise RandomnessReuseError(
                        "a run of that name was made before under the same pairwise keys: "
                        "every run needs a new one"
                    )
                _runs.add(run)
        bound = copy(self)
        bound._session = session
        bound._used = set()
        return bound

    def zero_columns(self, step: str, width: int, rows: int, index: int = 0) -> Columns:
        """This helper's summand of a sharing of zero: `width` columns of `rows` bits.

        The two keystreams are XORed by encrypting one under the other, which saves a pass.
        """
        label = self._label(step, index)
        blank = bytes(width * bytes_per_column(rows))
        once = _keystream_over(self._own_key, label, blank)
        return _columns(_keystream_over(self._right_key, label, once), rows)

    def random_columns(
        self, step: str, width: int, rows: int, index: int = 0
    ) -> tuple[Columns, Columns]:
        """This helper's two shares (r_i, r_(i+1)) of random bits: `width` columns of `rows` bits."""
        label = self._label(step, index)
        blank = bytes(width * bytes_per_column(rows))
        own = _keystream_over(self._own_key, label, blank)
        right = _keystream_over(self._right_key, label, blank)
        return _columns(own, rows), _columns(right, rows)

    def random_elements(
        self, step: str, ring: Ring, count: int, index: int = 0
    ) -> tuple[list[int], list[int]]:
        """This helper's two shares (r_i, r_(i+1)) of `count` random elements of `ring`."""
        label = self._label(step, index)
        size = ring.sample_bytes
        own, right = (
            _keystream_over(key, label, bytes(count * size))
            for key in (self._own_key, self._right_key)
        )
        starts = range(0, count * size, size)
        return (
            [ring.sample(own[start : start + size]) for start in starts],
            [ring.sample(right[start : start + size]) for start in starts],
        )

    def zero_elements(self, step: str, ring: Ring, count: int, index: int = 0) -> list[int]:
        """This helper's summand of a sharing of `count` zeros over `ring`."""
        own, right = self.random_elements(step, ring, count, index)
        return [ring.subtract(a, b) for a, b in zip(own, right, strict=True)]

    def masked_bytes(
        self, step: str, own: bytes, right: bytes, index: int = 0
    ) -> tuple[bytes, bytes]:
        """`own` XOR random bytes of k_i, `right` XOR random bytes of k_(i+1); zeros give the bytes."""
        label = self._label(step, index)
        return (
            _keystream_over(self._own_key, label, own),
            _keystream_over(self._right_key, label, right),
        )

    def random_permutations(
        self, step: str, rows: int, index: int = 0
    ) -> tuple[Permutation, Permutation]:
        """Two uniform permutations of `rows` rows, of k_i and of k_(i+1).

        Each is known to the two holders of its key and to nobody else.
        """
        label = self._label(step, index)
        return (
            _random_permutation(self._own_key, label, rows),
            _random_permutation(self._right_key, label, rows),
        )

    def tags(self, step: str, own: Sequence[bytes], right: Sequence[bytes]) -> tuple[bytes, bytes]:
        """Tags of messages that the other holders of k_i and of k_(i+1) should have too, joined.

        A tag is keyed BLAKE2b, TAG_BYTES long, of a message and its position under a key derived from
        the pairwise key and the step. Equal messages have equal tags at both holders of a key. To
        whoever lacks the key a tag says nothing, however few values the message may have.
        """
        label = b"tags " + self._label(step, 0)
        own_key = hmac.digest(self._own_key, label, "sha256")
        right_key = hmac.digest(self._right_key, label, "sha256")
        return _tags(own_key, own), _tags(right_key, right)

    def _label(self, step: str, index: int) -> bytes:
        if (step, index) in self._used:
            raise RandomnessReuseError(f"randomness of step {step}, index {index} was used before")
        self._used.add((step, index))
        return f"ipa prss {index} {len(self._session)} {self._session} {step}".encode()


def _random_permutation(key: bytes, label: bytes, rows: int) -> Permutation:
    """Draws again while two sort keys are equal."""
    blank = bytes(SORT_KEY_BYTES * rows)
    permutation, attempt = None, 0
    while permutation is None:
        uniform = _keystream_over(key, b"permutation %d " % attempt + label, blank)
        permutation, attempt = uniform_permutation(uniform), attempt + 1
    return permutation


def _tags(key: bytes, messages: Sequence[bytes]) -> bytes:
    return b"".join(
        [
            blake2b(position.to_bytes(4, "big") + message, digest_size=TAG_BYTES, key=key).digest()
            for position, message in enumerate(messages)
        ]
    )


def _columns(stream: bytes, rows: int) -> Columns:
    columns = decode_columns(stream, rows)
    if rows < 8 * bytes_per_column(rows):
        keep = ones(rows)
        return [column & keep for column in columns]
    return columns
