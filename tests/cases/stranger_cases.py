"""What malicious clients and peers send to a helper party's process: seeded, without end, each different.

Every case has random letters in it, its mark, by which it would be found in a log.
"""

import random
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from service_processes import COLLECTOR, PATIENCE, ServiceProcesses, exact_query

from ipa.network.sockets import MAX_PAYLOAD_BYTES, MAX_STEP_BYTES, MAX_WAITING_MESSAGES
from ipa.parties import HELPERS
from ipa.service.asked import asked_to_text
from ipa.service.offers import DIGEST_BYTES, MAGIC, VERSION, Offer, Reply
from ipa.service.peers import ALPN
from ipa.service.service_requests import ask_service
from ipa.service.watching import query_path

REQUESTS = (
    "GET /health HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /openapi.json HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    "HEAD /v1/record HTTP/1.1\r\nHost: h\r\n\r\n",
    "PUT /v1/queries/MARK?breakdowns=4&cap=60 HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nIPAQMARK",
    "PUT /v1/queries/MARK?breakdowns=4&cap=MARK HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nMARK",
    "GET /v1/queries/MARK/result HTTP/1.1\r\nHost: MARK\r\nX-MARK: MARK\r\n\r\n",
    "POST /MARK/../MARK?MARK HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nMARK\r\n0\r\n\r\n",
)
_PIECES = (
    "\r\n",
    "\0",
    ":",
    " ",
    "%",
    "%00",
    "%2e%2e/",
    "?",
    "&a=b",
    "\r\nContent-Length: 99999999999999999999",
    "\r\nContent-Length: -1",
    "\r\nTransfer-Encoding: chunked",
    "\r\nExpect: 100-continue",
    "A" * 20_000,
    "\r\nX: y" * 100,
    "\x80\xff",
    "GET",
    "HTTP/9.9",
)


_CUT = 0.2
"""How often a peer is gone in the middle of a message."""


@dataclass(frozen=True)
class Sent:
    """One case: its mark, and what was sent."""

    mark: str
    data: bytes


def mark_of(rng: random.Random) -> str:
    """Random letters, which are nowhere else."""
    return "".join(rng.choices("ghjkmnpqrtvwxyz", k=16))


def malformed_request(rng: random.Random, mark: str) -> bytes:
    """A request with one to three places changed, cut or repeated."""
    data = rng.choice(REQUESTS).replace("MARK", mark).encode()
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) + 1)
        piece = rng.choice(_PIECES).encode("latin-1")
        data = rng.choice(
            [
                data[:at] + piece + data[at:],
                data[:at],
                data[:at] + data[at + 1 :],
                data[:at] + data,
                data[:at] + rng.randbytes(rng.randint(1, 9)) + data[at:],
            ]
        )
    return data


def malformed_offer(rng: random.Random, mark: str, receiver: int) -> bytes:
    """An offer of helper 1 with a part that is wrong, or no offer at all."""
    good = Offer(1, receiver, rng.randbytes(16), rng.randbytes(DIGEST_BYTES), mark).to_bytes()
    at = rng.randrange(len(good))
    return rng.choice(
        [
            good,  # of a query that was never submitted
            good[:at],
            good[:at] + rng.randbytes(1) + good[at + 1 :],
            good + mark.encode() * 1000,
            bytes([VERSION]) + good,
            MAGIC + rng.randbytes(100),
            Offer(2, receiver, bytes(16), bytes(32), mark).to_bytes(),
            Offer(1, 6 - receiver, bytes(16), bytes(32), mark).to_bytes(),
            mark.encode() + rng.randbytes(rng.randrange(2000)),
        ]
    )


def beginning_of_a_frame(rng: random.Random, mark: str) -> bytes:
    """What could be a message if more came; a peer that ends the connection there is gone."""
    whole = (13).to_bytes(4, "big") + MAX_PAYLOAD_BYTES.to_bytes(8, "big") + b"pairwise-keys"
    return (whole + mark.encode())[: rng.randrange(len(whole) + len(mark) + 1)]


def malformed_frames(rng: random.Random, mark: str) -> bytes:
    """What is no messages of a query: wrong steps, lengths that cannot be, floods, garbage.

    Whoever gets it ends the connection.
    """
    # A step's name is in an error where it is one, so what has the mark is none.
    step = rng.choice([f"{mark} {mark}".encode(), b"query/sort"])
    payload = rng.choice([b"", mark.encode(), rng.randbytes(32), mark.encode() * 300])
    frame = len(step).to_bytes(4, "big") + len(payload).to_bytes(8, "big") + step + payload
    keys = b"pairwise-keys"
    return rng.choice(
        [
            frame,
            frame * (MAX_WAITING_MESSAGES + 1),
            b"\xfe" + rng.randbytes(rng.randrange(11, 5000)) + step,
            len(step).to_bytes(4, "big") + (1 << 63).to_bytes(8, "big") + step,
            (MAX_STEP_BYTES + 1).to_bytes(4, "big") + bytes(8) + step * 300,
            b"\xff" * 12 + step,
            (2).to_bytes(4, "big") + bytes(8) + b"\xff\xfe" + frame,  # a step that is no UTF-8
            len(keys).to_bytes(4, "big") + (1 << 20).to_bytes(8, "big") + keys + bytes(1 << 20),
            len(keys).to_bytes(4, "big") + (32).to_bytes(8, "big") + keys + bytes(32) + frame * 20,
        ]
    )


@dataclass
class Attacker:
    """Somebody who has a report collector's and helper 1's keys, and sends what does not belong."""

    network: ServiceProcesses
    streams: tuple[bytes, ...]
    rng: random.Random
    targets: tuple[int, ...] = HELPERS

    def cases(self, count: int) -> Iterator[Sent]:
        """So many attacks, each made when it is asked for."""
        attacks: list[Callable[[str], bytes]] = [self._plain, self._http, self._http, self._offer]
        for number in range(count):
            mark = mark_of(self.rng)
            attack = self._frames if number % 20 == 0 else attacks[number % len(attacks)]
            yield Sent(mark, attack(mark))

    def _plain(self, mark: str) -> bytes:
        """Bytes without TLS, or a beginning of TLS."""
        service = self.network.service(self.rng.choice(self.targets))
        data = self.rng.choice(
            [
                mark.encode(),
                malformed_request(self.rng, mark),
                b"\x16\x03\x01" + self.rng.randbytes(self.rng.randrange(600)) + mark.encode(),
                self.rng.randbytes(self.rng.randrange(3000)) + mark.encode(),
            ]
        )
        with socket.create_connection((service.host, service.port), PATIENCE) as connection:
            _send_and_read(connection, data)
        return data

    def _http(self, mark: str) -> bytes:
        """A malformed request, of a stranger or of somebody whom the helper party knows."""
        who = self.rng.choice([None, COLLECTOR, 1])
        identity = None if who is None else self.network.files.identity(who)
        data = malformed_request(self.rng, mark)
        with self.network.connect(self.rng.choice(self.targets), identity) as connection:
            answered = _send_and_read(connection, data)
        assert not answered or answered.startswith((b"HTTP/1.1 2", b"HTTP/1.1 4", b"HTTP/1.1 100"))
        assert b" 500 " not in answered
        return data

    def _offer(self, mark: str) -> bytes:
        """A malformed offer of helper 1."""
        receiver = self.rng.choice((2, 3))
        data = malformed_offer(self.rng, mark, receiver)
        with self._as_first(receiver) as connection:
            answered = _send_and_read(connection, data)
        assert answered in (b"", bytes([Reply.NOT_HERE]))
        return data

    def _frames(self, mark: str) -> bytes:
        """Helpers 2 and 3 run a query with helper 1, which sends them what is no message of it."""
        asked = exact_query(f"attacked-{self.rng.getrandbits(64):016x}")
        collector = self.network.files.identity(COLLECTOR)
        for helper in (2, 3):
            path = f"{query_path(asked.query_id)}?{urlencode(asked_to_text(asked))}"
            service = self.network.service(helper, collector)
            ask_service(service, "PUT", path, body=self.streams[helper - 1], timeout=PATIENCE)
        is_cut = self.rng.random() < _CUT
        data = (beginning_of_a_frame if is_cut else malformed_frames)(self.rng, mark)
        with self._as_first(3) as third, self._as_first(2) as second:
            for helper, connection in ((3, third), (2, second)):
                offered = Offer(1, helper, bytes(16), asked.digest(), asked.query_id)
                connection.sendall(offered.to_bytes())
                assert connection.recv(1) == bytes([Reply.READY])
            for connection in (third, second):
                with suppress(OSError):  # it has given up before it was sent everything
                    connection.sendall(data)
            for connection in () if is_cut else (third, second):
                with suppress(ConnectionError, ssl.SSLError):
                    while connection.recv(1 << 16):  # until the other side has had enough
                        pass
        return data

    def _as_first(self, helper: int) -> ssl.SSLSocket:
        return self.network.connect(helper, self.network.files.identity(1), ALPN)


def _send_and_read(connection: socket.socket, data: bytes) -> bytes:
    """Send everything and end that direction; all that comes until the other side ends its own."""
    received = b""
    with suppress(OSError):  # it may end the connection before it was sent everything
        connection.sendall(data)
        socket.socket.shutdown(connection, socket.SHUT_WR)  # that of TLS would end both directions
    with suppress(ConnectionError, ssl.SSLError):
        while piece := connection.recv(1 << 16):
            received += piece
    return received
