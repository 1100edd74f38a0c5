"""Certificates made on the spot: for how long, for which host, and that none vouches for another."""

import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from certificate_cases import FIRST_DAY, LAST_DAY, fixed_certificate, fixed_key
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tls_cases import speak

from ipa.certificates import read_certificate
from ipa.errors import ParameterError
from ipa.network.identities import save_identity, validity_of
from ipa.network.tls import pinned_context
from ipa.network.tls_identity import identity_of, new_identity

DAY = 24 * 3600
HERE = "helper1.example"


@pytest.mark.parametrize("host", [HERE, "127.0.0.1", "::1"])
def test_a_client_that_checks_host_names_finds_the_host(tmp_path: Path, host: str) -> None:
    own = new_identity("helper 1", host=host)
    save_identity(tmp_path / "own.pem", own)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "own.pem")
    client = ssl.create_default_context(cadata=own.certificate)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    speak(server, client, host)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"ismatch"):
        speak(server, client, "other.example")


def test_a_host_is_a_name_or_an_address() -> None:
    for host, expected in (
        (HERE, x509.DNSName(HERE)),
        ("192.0.2.1", x509.IPAddress(ip_address("192.0.2.1"))),
        ("2001:db8::1", x509.IPAddress(ip_address("2001:db8::1"))),
    ):
        certificate = read_certificate("it", new_identity("x", host=host).certificate)
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert list(found.value) == [expected]
    certificate = read_certificate("it", new_identity("x").certificate)
    kinds = [type(extension.value) for extension in certificate.extensions]
    assert kinds == [x509.BasicConstraints]
    assert isinstance(certificate.public_key(), Ed25519PublicKey)


def test_a_certificate_vouches_for_no_other() -> None:
    """Whoever is pinned cannot let others in by signing their certificates."""
    own, pinned = new_identity("helper 1"), new_identity("helper 2")
    key = load_pem_private_key(pinned.private_key, pinned.password)
    issuer = read_certificate("it", pinned.certificate)
    assert isinstance(key, Ed25519PrivateKey)
    issued = (
        x509.CertificateBuilder(issuer.subject, subject_of("guest"), fixed_key(9).public_key())
        .serial_number(5)
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
        .sign(key, None)
    )
    server = pinned_context(own, pinned.certificate, as_server=True)
    guest = pinned_context(identity_of(fixed_key(9), issued), own.certificate, as_server=False)
    with pytest.raises(ssl.SSLCertVerificationError, match="invalid CA certificate"):
        speak(server, guest)


def subject_of(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("helper 1 of \u00fc", "helper 1 of \u00fc"),
        ("x" * 64, "x" * 64),
        ("x" * 65, "x" * 64),
        ("\u00e9" * 40, "\u00e9" * 32),
        ("x" + "\u00e9" * 40, "x" + "\u00e9" * 31),
    ],
)
def test_a_long_name_is_cut_where_a_character_ends(name: str, shown: str) -> None:
    certificate = read_certificate("it", new_identity(name).certificate)
    assert certificate.subject == subject_of(shown)


@pytest.mark.parametrize("days", [1, 365, 36_525])
def test_a_certificate_is_good_from_yesterday_for_so_many_days(days: int) -> None:
    before = int(time.time())
    first, last = validity_of(new_identity("helper 1", days=days).certificate)
    after = int(time.time())
    assert before - DAY <= first <= after - DAY
    assert last - first == (days + 1) * DAY


def test_the_dates_of_a_certificate_are_unix_seconds() -> None:
    expected = (int(FIRST_DAY.timestamp()), int(LAST_DAY.timestamp()))
    assert validity_of(fixed_certificate(1)) == expected == (1_767_225_600, 1_798_761_600)
    with pytest.raises(ParameterError, match="a certificate must be one certificate in PEM"):
        validity_of("")


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(-3, -2, "certificate has expired"), (2, 3, "certificate is not yet valid")],
)
def test_a_certificate_is_refused_on_other_days(first: int, last: int, said: str) -> None:
    now = datetime.now(UTC)
    good = (now + timedelta(days=first), now + timedelta(days=last))
    own, other = new_identity("helper 1"), fixed_certificate(2, good=good)
    server = pinned_context(own, other, as_server=True)
    identity = identity_of(fixed_key(2), read_certificate("it", other))
    client = pinned_context(identity, own.certificate, as_server=False)
    with pytest.raises(ssl.SSLCertVerificationError, match=said):
        speak(server, client)


@pytest.mark.parametrize("days", [0, -1, 36_526, 1.5, True])
def test_a_certificate_is_good_for_whole_days(days: int) -> None:
    with pytest.raises(ParameterError, match="days must be an integer from 1 to 36525"):
        new_identity("helper 1", days=days)
