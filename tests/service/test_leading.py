"""Helper 1 offers its queries: in which order, again when a peer is not free, and never when refused."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from peer_cases import Played, close_sockets, is_closed, offer_for, played, socket_pair
from service_cases import small_query, wait_until

from ipa.network.sockets import Connection
from ipa.service.leading import MOST_RETRY_SECONDS, RETRY_SECONDS, Leader
from ipa.service.peers import PeerError, RefusedOfferError
from ipa.service.queries import State

ASKED = small_query()


@pytest.fixture(autouse=True)
def sockets() -> Iterator[None]:
    """Closes what a test leaves open."""
    yield
    close_sockets()


def leader(of: Played) -> Leader:
    return Leader(of.peers, of.queries, of.runner, of.clock)


def ready() -> tuple[dict[int, Callable[[], Connection]], dict[int, list[socket.socket]]]:
    """Peers that are ready each time, and their ends of the connections."""
    ends: dict[int, list[socket.socket]] = {2: [], 3: []}

    def reply(peer: int) -> Connection:
        own, its = socket_pair()
        ends[peer].append(its)
        return own

    return {2: lambda: reply(2), 3: lambda: reply(3)}, ends


def refusing(error: Exception) -> Callable[[], Any]:
    def reply() -> Any:
        raise error

    return reply


def test_a_query_begins_when_both_others_are_ready() -> None:
    replies, _ = ready()
    at = played(1, replies)
    query = at.submit(ASKED)
    leader(at).offer_all()
    wait_until(lambda: at.runner.ran)
    ((ran, connections),) = at.runner.ran
    assert ran is query and query.state is State.RUNNING and set(connections) == {2, 3}
    third, second = at.peers.offers
    assert len(second.attempt) == 16 and second.attempt == third.attempt
    assert third == offer_for(ASKED, 1, 3, third.attempt)
    assert second == offer_for(ASKED, 1, 2, third.attempt)


def test_the_oldest_query_comes_first_and_one_at_a_time() -> None:
    replies, _ = ready()
    at = played(1, replies)
    first, second = at.submit(small_query("b")), at.submit(small_query("a"))
    lead = leader(at)
    lead.offer_all()
    lead.offer_all()
    assert (first.state, second.state) == (State.RUNNING, State.WAITING)
    at.queries.abort(first, "")
    lead.offer_all()
    assert second.state is State.RUNNING
    names = [offer.query_id for offer in at.peers.offers]
    attempts = {offer.attempt for offer in at.peers.offers}
    assert names == ["b", "b", "a", "a"] and len(attempts) == 2


@pytest.mark.parametrize("peer", [2, 3])
def test_a_peer_that_is_not_free_is_offered_the_query_again_and_more_seldom(peer: int) -> None:
    replies, ends = ready()
    busy = refusing(PeerError(f"H{peer} is not free"))
    at = played(1, replies | {peer: busy})
    query, lead = at.submit(ASKED), leader(at)
    waits = []
    for _ in range(9):
        began = len(at.peers.offers)
        due = lead.offer_all()
        assert len(at.peers.offers) > began and query.state is State.WAITING
        began = len(at.peers.offers)
        waits.append(due - at.clock.now)
        at.clock.now = due - 0.01
        assert lead.offer_all() == pytest.approx(due)
        assert len(at.peers.offers) == began
        at.clock.now = due
    expected = [min(RETRY_SECONDS * 2**number, MOST_RETRY_SECONDS) for number in range(9)]
    assert waits == pytest.approx(expected)
    assert all(is_closed(end) for end in ends[5 - peer])
    assert len({offer.attempt for offer in at.peers.offers}) == 9
    at.peers.replies[peer] = replies[peer]  # type: ignore[index]
    lead.offer_all()
    assert query.state is State.RUNNING


def test_a_query_that_waits_does_not_hold_up_the_next() -> None:
    replies, _ = ready()
    at = played(1, replies)
    at.submit(small_query("stuck"))
    other = at.submit(small_query("goes"))
    third = replies[3]

    def reply() -> Connection:
        if at.peers.offers[-1].query_id == "stuck":
            raise PeerError("H3 was not sent the query")
        return third()

    at.peers.replies[3] = reply  # type: ignore[index]
    leader(at).offer_all()
    assert other.state is State.RUNNING


@pytest.mark.parametrize("peer", [2, 3])
def test_a_query_that_a_peer_refuses_is_aborted_with_the_reason(peer: int) -> None:
    replies, ends = ready()
    error = RefusedOfferError(f"H{peer} was asked another query under this ID")
    at = played(1, replies | {peer: refusing(error)})
    query, lead = at.submit(ASKED), leader(at)
    lead.offer_all()
    assert (query.state, query.reason) == (State.ABORTED, str(error))
    assert all(is_closed(end) for end in ends[5 - peer])
    made = len(at.peers.offers)
    at.clock.now += 100
    lead.offer_all()
    assert len(at.peers.offers) == made and not at.runner.ran


def test_a_query_that_ends_while_it_is_offered_does_not_run() -> None:
    replies, ends = ready()
    at = played(1, replies)
    query, second = at.submit(ASKED), replies[2]

    def reply() -> Connection:
        at.queries.abort(query, "why")
        return second()

    at.peers.replies[2] = reply  # type: ignore[index]
    leader(at).offer_all()
    assert query.reason == "why" and not at.runner.ran
    assert all(is_closed(end) for peer in ends for end in ends[peer])


def test_report_collectors_take_turns_however_many_queries_one_has() -> None:
    replies, _ = ready()
    at = played(1, replies)
    lead, ran = leader(at), []
    for query_id in ("1", "2", "3"):
        at.submit(small_query(query_id))
    while at.queries.waiting():
        lead.offer_all()
        (running,) = at.queries.running()
        ran.append(running.asked.query_id)
        if len(ran) == 1:
            for query_id in ("a", "b"):
                at.submit(replace(small_query(query_id), submitter="other.example"))
        at.queries.abort(running, "its end")
        at.clock.now += 1
    assert ran == ["1", "a", "2", "b", "3"]


def test_nothing_more_is_offered_once_it_stops() -> None:
    at = played(1)
    queries = [at.submit(small_query(query_id)) for query_id in ("first", "second")]

    def reply() -> Connection:
        at.queries.stop()
        raise PeerError("H3 does not answer")

    at.peers.replies[3] = reply  # type: ignore[index]
    leader(at).offer_all()
    assert [offer.query_id for offer in at.peers.offers] == ["first"]
    assert all(query.reason == "this helper party is stopping" for query in queries)


def test_a_query_that_the_others_do_not_have_expires() -> None:
    replies, _ = ready()
    lacking = refusing(PeerError("H3 was not sent the query"))
    at = played(1, replies | {3: lacking}, expires_after=10)
    query, lead = at.submit(ASKED), leader(at)
    lead.offer_all()
    at.clock.now += 11
    made = len(at.peers.offers)
    lead.offer_all()
    assert query.state is State.ABORTED and len(at.peers.offers) == made
    assert not lead._retries
