"""Peers that read slowly, send far ahead, or send what should not be shown: time and memory are bounded."""

import socket
import struct
from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest

from ipa.errors import ChannelError, ParameterError
from ipa.network import sockets
from ipa.network.channel import ABORT, Message, in_memory_channels, receive_expected, shown_step
from ipa.network.sockets import SocketChannel, connected_sockets, local_socket_channels

LARGE = Message("step", 1, 2, bytes(1 << 24))


@pytest.fixture
def ends() -> Iterator[dict[int, dict[int, socket.socket]]]:
    """Connected sockets, closed after the test."""
    made = connected_sockets()
    yield made
    for connections in made.values():
        for connection in connections.values():
            connection.close()


class SlowSocket:
    """A connection whose peer takes a few bytes at a time, for ever; what is read never comes."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.sent = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.connection, name)

    def send(self, data: memoryview) -> int:
        self.sent += min(10, len(data))
        return min(10, len(data))


def test_a_slow_reader_does_not_hold_a_send_beyond_its_timeout(
    ends: dict[int, dict[int, socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One deadline for a frame: the clock here goes on by a second each time it is read."""
    clock = iter(range(10_000))
    monkeypatch.setattr(sockets, "monotonic", lambda: next(clock))
    slow = SlowSocket(ends[1][2])
    connections = {2: slow, 3: ends[1][3]}
    with (
        SocketChannel(1, connections, timeout=5) as end,  # type: ignore[arg-type]
        pytest.raises(ChannelError, match="step: H2 does not read what it is sent"),
    ):
        end.send(LARGE)
    assert slow.sent == 50


def test_a_frame_that_is_sent_whole_is_sent_however_late_it_is(
    ends: dict[int, dict[int, socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0, 100])
    monkeypatch.setattr(sockets, "monotonic", lambda: next(clock, 200))
    with SocketChannel(1, ends[1], timeout=5) as end, SocketChannel(2, ends[2], timeout=60) as peer:
        end.send(Message("step", 1, 2, b"late"))
        assert peer.receive(1) == Message("step", 1, 2, b"late")


def test_nothing_follows_a_frame_that_was_cut(ends: dict[int, dict[int, socket.socket]]) -> None:
    """A peer that reads on would take it for the rest of the frame."""
    with SocketChannel(1, ends[1], timeout=0.2) as end:
        with pytest.raises(ChannelError, match="does not read"):
            end.send(LARGE)
        with pytest.raises(ChannelError, match="H2 cannot be sent anything more"):
            end.send(Message(ABORT, 1, 2, b""))
        end.send(Message(ABORT, 1, 3, b""))


def test_an_abort_is_heard_while_sending(ends: dict[int, dict[int, socket.socket]]) -> None:
    """H2 does not read, and H3 says that it aborts: that is the error, and not the timeout."""
    with (
        SocketChannel(1, ends[1], timeout=20) as end,
        SocketChannel(3, ends[3], timeout=60) as third,
    ):
        third.send(Message(ABORT, 3, 1, b""))
        with pytest.raises(ChannelError, match="step: H3 aborted") as error:
            end.send(LARGE)
        assert error.value.detected_by == (1,)


@pytest.mark.parametrize("own", [None, 0.0, 1e-6])
def test_a_socket_with_a_timeout_of_its_own_is_waited_for(
    own: float | None, ends: dict[int, dict[int, socket.socket]]
) -> None:
    for connections in ends.values():
        for connection in connections.values():
            connection.settimeout(own)
    with (
        SocketChannel(1, ends[1], timeout=60) as first,
        SocketChannel(2, ends[2], timeout=60) as end,
    ):
        sending = Thread(target=first.send, args=(LARGE,), daemon=True)
        sending.start()
        assert end.receive(1) == LARGE
        sending.join()
        end.send(Message("back", 2, 1, b"x"))
        assert first.receive(2) == Message("back", 2, 1, b"x")


def test_what_waits_to_be_received_is_bounded_in_bytes(
    ends: dict[int, dict[int, socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader stops at the bound, goes on when messages are taken, and lets none be lost."""
    monkeypatch.setattr(sockets, "MAX_WAITING_BYTES", 1000)
    frames = [Message("flood", 1, 2, bytes([number]) * 300) for number in range(20)]
    with (
        SocketChannel(1, ends[1], timeout=60) as first,
        SocketChannel(2, ends[2], timeout=60) as end,
    ):
        for frame in frames:
            first.send(frame)
        inbox = end._inboxes[1]
        received = []
        for _ in frames:
            received.append(end.receive(1))
            assert inbox._waiting_bytes == sum(len(m.payload) for m in [*inbox._messages])
            assert inbox._waiting_bytes <= 1000
        assert received == frames
        large = Message("large", 1, 2, bytes(5000))
        first.send(large)  # larger than the bound: it comes when nothing else waits
        assert end.receive(1) == large


def test_a_message_for_which_there_is_no_room_is_not_read(
    ends: dict[int, dict[int, socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of 300 bytes wait, the fourth would be too many: it is read when one is taken."""
    monkeypatch.setattr(sockets, "MAX_WAITING_BYTES", 1000)
    with (
        SocketChannel(1, ends[1], timeout=60) as first,
        SocketChannel(2, ends[2], timeout=60) as end,
    ):
        inbox, fourth_has_room, asked = end._inboxes[1], Event(), Event()
        wait, sizes = inbox._wait_for_room, list[int]()

        def waiting(size: int) -> None:
            sizes.append(size)
            if len(sizes) == 4:
                asked.set()
            wait(size)
            if len(sizes) == 4:
                fourth_has_room.set()

        monkeypatch.setattr(inbox, "_wait_for_room", waiting)
        for _ in range(4):
            first.send(Message("flood", 1, 2, bytes(300)))
        assert asked.wait(60)
        assert not fourth_has_room.wait(0.2)
        assert end.receive(1) is not None
        assert fourth_has_room.wait(60)


def test_a_channel_is_closed_while_its_reader_waits_for_room(
    ends: dict[int, dict[int, socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MAX_WAITING_BYTES", 10)
    with SocketChannel(1, ends[1], timeout=60) as first:
        end = SocketChannel(2, ends[2], timeout=60)
        for _ in range(3):
            first.send(Message("flood", 1, 2, bytes(10)))
        while end.is_drained():
            pass
        closing = Thread(target=end.close, daemon=True)
        closing.start()
        closing.join(20)
        assert not closing.is_alive()
    assert not end._inboxes[1].reader.is_alive()


@pytest.mark.parametrize("timeout", [0, -1, -0.5, float("nan"), float("inf"), True, "1"])
@pytest.mark.parametrize(
    "make",
    [local_socket_channels, lambda timeout: SocketChannel(1, {}, timeout)],
    ids=["local", "handed in"],
)
def test_a_timeout_that_is_no_time_is_refused(
    make: Callable[[float], object], timeout: float
) -> None:
    with pytest.raises(
        ParameterError, match="a timeout must be a finite number of seconds above 0"
    ):
        make(timeout)


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), True, "1"])
def test_in_memory_a_timeout_may_be_zero_and_nothing_else(timeout: float) -> None:
    with pytest.raises(ParameterError, match="finite number of seconds of at least 0"):
        in_memory_channels(timeout)
    assert in_memory_channels(0)[1].receive(2) is None


HOSTILE = ["\x1b[2J", "a\nb", "[link=http://x]", "x" * 101, "", "\u202e", "UPPER", "a b"]


@pytest.mark.parametrize("step", HOSTILE)
def test_a_step_that_a_peer_made_up_is_not_shown(step: str) -> None:
    assert repr(Message(step, 1, 2, b"")) == "<Message H1 -> H2, whose name is malformed, 0 bytes>"
    ends = in_memory_channels()
    ends[1].send(Message(step, 1, 2, b""))
    with pytest.raises(ChannelError) as error:
        receive_expected(ends[2], "step", 1, 2, 0)
    assert error.value.problem == "H1 sent a message of another step, whose name is malformed"


def test_a_step_that_a_peer_sends_over_a_socket_is_not_shown() -> None:
    connections = connected_sockets()
    with SocketChannel(2, connections[2], timeout=60) as end:
        hostile = b"\x1b[31m"
        connections[1][2].sendall(struct.pack("!IQ", len(hostile), 0) + hostile)
        with pytest.raises(ChannelError, match="another step, whose name is malformed"):
            receive_expected(end, "step", 1, 2, 0)
    for helper in (1, 3):
        for connection in connections[helper].values():
            connection.close()


def test_a_step_of_this_library_is_shown() -> None:
    path = "query/capping/multiply-by-constant/sum/add/multiply#12"
    assert shown_step(path) == path
