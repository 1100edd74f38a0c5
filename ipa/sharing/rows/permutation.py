"""Permutations as lists: a permutation p puts row p[r] of the old table in row r of the new one.

What moves are the rows of a table of bytes (`ipa.sharing.bits.table_from_columns`): columns are fast
to compute on and slow to reorder, such rows the other way round.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from struct import Struct, unpack

Permutation = list[int]

SORT_KEY_BYTES = 8
"""How many uniform bytes uniform_permutation takes for each row."""

_ROWS_AT_ONCE = 512


def uniform_permutation(uniform: bytes) -> Permutation | None:
    """The order in which uniform 64-bit numbers sort, or None when two of them are equal.

    Numbers that are all different are in every order equally often, so that the permutation is
    exactly uniform when equal ones are drawn again; for 2^20 rows that happens once in 2^25 times.
    """
    numbers = unpack(f"<{len(uniform) // SORT_KEY_BYTES}Q", uniform)
    if len(set(numbers)) < len(numbers):
        return None
    return sorted(range(len(numbers)), key=numbers.__getitem__)


def split_rows(packed: bytes, size: int, dropped: int = 0) -> list[bytes]:
    """The row strings one by one, each without its last `dropped` of `size` bytes."""
    one = f"{size - dropped}s{dropped}x"
    many = Struct("=" + one * _ROWS_AT_ONCE)
    whole = len(packed) // many.size * many.size
    rows: Iterable[bytes] = chain.from_iterable(many.iter_unpack(packed[:whole]))
    rest = (row for (row,) in Struct("=" + one).iter_unpack(packed[whole:]))
    return [*rows, *rest]


def move_rows(rows: Sequence[bytes], permutation: Permutation) -> bytes:
    """The row strings in the permuted order, joined."""
    return b"".join([rows[place] for place in permutation])
