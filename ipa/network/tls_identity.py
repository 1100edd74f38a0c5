"""A party's certificate and its private key: how they are made."""

import secrets
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from ipa.certificates import pem_of
from ipa.ranges import check_integer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.x509 import Certificate, GeneralName

MAX_DAYS = 36_525
"""A century: no certificate is good for longer."""

MAX_SUBJECT_BYTES = 64
_PASSWORD_BYTES = 32


@dataclass(frozen=True)
class TlsIdentity:
    """A helper party's certificate and its private key, both PEM; the key is under `password`."""

    certificate: str
    private_key: bytes = field(repr=False)
    password: bytes = field(repr=False)


def new_identity(name: str, *, days: int = 1, host: str | None = None) -> TlsIdentity:
    """A fresh Ed25519 key and a certificate that it signs itself, good for `days` from now.

    By default it is for a run that begins at once: only a handshake looks at the dates. It is good
    for the day before as well, so that a clock may be slow. Helper parties do not look at the `host`, a
    name or a numeric address; it is put in for other clients, which are told to trust this certificate
    and still want to see there where they connect to.

    The name is for people who read the certificate. X.509 allows it 64 bytes, where it is cut.

    Raises: ParameterError for days out of range.
    """
    # Imported here: only who makes certificates needs to load this.
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    check_integer("days", days, 1, MAX_DAYS)
    key = Ed25519PrivateKey.generate()
    shown = name.encode()[:MAX_SUBJECT_BYTES].decode(errors="ignore")
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, shown)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if host is not None:
        names = x509.SubjectAlternativeName([_general_name(host)])
        builder = builder.add_extension(names, critical=False)
    return identity_of(key, builder.sign(key, None))


def identity_of(key: "Ed25519PrivateKey", certificate: "Certificate") -> TlsIdentity:
    """A key and its certificate, the key under a fresh password, for whatever keeps them meanwhile."""
    from cryptography.hazmat.primitives import serialization

    password = secrets.token_hex(_PASSWORD_BYTES).encode()
    private_key = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    return TlsIdentity(pem_of(certificate), private_key, password)


def _general_name(host: str) -> "GeneralName":
    """A host as a certificate names it."""
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
