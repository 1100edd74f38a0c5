"""A door for tests: a listener on loopback, and clients of every kind that come to it."""

import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Event

from certificate_cases import fixed_certificate, fixed_key
from cryptography import x509
from service_cases import Parties, new_parties, wait_until

from ipa.certificates import pem_of
from ipa.client.services import RegisteredCollector
from ipa.network.tls import TlsConnection, listening_context
from ipa.network.tls_identity import TlsIdentity, identity_of
from ipa.service.listener import Listener
from ipa.service.parties import Party, party_of

PARTIES = new_parties()
NOW = datetime.now(UTC)
EXPIRED = (NOW - timedelta(days=9), NOW - timedelta(days=1))
NOT_YET = (NOW + timedelta(days=1), NOW + timedelta(days=9))


def dated_identity(number: int, good: tuple[datetime, datetime]) -> TlsIdentity:
    """A certificate of a fixed key that is good in a time of its own."""
    certificate = fixed_certificate(number, good=good)
    return identity_of(fixed_key(number), x509.load_pem_x509_certificate(certificate.encode()))


def sub_identity() -> TlsIdentity:
    """A certificate that a registered report collector has signed, for another key."""
    name = [x509.NameAttribute(x509.NameOID.COMMON_NAME, "party 9")]
    builder = x509.CertificateBuilder(x509.Name(name), x509.Name(name), fixed_key(8).public_key())
    builder = builder.serial_number(2).not_valid_before(NOW - timedelta(days=1))
    builder = builder.not_valid_after(NOW + timedelta(days=1))
    signed = builder.sign(fixed_key(9), None)
    own = identity_of(fixed_key(8), signed)
    return replace(own, certificate=pem_of(signed) + SIGNER.certificate)


SIGNER = dated_identity(9, (NOW - timedelta(days=1), NOW + timedelta(days=1)))
OLD = dated_identity(10, EXPIRED)
EARLY = dated_identity(11, NOT_YET)


def published() -> Parties:
    """Parties among which are some with certificates of other days, and one that signs others."""
    more = {"old.example": OLD, "early.example": EARLY, "signer.example": SIGNER}
    registered = [RegisteredCollector(name, own.certificate) for name, own in more.items()]
    configuration = replace(
        PARTIES.configuration,
        report_collectors=(*PARTIES.configuration.report_collectors, *registered),
    )
    return replace(PARTIES, configuration=configuration)


@dataclass
class Door:
    """A listener under test: whom it served, and why it refused."""

    address: tuple[str, int] = ("", 0)
    served: list[Party] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    going: Event = field(default_factory=Event)

    def connect(self) -> socket.socket:
        """A plain connection."""
        return socket.create_connection(self.address, timeout=30)

    def meet(self, own: TlsIdentity | None = None, version: ssl.TLSVersion | None = None) -> bytes:
        """Connect under TLS, and wait for what the listener's server says, or the end."""
        with closing(self.connect()) as raw, closing(client_of(raw, own, version)) as session:
            return session.recv(100)


def client_of(
    raw: socket.socket, own: TlsIdentity | None, version: ssl.TLSVersion | None = None
) -> ssl.SSLSocket:
    """A client that believes every server, with a certificate if it has one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version is not None:
        context.maximum_version = version
    if own is not None:
        load(context, own)
    return context.wrap_socket(raw)


def load(context: ssl.SSLContext, own: TlsIdentity) -> None:
    """Have the context show a certificate, which OpenSSL reads from files alone."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(own.private_key + own.certificate.encode())
        file.flush()
        context.load_cert_chain(file.name, password=own.password)


@contextmanager
def door(serve: Callable[[Door, TlsConnection, Party], bool] | None = None) -> Iterator[Door]:
    """A listener of helper 1 that says `served` to whom it lets in, unless it does something else."""
    made, parties = Door(), published()

    def say_served(connection: TlsConnection, party: Party) -> bool:
        made.served.append(party)
        if serve is not None:
            return serve(made, connection, party)
        connection.send(memoryview(b"served"))
        return False

    certificates = [service.certificate for service in parties.configuration.services]
    certificates += [each.certificate for each in parties.configuration.report_collectors]
    running = Listener(
        ("127.0.0.1", 0),
        listening_context(parties.identities[1], certificates),
        lambda certificate: party_of(parties.configuration, 1, certificate),
        say_served,
        made.refused.append,
    )
    made.address = running.address
    try:
        yield made
    finally:
        made.going.set()
        running.close()
        wait_until(lambda: len(listening_threads()) == 0, "the end of all threads")


def listening_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "_meet" in thread.name]
