"""TLS between helper parties: version 1.3 alone, each side shows the one certificate expected of it.

Nothing is trusted but the peer's own certificate, which each helper party is given beforehand: no
authority, no host name. Of each pair of helpers the one with the lower number plays the server.
"""

import errno
import os
import select
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from ipa.errors import ChannelError
from ipa.network.tls_identity import TlsIdentity, new_identity

T = TypeVar("T")

_OWN_DESCRIPTORS = Path("/proc/self/fd")

CONNECT = "connect"
"""The step that errors name when two helpers cannot agree on a TLS session."""


@dataclass(frozen=True)
class TlsCredentials:
    """What a helper party connects with: its own identity, and its peers' certificates."""

    own: TlsIdentity
    certificates: Mapping[int, str]


def fresh_credentials(helpers: Sequence[int]) -> dict[int, TlsCredentials]:
    """Credentials by which these helpers know each other, made on the spot."""
    identities = {helper: new_identity(f"helper {helper}") for helper in helpers}
    return {
        helper: TlsCredentials(
            own, {peer: identities[peer].certificate for peer in helpers if peer != helper}
        )
        for helper, own in identities.items()
    }


def pinned_context(own: TlsIdentity, peer_certificate: str, *, as_server: bool) -> ssl.SSLContext:
    """What one end of a connection needs: to show its own certificate, and to accept the peer's alone.

    Raises: ssl.SSLError for a certificate or key that is none.
    """
    context = _context(own, [peer_certificate], as_server=as_server)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def listening_context(own: TlsIdentity, certificates: Sequence[str]) -> ssl.SSLContext:
    """What a server needs that serves whoever has one of the certificates, and strangers without any.

    Who shows a certificate must hold its key, and the certificate must be one of these or signed by
    one, and of this day. So compare `TlsConnection.certificate` with the very ones.

    Raises: ssl.SSLError for a certificate or key that is none.
    """
    context = _context(own, certificates, as_server=True)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


class _ClosedWithPeer(ssl.SSLSocket):
    """A socket that is closed when its peer is gone before the handshake.

    The first thing that ssl does with a new one is to ask who the peer is. Where that fails it can
    raise an error without closing the socket, and nobody else knows it yet.
    """

    def getpeername(self) -> Any:
        """Who the peer is. Raises: ConnectionResetError when it is gone."""
        try:
            return super().getpeername()
        except OSError as error:
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, "the peer is gone") from error


def _context(own: TlsIdentity, certificates: Sequence[str], *, as_server: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if as_server else ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = _ClosedWithPeer
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # the certificate itself is expected, whatever it says
    context.load_verify_locations(cadata="".join(certificates))
    if as_server:
        context.num_tickets = 0  # no session is taken up again
    with _file_of(own.private_key + own.certificate.encode()) as path:
        context.load_cert_chain(path, password=own.password)
    return context


@contextmanager
def _file_of(data: bytes) -> Iterator[Path]:
    """A file for OpenSSL, which reads a key from nothing else: the owner's alone, and gone at once.

    It is in memory where the system has such files, so that no kill leaves it behind; elsewhere
    nobody has its password.
    """
    if hasattr(os, "memfd_create") and _OWN_DESCRIPTORS.is_dir():
        with os.fdopen(os.memfd_create("ipa-tls"), "wb", 0) as file:
            file.write(data)
            yield _OWN_DESCRIPTORS / str(file.fileno())
        return
    with tempfile.TemporaryDirectory(prefix="ipa-tls-") as directory:
        path = Path(directory, "identity.pem")
        path.write_bytes(data)
        yield path


class TlsConnection:
    """A connected socket under TLS, which one thread may read while another one writes.

    OpenSSL allows one thread at a time in a session, so both take turns, and nobody waits for the
    peer inside. `certificate` is what the peer showed (DER), if anything, and `protocol` what both
    agreed to speak (ALPN), if they said so.

    Raises: ssl.SSLError when the peer does not show the certificate that the context expects;
        TimeoutError when the handshake takes longer than `timeout` seconds.
    """

    def __init__(
        self, connection: socket.socket, context: ssl.SSLContext, *, as_server: bool, timeout: float
    ) -> None:
        self._socket = context.wrap_socket(
            connection, server_side=as_server, do_handshake_on_connect=False
        )
        self._socket.setblocking(False)
        self._descriptor = self._socket.fileno()
        self._timeout = timeout
        self._session = Lock()
        self._ended = False
        try:
            self._in_turn(self._socket.do_handshake)
        except BaseException:
            self._socket.close()
            raise
        self.certificate = self._socket.getpeercert(binary_form=True)
        self.protocol = self._socket.selected_alpn_protocol()

    def settimeout(self, seconds: float, /) -> None:
        """How long sending and receiving wait."""
        self._timeout = seconds

    def send(self, data: memoryview, /) -> int:
        """Encrypt and send a beginning of `data`; its length.

        Raises: TimeoutError when nothing can be sent in time: the same bytes must then be sent again;
            OSError when the connection has ended.
        """
        return self._in_turn(lambda: self._socket.send(data))

    def recv(self, size: int, /) -> bytes:
        """At most `size` bytes that came, none at the end.

        Raises: TimeoutError when none come in time; OSError when the connection has broken.
        """
        return self._in_turn(lambda: self._socket.recv(size))

    def _in_turn(self, use: Callable[[], T]) -> T:
        """Use the session; while it has to wait for the peer, the other thread may."""
        deadline = monotonic() + self._timeout
        while True:
            with self._session:
                if self._ended:
                    raise OSError("the connection has ended")
                try:
                    return use()
                except ssl.SSLWantReadError:
                    awaited = select.POLLIN
                except ssl.SSLWantWriteError:
                    awaited = select.POLLOUT
            waiting = select.poll()
            waiting.register(self._descriptor, awaited)
            left = deadline - monotonic()
            if left <= 0 or not waiting.poll(1000 * left):
                raise TimeoutError

    def shutdown(self, how: int, /) -> None:
        """End the stream and wake who waits for it; nothing is sent or received after that."""
        with self._session:
            self._ended = True
            self._socket.shutdown(how)

    def close(self) -> None:
        """Give the socket back to the system."""
        self._socket.close()


def secure_connections(
    helper: int,
    connections: Mapping[int, socket.socket],
    credentials: TlsCredentials,
    timeout: float,
) -> dict[int, TlsConnection]:
    """Helper party `helper`'s connections under TLS, by peer.

    All helpers do this at the same time, the pairs in the order of their numbers. When one fails, all
    the connections are closed.

    Raises: ChannelError, step `connect`, when a peer is not the one whose certificate is known.
    """
    secured: dict[int, TlsConnection] = {}
    try:
        for peer in sorted(connections):
            as_server = helper < peer
            context = pinned_context(
                credentials.own, credentials.certificates[peer], as_server=as_server
            )
            try:
                secured[peer] = TlsConnection(
                    connections[peer], context, as_server=as_server, timeout=timeout
                )
            except OSError as error:  # ssl.SSLError and TimeoutError are such
                why = getattr(error, "verify_message", "") or getattr(error, "reason", "") or error
                problem = f"H{peer} does not prove who it is: {why}"
                raise ChannelError(CONNECT, problem, [helper]) from error
    except BaseException:
        # A socket that went into a session is closed with it; closing it again does nothing.
        for session in secured.values():
            session.close()
        for connection in connections.values():
            connection.close()
        raise
    return secured
