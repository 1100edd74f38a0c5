"""Services that answer a report collector nonsense, too much, or lies; and what it does not ask."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import replace

import pytest
from answer_cases import exact, paid
from collector_cases import QUICK, answer_honestly, refused, start_over
from fake_services import FakeNetwork, Request, fake_network
from intake_cases import HOME, PARAMETERS, make_world, world

from ipa.errors import ParameterError, ReportError, VerificationError
from ipa.network.tls_identity import new_identity
from ipa.service.collector import ask_services, collector_of
from ipa.service.service_requests import services_of


@pytest.fixture(scope="module")
def running() -> Iterator[FakeNetwork]:
    with fake_network(world().network, HOME.report_collector) as network:
        yield network


@pytest.fixture
def network(running: FakeNetwork, monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    return start_over(running, monkeypatch)


STATE: dict[str, object] = {"query_id": "query-1", "state": "running", "step": "", "reason": ""}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "H1 does not say what became of the query"),
        ([STATE], "H1 does not say what became of the query"),
        (STATE | {"query_id": "query-2"}, "H1 does not say what became of the query"),
        (STATE | {"state": "finished"}, "H1 does not say what became of the query"),
        (STATE | {"state": []}, "H1 does not say what became of the query"),
        (STATE | {"step": 1}, "H1 does not say what became of the query"),
        (STATE | {"reason": None}, "H1 does not say what became of the query"),
        (STATE | {"step": "\x1b[2J"}, "H1 is at a step that cannot be one"),
        (STATE | {"step": "s" * 401}, "H1 is at a step that cannot be one"),
        (b"x" * ((1 << 16) + 1), "H1 answers with more than 65536 bytes"),
    ],
)
def test_a_state_that_is_none(network: FakeNetwork, document: object, said: str) -> None:
    network.services[1].acts["state"] = lambda request: request.say(200, document)
    assert said in refused(network)


def test_what_is_no_http(network: FakeNetwork) -> None:
    def speak(request: Request) -> None:
        """Something else."""
        request.wfile.write(b"nonsense\r\n\r\n")

    network.services[1].acts["state"] = speak
    assert "H1 does not answer as a helper party's service" in refused(network)


def test_a_stream_that_nobody_says_was_taken(network: FakeNetwork) -> None:
    def take_another(request: Request) -> None:
        """Take the stream as another query's."""
        request.take()
        request.say(201, {"query_id": "query-9"})

    network.services[1].acts["PUT"] = take_another
    assert "H1 does not say that it took the query" in refused(network)


@pytest.mark.parametrize("length", [b"Content-Length: 99999999999", b"Transfer-Encoding: chunked"])
def test_a_huge_answer_is_not_read(network: FakeNetwork, length: bytes) -> None:
    def flood(request: Request) -> None:
        """Send and send."""
        request.wfile.write(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n")
        for _ in range(1 << 12):
            request.wfile.write(b"10000\r\n" + b" " * (1 << 16) + b"\r\n")

    network.services[3].acts["result"] = flood
    assert "H3 answers with more than 6" in refused(network)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": 7, "dropped": {"malformed": 1}}, "H2 says otherwise than H1 and H3 how many"),
        ({"submitted": 7, "rows": 7}, "H2 answers another query than the one that it was sent"),
        ({"shares": 5}, "H2 sends no answer to this query: shares must be two lists"),
        ({"query_id": "query-2"}, "H2 sends no answer to this query: query_id must be"),
        ({"helper": 3}, "H2 sends no answer to this query: helper must be"),
    ],
)
def test_a_helper_that_lies(network: FakeNetwork, changes: dict[str, object], said: str) -> None:
    network.services[2].answers("query-1", exact().answers[2], **changes)
    assert said in refused(network, VerificationError)


def test_a_helper_with_other_shares(network: FakeNetwork) -> None:
    document = json.loads(network.services[2].result)
    document["shares"][1][0] = "0f" if document["shares"][1][0] != "0f" else "00"
    network.services[2].result = json.dumps(document).encode()
    said = refused(network, VerificationError)
    assert said == "release: H2 and H3 sent different copies of share 3"


def test_a_helper_that_answers_another_query(network: FakeNetwork) -> None:
    other = make_world([], fanout="trigger").query
    network.services[1].answers("query-1", exact().answers[1], query=other.to_bytes().hex())
    assert "H1 answers another query than the one" in refused(network, VerificationError)


def test_a_receipt_of_another_time_and_one_that_is_missing(network: FakeNetwork) -> None:
    answer_honestly(network, paid())
    receipt = paid().answers[3].receipt
    assert receipt is not None
    later = replace(receipt, query=replace(receipt.query, charged_at=1))
    network.services[3].answers("query-2", replace(paid().answers[3], receipt=later))
    said = "release: H3 says otherwise than H1 and H2 what was charged"
    assert refused(network, VerificationError, answered=paid()) == said
    network.services[2].answers("query-2", paid().answers[2], receipt=None)
    network.start_over()
    answer_honestly(network, paid())
    network.services[3].answers("query-2", replace(paid().answers[3], receipt=later))
    network.services[2].answers("query-2", paid().answers[2], receipt=None)
    said = "release: no two helpers say the same of what was charged"
    assert refused(network, VerificationError, answered=paid()) == said


def test_what_cannot_be_asked_is_refused_before_anything_is_sent(network: FakeNetwork) -> None:
    asked, streams = exact().asked, world().streams
    first, second, third = streams
    stranger = make_world([]).streams
    for error, said, given, question in (
        (ParameterError, "streams for 3 helpers", [first], asked),
        (ReportError, "helper 2 is for helper 3", [first, third, second], asked),
        (ReportError, "helpers 1 and 2 are of different", [first, stranger[1], third], asked),
        (ReportError, "not a query stream", [first, bytes(99), third], asked),
        (
            ParameterError,
            "not for a.example to ask",
            streams,
            replace(asked, submitter="a.example"),
        ),
        (
            ParameterError,
            "value_bits 7, the query asks for 8",
            streams,
            replace(asked, parameters=replace(PARAMETERS, value_bits=8)),
        ),
        (
            ParameterError,
            "can be compressed to",
            streams,
            replace(asked, compressed_match_key_bits=2),
        ),
    ):
        with pytest.raises(error, match=said):
            ask_services(network.configuration, network.identity, given, question)
    renamed = replace(network.configuration, name="other.example")
    with pytest.raises(ParameterError, match=r"for network net\.example, and this is other"):
        ask_services(renamed, network.identity, streams, asked)
    with pytest.raises(ParameterError, match=r"publishes no services: `ipa keygen --serve`"):
        ask_services(world().network, network.identity, streams, asked)
    assert not any(service.submitted for service in network.services.values())


def test_a_report_collector_is_known_by_its_certificate(network: FakeNetwork) -> None:
    found = collector_of(network.configuration, network.identity.certificate)
    assert found == HOME.report_collector
    with pytest.raises(
        ParameterError, match="registered no report collector with this certificate"
    ):
        collector_of(network.configuration, new_identity("x").certificate)


def test_only_tls_1_3_is_spoken(network: FakeNetwork) -> None:
    for service in services_of(network.configuration, network.identity):
        assert service.context.minimum_version is ssl.TLSVersion.TLSv1_3
        assert service.context.verify_mode is ssl.CERT_REQUIRED


def test_an_answer_that_says_it_is_huge_is_not_waited_for(network: FakeNetwork) -> None:
    def announce(request: Request) -> None:
        """Say how much will come, and send nothing."""
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")

    network.services[3].acts["result"] = announce
    waiting = replace(QUICK, timeout=0.1, request_timeout=2)
    assert "H3 answers with more than 6" in refused(network, waiting=waiting)
