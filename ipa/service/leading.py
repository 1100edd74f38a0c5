"""Helper 1 decides when a query begins: it offers it to the others, and begins when both are ready.

So all three run the same queries at the same time, and none begins what another one does not have.
The order is all that helper 1 decides.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from ipa.network.sockets import Connection
from ipa.parties import HELPERS
from ipa.service.logs import tell
from ipa.service.offers import Offer, close_connection
from ipa.service.peers import OFFER_SECONDS, PeerError, Peers, RefusedOfferError, new_attempt
from ipa.service.queries import Queries, Query
from ipa.service.runner import Runner

RETRY_SECONDS = 0.05
"""How long helper 1 waits before it offers a query again; twice as long each time."""

MOST_RETRY_SECONDS = 2.0

LEADER, SECOND, THIRD = HELPERS


@dataclass
class _Retry:
    """When to offer a query again, and what was in the way the last time."""

    at: float = 0.0
    delay: float = RETRY_SECONDS
    problem: str = ""


@dataclass
class Leader:
    """Offers helper 1's queries, as many at once as may run.

    First come those of the report collector whose turn is the longest ago, and of its own the oldest: so
    whoever has many queries waiting does not keep another one from its turn.
    """

    peers: Peers
    queries: Queries
    runner: Runner
    clock: Callable[[], float] = monotonic
    _retries: dict[str, _Retry] = field(default_factory=dict)
    _turns: dict[str, float] = field(default_factory=dict)

    def offer_all(self) -> float:
        """Offer every query that is due, and return when the next one is, at the latest."""
        waiting = self.queries.waiting()
        for gone in self._retries.keys() - {query.asked.query_id for query in waiting}:
            del self._retries[gone]
        next_due = self.clock() + MOST_RETRY_SECONDS
        for query in sorted(waiting, key=self._last_turn):
            retry = self._retries.setdefault(query.asked.query_id, _Retry())
            if self.runner.is_busy() or self.queries.stopping:
                break
            if retry.at <= self.clock():
                self._offer_once(query, retry)
            next_due = min(next_due, max(retry.at, self.clock()))
        return next_due

    def _last_turn(self, query: Query) -> float:
        """When a query of the same report collector last began."""
        return self._turns.get(query.asked.submitter, float("-inf"))

    def _offer_once(self, query: Query, retry: _Retry) -> None:
        try:
            connections = self._offer(query)
        except RefusedOfferError as error:
            self.runner.refuse(query, str(error))
        except PeerError as error:
            if str(error) != retry.problem:
                tell("query waits", query_id=query.asked.query_id, reason=str(error))
            retry.problem = str(error)
            retry.at = self.clock() + retry.delay
            retry.delay = min(2 * retry.delay, MOST_RETRY_SECONDS)
        else:
            self._turns[query.asked.submitter] = self.clock()
            self.runner.run_in_thread(query, connections)

    def _offer(self, query: Query) -> dict[int, Connection]:
        """Connections to both others, who are ready; the query has begun. Raises: PeerError.

        Helper 3 comes first. Helper 2 asks it as well, and is given the time for that.
        """
        attempt = new_attempt()
        connections: dict[int, Connection] = {}
        try:
            for peer, seconds in ((THIRD, OFFER_SECONDS), (SECOND, 2 * OFFER_SECONDS)):
                offer = offer_of(query, LEADER, peer, attempt)
                connections[peer] = self.peers.offer(offer, seconds)
            if not self.runner.begin(query):
                raise PeerError("it waits no more")
        except BaseException:
            for connection in connections.values():
                close_connection(connection)
            raise
        return connections


def offer_of(query: Query, sender: int, receiver: int, attempt: bytes) -> Offer:
    """The offer to run this query."""
    return Offer(sender, receiver, attempt, query.asked.digest(), query.asked.query_id)
