"""Records of ciphertexts: registers and what becomes of them, as bytes and in a random order."""

from collections.abc import Iterable, Sequence
from typing import Any

from ipa.errors import ChannelError, ParameterError
from ipa.halo.elgamal import Ciphertext, from_bytes, to_bytes
from ipa.halo.group import Group

Record = tuple[Ciphertext[Any], ...]
"""A register (index, key, count), or what became of it."""


def sorted_records(group: Group[Any], records: Iterable[Record]) -> list[Record]:
    """The records in the order of their bytes: ciphertexts are random, so this is a shuffle."""
    return sorted(records, key=lambda record: to_bytes(group, record))


def encode(group: Group[Any], records: Sequence[Record]) -> bytes:
    """The records one after another."""
    return b"".join(to_bytes(group, record) for record in records)


def decode(group: Group[Any], data: bytes, width: int, step: str, receiver: int) -> list[Record]:
    """What `encode` wrote, of `width` ciphertexts a record.

    Raises: ChannelError.
    """
    try:
        flat = from_bytes(group, data)
    except ParameterError as error:
        raise ChannelError(step, str(error), [receiver]) from error
    if len(flat) % width:
        raise ChannelError(step, f"{len(data)} bytes are no records", [receiver])
    return [tuple(flat[at : at + width]) for at in range(0, len(flat), width)]
