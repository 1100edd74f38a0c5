"""Additive sharing by a client: the spec asks for it, the query does not use it (SPEC_NOTES: xor-fields).

Spec: Generating source and trigger reports; Two Party Secret Sharing.

v = v1 + v2 + v3 modulo m, for m a power of two (words) or a prime (a field); all shares but one
are independent and uniform modulo m, so any proper subset of them says nothing about the value.
"""

from ipa.errors import ParameterError
from ipa.ranges import check_integer, check_secret_integer
from ipa.sharing.randomness import Randomness


def share_additive(value: int, modulus: int, randomness: Randomness) -> tuple[int, int, int]:
    """Three shares modulo `modulus`, value = v1 + v2 + v3. Two of the three say nothing of the value.

    Raises: ParameterError when the modulus is below 2 or the value not from 0 to modulus - 1. The
        message does not contain the value.
    """
    _check_residue(value, modulus)
    first = randomness.random_below(modulus)
    second = randomness.random_below(modulus)
    return first, second, (value - first - second) % modulus


def combine_additive(shares: tuple[int, ...], modulus: int) -> int:
    """The value of two or three additive shares modulo `modulus`: the inverse of sharing.

    Raises: ParameterError for another number of shares, or a share out of range.
    """
    if len(shares) not in (2, 3):
        raise ParameterError(f"a value has two or three shares, not {len(shares)}")
    for share in shares:
        _check_residue(share, modulus)
    return sum(shares) % modulus


def share_additive_two_party(value: int, modulus: int, randomness: Randomness) -> tuple[int, int]:
    """Two shares, value = v1 + v2 (spec: Two Party Secret Sharing).

    Raises: ParameterError when the modulus is below 2 or the value not from 0 to modulus - 1.
    """
    _check_residue(value, modulus)
    first = randomness.random_below(modulus)
    return first, (value - first) % modulus


def _check_residue(value: int, modulus: int) -> None:
    check_integer("the modulus of an additive sharing", modulus, 2)
    check_secret_integer("the value", value, 0, modulus - 1)
