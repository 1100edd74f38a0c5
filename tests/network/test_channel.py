"""Channels in memory and over sockets; interceptors and transcripts."""

import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from ipa.errors import ChannelError
from ipa.network.channel import Channel, Message, in_memory_channels, receive_expected
from ipa.network.interception import InterceptedChannel, Transcript
from ipa.network.sockets import (
    MAX_PAYLOAD_BYTES,
    MAX_STEP_BYTES,
    MAX_WAITING_MESSAGES,
    SocketChannel,
    connected_sockets,
    local_socket_channels,
)
from ipa.parties import HELPERS

TIMEOUT = 10


@contextmanager
def channels_of(kind: str, timeout: float = TIMEOUT) -> Iterator[dict[int, Channel]]:
    if kind == "memory":
        yield in_memory_channels(timeout)
        return
    with ExitStack() as stack:
        ends = local_socket_channels(timeout)
        yield {helper: stack.enter_context(end) for helper, end in ends.items()}


MESSAGES = st.lists(
    st.builds(
        lambda step, route, payload: Message(step, route[0], route[1], payload),
        st.text(max_size=12),
        st.sampled_from([(a, b) for a in HELPERS for b in HELPERS if a != b]),
        st.binary(max_size=100),
    ),
    max_size=20,
)


@pytest.mark.parametrize("kind", ["memory", "sockets"])
@examples(40)
@given(MESSAGES)
def test_messages_arrive_whole_and_in_order(kind: str, messages: list[Message]) -> None:
    with channels_of(kind) as ends:
        for message in messages:
            ends[message.sender].send(message)
        for message in messages:
            assert ends[message.receiver].receive(message.sender) == message
        assert all(end.is_drained() for end in ends.values())


@pytest.mark.parametrize("kind", ["memory", "sockets"])
def test_a_message_waits_until_it_is_received(kind: str) -> None:
    with channels_of(kind, timeout=0.01) as ends:
        assert ends[2].receive(1) is None
        ends[1].send(Message("step", 1, 2, b"x"))
        with channels_of(kind) as others:  # gives the reader thread time to take it in
            others[1].send(Message("step", 1, 2, b"y"))
            assert others[2].receive(1) is not None
        while ends[2].is_drained():
            pass
        assert ends[1].is_drained()
        assert ends[2].receive(3) is None
        assert ends[2].receive(1) == Message("step", 1, 2, b"x")
        assert ends[2].is_drained()


def test_two_helpers_sending_large_messages_to_each_other_do_not_deadlock() -> None:
    large = bytes(20_000_000)

    def talk(end: Channel, me: int, peer: int) -> None:
        end.send(Message("large", me, peer, large))
        received[me] = end.receive(peer)

    received: dict[int, Message | None] = {}
    with channels_of("sockets", timeout=60) as ends:
        threads = [Thread(target=talk, args=(ends[a], a, b)) for a, b in ((1, 2), (2, 1))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    for peer, me in ((1, 2), (2, 1)):
        assert received[me] == Message("large", peer, me, large)


def test_what_was_sent_before_closing_arrives_and_then_nothing() -> None:
    with channels_of("sockets", timeout=60) as ends:
        ends[1].send(Message("last", 1, 2, b"words"))
        assert isinstance(ends[1], SocketChannel)
        ends[1].close()
        ends[1].close()
        assert ends[2].receive(1) == Message("last", 1, 2, b"words")
        assert ends[2].receive(1) is None  # at once: the timeout is a minute
        with pytest.raises(ChannelError, match="late: H1 closed its connection") as error:
            ends[2].send(Message("late", 2, 1, bytes(1 << 22)))
        assert error.value.detected_by == (2,)
        ends[3].send(Message("others", 3, 2, b"go on"))
        assert ends[2].receive(3) == Message("others", 3, 2, b"go on")


@pytest.mark.parametrize(
    "frame",
    [
        b"\0\0\0",
        struct.pack("!IQ", 4, 3) + b"stepab",
        struct.pack("!IQ", 2, 0) + b"\xff\xff",
        struct.pack("!IQ", MAX_STEP_BYTES + 1, 0) + bytes(MAX_STEP_BYTES + 1),
        struct.pack("!IQ", 1, MAX_PAYLOAD_BYTES + 1) + b"x",
    ],
    ids=["short lengths", "cut short", "not UTF-8", "long step", "large payload"],
)
def test_a_malformed_frame_ends_the_connection(frame: bytes) -> None:
    connections = connected_sockets()
    with SocketChannel(2, connections[2], timeout=60) as end:
        good = struct.pack("!IQ", 4, 2) + b"step" + b"ok"
        connections[1][2].sendall(good + frame)
        connections[1][2].shutdown(socket.SHUT_WR)
        assert end.receive(1) == Message("step", 1, 2, b"ok")
        assert end.receive(1) is None
        assert end.is_drained()
    for helper in (1, 3):
        for connection in connections[helper].values():
            connection.close()


def test_a_peer_that_does_not_read_is_an_error_and_not_a_hang() -> None:
    connections = connected_sockets()
    with (
        SocketChannel(1, connections[1], timeout=0.2) as end,
        pytest.raises(ChannelError, match="step: H2 does not read what it is sent"),
    ):
        end.send(Message("step", 1, 2, bytes(1 << 24)))
    for helper in (2, 3):
        for connection in connections[helper].values():
            connection.close()


def test_a_peer_that_sends_far_ahead_is_cut_off() -> None:
    with channels_of("sockets", timeout=60) as ends:
        for _ in range(MAX_WAITING_MESSAGES + 1):
            ends[1].send(Message("flood", 1, 2, b""))
        ends[1].send(Message("last", 1, 2, b""))
        arrived = 0
        assert isinstance(ends[1], SocketChannel)
        ends[1].close()
        ends[2]._inboxes[1].reader.join(60)  # type: ignore[attr-defined]
        while ends[2].receive(1) is not None:
            arrived += 1
        assert arrived == MAX_WAITING_MESSAGES


def test_the_bytes_of_a_frame() -> None:
    connections = connected_sockets()
    with SocketChannel(1, connections[1], timeout=TIMEOUT) as end:
        end.send(Message("a/b", 1, 2, b"\x07\x08"))
        assert connections[2][1].recv(100) == b"\0\0\0\x03" + bytes(7) + b"\x02" + b"a/b\x07\x08"
    for helper in (2, 3):
        for connection in connections[helper].values():
            connection.close()


def test_interceptors_change_drop_and_repeat_the_first_one_first() -> None:
    def shout(message: Message) -> Iterable[Message]:
        yield Message(message.step, message.sender, message.receiver, message.payload.upper())

    def twice(message: Message) -> Iterable[Message]:
        return [message, message] if message.payload == b"AGAIN" else [message]

    def lose(message: Message) -> Iterable[Message]:
        return [] if message.payload == b"LOST" else [message]

    ends = in_memory_channels()
    transcript = Transcript()
    end = InterceptedChannel(ends[1], [shout, twice, lose, transcript])
    for payload in (b"first", b"again", b"lost", b"last"):
        end.send(Message("step", 1, 3, payload))
    arrived = [ends[3].receive(1) for _ in range(5)]
    assert [message and message.payload for message in arrived] == [
        b"FIRST",
        b"AGAIN",
        b"AGAIN",
        b"LAST",
        None,
    ]
    assert [message.payload for message in transcript.messages] == [
        b"FIRST",
        b"AGAIN",
        b"AGAIN",
        b"LAST",
    ]
    assert transcript.shape() == [
        ("step", 1, 3, 5),
        ("step", 1, 3, 5),
        ("step", 1, 3, 5),
        ("step", 1, 3, 4),
    ]
    assert repr(transcript) == "<Transcript: 4 messages, 19 bytes>"
    ends[2].send(Message("step", 2, 1, b"back"))
    assert not end.is_drained()
    assert end.receive(2) == Message("step", 2, 1, b"back")
    assert end.is_drained()


def test_repr_of_a_message_does_not_show_the_payload() -> None:
    assert repr(Message("a/b", 1, 2, b"secret")) == "<Message H1 -> H2, a/b, 6 bytes>"


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (None, "no message from H1"),
        (Message("other", 1, 2, b"xy"), "another step, other"),
        (Message("step", 3, 2, b"xy"), "another step"),
        (Message("step", 1, 3, b"xy"), "another step"),
        (Message("step", 1, 2, b"x"), "1 bytes instead of 2"),
        (Message("step", 1, 2, b"xyz"), "3 bytes instead of 2"),
    ],
)
def test_only_the_expected_message_will_do(message: Message | None, problem: str) -> None:
    class OneMessage:
        def send(self, message: Message) -> None:
            raise NotImplementedError

        def receive(self, sender: int) -> Message | None:
            return message

        def is_drained(self) -> bool:
            return True

    with pytest.raises(ChannelError, match=problem) as error:
        receive_expected(OneMessage(), "step", 1, 2, 2)
    assert (error.value.step, error.value.detected_by) == ("step", (2,))
