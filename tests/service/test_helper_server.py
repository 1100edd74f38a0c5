"""A helper party as a whole: who may speak to peers, what is refused between them, how it stops."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from peer_cases import offer_for
from service_cases import COLLECTOR, Services, small_query, three_services, wait_until

from ipa.client.services import split_address
from ipa.errors import ParameterError
from ipa.network.tls import TlsConnection, pinned_context
from ipa.network.tls_identity import TlsIdentity, new_identity
from ipa.parties import HELPERS
from ipa.service import peers as peers_module
from ipa.service.offers import Reply, receive_reply, send_all
from ipa.service.peers import ALPN, PeerError, Peers, new_attempt
from ipa.service.queries import State

NEVER = 1e6
"""Seconds after which every query has expired."""


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """Services without a budget."""
    with three_services() as made:
        yield made


@contextmanager
def connected(
    services: Services, helper: int, own: TlsIdentity, protocol: str = ALPN
) -> Iterator[TlsConnection]:
    """A connection to a helper of whoever has an identity, under TLS."""
    service = services.parties.configuration.services[helper - 1]
    context = pinned_context(own, service.certificate, as_server=False)
    context.set_alpn_protocols([protocol])
    raw = socket.create_connection(split_address(service.address), timeout=30)
    with closing(TlsConnection(raw, context, as_server=False, timeout=30)) as connection:
        yield connection


def test_a_peer_reaches_a_peer(services: Services) -> None:
    with connected(services, 3, services.parties.identities[1]) as connection:
        send_all(connection, offer_for(small_query("none"), 1, 3).to_bytes(), 30)
        assert receive_reply(connection, 30) is Reply.NOT_HERE


@pytest.mark.parametrize("who", ["report collector", "operator", "unknown"])
def test_who_is_no_peer_gets_no_reply_to_an_offer(services: Services, who: str) -> None:
    own = {
        "report collector": services.parties.collectors[COLLECTOR],
        "operator": services.parties.identities[3],
        "unknown": new_identity("helper 1"),
    }[who]
    word = "wrong certificate" if who == "unknown" else "no peer"
    before = refused(services, 3, word)
    with pytest.raises(OSError), connected(services, 3, own) as connection:
        send_all(connection, offer_for(small_query("none"), 1, 3).to_bytes(), 30)
        receive_reply(connection, 30)
    wait_until(lambda: refused(services, 3, word) == before + 1)


def refused(services: Services, helper: int, word: str) -> int:
    """How many connections were refused for this."""
    line = f'ipa_refused_connections_total{{kind="{word}"}} '
    text = services.servers[helper].metrics.text()
    return sum(int(each.removeprefix(line)) for each in text.splitlines() if each.startswith(line))


def test_a_helper_that_speaks_for_another_begins_nothing(services: Services) -> None:
    """Helper 2 has its own certificate, and says that it is helper 1."""
    asked = small_query("impersonated")
    services.submit({3: asked})
    with pytest.raises(OSError), connected(services, 3, services.parties.identities[2]) as to:
        send_all(to, offer_for(asked, 1, 3).to_bytes(), 30)
        receive_reply(to, 30)
    with connected(services, 3, services.parties.identities[2]) as to:
        send_all(to, offer_for(asked, 2, 3).to_bytes(), 30)
        assert receive_reply(to, 30) is Reply.BUSY
    assert services.query(3, "impersonated").state is State.WAITING


def test_a_service_at_a_peers_address_that_is_not_the_peer_is_not_offered_anything(
    services: Services,
) -> None:
    configuration = services.parties.configuration
    addresses = [service.address for service in configuration.services]
    swapped = replace(
        configuration,
        services=(
            configuration.services[0],
            replace(configuration.services[1], address=addresses[2]),
            replace(configuration.services[2], address=addresses[1]),
        ),
    )
    peers = Peers(1, swapped, services.parties.identities[1])
    with pytest.raises(PeerError, match="H2 does not prove who it is"):
        peers.offer(offer_for(small_query("none"), 1, 2), 30)


def test_why_a_peer_cannot_be_offered_a_run(services: Services) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        own = services.parties.configuration.services
        moved = (own[0], replace(own[1], address=address), own[2])
        configuration = replace(services.parties.configuration, services=moved)
        peers = Peers(1, configuration, services.parties.identities[1])
        offer = offer_for(small_query("none"), 1, 2, new_attempt())
        with pytest.raises(PeerError, match="H2 does not answer"):
            peers.offer(offer, 0.1)
    with pytest.raises(PeerError, match="H2 cannot be reached: Connection refused"):
        peers.offer(offer, 30)
    stranger = Peers(1, services.parties.configuration, new_identity("helper 1"))
    with pytest.raises(PeerError, match=r"H2 (does not accept this|closed the) connection"):
        stranger.offer(offer, 30)
    lacking = Peers(1, services.parties.configuration, services.parties.identities[1])
    with pytest.raises(PeerError, match="H2 was not sent the query"):
        lacking.offer(offer, 30)


def test_connecting_an_offer_and_its_reply_have_one_deadline(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = Peers(1, services.parties.configuration, services.parties.identities[1])
    offer = offer_for(small_query("none"), 1, 2, new_attempt())
    seconds = count()
    monkeypatch.setattr(peers_module, "monotonic", lambda: float(next(seconds)))
    with pytest.raises(PeerError, match="H2 does not answer"):
        peers.offer(offer, 3)


def test_a_peer_that_connects_and_is_silent_holds_up_nobody(services: Services) -> None:
    with connected(services, 3, services.parties.identities[2]):
        services.submit(small_query("beside-a-silent-one"))
        services.sums("beside-a-silent-one")


@pytest.mark.parametrize("odd", HELPERS)
def test_helpers_that_were_asked_differently_all_abort(services: Services, odd: int) -> None:
    query_id = f"odd-{odd}"
    each = {h: small_query(query_id, cap=61 if h == odd else 60) for h in HELPERS}
    services.submit(each)
    others = {1: (1, 3), 2: (1, 2), 3: (1, 3)}[odd]  # who finds out, of two
    wait_until(lambda: all(services.query(h, query_id).state is State.ABORTED for h in others))
    for helper in others:
        assert "was asked another query under this ID" in services.query(helper, query_id).reason
    for helper in HELPERS:
        assert services.query(helper, query_id).state in (State.WAITING, State.ABORTED)


@pytest.mark.parametrize("where", [(1,), (2,), (3,), (1, 2), (1, 3), (2, 3)])
def test_a_query_that_not_all_were_sent_expires(
    services: Services, where: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    query_id = "lacking-" + "".join(map(str, where))
    services.submit(dict.fromkeys(where, small_query(query_id)))
    for helper in where:
        queries = services.servers[helper].queries
        assert services.query(helper, query_id).state is State.WAITING
        with monkeypatch.context() as patch:
            clock = queries._clock
            patch.setattr(queries, "_clock", lambda clock=clock: clock() + NEVER)
            queries.wake()
            wait_until(lambda h=helper: services.query(h, query_id).state is State.ABORTED)  # type: ignore[misc]
    assert all("did not begin" in services.query(h, query_id).reason for h in where)
    counted = 'ipa_aborts_total{reason="expired"} '
    assert all(counted in services.servers[h].metrics.text() for h in where)
    services.submit(small_query(f"{query_id}-next"))
    services.sums(f"{query_id}-next")


def test_a_query_that_comes_late_to_one_helper_is_answered(services: Services) -> None:
    asked = small_query("late")
    services.submit(dict.fromkeys((1, 2), asked))
    services.submit({3: asked})
    services.sums("late")


def stopped(services: Services, **how: Any) -> None:
    for server in services.servers.values():
        server.stop(**how)


def test_what_runs_comes_to_its_end_when_a_service_stops() -> None:
    with three_services() as made:
        made.submit(small_query("runs", security="malicious"))
        wait_until(lambda: all(made.query(h, "runs").state is State.RUNNING for h in HELPERS))
        made.submit(small_query("waits"))
        for helper in HELPERS:
            made.servers[helper].queries.stop()
        assert set(made.reasons("waits").values()) == {"this helper party is stopping"}
        made.sums("runs")
        for helper in HELPERS:
            made.query(helper, "runs").collected = True


def test_without_grace_what_runs_is_aborted_and_no_thread_is_left() -> None:
    before = set(threading.enumerate())
    with three_services() as made:
        made.submit(small_query("runs", security="malicious"))
        wait_until(lambda: all(made.query(h, "runs").state is State.RUNNING for h in HELPERS))
        stopped(made, grace=0)
        made.ended("runs")
        for service in made.parties.configuration.services:
            with pytest.raises(OSError):
                socket.create_connection(split_address(service.address), timeout=30)
    wait_until(lambda: not set(threading.enumerate()) - before)


def test_a_service_that_cannot_start_says_why(services: Services) -> None:
    server = services.servers[1]
    with pytest.raises(ParameterError, match="cannot be listened at: Address already in use"):
        services.restart(1, server._runner.part, server._options)
    with pytest.raises(ParameterError, match="not the one that the network published"):
        wrong = replace(server._runner.part, keys=replace(services.parties.keys[1], helper=1))
        services.restart(1, wrong, server._options)
    assert services.servers[1] is server
