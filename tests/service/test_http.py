"""HTTP by bytes: what is answered, what is refused, and that neither crashes."""

import logging

import pytest
from http_cases import QUICK, Told, answers_in, echo, request_bytes, sent_and_received

from ipa.errors import ParameterError, ServiceError
from ipa.service.logs import LOGGER
from ipa.service.messages import HttpLimits, ReadBody, Request, Response
from ipa.service.refusal import Refusal

LIMITS = HttpLimits(
    head_bytes=400,
    header_fields=6,
    path_bytes=60,
    query_bytes=60,
    requests=3,
    linger_seconds=0.01,
)
GET = request_bytes("GET", "/a/b?c=d")


def refused_as(data: bytes, limits: HttpLimits = LIMITS) -> str:
    """The refusal of the first request in the data, which must be the last that is answered."""
    told = Told()
    (answer,) = answers_in(sent_and_received(data, echo, limits, told))
    assert answer.headers["connection"] == "close"
    assert [answer.refusal] == told.refusals
    assert "Traceback" not in answer.body.decode()
    return str(answer.refusal)


def test_a_request_is_understood() -> None:
    (answer,) = answers_in(sent_and_received(GET, echo))
    assert answer.json == {"method": "GET", "path": ["a", "b"], "query": {"c": "d"}, "body": ""}
    assert answer.headers["cache-control"] == "no-store"
    assert "connection" not in answer.headers


def test_requests_follow_each_other_in_one_piece_and_to_the_limit() -> None:
    put = request_bytes("PUT", "/x", b"GET / HTTP/1.1\r\n\r\n")
    answers = answers_in(sent_and_received(GET + put + GET + GET, echo, LIMITS))
    assert [answer.json["method"] for answer in answers] == ["GET", "PUT", "GET"]
    assert answers[1].json["body"] == "GET / HTTP/1.1\r\n\r\n"
    assert [answer.headers.get("connection") for answer in answers] == [None, None, "close"]


def test_head_is_get_without_a_body() -> None:
    received = sent_and_received(request_bytes("HEAD", "/a"), echo)
    (answer,) = answers_in(received, of_head=True)
    assert received.endswith(b"\r\n\r\n") and int(answer.headers["content-length"]) > 0


def test_a_client_that_says_close_or_speaks_http_1_0_is_answered_once() -> None:
    for first in (
        request_bytes("GET", "/", fields=("Connection: close",)),
        b"GET / HTTP/1.0\r\n\r\n",
    ):
        (answer,) = answers_in(sent_and_received(first + GET, echo))
        assert answer.headers["connection"] == "close"


def test_who_waits_to_be_told_is_told_before_the_body_is_read() -> None:
    put = request_bytes("PUT", "/x", b"body", ("Expect: 100-continue",))
    told, answer = answers_in(sent_and_received(put, echo))
    assert (told.status, answer.status, answer.json["body"]) == (100, 200, "body")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n"[:-2],
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET / HTTP/1.1\r\nHost: a",
        request_bytes("PUT", "/", b"four")[:-1],
        request_bytes("GET", "/", fields=("X: " + "x" * 400,)),
        request_bytes("GET", "/", fields=("X: y",) * 6),
        b"G" * 500,
    ],
)
def test_what_is_not_http_is_refused_and_the_connection_closed(data: bytes) -> None:
    assert refused_as(data) == Refusal.MALFORMED


@pytest.mark.parametrize(
    "target",
    [
        "*",
        "http://helper/a",
        "a",
        "/a%",
        "/a%2",
        "/a%zz",
        "/%ff",
        "/%c0%ae",
        "/%ed%a0%80",
        "/a#b",
        '/a"b',
        "/a\\b",
        "/" + "a" * 60,
        "/?a",
        "/?",
        "/?a=1&a=2",
        "/?a=1&%61=2",
        "/?a=1&&b=2",
        "/?a=1=2",
        "/?a=" + "1" * 60,
    ],
)
def test_a_target_that_is_no_plain_path_is_refused(target: str) -> None:
    assert refused_as(request_bytes("GET", target)) == Refusal.MALFORMED


def test_paths_are_taken_as_they_stand() -> None:
    for target, path in (
        ("/a/../b", ["a", "..", "b"]),
        ("/a%2Fb//", ["a/b", "", ""]),
        ("/%00+%2e%2E", ["\0+.."]),
        ("/%C3%A9", ["\xe9"]),
    ):
        (answer,) = answers_in(sent_and_received(request_bytes("GET", target), echo))
        assert answer.json["path"] == path


def test_limits_are_the_last_values_allowed() -> None:
    filled = request_bytes("GET", "/" + "a" * 59 + "?b=" + "1" * 58, fields=("X: y",) * 5)
    padded = request_bytes("GET", "/", fields=("X: " + "x" * 365,))
    assert len(padded) == 400 + len("\r\n")
    assert refused_as(padded.replace(b"x", b"xx", 1)) == Refusal.MALFORMED
    for data in (filled, padded):
        (answer,) = answers_in(sent_and_received(data, echo, LIMITS))
        assert answer.status == 200


def test_a_head_that_is_too_long_is_told_so_also_when_it_has_no_end() -> None:
    for data in (b"G" * 500, request_bytes("GET", "/", fields=("X: " + "x" * 400,))):
        (answer,) = answers_in(sent_and_received(data, echo, LIMITS))
        assert answer.json["problem"] == "the head of a request may have 400 bytes"


def test_chunks_are_not_taken_even_beside_a_length() -> None:
    for fields in (
        ("Transfer-Encoding: chunked",),
        ("Transfer-Encoding: chunked", "Content-Length: 4"),
    ):
        data = request_bytes("PUT", "/", fields=fields) + b"4\r\nbody\r\n0\r\n\r\n"
        assert refused_as(data) == Refusal.LENGTH_MISSING


def test_a_body_that_is_refused_is_not_read() -> None:
    data = request_bytes("PUT", "/", b"x" * 101)
    assert refused_as(data) == Refusal.TOO_LARGE
    assert refused_as(data[:-50]) == Refusal.TOO_LARGE
    waiting = request_bytes("PUT", "/", fields=("Expect: 100-continue", "Content-Length: 101"))
    assert refused_as(waiting) == Refusal.TOO_LARGE  # and it is not told to go on


def test_a_get_with_a_body_is_answered_last() -> None:
    (answer,) = answers_in(sent_and_received(request_bytes("GET", "/", b"body") + GET, echo))
    assert (answer.status, answer.headers["connection"]) == (200, "close")


def test_a_fault_is_logged_by_where_it_was_and_told_to_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = str(4710 + 1)

    def fails(request: Request, read_body: ReadBody) -> Response:
        raise ValueError(secret)

    caplog.set_level(logging.INFO, LOGGER.name)
    (answer,) = answers_in(sent_and_received(GET + GET, fails))
    assert (answer.status, answer.refusal) == (500, Refusal.FAULT)
    assert "4711" not in answer.body.decode()
    (record,) = caplog.records
    told = str(vars(record)["fields"])
    assert "ValueError" in told and "fails" in told and "4711" not in told + record.getMessage()


def test_an_error_of_another_service_is_a_fault() -> None:
    def fails(request: Request, read_body: ReadBody) -> Response:
        raise ServiceError("H2 cannot be reached")

    (answer,) = answers_in(sent_and_received(GET, fails))
    assert answer.refusal == Refusal.FAULT


def test_a_refusal_leaves_the_connection_open() -> None:
    def refuses(request: Request, read_body: ReadBody) -> Response:
        raise ServiceError("no", Refusal.QUEUE_FULL)

    answers = answers_in(sent_and_received(GET + GET, refuses))
    assert [answer.status for answer in answers] == [429, 429]


def test_an_upgrade_and_a_tunnel_are_not_taken_up() -> None:
    upgrade = request_bytes("GET", "/", fields=("Connection: upgrade", "Upgrade: websocket"))
    answers = answers_in(sent_and_received(upgrade + GET, echo, QUICK))
    assert [answer.status for answer in answers] == [200, 200]
    (answer,) = answers_in(sent_and_received(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", echo))
    assert answer.status == 400


@pytest.mark.parametrize("name", ["head_bytes", "head_seconds", "requests", "least_rate"])
def test_a_limit_is_above_zero(name: str) -> None:
    for value in (0, -1.0, 0.0):
        with pytest.raises(ParameterError, match=name):
            HttpLimits(**{name: value})  # type: ignore[arg-type]
