"""One request to a helper party's service: HTTPS, the pinned certificate, one deadline, bounded answers.

A service may be anybody's, and may answer anything: what it says is read up to a bound, until a
deadline that holds for the whole request, and shown only as printable text.
"""

import io
import json
import ssl
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from socket import create_connection
from time import monotonic
from typing import Any, NoReturn

from ipa.client.configuration import NetworkConfiguration
from ipa.client.services import split_address
from ipa.errors import ParameterError, ServiceError
from ipa.network.tls import pinned_context
from ipa.network.tls_identity import TlsIdentity
from ipa.parties import HELPERS
from ipa.service.refusal import Refusal

MAX_STATEMENT_BYTES = 1 << 16
"""The longest answer but for a result: a state, or a refusal."""

MAX_SAID_CHARACTERS = 600
"""What is shown of a text that a service chose."""

_PIECE = 1 << 16
_CUT_SHORT = "closed the connection before its answer was complete"
_CONTINUE, _CONTINUE_SECONDS = b"HTTP/1.1 100", 1.0
_EXPIRED, _NOT_YET_VALID = 10, 9  # X509_V_ERR_CERT_HAS_EXPIRED and ..._NOT_YET_VALID


class LostConnection(Exception):
    """A service could not be reached, or the connection broke: the request can be made again.

    `problem` goes on from the helper's name.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True)
class Service:
    """A helper party's service, and the TLS by which the two parties know each other."""

    helper: int
    host: str
    port: int
    context: ssl.SSLContext = field(repr=False)

    def __str__(self) -> str:
        return f"H{self.helper}"


def check_has_services(configuration: NetworkConfiguration) -> None:
    """Check that a network's helper parties can be asked over the Internet.

    Raises: ParameterError.
    """
    if not configuration.services:
        raise ParameterError(
            f"network {configuration.name} publishes no services: `ipa keygen --serve` makes one "
            "whose helper parties can be asked"
        )


def services_of(configuration: NetworkConfiguration, identity: TlsIdentity) -> tuple[Service, ...]:
    """The services of helpers 1, 2 and 3 that a network published, for whoever has this identity.

    Raises: ParameterError when it published none.
    """
    check_has_services(configuration)
    services = []
    for helper, published in zip(HELPERS, configuration.services, strict=True):
        context = pinned_context(identity, published.certificate, as_server=False)
        context.set_alpn_protocols(["http/1.1"])
        services.append(Service(helper, *split_address(published.address), context))
    return tuple(services)


def ask_service(
    service: Service,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    most: int = MAX_STATEMENT_BYTES,
    timeout: float,
) -> bytes:
    """The body of the answer to a request, if the service does what it is asked.

    It has `timeout` seconds for everything, and `most` bytes for the answer.

    Raises: ServiceError for a refusal, an answer that cannot be, and a party that is not the one which
        is meant; LostConnection when it is out of reach.
    """
    connection = HTTPConnection(service.host, service.port)
    try:
        with closing(_connected(service, monotonic() + timeout)) as stream:
            connection.sock = _Stream(stream)
            _send(connection, method, path, body, stream)
            return _answer(service, connection.getresponse(), most)
    except ssl.SSLError as error:
        _refuse_certificate(service, error)
        raise LostConnection(f"cannot be reached: {_reason(error)}") from error
    except TimeoutError as error:
        raise LostConnection(f"does not answer within {timeout:g} seconds") from error
    except OSError as error:  # a connection that was closed without an answer is one too
        raise LostConnection(f"cannot be reached: {error.strerror or error}") from error
    except IncompleteRead as error:
        raise LostConnection(_CUT_SHORT) from error
    except HTTPException as error:
        problem = f"{service} does not answer as a helper party's service ({type(error).__name__})"
        raise ServiceError(problem) from error


def _send(
    connection: HTTPConnection,
    method: str,
    path: str,
    body: bytes | None,
    stream: "DeadlineConnection",
) -> None:
    connection.putrequest(method, path, skip_accept_encoding=True)
    connection.putheader("Connection", "close")
    if body is not None:
        connection.putheader("Content-Type", "application/octet-stream")
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Expect", "100-continue")
    # A service that refuses may have closed its end already. What it said last can still be read.
    with suppress(ConnectionError, ssl.SSLEOFError):
        connection.endheaders()
        # A stream is refused without being read, and the refusal can be lost if more of the stream
        # comes when the service has closed. So the service speaks first, unless it is silent for long.
        if body is not None and _CONTINUE.startswith(
            stream.first_bytes(_CONTINUE_SECONDS)[: len(_CONTINUE)]
        ):
            connection.send(body)


def _answer(service: Service, response: HTTPResponse, most: int) -> bytes:
    succeeded = 200 <= response.status < 300
    bound = most if succeeded else MAX_STATEMENT_BYTES
    too_long = f"{service} answers with more than {bound} bytes"
    if response.length is not None and response.length > bound:
        raise ServiceError(too_long)
    data = _read(response, bound + 1)
    if len(data) > bound:
        raise ServiceError(too_long)
    if response.length:  # what is still to come, where it was said how much it would be
        raise LostConnection(_CUT_SHORT)
    if not succeeded:
        _raise_refusal(service, response.status, data)
    return data


def _read(response: HTTPResponse, most: int) -> bytes:
    """The body, at most so much of it: in pieces, so that memory is taken for what comes alone."""
    data = bytearray()
    while len(data) < most and (piece := response.read(min(_PIECE, most - len(data)))):
        data += piece
    return bytes(data)


def _raise_refusal(service: Service, status: int, data: bytes) -> NoReturn:
    said = json_object(data) or {}
    refusal, problem = said.get("refusal"), said.get("problem")
    known = refusal if isinstance(refusal, str) and refusal in set(Refusal) else None
    if not isinstance(problem, str) or not problem:
        problem = f"HTTP status {status}"
    raise ServiceError(f"{service} refuses: {shown(problem)}", known)


def json_object(data: bytes) -> Mapping[str, Any] | None:
    """The JSON object in the bytes, or None."""
    found = None
    with suppress(ValueError, RecursionError):
        found = json.loads(data)
    return found if isinstance(found, dict) else None


def shown(text: str) -> str:
    """A text that a service chose, as it can be shown: not longer than a line or two, and printable."""
    text = text if len(text) <= MAX_SAID_CHARACTERS else f"{text[: MAX_SAID_CHARACTERS - 3]}..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _connected(service: Service, deadline: float) -> "DeadlineConnection":
    raw = create_connection((service.host, service.port), timeout=_left(deadline))
    try:
        raw.settimeout(_left(deadline))
        return DeadlineConnection(service.context.wrap_socket(raw), deadline)
    except BaseException:
        raw.close()
        raise


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _refuse_certificate(service: Service, error: ssl.SSLError) -> None:
    """Raise the error if one of the two parties does not accept the other's certificate."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
            when = "has expired" if error.verify_code == _EXPIRED else "is not yet valid"
            raise ServiceError(f"{service}'s certificate {when}") from error
        raise ServiceError(
            f"{service} shows another certificate than the one that its network published"
        ) from error
    reason = _reason(error)
    if "ALERT" in (error.reason or "") and any(
        word in reason for word in ("certificate", "unknown ca", "access denied")
    ):
        raise ServiceError(f"{service} does not accept this certificate: {reason}") from error


def _reason(error: ssl.SSLError) -> str:
    """What OpenSSL says in capitals, in words: TLSV1_ALERT_UNKNOWN_CA is an unknown CA."""
    reason = (error.reason or "TLS fails").lower().replace("_", " ")
    return reason.partition(" alert ")[2] or reason


class DeadlineConnection(io.RawIOBase):
    """A TLS connection on which everything together has to be over at the deadline.

    A timeout of the socket's own begins anew with every byte.
    """

    def __init__(self, connection: ssl.SSLSocket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._first = b""

    def first_bytes(self, seconds: float) -> bytes:
        """What comes first, if anything comes so soon; it can still be read."""
        self._connection.settimeout(min(seconds, _left(self._deadline)))
        with suppress(TimeoutError):
            self._first = self._connection.recv(_PIECE)
        return self._first

    def send_all(self, data: bytes) -> None:
        """Send the data. Raises: TimeoutError at the deadline."""
        rest = memoryview(data)
        while rest:
            self._connection.settimeout(_left(self._deadline))
            rest = rest[self._connection.send(rest[:_PIECE]) :]

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Put what comes first into the buffer; its length. Raises: TimeoutError at the deadline."""
        if self._first:
            size = min(len(buffer), len(self._first))
            buffer[:size], self._first = self._first[:size], self._first[size:]
            return size
        self._connection.settimeout(_left(self._deadline))
        return self._connection.recv_into(buffer)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
        super().close()


class _Stream:
    """A connection as `HTTPConnection` knows a socket; it closes it before the answer is read."""

    def __init__(self, connection: DeadlineConnection) -> None:
        self.sendall = connection.send_all
        self._reader = io.BufferedReader(connection)

    def makefile(self, mode: str) -> io.BufferedIOBase:
        """The bytes that come, as a file."""
        return self._reader

    def close(self) -> None:
        """Nothing: whoever made the connection closes it."""
