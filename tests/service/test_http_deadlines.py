"""Slow clients, by a clock that only they move; nothing here waits."""

import tracemalloc

from http_cases import ScriptedConnection, answers_in, echo, request_bytes, sent_and_received

from ipa.service.http import serve_http
from ipa.service.messages import HttpLimits, ReadBody, Request, Response

LIMITS = HttpLimits(
    head_seconds=10.0,
    idle_seconds=100.0,
    exchange_seconds=5.0,
    least_rate=10,
    linger_seconds=3.0,
    linger_bytes=1000,
)
GET = request_bytes("GET", "/a")
PUT = request_bytes("PUT", "/a", b"x" * 50)


def drops(data: bytes, start: float, pause: float) -> list[tuple[float, bytes]]:
    """The data byte by byte, with a pause before each."""
    return [(start + pause * n, data[n : n + 1]) for n in range(len(data))]


def served(
    pieces: list[tuple[float, bytes]], *, reads: bool = True
) -> tuple[ScriptedConnection, list[int]]:
    connection = ScriptedConnection(pieces, reads=reads)
    serve_http(connection, echo, LIMITS, clock=connection.clock)
    assert connection.closed
    return connection, [answer.status for answer in answers_in(connection.received)]


def test_a_quiet_client_is_left_after_a_while_without_a_word() -> None:
    connection, statuses = served([])
    assert (connection.now, statuses) == (100.0, [])


def test_a_head_that_comes_byte_by_byte_has_one_deadline_from_its_first_byte() -> None:
    connection, statuses = served(drops(GET, 99.0, 9.9 / len(GET)))
    assert statuses == [200]
    connection, statuses = served(drops(GET, 50.0, 1.0))
    assert (50 + 10 <= connection.now <= 50 + 10 + 3, statuses) == (True, [408])


def test_a_head_that_has_begun_behind_another_request_has_its_deadline_at_once() -> None:
    connection, statuses = served([(0.0, GET + GET[:5])])
    assert (10 <= connection.now <= 13, statuses) == (True, [200, 408])


def test_between_requests_a_client_may_idle() -> None:
    connection, statuses = served([(0.0, GET), (99.0, GET), (198.0, GET)])
    assert (connection.now, statuses) == (298.0, [200, 200, 200])


def test_a_body_has_a_deadline_by_its_size_and_not_by_its_bytes() -> None:
    head, body = PUT[:-50], PUT[-50:]
    _, statuses = served([(0.0, head), *drops(body, 0.0, 9.9 / 50)])
    assert statuses == [200]
    connection, statuses = served([(0.0, head), *drops(body, 0.0, 0.5)])
    assert (10 <= connection.now <= 13, statuses) == (True, [408])


def test_who_does_not_read_its_answer_is_left() -> None:
    connection, statuses = served([(0.0, GET)], reads=False)
    assert (5 < connection.now < 100, statuses) == (True, [])


def test_body_and_answer_share_their_seconds() -> None:
    head, body = PUT[:-50], PUT[-50:]
    slow, quick = (served([(0.0, head), (at, body)], reads=False)[0].now - at for at in (9.0, 0.0))
    assert round(quick - slow, 6) == 9.0


def test_what_still_comes_after_a_refusal_is_thrown_away_up_to_a_limit() -> None:
    head = request_bytes("PUT", "/a", fields=("Content-Length: 500",))
    connection, statuses = served([(0.0, head), *drops(b"x" * 500, 0.0, 1.0)])
    assert (connection.now, statuses) == (3.0, [413])
    head = head.replace(b"500", b"500000")
    connection, statuses = served([(0.0, head), (0.0, b"x" * 500_000)])
    assert (connection.now, statuses) == (0.0, [413])


def test_a_body_is_kept_once() -> None:
    size = 4 << 20

    def takes(request: Request, read_body: ReadBody) -> Response:
        return Response(200, str(len(read_body(size))).encode())

    data = request_bytes("PUT", "/a", b"x" * size)
    connection = ScriptedConnection([(0.0, data)])
    connection.recv = _slices_of(data)  # type: ignore[method-assign]
    tracemalloc.start()
    serve_http(connection, takes, HttpLimits(), clock=connection.clock)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answers_in(connection.received)[0].body == str(size).encode()
    assert peak < 1.5 * size


def test_a_length_that_is_only_claimed_costs_no_memory() -> None:
    head = request_bytes("PUT", "/a", fields=(f"Content-Length: {1 << 40}",))

    def takes(request: Request, read_body: ReadBody) -> Response:
        return Response(200, read_body(1 << 41))

    tracemalloc.start()
    (answer,) = answers_in(sent_and_received(head, takes))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status == 400 and peak < 1 << 22


def _slices_of(data: bytes):  # type: ignore[no-untyped-def]
    at = 0

    def recv(size: int, /) -> bytes:
        """The next bytes, none of which are kept."""
        nonlocal at
        piece = data[at : at + size]
        at += size
        return piece

    return recv
