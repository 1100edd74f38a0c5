"""HTTP/1.1 for one client at a time over one connection; h11 reads and writes the grammar.

A client is a stranger until it has shown otherwise, and costs what `HttpLimits` say at most. A timeout
of each system call bounds nothing, for a client can send a byte just before each: here whole heads,
bodies and answers have a deadline. A body is read only after its request was found worth it, and kept
in one place. What is not HTTP is answered 400 and the connection closed.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from io import BytesIO
from time import monotonic

import h11

from ipa.errors import ServiceError
from ipa.network.sockets import Connection
from ipa.service.logs import tell_fault
from ipa.service.messages import (
    Handle,
    HttpLimits,
    Request,
    Response,
    parse_target,
    refusal_response,
)
from ipa.service.refusal import Refusal, refuse

_PIECE = 1 << 16

Clock = Callable[[], float]


def serve_http(
    connection: Connection,
    handle: Handle,
    limits: HttpLimits,
    *,
    refused: Callable[[Refusal], None] = lambda refusal: None,
    clock: Clock = monotonic,
) -> None:
    """Answer a client's requests one after another, until either side ends it; closes the connection.

    `refused` is called for each request that is refused, also for those that `handle` never sees. A
    fault of `handle` is answered 500, and one line of the log says where it was and nothing of the
    request. `clock` gives seconds that never go back.
    """
    client = _Client(connection, limits, clock)
    try:
        for left in reversed(range(limits.requests)):
            if not _answer_next(client, handle, refused, is_last=left == 0):
                break
    except _ConnectionLostError:
        pass  # there is nobody to tell
    finally:
        client.close()


def _answer_next(
    client: "_Client", handle: Handle, refused: Callable[[Refusal], None], *, is_last: bool
) -> bool:
    """Answer the client's next request; whether there may be another one."""
    try:
        request = client.next_request()
        if request is None:
            return False
        response = handle(request, client.read_body)
    except _ConnectionLostError:
        raise
    except ServiceError as error:
        response = _refused(error)
    except Exception as error:
        response = _fault(error)
    if response.refusal is not None:
        refused(response.refusal)
    is_last = is_last or not client.is_at_end_of_request or response.refusal is Refusal.FAULT
    client.send(response, is_last=is_last)
    return not is_last and client.begin_again()


def _refused(error: ServiceError) -> Response:
    if error.refusal is None:  # said by a service, and not of this request
        return _fault(error)
    return refusal_response(Refusal(error.refusal), error.problem)


def _fault(error: Exception) -> Response:
    """The answer to a request that this party failed at; its message could quote the request."""
    tell_fault("request failed", error)
    return refusal_response(Refusal.FAULT, "this helper party failed to answer; its log says why")


class _ConnectionLostError(Exception):
    """The client has gone, or takes too long to read its answer."""


class _Client:
    """The other end of a connection: its requests come from here and answers go there."""

    def __init__(self, connection: Connection, limits: HttpLimits, clock: Clock) -> None:
        self._connection = connection
        self._limits = limits
        self._clock = clock
        self._http = h11.Connection(h11.SERVER, limits.head_bytes)
        self._is_head = False
        self._length = 0
        self._seconds_left = limits.exchange_seconds
        self._may_be_sending = False

    @property
    def is_at_end_of_request(self) -> bool:
        """Whether the last request was read to its end, so that another one can follow."""
        return self._http.their_state is not h11.SEND_BODY and (
            self._http.their_state is not h11.ERROR
        )

    def next_request(self) -> Request | None:
        """The next request's head; None when the client has gone or has nothing to ask.

        Raises: ServiceError MALFORMED, TIMED_OUT or LENGTH_MISSING.
        """
        self._is_head = False
        self._length = 0
        self._seconds_left = self._limits.exchange_seconds
        head = self._next_head()
        if head is None:
            return None
        self._is_head = head.method == b"HEAD"
        request = _request(head, self._limits)
        self._length = request.length or 0
        if not self._length:
            self._next_event()  # the request's end, so that the next one can follow
        return request

    def _next_head(self) -> h11.Request | None:
        has_begun = bool(self._http.trailing_data[0])
        limits = self._limits
        deadline = self._clock() + (limits.head_seconds if has_begun else limits.idle_seconds)
        while not isinstance(event := self._next_event(), h11.Request):
            if event is not h11.NEED_DATA:
                return None  # the end of the connection
            try:
                data = self._receive(_PIECE, deadline)
            except TimeoutError:
                if not has_begun:
                    return None
                problem = f"the head of a request may take {limits.head_seconds:g} seconds"
                refuse(Refusal.TIMED_OUT, problem)
            if not has_begun:
                has_begun = True
                deadline = self._clock() + limits.head_seconds
            self._http.receive_data(data)
        return event

    def read_body(self, most: int) -> bytes:
        """The whole body, as `ReadBody` says.

        Raises: ServiceError TOO_LARGE, TIMED_OUT or MALFORMED.
        """
        if self._length > most:
            refuse(Refusal.TOO_LARGE, f"the body may have {most} bytes, not {self._length}")
        self._seconds_left += self._length / self._limits.least_rate
        begun = self._clock()
        deadline = begun + self._seconds_left
        if self._http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            self._send(self._http.send(go_on), deadline)
        body = BytesIO()
        while self._http.their_state is h11.SEND_BODY:
            event = self._next_event()
            if isinstance(event, h11.Data):
                body.write(event.data)
            elif event is h11.NEED_DATA:
                try:
                    data = self._receive(_PIECE, deadline)
                except TimeoutError:
                    problem = f"{body.tell()} of {self._length} bytes of the body came in time"
                    refuse(Refusal.TIMED_OUT, problem)
                if not data:
                    problem = f"the body ended after {body.tell()} of {self._length} bytes"
                    refuse(Refusal.MALFORMED, problem)
                self._http.receive_data(data)
        self._seconds_left -= self._clock() - begun
        return body.getvalue()  # the same bytes, and no copy

    def send(self, response: Response, *, is_last: bool) -> None:
        """Send an answer; with the last one the client is told that the connection closes."""
        headers = [
            ("Date", formatdate(usegmt=True)),
            ("Content-Type", response.content_type),
            ("Content-Length", str(len(response.body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *response.headers,
            *([("Connection", "close")] if is_last else ()),
        ]
        self._may_be_sending = not self.is_at_end_of_request and (
            not self._http.they_are_waiting_for_100_continue
        )
        pieces = [self._http.send(h11.Response(status_code=response.status, headers=headers))]
        if not self._is_head:
            pieces.append(self._http.send(h11.Data(data=response.body)))
        pieces.append(self._http.send(h11.EndOfMessage()))
        data = b"".join(pieces)
        deadline = self._clock() + self._seconds_left + len(data) / self._limits.least_rate
        self._send(data, deadline)

    def begin_again(self) -> bool:
        """Be ready for the next request; False if the client said that there is none."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    def close(self) -> None:
        """End the connection."""
        with suppress(OSError):  # the client was faster
            if self._may_be_sending:
                self._drain()
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _drain(self) -> None:
        """Throw away what the client had sent before it knew of its answer."""
        left = self._limits.linger_bytes
        deadline = self._clock() + self._limits.linger_seconds
        with suppress(TimeoutError, _ConnectionLostError):
            while left > 0 and (data := self._receive(_PIECE, deadline)):
                left -= len(data)

    def _next_event(self) -> object:
        """What h11 makes of the bytes that came.

        Raises: ServiceError MALFORMED.
        """
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            problem = "this is no request of HTTP/1.1"
            if error.error_status_hint == 431:
                problem = f"the head of a request may have {self._limits.head_bytes} bytes"
            refuse(Refusal.MALFORMED, problem)

    def _receive(self, size: int, deadline: float) -> bytes:
        """What comes next, at most `size` bytes.

        Raises: TimeoutError at the deadline.
        """
        while (left := deadline - self._clock()) > 0:
            try:
                self._connection.settimeout(left)
                return self._connection.recv(size)
            except TimeoutError:
                continue
            except OSError:
                raise _ConnectionLostError from None
        raise TimeoutError

    def _send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            if (left := deadline - self._clock()) <= 0:
                raise _ConnectionLostError
            try:
                self._connection.settimeout(left)
                rest = rest[self._connection.send(rest[:_PIECE]) :]
            except TimeoutError:
                continue
            except OSError:
                raise _ConnectionLostError from None


def _request(head: h11.Request, limits: HttpLimits) -> Request:
    """The request of a head that is HTTP, if it keeps the limits.

    Raises: ServiceError MALFORMED or LENGTH_MISSING.
    """
    fields = [len(name) + len(value) + len(": \r\n") for name, value in head.headers]
    line = len(head.method) + len(head.target) + len("  HTTP/1.1\r\n")
    if sum(fields) + line > limits.head_bytes:
        refuse(Refusal.MALFORMED, f"the head of a request may have {limits.head_bytes} bytes")
    if len(fields) > limits.header_fields:
        refuse(Refusal.MALFORMED, f"a request may have {limits.header_fields} header fields")
    if head.http_version not in (b"1.0", b"1.1"):
        refuse(Refusal.MALFORMED, "this is no request of HTTP/1.1")
    headers = dict(head.headers)
    if b"transfer-encoding" in headers:
        refuse(Refusal.LENGTH_MISSING, "a body needs its Content-Length: chunks are not taken")
    path, query = parse_target(head.target.decode("ascii"), limits)
    length = headers.get(b"content-length")
    method = "GET" if head.method == b"HEAD" else head.method.decode("ascii")
    return Request(method, path, query, None if length is None else int(length))
