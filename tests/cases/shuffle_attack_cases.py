"""A small shuffle, and changes of its rows by the helper that is corrupted."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

import pytest
from malicious_cases import MaliciousSimulation

from ipa.network.channel import Message
from ipa.protocols.circuits import shuffle as shuffle_module
from ipa.protocols.circuits.shuffle import shuffle
from ipa.protocols.primitives.abort import agree_to_release
from ipa.sharing.shared_bits import SharedBits

VALUES = [5, 900, 77, 5]
WIDTH = 10
ROW_BYTES = 2 + 8  # and the tag

COMPARED = "shuffle/compare: rows were changed in the shuffle"
MESSAGES = [("first", 1, 2), ("first", 2, 3), ("last", 2, 3), ("last", 3, 2)]
"""The messages with rows in them: round, sender, receiver."""


def run(simulation: MaliciousSimulation, values: list[int] = VALUES) -> SharedBits:
    """Shuffle and agree, as every protocol does at its end."""
    table = simulation.bits(values, WIDTH)
    result = shuffle(simulation.network, table).take(range(len(values)), WIDTH)
    agree_to_release(simulation.network)
    return result


def corrupted_comparisons_pass(monkeypatch: pytest.MonkeyPatch, helper: int) -> None:
    """As if the helper always sent the digests that satisfy the others."""
    honest = {
        route: stages if helper not in route else ()
        for route, stages in shuffle_module._COMPARED.items()
    }
    monkeypatch.setattr(shuffle_module, "_COMPARED", honest)


class ChangeRows:
    """An interceptor that makes other rows of those that one message carries."""

    def __init__(
        self, message: tuple[str, int, int], change: Callable[[list[bytes]], list[bytes]]
    ) -> None:
        self.message = message
        self.change = change
        self.changed = 0

    def __call__(self, message: Message) -> Iterable[Message]:
        place, sender, receiver = self.message
        if (message.sender, message.receiver) != (sender, receiver) or not fnmatchcase(
            message.step, f"*shuffle/pass/{place}"
        ):
            return [message]
        rows = [
            message.payload[start : start + ROW_BYTES]
            for start in range(0, len(message.payload), ROW_BYTES)
        ]
        changed = replace(message, payload=b"".join(self.change(rows)))
        self.changed += changed != message  # two halves that are swapped may be alike
        return [changed]


def flipped(rows: list[bytes], row: int, byte: int) -> list[bytes]:
    changed = bytearray(rows[row])
    changed[byte] ^= 1
    return [*rows[:row], bytes(changed), *rows[row + 1 :]]


ROW_CHANGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a bit of a row": lambda rows: flipped(rows, 1, 0),
    "a bit beyond the row's width": lambda rows: flipped(rows, 1, 1),
    "a bit of a tag": lambda rows: flipped(rows, 3, ROW_BYTES - 1),
    "two rows swapped": lambda rows: [rows[1], rows[0], *rows[2:]],
    "halves of two rows swapped": lambda rows: [
        rows[1][:1] + rows[0][1:],
        rows[0][:1] + rows[1][1:],
        *rows[2:],
    ],
    "a row twice": lambda rows: [rows[0], rows[0], *rows[2:]],
    "another order": lambda rows: rows[::-1],
    "all rows alike": lambda rows: [bytes([row[0] ^ 1]) + row[1:] for row in rows],
    "zeros": lambda rows: [bytes(len(row)) for row in rows],
}
