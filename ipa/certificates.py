"""The certificates of helper parties and report collectors: Ed25519, self-signed, in PEM.

Nobody vouches for them but the published configuration, which holds the certificate itself
(SPEC_NOTES: service-certificates).
"""

from contextlib import suppress
from typing import TYPE_CHECKING

from ipa.errors import ParameterError

if TYPE_CHECKING:  # who has no certificate need not wait for these to load
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.x509 import Certificate


def read_certificate(field: str, certificate: object) -> "Certificate":
    """The certificate that a text in PEM holds, and nothing before, between or behind it.

    Its dates are not looked at: whether it has expired is asked when it is used.

    Raises: ParameterError, which names the field and quotes nothing, for anything else.
    """
    found = _self_signed(certificate) if isinstance(certificate, str) else None
    if found is None:
        raise ParameterError(
            f"{field} must be one certificate in PEM, of an Ed25519 key and signed with that key"
        )
    if certificate != pem_of(found):
        raise ParameterError(
            f"{field} must be the certificate alone: in PEM, lines of 64 characters, nothing else"
        )
    return found


def key_of(certificate: "Certificate") -> "Ed25519PublicKey":
    """The public key in a certificate: whoever has its private key is the one who is meant.

    Raises: ParameterError for a key of another kind.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = certificate.public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise ParameterError("a certificate must be of an Ed25519 key")
    return key


def pem_of(certificate: "Certificate") -> str:
    """A certificate in PEM; the same one always gives the same text."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def _self_signed(text: str) -> "Certificate | None":
    """The first certificate in a text, if it is signed with its own key."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.x509 import load_pem_x509_certificate

    with suppress(ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        certificate = load_pem_x509_certificate(text.encode())
        key_of(certificate)
        certificate.verify_directly_issued_by(certificate)
        return certificate
    return None
