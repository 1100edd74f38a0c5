"""Channels over sockets: the same messages between threads or processes with one helper each.

A message is a frame: the lengths of step and payload (4 and 8 bytes, big endian), the step as UTF-8,
the payload. Sender and receiver are not sent; they follow from the connection. A thread per peer
takes frames off the connection as they come, so that two helper parties which send each other large
messages at the same time never wait for each other. Connections are neither encrypted nor
authenticated: between machines, hand in connections that are (ipa.network.tls).
"""

import socket
import struct
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from itertools import combinations
from threading import Condition, Thread
from time import monotonic
from types import TracebackType
from typing import Protocol

from ipa.errors import ChannelError
from ipa.network.channel import ABORT, Message, checked_timeout
from ipa.parties import HELPERS

MAX_STEP_BYTES = 1 << 12
MAX_PAYLOAD_BYTES = 1 << 30

# Helpers in one protocol are never more than a few messages ahead of each other.
MAX_WAITING_MESSAGES = 1 << 10
MAX_WAITING_BYTES = 1 << 28
"""How many bytes of a peer's messages wait to be received; a larger message waits alone."""

# How long a send or a read waits before it looks whether there is reason to go on waiting.
_TICK = 0.05
_PIECE = 1 << 20

_LENGTHS = struct.Struct("!IQ")


class Connection(Protocol):
    """A connected stream, such as a socket, that one thread may read while another writes."""

    def send(self, data: memoryview, /) -> int:
        """Send a beginning of `data`; its length. TimeoutError when nothing goes in time."""

    def recv(self, size: int, /) -> bytes:
        """At most `size` bytes that came, none at the end. TimeoutError when none come in time."""

    def settimeout(self, seconds: float, /) -> None:
        """How long sending and receiving wait."""

    def shutdown(self, how: int, /) -> None:
        """End the stream in both directions and wake who waits for it."""

    def close(self) -> None:
        """Give the stream back to the system."""


class SocketChannel:
    """Helper party `helper`'s end: one connection per peer, which it closes.

    `send` and `receive` wait `timeout` seconds at most, for a whole frame, and not at all once the
    peer has closed. A `send` that has to wait ends too when another helper says that it aborts. A
    frame that is cut short or breaks the limits ends the connection, as does a peer that sends many
    messages ahead: nothing after it is received. A peer that sends many bytes ahead is not read until
    some of them are received (SPEC_NOTES: slow-peers). The connections' own timeouts are replaced. Use it
    as a context manager, or call `close`.

    Raises: ParameterError for a timeout that is no number of seconds above 0.
    """

    def __init__(self, helper: int, connections: Mapping[int, Connection], timeout: float) -> None:
        self._helper = helper
        self._connections = connections
        self._timeout = checked_timeout(timeout)
        self._cut: set[int] = set()
        for connection in connections.values():
            connection.settimeout(_TICK)
        self._inboxes = {
            peer: _Inbox(peer, helper, connection) for peer, connection in connections.items()
        }

    def __enter__(self) -> "SocketChannel":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, message: Message) -> None:
        """Send one frame.

        Raises: ChannelError when the receiver is gone or does not read the frame in time, or when
            somebody aborts meanwhile. Nothing can be sent to that receiver then: it might take what
            follows for the rest of the frame.
        """
        receiver = message.receiver
        step = message.step.encode()
        frame = _LENGTHS.pack(len(step), len(message.payload)) + step + message.payload
        problem = f"H{receiver} cannot be sent anything more"
        if receiver not in self._cut:
            problem = self._send_all(receiver, memoryview(frame))
        if problem:
            self._cut.add(receiver)
            raise ChannelError(message.step, problem, [self._helper])

    def _send_all(self, receiver: int, rest: memoryview) -> str:
        """Send the bytes; what kept from it, or an empty string."""
        deadline = monotonic() + self._timeout
        while rest:
            try:
                rest = rest[self._connections[receiver].send(rest[:_PIECE]) :]
            except TimeoutError:
                for peer, inbox in self._inboxes.items():
                    if inbox.has_abort:
                        return f"H{peer} aborted"
            except OSError:
                return f"H{receiver} closed its connection"
            if rest and monotonic() >= deadline:
                return f"H{receiver} does not read what it is sent"
        return ""

    def receive(self, sender: int) -> Message | None:
        """The next message of `sender`; None at the timeout or at the end of its connection."""
        return self._inboxes[sender].take(self._timeout)

    def is_drained(self) -> bool:
        """Whether every message that has arrived was received."""
        return all(inbox.is_empty() for inbox in self._inboxes.values())

    def close(self) -> None:
        """End the connections; what was sent before still arrives. Closing twice is fine."""
        for peer, connection in self._connections.items():
            # The reader may hold the connection: shutting it down wakes the reader first.
            with suppress(OSError):  # the peer was faster, or this is the second time
                connection.shutdown(socket.SHUT_RDWR)
            self._inboxes[peer].stop()
            connection.close()


class _Inbox:
    """The messages that have arrived from one peer, put there by a thread of their own."""

    def __init__(self, peer: int, helper: int, connection: Connection) -> None:
        self._peer = peer
        self._helper = helper
        self._messages: deque[Message] = deque()
        self._waiting_bytes = 0
        self._ended = False
        self._closed = False
        self.has_abort = False
        self._changed = Condition()
        self.reader = Thread(target=self._read_all, args=(connection,), daemon=True)
        self.reader.start()

    def take(self, timeout: float) -> Message | None:
        """The next message; None if there is none within the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._ended, timeout)
            if not self._messages:
                return None
            message = self._messages.popleft()
            self._waiting_bytes -= len(message.payload)
            self._changed.notify_all()
            return message

    def is_empty(self) -> bool:
        """Whether nothing is waiting to be taken."""
        return not self._messages

    def stop(self) -> None:
        """End the reader, also one that waits for room."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.reader.join()

    def _read_all(self, connection: Connection) -> None:
        while (message := self._read_frame(connection)) is not None:
            if len(self._messages) >= MAX_WAITING_MESSAGES:
                break
            with self._changed:
                self._messages.append(message)
                self._waiting_bytes += len(message.payload)
                self.has_abort = self.has_abort or message.step == ABORT
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read_frame(self, connection: Connection) -> Message | None:
        """The next message; None at the end and when there is no whole, well-formed frame."""
        try:
            lengths = self._read_exactly(connection, _LENGTHS.size)
            step_size, payload_size = _LENGTHS.unpack(lengths)
            if step_size > MAX_STEP_BYTES or payload_size > MAX_PAYLOAD_BYTES:
                return None
            step = self._read_exactly(connection, step_size).decode()
            self._wait_for_room(payload_size)
            payload = self._read_exactly(connection, payload_size)
        except (EOFError, OSError, UnicodeDecodeError):
            return None
        return Message(step, self._peer, self._helper, payload)

    def _wait_for_room(self, size: int) -> None:
        def has_room() -> bool:
            """Whether the inbox can hold one more message of the size."""
            return not self._messages or self._waiting_bytes + size <= MAX_WAITING_BYTES

        with self._changed:
            self._changed.wait_for(lambda: self._closed or has_room())

    def _read_exactly(self, connection: Connection, size: int) -> bytes:
        pieces = []
        while size:
            try:
                piece = connection.recv(min(size, _PIECE))
            except TimeoutError:  # nothing yet
                if self._closed:
                    raise EOFError from None
                continue
            if not piece:
                raise EOFError
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


def connected_sockets() -> dict[int, dict[int, socket.socket]]:
    """Socket pairs between the three helper parties of one machine: by helper, then by peer.

    Hand each helper's to its own thread or process and make the SocketChannel there.
    """
    ends: dict[int, dict[int, socket.socket]] = {helper: {} for helper in HELPERS}
    for a, b in combinations(HELPERS, 2):
        ends[a][b], ends[b][a] = socket.socketpair()
    return ends


def local_socket_channels(timeout: float) -> dict[int, SocketChannel]:
    """The three ends of a network of sockets in one process, by helper; close each of them.

    Raises: ParameterError for a timeout that is no number of seconds above 0.
    """
    checked_timeout(timeout)
    return {
        helper: SocketChannel(helper, connections, timeout)
        for helper, connections in connected_sockets().items()
    }
