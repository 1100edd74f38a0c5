"""Peers that a test plays: what they send, and what the services under test say and do."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from intake_cases import world
from service_cases import new_parties, submit

from ipa.names import host_itself
from ipa.network.sockets import Connection
from ipa.service.asked import Asked
from ipa.service.metrics import Metrics
from ipa.service.offers import Offer
from ipa.service.peers import Peers
from ipa.service.queries import Queries, Query, QueryLimits
from ipa.service.run import HelperPart
from ipa.service.runner import Runner

ATTEMPT = bytes(range(16))

_opened: list[socket.socket] = []


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a connection, which `close_sockets` closes."""
    ends = socket.socketpair()
    _opened.extend(ends)
    return ends


def close_sockets() -> None:
    """Close all that `socket_pair` has made."""
    while _opened:
        _opened.pop().close()


@dataclass
class SetSeconds:
    """Seconds that a test sets."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class PlayedPeers(Peers):
    """Peers that reply to an offer as a test says: with a connection, or an error."""

    replies: Mapping[int, Callable[[], Connection]] = field(default_factory=dict)
    offers: list[Offer] = field(default_factory=list)

    def offer(self, offer: Offer, seconds: float) -> Connection:
        """Note the offer, and do what the test says."""
        self.offers.append(offer)
        return self.replies[offer.receiver]()


@dataclass
class NotedRunner(Runner):
    """A runner that notes which queries it is to run, over which connections, and runs none."""

    ran: list[tuple[Query, Mapping[int, Connection]]] = field(default_factory=list)

    def run(self, query: Query, connections: Mapping[int, Connection]) -> None:
        """Note it."""
        self.ran.append((query, connections))


@dataclass
class Played:
    """One helper party under test, in the hands of peers that a test plays."""

    peers: PlayedPeers
    queries: Queries
    runner: NotedRunner
    clock: SetSeconds

    def submit(self, asked: Asked) -> Query:
        """Submit a query to it."""
        return submit(self.queries, asked, world().streams[self.peers.helper - 1])


def played(helper: int, replies: Any = (), **limits: Any) -> Played:
    """Helper party `helper`, whose peers reply so."""
    parties, clock = new_parties(), SetSeconds()
    part = HelperPart(keys=world().keys[helper - 1], ledger=None, registrable_domain=host_itself)
    queries = Queries(QueryLimits(**limits), clock)
    peers = PlayedPeers(helper, parties.configuration, parties.identities[helper], dict(replies))
    runner = NotedRunner(part, queries, Metrics(), 1, 5.0, clock)
    return Played(peers, queries, runner, clock)


def offer_for(
    asked: Asked, sender: int, receiver: int, attempt: bytes = ATTEMPT, **changed: Any
) -> Offer:
    """The right offer of a query, but for what is changed."""
    given = {"digest": asked.digest(), "query_id": asked.query_id} | changed
    return Offer(sender=sender, receiver=receiver, attempt=attempt, **given)


def is_closed(end: socket.socket) -> bool:
    """Whether the other end of the connection was closed."""
    end.settimeout(10)
    try:
        return end.recv(1) == b""
    except ConnectionError:
        return True
