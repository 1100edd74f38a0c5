"""The bytes of offers and replies: exactly these, and nothing else, and whole in time."""

import json
import socket
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from peer_cases import close_sockets, socket_pair
from write_offer_vectors import PATH, text

from ipa.errors import InputError
from ipa.service import offers
from ipa.service.offers import (
    Offer,
    Reply,
    close_connection,
    receive_offer,
    receive_reply,
    send_all,
)

CASES: list[dict[str, Any]] = json.loads(PATH.read_text(encoding="utf-8"))["offers"]


@pytest.fixture(autouse=True)
def sockets() -> Iterator[None]:
    """Closes what a test leaves open."""
    yield
    close_sockets()


def offer_of(case: dict[str, Any]) -> Offer:
    return Offer(
        sender=case["sender"],
        receiver=case["receiver"],
        attempt=bytes.fromhex(case["attempt"]),
        digest=bytes.fromhex(case["digest"]),
        query_id=case["query_id"],
    )


def received(sent: bytes, seconds: float = 30) -> Offer:
    """The offer in what a peer sends, which then says nothing more."""
    own, its = socket_pair()
    own.sendall(sent)
    own.shutdown(socket.SHUT_WR)
    return receive_offer(its, seconds)


def test_the_vectors_are_what_the_script_writes() -> None:
    assert PATH.read_text(encoding="utf-8") == text()


@pytest.mark.parametrize("case", CASES)
def test_the_bytes_of_an_offer(case: dict[str, Any]) -> None:
    data, offer = bytes.fromhex(case["bytes"]), offer_of(case)
    assert offer.to_bytes() == data and received(data) == offer
    assert data[:7] == b"IPAO" + bytes([1, case["sender"], case["receiver"]])
    assert data[7:55].hex() == case["attempt"] + case["digest"]
    name = case["query_id"].encode()
    assert data[55:] == bytes([len(name)]) + name


@pytest.mark.parametrize("case", CASES)
def test_an_offer_that_is_cut_short_anywhere_is_none(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bytes"])
    for size in range(len(data)):
        with pytest.raises(ConnectionError):
            received(data[:size])


@pytest.mark.parametrize("at", range(5))
def test_another_magic_or_version_is_refused(at: int) -> None:
    data = bytearray.fromhex(CASES[0]["bytes"])
    data[at] ^= 1
    with pytest.raises(InputError, match="no offer of version 1"):
        received(bytes(data))


def test_a_query_id_that_is_no_text_is_refused() -> None:
    data = bytes.fromhex(CASES[1]["bytes"])
    with pytest.raises(InputError):
        received(data[:-1] + b"\xff")


@given(st.binary(min_size=0, max_size=400))
def test_garbage_is_refused_and_nothing_else_happens(data: bytes) -> None:
    for sent in (data, b"IPAO\x01" + data):
        try:
            offer = received(sent)
        except (InputError, ConnectionError):
            continue
        finally:
            close_sockets()
        assert sent.startswith(offer.to_bytes())


def test_what_follows_an_offer_is_left_for_the_run() -> None:
    own, its = socket_pair()
    own.sendall(bytes.fromhex(CASES[0]["bytes"]) + b"frame")
    receive_offer(its, 30)
    assert its.recv(100) == b"frame"


class _Seconds:
    """A clock that goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


class _Dripping:
    """A connection that gives one byte at a time, and never keeps anybody waiting for long."""

    def __init__(self, data: bytes) -> None:
        self.rest = data
        self.timeouts: list[float] = []

    def settimeout(self, seconds: float, /) -> None:
        self.timeouts.append(seconds)

    def recv(self, size: int, /) -> bytes:
        piece, self.rest = self.rest[:1], self.rest[1:]
        return piece

    def send(self, data: memoryview, /) -> int:
        return 1

    def shutdown(self, how: int, /) -> None: ...

    def close(self) -> None: ...


def test_one_deadline_counts_for_the_whole_offer(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes.fromhex(CASES[0]["bytes"])
    monkeypatch.setattr(offers, "monotonic", _Seconds())
    dripping = _Dripping(data)
    assert receive_offer(dripping, len(data) + 1) == offer_of(CASES[0])
    assert dripping.timeouts == sorted(dripping.timeouts, reverse=True)
    for size in (10, len(data) - 1):
        monkeypatch.setattr(offers, "monotonic", _Seconds())
        with pytest.raises(TimeoutError):
            receive_offer(_Dripping(data), size)


def test_one_deadline_counts_for_all_that_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "monotonic", _Seconds())
    send_all(_Dripping(b""), bytes(9), 10)
    with pytest.raises(TimeoutError):
        send_all(_Dripping(b""), bytes(11), 10)


def test_a_peer_that_says_nothing_is_waited_for_that_long() -> None:
    _, its = socket_pair()
    for receive in (receive_offer, receive_reply):
        with pytest.raises(TimeoutError):
            receive(its, 0.02)


def test_replies_are_one_byte_of_these() -> None:
    assert {reply.name: reply.value for reply in Reply} == {
        "READY": 1,
        "NOT_HERE": 2,
        "ASKED_OTHERWISE": 3,
        "ENDED": 4,
        "BUSY": 5,
    }
    for number in range(256):
        own, its = socket_pair()
        own.sendall(bytes([number]))
        if 1 <= number <= 5:
            assert receive_reply(its, 30) == number
        else:
            with pytest.raises(InputError):
                receive_reply(its, 30)
    own, its = socket_pair()
    own.close()
    with pytest.raises(OSError):
        receive_reply(its, 30)


def test_much_is_sent_whole() -> None:
    own, its = socket_pair()
    data, done = bytes(range(256)) * 4096, Event()

    def send() -> None:
        send_all(own, data, 30)
        done.set()

    sender = Thread(target=send)
    sender.start()
    found = bytearray()
    while len(found) < len(data):
        found += its.recv(1 << 16)
    sender.join()
    assert bytes(found) == data and done.is_set()


def test_closing_a_connection_that_has_ended_is_fine() -> None:
    own, its = socket_pair()
    own.close()
    close_connection(its)
    close_connection(its)
    assert its.fileno() == -1
