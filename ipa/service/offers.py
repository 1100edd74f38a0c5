"""Offers: how helper parties find out that all three have a query and are free to run it now.

On a connection that becomes a run's, the one who connected sends an offer and the other replies with
one byte; after READY both speak in frames. Bytes, version 1 (SPEC_NOTES: services):

    offer    4 bytes "IPAO", u8 version = 1, u8 sender, u8 receiver, 16 bytes attempt,
             32 bytes digest of what was asked, string query ID
    reply    u8
"""

import socket
from dataclasses import dataclass
from enum import IntEnum
from time import monotonic

from ipa.client.encoding import Reader, encode_string
from ipa.errors import InputError, ReportError
from ipa.network.sockets import Connection

MAGIC = b"IPAO"
VERSION = 1
ATTEMPT_BYTES = 16
DIGEST_BYTES = 32
_HEAD_BYTES = len(MAGIC) + 3 + ATTEMPT_BYTES + DIGEST_BYTES + 1


class Reply(IntEnum):
    """What a helper party says to an offer."""

    READY = 1
    NOT_HERE = 2
    ASKED_OTHERWISE = 3
    ENDED = 4
    BUSY = 5


@dataclass(frozen=True)
class Offer:
    """Helper `sender` would run this query now with `receiver`.

    `attempt` is drawn by helper 1, and is the same in all three offers of one attempt.
    """

    sender: int
    receiver: int
    attempt: bytes
    digest: bytes
    query_id: str

    def to_bytes(self) -> bytes:
        """The bytes of the offer."""
        numbers = bytes([VERSION, self.sender, self.receiver])
        return MAGIC + numbers + self.attempt + self.digest + encode_string(self.query_id)


def receive_offer(connection: Connection, seconds: float) -> Offer:
    """The offer that must come first, whole within these seconds.

    Raises: InputError for anything else; OSError when the connection ends, TimeoutError among them.
    """
    deadline = monotonic() + seconds
    head = receive_exactly(connection, _HEAD_BYTES, deadline)
    rest = receive_exactly(connection, head[-1], deadline)
    reader = Reader(head + rest, "the offer")
    try:
        magic, version = reader.take(len(MAGIC)), reader.integer(1)
        if magic != MAGIC or version != VERSION:
            raise InputError("this is no offer of version 1")
        return Offer(
            sender=reader.integer(1),
            receiver=reader.integer(1),
            attempt=reader.take(ATTEMPT_BYTES),
            digest=reader.take(DIGEST_BYTES),
            query_id=reader.string(),
        )
    except ReportError as error:
        raise InputError(error.problem) from None


def receive_reply(connection: Connection, seconds: float) -> Reply:
    """The reply to an offer.

    Raises: InputError for a byte that is none; OSError as `receive_offer` does.
    """
    (number,) = receive_exactly(connection, 1, monotonic() + seconds)
    if number not in tuple(Reply):
        raise InputError("this is no reply to an offer")
    return Reply(number)


def send_all(connection: Connection, data: bytes, seconds: float) -> None:
    """Send the bytes within these seconds.

    Raises: OSError when the connection ends, TimeoutError among them.
    """
    deadline = monotonic() + seconds
    rest = memoryview(data)
    while rest:
        _wait_until(connection, deadline)
        rest = rest[connection.send(rest) :]


def receive_exactly(connection: Connection, size: int, deadline: float) -> bytes:
    """So many bytes, by this time of the monotonic clock.

    Raises: OSError when the connection ends, TimeoutError among them.
    """
    received = bytearray()
    while len(received) < size:
        _wait_until(connection, deadline)
        piece = connection.recv(size - len(received))
        if not piece:
            raise ConnectionError("the connection has ended")
        received += piece
    return bytes(received)


def _wait_until(connection: Connection, deadline: float) -> None:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError("the peer is too slow")
    connection.settimeout(left)


def close_connection(connection: Connection) -> None:
    """End a connection, whatever state it is in."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended already
    finally:
        connection.close()
