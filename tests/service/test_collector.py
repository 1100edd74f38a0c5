"""The report collector's side against three services that answer, refuse, vanish and lie."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from socket import socket
from threading import Event
from typing import Any

import pytest
from answer_cases import exact, paid
from collector_cases import QUICK, answer_honestly, ask, hang_up, refused, start_over
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fake_services import FakeNetwork, Request, fake_network
from intake_cases import HOME, answer, world

from ipa.errors import ServiceError
from ipa.network.tls import pinned_context
from ipa.network.tls_identity import TlsIdentity, identity_of, new_identity
from ipa.service.asked import asked_from_text
from ipa.service.collector import ask_services
from ipa.service.refusal import Refusal
from ipa.service.service_requests import ask_service, services_of


@pytest.fixture(scope="module")
def running() -> Iterator[FakeNetwork]:
    with fake_network(world().network, HOME.report_collector) as network:
        yield network


@pytest.fixture
def network(running: FakeNetwork, monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    return start_over(running, monkeypatch)


def test_three_services_answer_as_the_simulation_does(network: FakeNetwork) -> None:
    result = ask(network)
    expected = answer(world())
    assert result.result.sums == expected.result.sums
    assert replace(result, result=expected.result) == expected
    assert result.result.costs == {} and "AND gates" not in repr(result)
    for helper, service in network.services.items():
        ((path, body),) = service.submitted
        assert body == world().streams[helper - 1]
        place, _, asked = path.partition("?")
        assert place == "/v1/queries/query-1"
        given = dict(pair.split("=") for pair in asked.split("&"))
        given["delta"] = given["delta"].replace("%2F", "/")
        assert asked_from_text("query-1", HOME.report_collector, given) == exact().asked


def test_a_charged_query_says_its_steps_and_once_that_it_is_charged(network: FakeNetwork) -> None:
    answer_honestly(network, paid())
    told: list[str] = []
    network.services[1].states.insert(1, ("running", "budget/charged", ""))
    waiting = replace(QUICK, on_step=told.append, on_charged=lambda: told.append("charged"))
    result = ask(network, paid(), waiting=waiting)
    assert told == ["budget/charged", "query/sort", "charged"]
    assert result.receipt == paid().answers[1].receipt
    assert result.compression == paid().answers[1].compression
    assert result.result.noise is not None and result.result.parameters.epsilon == Fraction(1, 4)


def test_a_refusal_names_the_helper_and_what_the_others_took(network: FakeNetwork) -> None:
    def refuse(request: Request) -> None:
        """Refuse without reading the stream."""
        request.refuse(Refusal.QUEUE_FULL, "there are too many\x1b[2J queries")

    network.services[2].acts["head"] = refuse
    with pytest.raises(ServiceError) as caught:
        ask(network)
    assert str(caught.value) == (
        "query query-1 was not submitted: H2 refuses: there are too many\\x1b[2J queries; "
        "what H1 and H3 took is withdrawn"
    )
    assert caught.value.refusal == Refusal.QUEUE_FULL
    withdrawn = {helper: service.withdrawn for helper, service in network.services.items()}
    assert withdrawn == {1: ["query-1"], 2: [], 3: ["query-1"]}


def test_a_refusal_of_a_long_stream_is_read_though_it_cannot_be_sent(
    network: FakeNetwork,
) -> None:
    def refuse(request: Request) -> None:
        """Refuse and close, with megabytes on the way."""
        request.refuse(Refusal.TOO_LARGE, "a stream may have 1 byte")

    network.services[1].acts["head"] = refuse
    service = services_of(network.configuration, network.identity)[0]
    with pytest.raises(ServiceError, match="H1 refuses: a stream may have 1 byte"):
        ask_service(service, "PUT", "/v1/queries/q", body=bytes(1 << 24), timeout=10)


@pytest.mark.parametrize("document", [[], {}, {"refusal": [], "problem": 3}, b"\xff", "x" * 999])
def test_a_refusal_that_is_none_shows_the_status(network: FakeNetwork, document: object) -> None:
    network.services[3].acts["state"] = lambda request: request.say(500, document)
    assert "H3 refuses: HTTP status 500" in refused(network)


def test_a_service_that_is_not_there(network: FakeNetwork) -> None:
    with socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        first, second, third = network.configuration.services
        services = (first, replace(second, address=address), third)
        absent = replace(network.configuration, services=services)
        with pytest.raises(ServiceError, match="H2 cannot be reached: Connection refused; what H1"):
            ask_services(absent, network.identity, world().streams, exact().asked, waiting=QUICK)


def test_a_service_that_shows_another_certificate(network: FakeNetwork) -> None:
    other = new_identity("helper 2")
    network.services[2].context = pinned_context(
        other, network.identity.certificate, as_server=True
    )
    said = refused(network)
    assert "H2 shows another certificate than the one that its network published" in said


def test_a_helper_that_plays_another_one(network: FakeNetwork) -> None:
    network.services[2].context = network.context_of(3)
    assert "H2 shows another certificate" in refused(network)


def identity_on(day: datetime) -> TlsIdentity:
    """An identity whose certificate is good for the day after this one."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "helper 1")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day + timedelta(1))
    return identity_of(key, builder.sign(key, None))


@pytest.mark.parametrize(("days", "said"), [(-3, "has expired"), (3, "is not yet valid")])
def test_a_certificate_of_another_day(network: FakeNetwork, days: int, said: str) -> None:
    own = identity_on(datetime.now(UTC) + timedelta(days))
    first, *others = network.configuration.services
    services = (replace(first, certificate=own.certificate), *others)
    of_another_day = replace(network.configuration, services=services)
    network.services[1].context = pinned_context(own, network.identity.certificate, as_server=True)
    with pytest.raises(ServiceError, match=f"H1's certificate {said}"):
        ask_services(of_another_day, network.identity, world().streams, exact().asked)


def test_services_that_do_not_know_this_report_collector(network: FakeNetwork) -> None:
    said = refused(network, identity=new_identity("somebody"))
    assert "does not accept this certificate" in said
    assert said.startswith("query query-1 was not submitted: H1, H2 and H3: each does not accept")


def test_an_expired_certificate_of_ours(network: FakeNetwork) -> None:
    own = identity_on(datetime.now(UTC) - timedelta(3))
    for helper, service in network.services.items():
        identity = network.identities[f"helper{helper}.tls.pem"]
        service.context = pinned_context(identity, own.certificate, as_server=True)
    said = refused(network, identity=own)
    assert "H1, H2 and H3: each does not accept this certificate: certificate expired" in said


def test_a_helper_that_was_restarted(network: FakeNetwork) -> None:
    def forget(request: Request) -> None:
        """Know nothing."""
        request.refuse(Refusal.UNKNOWN_QUERY, "there is no query query-1 of collector.example here")

    network.services[2].acts["state"] = forget
    network.services[1].aborts("query/sort: no message from H2 (noticed by H1)")
    network.services[3].aborts("query/sort: no message from H2 (noticed by H3)")
    assert refused(network) == (
        "query query-1 has no answer: H2 does not know the query any more: it was restarted, or has "
        "forgotten it; H1 and H3: query/sort: no message from H2"
    )
    network.start_over()
    answer_honestly(network, exact())
    network.services[3].acts["result"] = forget
    assert "H3 does not know the query any more" in refused(network)


def test_the_helper_that_knows_best_speaks_first(network: FakeNetwork) -> None:
    answer_honestly(network, paid())
    network.services[1].aborts("query/sort: H3 aborted (noticed by H1)")
    network.services[2].aborts("query/sort: no message from H3 (noticed by H2)")
    network.services[3].aborts("products: the check failed (noticed by H3)")
    assert refused(network, answered=paid()) == (
        "query query-2 has no answer: H3: products: the check failed; H2: query/sort: no message from "
        "H3; H1: query/sort: H3 aborted; if it was charged, it stays charged"
    )


def test_a_helper_that_vanished_is_not_waited_for_when_the_others_know(
    network: FakeNetwork,
) -> None:
    network.services[2].acts["state"] = hang_up
    network.services[1].aborts("query/sort: no message from H2 (noticed by H1)")
    network.services[3].aborts("query/sort: no message from H2 (noticed by H3)")
    said = refused(network)
    assert said.startswith(
        "query query-1 has no answer: H1 and H3: query/sort: no message from H2;"
    )
    assert "; H2 cannot be reached" in said


def test_connections_that_drop_are_made_again(network: FakeNetwork) -> None:
    left = {"state": 3, "result": 1}

    def drop(kind: str) -> Any:
        def act(request: Request) -> None:
            """Drop some connections, and then answer."""
            left[kind] -= 1
            if left[kind] < 0:
                del network.services[2].acts[kind]
                request.do_GET()
            elif left[kind] == 1:
                request.refuse(Refusal.STOPPING, "soon")
            else:
                hang_up(request)

        return act

    network.services[2].acts = {"state": drop("state"), "result": drop("result")}
    assert ask(network).result.sums == answer(world()).result.sums
    assert max(left.values()) < 0


def test_a_stream_that_was_taken_before_the_connection_broke(network: FakeNetwork) -> None:
    def take_and_break(request: Request) -> None:
        """Take the stream, and do not say so."""
        request.take()
        hang_up(request)

    network.services[2].acts["PUT"] = take_and_break
    assert ask(network).result.rows == len(world().stream(1).records)


def test_nothing_changes_for_too_long(network: FakeNetwork) -> None:
    network.services[1].states = [("running", "query/sort", "")]
    network.services[2].acts["state"] = hang_up
    network.services[3].states = [("waiting", "", "")]
    said = refused(network, waiting=replace(QUICK, timeout=0.2))
    assert said.startswith(
        "nothing has changed for 0.2 seconds, so query query-1 is not waited for"
    )
    assert "H1 is running at query/sort; H2 cannot be reached" in said
    assert said.endswith("H3 is waiting")


def test_a_service_that_trickles_has_one_deadline_for_all(network: FakeNetwork) -> None:
    def trickle(request: Request) -> None:
        """A header a moment, without end."""
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not done.wait(0.02):
            request.wfile.write(b"X: y\r\n")

    done = Event()
    network.services[1].acts["state"] = trickle
    try:
        said = refused(network, waiting=replace(QUICK, timeout=0.1, request_timeout=0.5))
    finally:
        done.set()
    assert "H1 does not answer within 0.5 seconds" in said
