"""XOR secret sharing by a client (spec: Client Side: Getting the encrypted match key report).

A value of w bits becomes w-bit shares whose XOR it is; all shares but one are independent and
uniform, so any proper subset of the shares says nothing about the value. Helper i is given the
replicated pair (x_i, x_{i+1}).
"""

from ipa.errors import ParameterError
from ipa.ranges import check_integer, is_integer
from ipa.sharing.randomness import Randomness

MAX_SHARE_BITS = 1 << 16

TWO_PARTY_HOLDERS = (1, 2)
"""The helpers that get the two shares of a two-party sharing."""

Pair = tuple[int, int]


def share_xor(value: int, width: int, randomness: Randomness) -> tuple[int, int, int]:
    """Three shares of `width` bits, value = x1 ^ x2 ^ x3. Two of the three say nothing of the value.

    One helper's replicated pair is two of the three shares.

    Raises: ParameterError when the width is not from 1 to 65,536 or the value does not fit. The
        message does not contain the value.
    """
    check_bits(value, width)
    first = randomness.random_bits(width)
    second = randomness.random_bits(width)
    return first, second, value ^ first ^ second


def combine_xor(shares: tuple[int, ...], width: int) -> int:
    """The value of two or three XOR shares of `width` bits: the inverse of sharing.

    Raises: ParameterError for another number of shares, or a share that does not fit.
    """
    _check_count(shares)
    value = 0
    for share in shares:
        check_bits(share, width)
        value ^= share
    return value


def share_xor_two_party(value: int, width: int, randomness: Randomness) -> Pair:
    """Two shares, value = x1 ^ x2 (spec: Two Party Secret Sharing): a third less to send.

    Each goes to one helper alone, so the helpers must re-share to get 2-out-of-3 shares.

    Raises: ParameterError when the width is not from 1 to 65,536 or the value does not fit.
    """
    check_bits(value, width)
    first = randomness.random_bits(width)
    return first, value ^ first


def replicated_pairs(shares: tuple[int, int, int]) -> tuple[Pair, Pair, Pair]:
    """What helpers 1, 2 and 3 are given of three shares: helper i the pair (x_i, x_{i+1})."""
    first, second, third = shares
    return (first, second), (second, third), (third, first)


def check_bits(value: int, width: int) -> None:
    """Check that value is an integer of at most `width` bits.

    Raises: ParameterError when it is not, or the width not from 1 to 65,536. The message does not
        contain the value.
    """
    check_integer("a share's width", width, 1, MAX_SHARE_BITS)
    if not is_integer(value, 0) or value >> width:
        raise ParameterError(f"the value must be an integer from 0 to 2**{width} - 1")


def _check_count(shares: tuple[int, ...]) -> None:
    if len(shares) not in (2, 3):
        raise ParameterError(f"a value has two or three shares, not {len(shares)}")
