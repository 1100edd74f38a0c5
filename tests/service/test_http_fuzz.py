"""Any bytes, and requests with one thing changed: always whole answers or a close, never a crash."""

import tracemalloc

from http_cases import (
    COLLECTOR,
    OPERATOR,
    QUICK,
    Answered,
    answers_in,
    exchanged,
    new_front,
    request_bytes,
    target_of,
)
from hypothesis import given
from hypothesis import strategies as st
from intake_cases import world
from strategies import examples

from ipa.service.front import serve_front
from ipa.service.logs import LOGGER
from ipa.service.parties import STRANGER, Party
from ipa.service.refusal import STATUS, Refusal
from ipa.service.routes import ROUTES

PARTIES = st.sampled_from([STRANGER, COLLECTOR, OPERATOR])
VALID = [
    request_bytes("PUT", target_of("q-1"), world().streams[0]),
    request_bytes("PUT", target_of("q-1"), b"", ("Expect: 100-continue",)),
    *(request_bytes("GET", route.path.replace("{query_id}", "q-1")) for route in ROUTES),
]
BYTES = st.binary(max_size=300)
TOKENS = st.sampled_from(
    [
        *(b"GET ", b"PUT ", b"HEAD ", b"/", b"/v1/queries/", b"..", b"%00", b"%", b"?", b"&", b"="),
        *(b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b"Host: a", b": "),
        *(b"Content-Length: ", b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"0", b"7"),
        *(b"Connection: close", b"Upgrade: x", b"x" * 70, b"\xff", b"18446744073709551616"),
    ]
)


def check_served(data: bytes, party: Party) -> list[Answered]:
    """Serve any bytes; what is answered is whole, and nothing is a fault of the helper party."""
    front = new_front()
    faults: list[object] = []

    def keep(record: object) -> bool:
        """Keep what is logged from being shown."""
        faults.append(record)
        return False

    LOGGER.addFilter(keep)
    tracemalloc.start()
    try:
        received = exchanged(data, lambda there: serve_front(there, party, front, QUICK))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        LOGGER.removeFilter(keep)
    assert faults == []
    assert peak < 4 << 20
    assert b"Traceback" not in received and b'File "' not in received
    found = answers_in(received.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b""), of_head=False)
    statuses = {200, 201, *STATUS.values()} - {STATUS[Refusal.FAULT]}
    assert {answer.status for answer in found} <= statuses
    assert len(front.queries.waiting()) == sum(answer.status == 201 for answer in found)
    return found


@examples(60)
@given(BYTES | st.lists(TOKENS, max_size=30).map(b"".join), PARTIES)
def test_any_bytes(data: bytes, party: Party) -> None:
    if b"HEAD" not in data:  # its answers tell of a body that they do not have
        check_served(data, party)


@examples(120)
@given(st.data(), st.sampled_from(VALID), PARTIES)
def test_a_request_with_one_thing_changed(draw: st.DataObject, valid: bytes, party: Party) -> None:
    at = draw.draw(st.integers(0, min(len(valid), 700)))
    size = draw.draw(st.sampled_from([0, 1, 2, 10]))
    new = draw.draw(st.binary(max_size=3) | TOKENS)
    changed = valid[:at] + new + valid[at + size :]
    if not changed.startswith(b"HEAD"):
        check_served(changed + draw.draw(st.sampled_from([b"", valid])), party)


def test_what_is_changed_above_is_answered_as_it_is() -> None:
    for data in VALID[:1] + VALID[2:]:
        for party in (COLLECTOR, OPERATOR):
            (answer,) = check_served(data, party)
            assert answer.status in (200, 201, 403, 404, 411)
