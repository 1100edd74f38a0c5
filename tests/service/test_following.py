"""Helpers 2 and 3 reply to offers: what they refuse, with which byte, and when they begin a run."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from peer_cases import ATTEMPT, Played, close_sockets, is_closed, offer_for, played, socket_pair
from service_cases import small_query

from ipa.network.sockets import Connection
from ipa.service import following
from ipa.service.following import Follower
from ipa.service.offers import Offer, Reply
from ipa.service.peers import PeerError, RefusedOfferError
from ipa.service.queries import State

ASKED = small_query()


@pytest.fixture(autouse=True)
def sockets() -> Iterator[None]:
    """Closes what a test leaves open."""
    yield
    close_sockets()


def follower(of: Played) -> Follower:
    return Follower(of.peers, of.queries, of.runner)


def answered(to: Follower, peer: int, sent: bytes | Offer) -> tuple[bool, socket.socket]:
    """Make an offer as a peer; whether its connection is kept, and the peer's end."""
    own, its = socket_pair()
    own.sendall(sent if isinstance(sent, bytes) else sent.to_bytes())
    kept = to.answer(peer, its)
    own.setblocking(False)
    if not kept:
        its.close()
    return kept, own


def reply_in(end: socket.socket) -> Reply | None:
    """The reply that has come, if any."""
    try:
        came = end.recv(10)
    except BlockingIOError:
        return None
    return Reply(came[0]) if len(came) == 1 else None


def raising(error: Exception) -> Callable[[], Connection]:
    def reply() -> Connection:
        raise error

    return reply


@pytest.mark.parametrize(
    ("helper", "peer", "offer"),
    [
        (3, 2, offer_for(ASKED, 1, 3)),  # helper 2 speaks for helper 1
        (3, 1, offer_for(ASKED, 2, 3)),
        (2, 1, offer_for(ASKED, 1, 3)),  # for helper 3
        (3, 1, offer_for(ASKED, 1, 2)),
        (2, 3, offer_for(ASKED, 3, 2)),  # helper 3 makes no offers
        (1, 2, offer_for(ASKED, 2, 1)),  # helper 1 gets none
        (1, 3, offer_for(ASKED, 3, 1)),
        (3, 3, offer_for(ASKED, 3, 3)),
        (2, 1, offer_for(ASKED, 0, 2)),
    ],
)
def test_an_offer_of_or_for_another_helper_gets_no_reply(
    helper: int, peer: int, offer: Offer
) -> None:
    at = played(helper)
    query = at.submit(ASKED)
    kept, end = answered(follower(at), peer, offer)
    assert not kept and is_closed(end)
    assert query.state is State.WAITING and not at.runner.ran and not at.peers.offers


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n" * 9, bytes(200), b"IPAO" + bytes(300)])
def test_what_is_no_offer_gets_no_reply(sent: bytes) -> None:
    at = played(3)
    at.submit(ASKED)
    kept, end = answered(follower(at), 1, sent)
    assert not kept and is_closed(end) and not at.runner.ran


def test_a_peer_that_says_nothing_is_left_after_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "OFFER_SECONDS", 0.05)
    kept, end = answered(follower(played(3)), 1, b"IPAO")
    assert not kept and is_closed(end)


@pytest.mark.parametrize("helper", [2, 3])
def test_a_query_that_is_not_here(helper: int) -> None:
    kept, end = answered(follower(played(helper)), 1, offer_for(ASKED, 1, helper))
    assert not kept and reply_in(end) is Reply.NOT_HERE


@pytest.mark.parametrize(("helper", "peer"), [(2, 1), (3, 1), (3, 2)])
def test_a_query_that_was_asked_otherwise_is_aborted_here_as_well(helper: int, peer: int) -> None:
    at = played(helper)
    query = at.submit(ASKED)
    other = small_query(cap=61)
    kept, end = answered(follower(at), peer, offer_for(other, peer, helper))
    assert not kept and reply_in(end) is Reply.ASKED_OTHERWISE
    assert query.state is State.ABORTED and not at.peers.offers
    assert query.reason == f"H{peer} was asked another query under this ID"
    assert 'ipa_aborts_total{reason="refused"} 1' in at.runner.metrics.text()


@pytest.mark.parametrize("state", [State.RUNNING, State.DONE, State.ABORTED])
def test_a_peer_cannot_end_a_query_that_has_begun(state: State) -> None:
    at = played(3)
    query = at.submit(ASKED)
    assert at.runner.begin(query)
    query.state, stream = state, query.stream
    kept, end = answered(follower(at), 2, offer_for(small_query(cap=61), 2, 3))
    assert not kept and reply_in(end) is Reply.ASKED_OTHERWISE
    assert (query.state, query.reason, query.stream) == (state, "", stream)
    assert "ipa_aborts_total{" not in at.runner.metrics.text()
    assert at.runner.is_busy() == (state is State.RUNNING)


@pytest.mark.parametrize("helper", [2, 3])
@pytest.mark.parametrize("done", [True, False])
def test_a_query_that_has_ended(helper: int, done: bool) -> None:
    at = played(helper)
    query = at.submit(ASKED)
    query.state = State.DONE if done else State.ABORTED
    kept, end = answered(follower(at), 1, offer_for(ASKED, 1, helper))
    assert not kept and reply_in(end) is Reply.ENDED


@pytest.mark.parametrize("helper", [2, 3])
def test_a_helper_that_runs_another_query_is_busy(helper: int) -> None:
    at = played(helper)
    query = at.submit(ASKED)
    other = at.submit(small_query("other"))
    assert at.runner.begin(other) and not at.runner.begin(query)
    for asked in (ASKED, other.asked):
        kept, end = answered(follower(at), 1, offer_for(asked, 1, helper))
        assert not kept and reply_in(end) is Reply.BUSY
    assert query.state is State.WAITING


@pytest.mark.parametrize(
    ("error", "reply", "state"),
    [
        (PeerError("H3 does not answer"), Reply.BUSY, State.WAITING),
        (RefusedOfferError("H3 has ended the query"), Reply.ENDED, State.ABORTED),
    ],
)
def test_helper_2_passes_on_what_helper_3_says(
    error: PeerError, reply: Reply, state: State
) -> None:
    at = played(2, {3: raising(error)})
    query = at.submit(ASKED)
    kept, end = answered(follower(at), 1, offer_for(ASKED, 1, 2))
    assert not kept and reply_in(end) is reply
    assert query.state is state and not at.runner.ran
    assert query.reason == (str(error) if state is State.ABORTED else "")


def test_helper_2_runs_when_helper_3_is_ready() -> None:
    third, _ = socket_pair()
    at = played(2, {3: lambda: third})
    query = at.submit(ASKED)
    kept, end = answered(follower(at), 1, offer_for(ASKED, 1, 2))
    assert kept and reply_in(end) is Reply.READY
    assert at.peers.offers == [offer_for(ASKED, 2, 3, ATTEMPT)]
    ((ran, connections),) = at.runner.ran
    assert ran is query and query.state is State.RUNNING
    assert connections[3] is third and set(connections) == {1, 3}


def test_helper_2_is_busy_when_another_query_was_quicker() -> None:
    third, other_end = socket_pair()
    at = played(2)
    query, other = at.submit(ASKED), at.submit(small_query("other"))

    def ready() -> Connection:
        assert at.runner.begin(other)
        return third

    at.peers.replies[3] = ready  # type: ignore[index]
    kept, end = answered(follower(at), 1, offer_for(ASKED, 1, 2))
    assert kept and reply_in(end) is Reply.BUSY
    assert is_closed(end) and is_closed(other_end)
    assert query.state is State.WAITING and not at.runner.ran


def test_helper_3_runs_when_helper_2_comes_after_helper_1() -> None:
    at = played(3)
    query, to = at.submit(ASKED), follower(at)
    ends = {}
    for peer in (1, 2):
        assert query.state is State.WAITING and not at.runner.ran
        kept, ends[peer] = answered(to, peer, offer_for(ASKED, peer, 3))
        assert kept
    assert all(reply_in(end) is Reply.READY for end in ends.values())
    ((ran, connections),) = at.runner.ran
    assert ran is query and query.state is State.RUNNING
    for peer, end in ends.items():
        connections[peer].send(memoryview(b"x"))
        assert end.recv(1) == b"x"


def test_helper_2_cannot_have_thrown_away_what_helper_1_offered() -> None:
    at = played(3)
    query, to = at.submit(ASKED), follower(at)
    for attempt in (ATTEMPT, bytes(16), b""):
        kept, end = answered(to, 2, offer_for(ASKED, 2, 3, attempt.ljust(16, b"?")))
        assert not kept and reply_in(end) is Reply.BUSY
    _, first = answered(to, 1, offer_for(ASKED, 1, 3))
    kept, end = answered(to, 2, offer_for(ASKED, 2, 3, bytes(16)))
    assert not kept and reply_in(end) is Reply.BUSY
    assert query.state is State.WAITING and not at.runner.ran
    kept, end = answered(to, 2, offer_for(ASKED, 2, 3))
    assert kept and len(at.runner.ran) == 1
    assert reply_in(first) is Reply.READY and reply_in(end) is Reply.READY


def test_helper_3_keeps_the_newest_of_two_offers_of_one_peer() -> None:
    at = played(3)
    query, to = at.submit(ASKED), follower(at)
    _, old = answered(to, 1, offer_for(ASKED, 1, 3))
    _, new = answered(to, 1, offer_for(ASKED, 1, 3))
    assert query.state is State.WAITING and not at.runner.ran
    assert reply_in(old) is Reply.READY and is_closed(old)
    answered(to, 2, offer_for(ASKED, 2, 3))
    ((_, connections),) = at.runner.ran
    assert reply_in(new) is Reply.READY
    connections[1].send(memoryview(b"x"))
    assert new.recv(1) == b"x"


def test_what_waits_at_helper_3_is_closed_with_its_query() -> None:
    at = played(3, expires_after=10)
    query, to = at.submit(ASKED), follower(at)
    other = at.submit(replace(small_query("other"), submitter="other.example"))
    ends = [answered(to, 1, offer_for(each.asked, 1, 3))[1] for each in (query, other)]
    assert all(reply_in(end) is Reply.READY for end in ends)
    to.tidy()
    with pytest.raises(BlockingIOError):
        ends[0].recv(1)
    at.queries.abort(other, "why")
    to.tidy()
    assert is_closed(ends[1])
    with pytest.raises(BlockingIOError):
        ends[0].setblocking(False)
        ends[0].recv(1)
    at.clock.now += 11
    to.tidy()
    assert is_closed(ends[0]) and query.state is State.ABORTED
