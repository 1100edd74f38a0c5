"""A client of `serve_http` over a socket pair, and a front with a query that can be submitted."""

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from intake_cases import HOME, PARAMETERS, world

from ipa.budget.ledger import Ledger
from ipa.network.sockets import Connection
from ipa.service.asked import Asked, asked_to_text
from ipa.service.front import Front, serve_front
from ipa.service.http import serve_http
from ipa.service.messages import Handle, HttpLimits, ReadBody, Request, Response
from ipa.service.metrics import Metrics
from ipa.service.parties import Party
from ipa.service.queries import Queries, QueryLimits
from ipa.service.refusal import Refusal

COLLECTOR = Party("report collector", name=HOME.report_collector)
OTHER_COLLECTOR = Party("report collector", name="other.example")
OPERATOR = Party("operator", name="the operator")
PEER = Party("peer", helper=2)
QUICK = HttpLimits(linger_seconds=0.01)
PLAIN = asked_to_text(Asked(query_id="q", submitter=HOME.report_collector, parameters=PARAMETERS))
"""The parameters of a query without noise over the world's streams, as text."""


@dataclass(frozen=True)
class Answered:
    """One answer as a client sees it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def refusal(self) -> str | None:
        return self.json["refusal"] if self.status >= 400 else None


@dataclass
class Told:
    """What `serve_http` told beside its answers."""

    refusals: list[Refusal] = field(default_factory=list)


def answers_in(data: bytes, *, of_head: bool = False) -> list[Answered]:
    """Every answer in what a server sent; interim ones too."""
    found = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        assert end
        line, *lines = head.decode().split("\r\n")
        headers = dict(part.lower().split(": ", 1) for part in lines)
        size = 0 if of_head else int(headers.get("content-length", "0"))
        assert len(data) >= size
        found.append(Answered(int(line.split(" ")[1]), headers, data[:size]))
        data = data[size:]
    return found


def sent_and_received(
    data: bytes, handle: Handle, limits: HttpLimits = QUICK, told: Told | None = None
) -> bytes:
    """All that a client gets who sends these bytes and then nothing more."""
    refused = (told or Told()).refusals.append
    return exchanged(data, lambda there: serve_http(there, handle, limits, refused=refused))


def exchanged(data: bytes, serve: Callable[[Connection], None]) -> bytes:
    """The same of anything that serves a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(data)
        ours.shutdown(socket.SHUT_WR)
        serve(theirs)
        received = b""
        while piece := _received(ours):
            received += piece
    return received


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 20)
    except ConnectionResetError:
        return b""


def echo(request: Request, read_body: ReadBody) -> Response:
    """Answers what was understood of a request, and its body where it has one."""
    body = read_body(100) if request.method == "PUT" else b""
    said = {"method": request.method, "path": request.path, "query": request.query}
    return Response(200, json.dumps(said | {"body": body.decode("latin-1")}).encode())


def new_front(ledger: Ledger | None = None, limits: QueryLimits | None = None) -> Front:
    """The front of helper 1 of the world's network."""
    there = world()
    queries = Queries(limits or QueryLimits())
    return Front(1, there.network, there.keys[0], ledger, queries, Metrics())


def request_bytes(
    method: str, target: str, body: bytes | None = None, fields: tuple[str, ...] = ()
) -> bytes:
    """A request as it should be."""
    lines = [f"{method} {target} HTTP/1.1", "Host: helper", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


def ask(
    front: Front, party: Party, method: str, target: str, body: bytes | None = None
) -> Answered:
    """What a party is answered to one request."""
    data = request_bytes(method, target, body)
    received = exchanged(data, lambda there: serve_front(there, party, front, QUICK))
    (only,) = answers_in(received, of_head=method == "HEAD")
    return only


def target_of(query_id: str, given: Mapping[str, str] = PLAIN) -> str:
    """Where a query is submitted."""
    text = "&".join(f"{name}={value}" for name, value in given.items())
    return f"/v1/queries/{query_id}?{text}"


def submit(
    front: Front, query_id: str = "q-1", given: Mapping[str, str] = PLAIN, helper: int = 1
) -> Answered:
    """What the world's collector is answered to a stream of the world's query."""
    stream = world().streams[helper - 1]
    return ask(front, COLLECTOR, "PUT", target_of(query_id, given), stream)


class ScriptedConnection(Connection):
    """A client that sends given pieces, each at its time by a clock of its own; then it stays quiet."""

    def __init__(self, pieces: list[tuple[float, bytes]], *, reads: bool = True) -> None:
        self.now = 0.0
        self.received = b""
        self.closed = False
        self._pieces = pieces
        self._reads = reads
        self._patience = 0.0

    def clock(self) -> float:
        return self.now

    def settimeout(self, seconds: float, /) -> None:
        self._patience = seconds

    def recv(self, size: int, /) -> bytes:
        if not self._pieces or self._pieces[0][0] > self.now + self._patience:
            self.now += self._patience
            raise TimeoutError
        at, piece = self._pieces.pop(0)
        self.now = max(self.now, at)
        if piece[size:]:
            self._pieces.insert(0, (at, piece[size:]))
        return piece[:size]

    def send(self, data: memoryview, /) -> int:
        if not self._reads:
            self.now += self._patience
            raise TimeoutError
        self.received += data
        return len(data)

    def shutdown(self, how: int, /) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def ledger_of(directory: Path) -> Ledger:
    """Helper 1's ledger, in which HOME's site has given its collector epsilon 1."""
    from payment_cases import paying_ledgers

    return paying_ledgers(directory)[0]
