"""Connections to the two other helper parties, made for one run each and closed with it."""

import secrets
import socket
import ssl
from collections.abc import Collection
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from ipa.client.configuration import NetworkConfiguration
from ipa.client.services import split_address
from ipa.errors import InputError
from ipa.network.sockets import Connection
from ipa.network.tls import TlsConnection, pinned_context
from ipa.network.tls_identity import TlsIdentity
from ipa.service.offers import (
    ATTEMPT_BYTES,
    Offer,
    Reply,
    close_connection,
    receive_reply,
    send_all,
)

ALPN = "ipa-peer/1"
"""What peers agree to speak when they set up TLS; everybody else speaks HTTP/1.1."""

OFFER_SECONDS = 5.0
"""How long a connection, an offer on it and the reply may take together.

Helper 1 gives helper 2 twice as long, for helper 2 asks helper 3.
"""


class PeerError(Exception):
    """A peer cannot be offered a run now; the text says why, in words of this program."""


class RefusedOfferError(PeerError):
    """A peer will never run the query that it was offered."""


@dataclass(frozen=True)
class Peers:
    """How helper `helper` reaches the others."""

    helper: int
    configuration: NetworkConfiguration
    identity: TlsIdentity

    def offer(self, offer: Offer, seconds: float) -> Connection:
        """Connect to the offer's receiver and offer the run: the connection, which it is ready to use.

        All of it together may take so many seconds, but for finding the address.

        Raises: PeerError.
        """
        deadline = monotonic() + seconds
        connection = self._connect(offer.receiver, deadline)
        try:
            send_all(connection, offer.to_bytes(), deadline - monotonic())
            reply = receive_reply(connection, deadline - monotonic())
        except (OSError, InputError) as error:
            close_connection(connection)
            raise PeerError(why_in_words(offer.receiver, error)) from error
        if reply is not Reply.READY:
            close_connection(connection)
            is_final = reply in (Reply.ASKED_OTHERWISE, Reply.ENDED)
            raise (RefusedOfferError if is_final else PeerError)(
                f"H{offer.receiver} {_REPLIES[reply]}"
            )
        return connection

    def _connect(self, peer: int, deadline: float) -> TlsConnection:
        service = self.configuration.services[peer - 1]
        context = pinned_context(self.identity, service.certificate, as_server=False)
        context.set_alpn_protocols([ALPN])
        try:
            left = max(0.001, deadline - monotonic())  # 0 would be: do not wait at all
            raw = socket.create_connection(split_address(service.address), timeout=left)
        except OSError as error:
            raise PeerError(f"H{peer} cannot be reached: {error.strerror or error}") from error
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            left = deadline - monotonic()
            connection = TlsConnection(raw, context, as_server=False, timeout=left)
        except OSError as error:
            raw.close()
            raise PeerError(why_in_words(peer, error)) from error
        if connection.protocol != ALPN:
            close_connection(connection)
            raise PeerError(f"H{peer} does not speak {ALPN}")
        return connection


_REPLIES = {
    Reply.NOT_HERE: "was not sent the query",
    Reply.ASKED_OTHERWISE: "was asked another query under this ID",
    Reply.ENDED: "has ended the query",
    Reply.BUSY: "is not free, or does not reach another helper party",
}


def why_in_words(peer: int, error: Exception) -> str:
    """What went wrong with a peer, in words of this program: none that the peer chose."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"H{peer} does not prove who it is: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"H{peer} does not accept this connection: {error.reason or 'TLS failed'}"
    if isinstance(error, TimeoutError):
        return f"H{peer} does not answer"
    if isinstance(error, InputError):
        return f"H{peer} sends what does not belong here: {error}"
    return f"H{peer} closed the connection"


def new_attempt() -> bytes:
    """What helper 1 calls an attempt to run a query."""
    return secrets.token_bytes(ATTEMPT_BYTES)


@dataclass
class Rendezvous:
    """Where helper 3 keeps the connection of helper 1 until that of helper 2 comes, one per query at most.

    Helper 1 comes first, and of a query its newest attempt counts. So helper 2 begins nothing that
    helper 3 does not begin, and cannot have what helper 1 offered thrown away.
    """

    _waiting: dict[str, tuple[bytes, Connection]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def keep(self, offer: Offer, connection: Connection) -> None:
        """Keep helper 1's connection of this attempt instead of an older one."""
        with self._lock:
            self._close(offer.query_id)
            self._waiting[offer.query_id] = (offer.attempt, connection)

    def take(self, offer: Offer) -> Connection | None:
        """Helper 1's connection of this attempt, if it is there."""
        with self._lock:
            attempt, connection = self._waiting.get(offer.query_id, (b"", None))
            if attempt != offer.attempt:
                return None
            del self._waiting[offer.query_id]
            return connection

    def keep_only(self, query_ids: Collection[str]) -> None:
        """Close what is kept for other queries than these."""
        with self._lock:
            for query_id in self._waiting.keys() - set(query_ids):
                self._close(query_id)

    def _close(self, query_id: str) -> None:
        if query_id in self._waiting:
            close_connection(self._waiting.pop(query_id)[1])
