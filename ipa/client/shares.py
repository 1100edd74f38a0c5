"""Who is sent which shares of what clients seal, and how shares become bytes.

Three-party: three XOR shares, of which helper i is sent the pair (i, i + 1). Two-party (spec: Two
Party Secret Sharing): two XOR shares, one for helper 1 and one for helper 2; helper 3 is sent none.
Which of the two a helper party network takes is in its configuration.

    share    ceil(width / 8) bytes, big-endian; the bits beyond the width are zero, and ignored

No string of bytes of the right length is refused: a share says nothing about whether a report can be
used, so whoever chooses a width cannot learn from it (SPEC_NOTES: public-reasons).
"""

from typing import Literal

from ipa.client.rejection import Reason, reject
from ipa.errors import ParameterError
from ipa.parties import HELPERS
from ipa.sharing.randomness import Randomness
from ipa.sharing.xor import (
    TWO_PARTY_HOLDERS,
    replicated_pairs,
    share_xor,
    share_xor_two_party,
)

Sharing = Literal["three-party", "two-party"]

Shares = tuple[int, ...]
"""What one helper is sent of a value: a pair of shares, one share, or none."""

SHARE_COUNTS: dict[Sharing, int] = {"three-party": 3, "two-party": 2}
"""How many shares a value has; the number stands for the sharing in the byte formats."""

SHARINGS = {count: sharing for sharing, count in SHARE_COUNTS.items()}


def check_sharing(sharing: object) -> None:
    """Check that there is such a sharing.

    Raises: ParameterError.
    """
    if sharing not in SHARE_COUNTS:
        raise ParameterError(f"sharing must be {' or '.join(SHARE_COUNTS)}, not {sharing!r}")


def share_holders(sharing: Sharing) -> tuple[int, ...]:
    """The helpers that are sent shares."""
    return HELPERS if sharing == "three-party" else TWO_PARTY_HOLDERS


def shares_held(sharing: Sharing, helper: int) -> int:
    """How many shares of a value a helper is sent."""
    if helper not in share_holders(sharing):
        return 0
    return 2 if sharing == "three-party" else 1


def share_among(
    value: int, width: int, sharing: Sharing, randomness: Randomness
) -> dict[int, Shares]:
    """A value of `width` bits shared by XOR: what each helper that is sent shares is sent.

    Raises: ParameterError when the value does not fit; the message does not contain it.
    """
    if sharing == "two-party":
        first, second = share_xor_two_party(value, width, randomness)
        return dict(zip(TWO_PARTY_HOLDERS, ((first,), (second,)), strict=True))
    return dict(zip(HELPERS, replicated_pairs(share_xor(value, width, randomness)), strict=True))


def encode_shares(shares: Shares, width: int) -> bytes:
    """The shares one after another.

    A helper of a three-party sharing is sent both of its shares (SPEC_NOTES: replicated-plaintext).
    """
    size = share_bytes(width)
    return b"".join(share.to_bytes(size, "big") for share in shares)


def decode_shares(data: bytes, width: int, count: int) -> Shares:
    """The inverse of encode_shares, for `count` shares.

    Raises: ReportError MALFORMED for another length, and nothing else whatever the bytes.
    """
    size = share_bytes(width)
    check_length(data, count * size)
    largest = (1 << width) - 1
    return tuple(
        int.from_bytes(data[start : start + size], "big") & largest
        for start in range(0, len(data), size)
    )


def check_length(plaintext: bytes, length: int) -> None:
    """Check that a plaintext has the length that its width and sharing give it.

    Raises: ReportError MALFORMED.
    """
    if len(plaintext) != length:
        reject(Reason.MALFORMED, f"the plaintext has {len(plaintext)} bytes instead of {length}")


def share_bytes(width: int) -> int:
    """How long one encoded share of `width` bits is."""
    return (width + 7) // 8
