"""Permutations as lists: a permutation p puts row p[r] of the old table in row r of the new one."""

from collections.abc import Sequence
from struct import unpack

Permutation = list[int]

SORT_KEY_BYTES = 8
"""How many uniform bytes uniform_permutation takes for each row."""


def uniform_permutation(uniform: bytes) -> Permutation | None:
    """The order in which uniform 64-bit numbers sort, or None when two of them are equal.

    Numbers that are all different are in every order equally often, so that the permutation is
    exactly uniform when equal ones are drawn again; for 2^20 rows that happens once in 2^25 times.
    """
    numbers = unpack(f"<{len(uniform) // SORT_KEY_BYTES}Q", uniform)
    if len(set(numbers)) < len(numbers):
        return None
    return sorted(range(len(numbers)), key=numbers.__getitem__)


def move_rows(rows: Sequence[bytes], permutation: Permutation) -> bytes:
    """The row strings in the permuted order, joined."""
    return b"".join([rows[place] for place in permutation])
