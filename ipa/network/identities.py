"""Certificates and their private keys in files, for helper parties and report collectors as services.

    helper1.tls.pem          private to helper 1, mode 0600: its private key, then its certificate
    collector-NAME.tls.pem   the same of a report collector

Both are PEM: a key in PKCS8, not encrypted, as every web server reads them. What is public of it, the
certificate, is in the published configuration. Each party has its own file only; the rules are those of
the helpers' other private keys (SPEC_NOTES: key-file-permissions).
"""

import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from string import ascii_lowercase, digits

from ipa.certificates import key_of, read_certificate
from ipa.errors import ReportError
from ipa.files import PRIVATE_MODE, read_file, replace_file
from ipa.network.tls_identity import TlsIdentity, identity_of

MAX_ENCODED_CHARACTERS = 160
"""What of an encoded name goes into a file's name, which on most systems has 255 bytes at most."""

_PLAIN = frozenset(f"{ascii_lowercase}{digits}-._")
_LINES = "[A-Za-z0-9+/=\\n]+"
_IDENTITY = re.compile(
    f"(-----BEGIN PRIVATE KEY-----\\n{_LINES}-----END PRIVATE KEY-----\\n)"
    f"(-----BEGIN CERTIFICATE-----\\n{_LINES}-----END CERTIFICATE-----\\n)"
)


def identity_file_name(helper: int) -> str:
    """The name of the file with a helper's certificate and its key, in a network directory."""
    return f"helper{helper}.tls.pem"


def collector_identity_file_name(name: str) -> str:
    """The name of the file with a report collector's certificate and its key.

    Of the collector's name only lower-case letters, digits and `-._` stand as they are, so that two
    names are two files wherever. A name that gets too long ends in a tilde and its SHA-256.
    """
    encoded = "".join(
        chr(byte) if chr(byte) in _PLAIN else f"%{byte:02X}" for byte in name.encode()
    )
    if len(encoded) > MAX_ENCODED_CHARACTERS:
        digest = sha256(name.encode()).hexdigest()
        encoded = f"{encoded[: MAX_ENCODED_CHARACTERS - len(digest) - 1]}~{digest}"
    return f"collector-{encoded}.tls.pem"


def save_identity(path: Path, identity: TlsIdentity) -> None:
    """Write or replace a certificate and its private key, atomically, readable by the owner only.

    Raises: OSError when the file cannot be written.
    """
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(identity.private_key, identity.password)
    private_key = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    replace_file(path, private_key.decode() + identity.certificate, PRIVATE_MODE)


def load_identity(path: Path) -> TlsIdentity:
    """Read a certificate and its private key. Whether the certificate has expired is not looked at.

    Raises: ReportError, which names the file and does not quote a word of it, if it cannot be read, if
    (on POSIX systems) its group or others have any permission on it, or if it is anything but an
    Ed25519 key and the certificate of this key.
    """
    identity = None
    # Refused below, not in an `except`: an error keeps the one it was raised in as its context,
    # which could quote the file.
    data = read_file(path, private=True)
    with suppress(ValueError):
        identity = _identity(data.decode("ascii"))
    if identity is None:
        raise ReportError(
            f"{path}: must be an Ed25519 private key (PKCS8, not encrypted), then its self-signed "
            "certificate, both in PEM and nothing else"
        )
    return identity


def validity_of(certificate: str) -> tuple[int, int]:
    """The first and the last Unix second in which a certificate in PEM is good.

    Raises: ParameterError for what is no certificate.
    """
    found = read_certificate("a certificate", certificate)
    return (
        int(found.not_valid_before_utc.timestamp()),
        int(found.not_valid_after_utc.timestamp()),
    )


def _identity(text: str) -> TlsIdentity | None:
    """What a file holds. Raises: ValueError, or returns None, where it is not what it should be."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    found = _IDENTITY.fullmatch(text)
    if found is None:
        return None
    certificate = read_certificate("a certificate", found[2])
    with suppress(TypeError, UnsupportedAlgorithm):
        key = load_pem_private_key(found[1].encode(), None)
        if isinstance(key, Ed25519PrivateKey) and key.public_key() == key_of(certificate):
            return identity_of(key, certificate)
    return None
