"""The keys of a run: each pair of helpers makes its own, which the third does not know."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from ipa.errors import ChannelError
from ipa.network.channel import Message, in_memory_channels
from ipa.parties import HELPERS, left_of, right_of
from ipa.service.pairwise_keys import STEP, agree_on_pairwise_keys, pairwise_key


class _Noted:
    """A channel that notes what its helper sends and receives."""

    def __init__(self, channel: object) -> None:
        self.channel = channel
        self.sent: list[Message] = []
        self.received: list[Message] = []

    def send(self, message: Message) -> None:
        self.sent.append(message)
        self.channel.send(message)  # type: ignore[attr-defined]

    def receive(self, sender: int) -> Message | None:
        message: Message | None = self.channel.receive(sender)  # type: ignore[attr-defined]
        if message is not None:
            self.received.append(message)
        return message

    def is_drained(self) -> bool:
        return True


def agreed() -> tuple[dict[int, tuple[bytes, bytes]], dict[int, _Noted]]:
    """The keys of the three helpers, and what each saw."""
    noted = {helper: _Noted(end) for helper, end in in_memory_channels(30).items()}
    with ThreadPoolExecutor(3) as pool:
        keys = pool.map(lambda helper: agree_on_pairwise_keys(helper, noted[helper]), HELPERS)
        return dict(zip(HELPERS, keys, strict=True)), noted


def test_helper_i_has_its_own_key_and_that_of_its_right_neighbour() -> None:
    keys, _ = agreed()
    for helper in HELPERS:
        assert keys[helper][1] == keys[right_of(helper)][0]
    assert len({own for own, _ in keys.values()}) == 3
    assert {len(key) for pair in keys.values() for key in pair} == {32}


def test_every_run_has_keys_of_its_own() -> None:
    runs = [agreed()[0] for _ in range(4)]
    assert len({key for keys in runs for pair in keys.values() for key in pair}) == 3 * len(runs)


def test_the_third_helper_sees_nothing_of_a_key() -> None:
    """k_i is made of what helpers i - 1 and i tell each other alone, in two messages."""
    keys, noted = agreed()
    for helper in HELPERS:
        left, third = left_of(helper), right_of(helper)
        (of_left,) = [m.payload for m in noted[left].sent if m.receiver == helper]
        (of_own,) = [m.payload for m in noted[helper].sent if m.receiver == left]
        assert keys[helper][0] == pairwise_key(helper, of_left, of_own)
        seen = noted[third].sent + noted[third].received
        assert not {of_left, of_own} & {message.payload for message in seen}
        assert keys[helper][0] not in keys[third]
        payloads = [message.payload for message in noted[helper].sent]
        assert len(set(payloads)) == 2 and {len(each) for each in payloads} == {32}


def test_both_and_the_number_and_the_label_are_in_the_key() -> None:
    one, other = b"a" * 32, b"b" * 32
    key = pairwise_key(1, one, other)
    assert key == hashlib.sha256(b"ipa v1 pairwise key" + b"\x01" + one + other).digest()
    assert key.hex() == "f5f0dd00b5d94d08eef756452c59025321e95fe7f3290271681070f3f3cfda6f"
    others = [pairwise_key(2, one, other), pairwise_key(1, other, one), pairwise_key(1, one, one)]
    assert len({key, *others}) == 4


@pytest.mark.parametrize("sender", [2, 3])
@pytest.mark.parametrize("way", ["short", "long", "other step", "nothing"])
def test_a_neighbour_that_sends_something_else_is_noticed(sender: int, way: str) -> None:
    ends = in_memory_channels(0)
    payload = {"short": bytes(31), "long": bytes(33)}.get(way, bytes(32))
    for peer in (2, 3):
        if peer != sender:
            ends[peer].send(Message(STEP, peer, 1, bytes(32)))
        elif way != "nothing":
            ends[peer].send(Message("other" if way == "other step" else STEP, peer, 1, payload))
    with pytest.raises(ChannelError, match=f"H{sender}"):
        agree_on_pairwise_keys(1, ends[1])
