"""Certificates that are the same each time, and a network of services that has them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from client_cases import fixed_network
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ipa.certificates import pem_of
from ipa.client.configuration import NetworkConfiguration
from ipa.client.services import HelperService, RegisteredCollector

FIRST_DAY, LAST_DAY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
ADDRESSES = ("helper1.example:8443", "192.0.2.2:443", "[2001:db8::3]:8443")
COLLECTORS = ("search.example", "app:com.Example.App")


def fixed_key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))


def key_in_pem(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def fixed_certificate(
    number: int,
    *,
    signed_by: int | None = None,
    serial: int = 1,
    good: tuple[datetime, datetime] = (FIRST_DAY, LAST_DAY),
) -> str:
    """The certificate of a key, signed with this key or with another one."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"party {number}")])
    builder = x509.CertificateBuilder(subject, subject, fixed_key(number).public_key())
    builder = builder.not_valid_before(good[0]).not_valid_after(good[1]).serial_number(serial)
    return pem_of(builder.sign(fixed_key(signed_by or number), None))


def certificate_of_another_kind() -> str:
    """One of an Ed448 key, signed with it."""
    key = Ed448PrivateKey.from_private_bytes(bytes([1] * 57))
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "party 1")])
    builder = x509.CertificateBuilder(subject, subject, key.public_key())
    builder = builder.not_valid_before(FIRST_DAY).not_valid_after(LAST_DAY).serial_number(1)
    return pem_of(builder.sign(key, None))


def fixed_services() -> tuple[HelperService, ...]:
    return tuple(HelperService(a, fixed_certificate(n)) for n, a in enumerate(ADDRESSES, 1))


def service_network() -> NetworkConfiguration:
    """The fixed network, its helpers at `ADDRESSES`, for two report collectors."""
    network, _ = fixed_network()
    collectors = tuple(
        RegisteredCollector(name, fixed_certificate(number))
        for number, name in enumerate(COLLECTORS, 4)
    )
    return replace(network, services=fixed_services(), report_collectors=collectors)


def certificates_of(network: NetworkConfiguration) -> list[str]:
    """All certificates of a network, those of its helpers first."""
    helpers = [service.certificate for service in network.services]
    return helpers + [collector.certificate for collector in network.report_collectors]


def broken_configurations(good: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The published configuration of `service_network`, broken in one place, and what is wrong."""
    services, collectors = good["services"], good["report_collectors"]
    yield "version 2", good | {"format": "ipa-network-v2"}
    for name in ("services", "report_collectors"):
        yield f"no {name}", {member: value for member, value in good.items() if member != name}
        yield f"{name} is no list", good | {name: {}}
    yield "report collectors without services", good | {"services": []}
    yield "two services", good | {"services": services[:2]}
    for what, address in (
        ("no port", "helper2.example"),
        ("port 0", "helper2.example:0"),
        ("port 65536", "helper2.example:65536"),
        ("a port with a zero before it", "helper2.example:0443"),
        ("an IPv6 address without brackets", "2001:db8::2:8443"),
        ("an IPv4 address of three numbers", "192.0.2:8443"),
        ("a host that is not ASCII", "h\u00e9lper.example:8443"),
        ("the address of helper 1, in capitals", "HELPER1.example:8443"),
    ):
        yield what, good | {"services": _second(services, {"address": address})}
    for what, certificate in (
        ("no certificate", ""),
        ("two certificates", fixed_certificate(2) + fixed_certificate(6)),
        ("a certificate signed with another key", fixed_certificate(2, signed_by=6)),
        ("a certificate of an Ed448 key", certificate_of_another_kind()),
        ("a certificate of helper 1's key", fixed_certificate(1, serial=2)),
        ("the certificate of a report collector", fixed_certificate(5)),
        ("a certificate in lines that end in CR LF", fixed_certificate(2).replace("\n", "\r\n")),
    ):
        yield what, good | {"services": _second(services, {"certificate": certificate})}
    for what, name in (
        ("a report collector in capitals", "Search.example"),
        ("a report collector registered twice", collectors[0]["name"]),
    ):
        yield what, good | {"report_collectors": _second(collectors, {"name": name})}


def _second(parties: list[dict[str, str]], change: dict[str, str]) -> list[dict[str, str]]:
    """The second of the parties changed."""
    return [parties[0], parties[1] | change, *parties[2:]]
