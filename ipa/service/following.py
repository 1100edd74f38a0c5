"""Helpers 2 and 3 reply to offers: helper 2 when helper 3 is ready as well, helper 3 to helper 1 first."""

from contextlib import suppress
from dataclasses import dataclass, field

from ipa.errors import InputError
from ipa.network.sockets import Connection
from ipa.service.leading import LEADER, SECOND, THIRD, offer_of
from ipa.service.logs import tell
from ipa.service.offers import Offer, Reply, close_connection, receive_offer, send_all
from ipa.service.peers import (
    OFFER_SECONDS,
    PeerError,
    Peers,
    RefusedOfferError,
    Rendezvous,
    why_in_words,
)
from ipa.service.queries import Queries, Query, State
from ipa.service.runner import Runner


@dataclass
class Follower:
    """Replies to offers, and runs a query once this helper party is connected to both others."""

    peers: Peers
    queries: Queries
    runner: Runner
    _rendezvous: Rendezvous = field(default_factory=Rendezvous)

    def answer(self, peer: int, connection: Connection) -> bool:
        """Reply to the offer that a peer makes on a new connection; if it comes to a run, run.

        Whether the connection is kept. Otherwise it is to be closed.
        """
        try:
            offer = receive_offer(connection, OFFER_SECONDS)
            _check_names(offer, peer, self.peers.helper)
            query = self.queries.find(offer.query_id)
            reply = self._reply(offer, query)
            if query is None or reply is not Reply.READY:
                send_all(connection, bytes([reply]), OFFER_SECONDS)
                return False
            if self.peers.helper == THIRD:
                return self._meet(query, offer, connection)
            return self._pass_on(query, offer, connection)
        except (OSError, InputError) as error:
            tell("offer refused", peer=f"H{peer}", reason=why_in_words(peer, error))
            return False

    def _reply(self, offer: Offer, query: Query | None) -> Reply:
        if query is None:
            return Reply.NOT_HERE
        if query.asked.digest() != offer.digest:
            self.runner.refuse(query, f"H{offer.sender} was asked another query under this ID")
            return Reply.ASKED_OTHERWISE
        if query.state in (State.DONE, State.ABORTED):
            return Reply.ENDED
        if query.state is State.RUNNING or self.runner.is_busy():
            return Reply.BUSY
        return Reply.READY

    def _pass_on(self, query: Query, offer: Offer, connection: Connection) -> bool:
        """Helper 2: ask helper 3, and run if it is ready."""
        own = offer_of(query, self.peers.helper, THIRD, offer.attempt)
        try:
            to_third = self.peers.offer(own, OFFER_SECONDS)
        except RefusedOfferError as error:
            self.runner.refuse(query, str(error))
            send_all(connection, bytes([Reply.ENDED]), OFFER_SECONDS)
            return False
        except PeerError:
            send_all(connection, bytes([Reply.BUSY]), OFFER_SECONDS)
            return False
        return self._begin(query, {LEADER: connection, THIRD: to_third}, connection)

    def _meet(self, query: Query, offer: Offer, connection: Connection) -> bool:
        """Helper 3: keep helper 1's connection until helper 2's of the same attempt comes, then run."""
        if offer.sender == LEADER:
            self._rendezvous.keep(offer, connection)
            send_all(connection, bytes([Reply.READY]), OFFER_SECONDS)
            return True
        to_leader = self._rendezvous.take(offer)
        if to_leader is None:
            send_all(connection, bytes([Reply.BUSY]), OFFER_SECONDS)
            return False
        return self._begin(query, {LEADER: to_leader, SECOND: connection}, connection)

    def _begin(self, query: Query, connections: dict[int, Connection], last: Connection) -> bool:
        """Say on the connection that came last whether the query begins, and run it if so."""
        if self.runner.begin(query):
            with suppress(OSError):  # the run notices that its peer is gone
                send_all(last, bytes([Reply.READY]), OFFER_SECONDS)
            self.runner.run(query, connections)
            return True
        try:
            send_all(last, bytes([Reply.BUSY]), OFFER_SECONDS)
        finally:
            for connection in connections.values():
                close_connection(connection)
        return True

    def tidy(self) -> None:
        """Let queries expire that waited too long, and close what waits for a run of those."""
        waiting = {query.asked.query_id for query in self.queries.waiting()}
        self._rendezvous.keep_only(waiting)

    def close(self) -> None:
        """Close what waits for a run: none begins any more."""
        self._rendezvous.keep_only(())


def _check_names(offer: Offer, peer: int, helper: int) -> None:
    """Raises: InputError when an offer is not from who sent it to who got it, or is none of theirs."""
    if offer.sender != peer:
        raise InputError(f"it says that it is from H{offer.sender}, and H{peer} sent it")
    if offer.receiver != helper:
        raise InputError(f"it is for H{offer.receiver}, and came to H{helper}")
    if offer.sender >= helper:
        raise InputError(f"H{offer.sender} makes no offers to H{helper}")
