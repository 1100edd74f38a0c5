"""HPKE keys of the helper parties (spec: Setup; RFC 9180).

Two suites: DHKEM(X25519, HKDF-SHA256), the default, and the post-quantum hybrid MLKEM768-X25519
(X-Wing); both with HKDF-SHA256 and AES-128-GCM, base mode, one message per encapsulation, empty
AAD: all context goes into `info`. Both are IND-CCA secure, as the spec asks.
"""

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256, shake_256
from typing import Literal, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from ipa.client.encoding import encode_opaque
from ipa.client.rejection import Reason, reject
from ipa.errors import ParameterError, ReportError
from ipa.ranges import check_integer
from ipa.sharing.randomness import Randomness

KemName = Literal["X25519", "MLKEM768-X25519"]
Status = Literal["active", "retired"]

PRIVATE_KEY_BYTES = 32
MAX_KEY_ID = (1 << 16) - 1
FINGERPRINT_BYTES = 32
TAG_BYTES = 16
_MLKEM_PUBLIC_BYTES = 1184
_PUBLIC_KEY_BYTES = {"X25519": 32, "MLKEM768-X25519": _MLKEM_PUBLIC_BYTES + 32}
_SUITES = {
    "X25519": Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM),
    "MLKEM768-X25519": Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM),
}
_ENCAPSULATION_BYTES = {
    "X25519": KEM.X25519.enc_length(),
    "MLKEM768-X25519": KEM.MLKEM768_X25519.enc_length(),
}


@dataclass(frozen=True)
class PublicKey:
    """One public key of one helper party, as published: anyone may encrypt to it.

    `encoded` is the KEM's encoding: 32 bytes for X25519; for MLKEM768-X25519 the 1,184 bytes of
    ML-KEM then the 32 of X25519. A retired key is kept in the list so that its id is not given
    out again.

    Raises: ParameterError for an id or KEM out of range or a wrong length.
    """

    key_id: int
    kem: KemName
    encoded: bytes
    status: Status = "active"

    def __post_init__(self) -> None:
        _check_key(self.key_id, self.kem)
        if self.status not in get_args(Status):
            raise ParameterError(f"a key's status must be active or retired, not {self.status!r}")
        if len(self.encoded) != _PUBLIC_KEY_BYTES[self.kem]:
            raise ParameterError(
                f"a {self.kem} public key has {_PUBLIC_KEY_BYTES[self.kem]} bytes, "
                f"not {len(self.encoded)}"
            )

    @cached_property
    def _key(self) -> X25519PublicKey | MLKEM768X25519PublicKey:
        x25519 = X25519PublicKey.from_public_bytes(self.encoded[-32:])
        if self.kem == "X25519":
            return x25519
        mlkem = MLKEM768PublicKey.from_public_bytes(self.encoded[:_MLKEM_PUBLIC_BYTES])
        return MLKEM768X25519PublicKey(mlkem, x25519)

    def seal(self, plaintext: bytes, info: bytes) -> bytes:
        """HPKE encryption in base mode: encapsulated key, then ciphertext and tag.

        The randomness is the operating system's and cannot be given.

        Raises: ReportError UNKNOWN_KEY when the public key is no valid key.
        """
        try:
            return _SUITES[self.kem].encrypt(plaintext, self._key, info)
        except ValueError:
            reject(Reason.UNKNOWN_KEY, f"public key {self.key_id} is not a valid {self.kem} key")

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of all that makes this key this key: label, key_id (u16), kem, key, each opaque."""
        parts = (
            b"ipa v1 public key",
            self.key_id.to_bytes(2, "big"),
            self.kem.encode(),
            self.encoded,
        )
        return sha256(b"".join(map(encode_opaque, parts))).digest()

    @property
    def overhead(self) -> int:
        """How many bytes longer a ciphertext is than its plaintext."""
        return ciphertext_overhead(self.kem)


@dataclass(frozen=True)
class PrivateKey:
    """One private key of one helper party; its `repr` does not show the key.

    `secret` is 32 bytes: the X25519 private key, or the X-Wing seed, from which SHAKE256 derives
    the ML-KEM seed (64 bytes) and the X25519 private key (32).

    Raises: ParameterError for an id or KEM out of range or a wrong length.
    """

    key_id: int
    kem: KemName
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_key(self.key_id, self.kem)
        if len(self.secret) != PRIVATE_KEY_BYTES:
            raise ParameterError(f"a private key has {PRIVATE_KEY_BYTES} bytes")

    @cached_property
    def _key(self) -> X25519PrivateKey | MLKEM768X25519PrivateKey:
        if self.kem == "X25519":
            return X25519PrivateKey.from_private_bytes(self.secret)
        return MLKEM768X25519PrivateKey(*self._expanded())

    def _expanded(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        expanded = shake_256(self.secret).digest(96)
        return (
            MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
            X25519PrivateKey.from_private_bytes(expanded[64:]),
        )

    def public(self) -> PublicKey:
        """The public key that belongs to this key, with status active."""
        if self.kem == "X25519":
            x25519 = X25519PrivateKey.from_private_bytes(self.secret)
            return PublicKey(self.key_id, self.kem, x25519.public_key().public_bytes_raw())
        mlkem, x25519 = self._expanded()
        encoded = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        return PublicKey(self.key_id, self.kem, encoded)

    def open(self, ciphertext: bytes, info: bytes) -> bytes:
        """HPKE decryption.

        Raises: ReportError CANNOT_DECRYPT for anything not sealed with `info` to this key. A wrong
        key, a wrong context and changed bytes cannot be told apart.
        """
        try:
            return _SUITES[self.kem].decrypt(ciphertext, self._key, info)
        except InvalidTag:
            raise ReportError(
                "the ciphertext is not for this key and context", Reason.CANNOT_DECRYPT
            ) from None


def generate_key(key_id: int, kem: KemName = "X25519") -> PrivateKey:
    """A fresh private key, from the operating system's randomness (spec: Setup)."""
    return PrivateKey(key_id, kem, Randomness().random_bytes(PRIVATE_KEY_BYTES))


def ciphertext_overhead(kem: KemName) -> int:
    """Bytes a ciphertext adds to its plaintext: encapsulated key and tag (48 for X25519)."""
    return _ENCAPSULATION_BYTES[kem] + TAG_BYTES


def _check_key(key_id: object, kem: object) -> None:
    check_integer("a key id", key_id, 0, MAX_KEY_ID)
    if kem not in get_args(KemName):
        choices = " or ".join(get_args(KemName))
        raise ParameterError(f"the KEM must be {choices}, not {kem!r}")
