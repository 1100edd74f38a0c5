"""Row form: a table of bits as one string of bytes per row, for moving rows; and back to columns.

Columns are fast to compute on and slow to reorder, row strings the other way round. Byte k of all
rows is a stride of the joined rows, and eight rows of it are a square of 8 x 8 bits, which three
swaps turn over its diagonal (Warren, Hacker's Delight, section 7-3), in one long integer for all
rows: about 0.5 ns per bit each way.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from struct import Struct

from ipa.sharing.bits import Columns, bytes_per_column

_ROWS_AT_ONCE = 512

# Bits d apart change places where the mask, one 64-bit square long, has a one.
_SWAPS = ((7, 0x00AA00AA00AA00AA), (14, 0x0000CCCC0000CCCC), (28, 0x00000000F0F0F0F0))


def bytes_per_row(width: int) -> int:
    """A row of `width` bits takes whole bytes, column 0 in the lowest bit of the first one."""
    return (width + 7) // 8


def pack_rows(columns: Sequence[int], rows: int) -> bytes:
    """The row strings of a table, joined; the bits beyond the last column are zero."""
    size, squares = bytes_per_row(len(columns)), bytes_per_column(rows)
    packed = bytearray(size * rows)
    for k in range(size):
        square = bytearray(8 * squares)
        for bit, column in enumerate(columns[8 * k : 8 * k + 8]):
            square[bit::8] = column.to_bytes(squares, "little")
        packed[k::size] = _turn(square, squares)[:rows]
    return bytes(packed)


def unpack_rows(packed: bytes, size: int, width: int) -> Columns:
    """The lowest `width` columns of joined row strings, `size` bytes apart."""
    rows = -(-len(packed) // size)
    squares = bytes_per_column(rows)
    columns: Columns = []
    for k in range(bytes_per_row(width)):
        turned = _turn(packed[k::size], squares)
        columns += [int.from_bytes(turned[bit::8], "little") for bit in range(8)]
    return columns[:width]


def split_rows(packed: bytes, size: int, dropped: int = 0) -> list[bytes]:
    """The row strings one by one, each without its last `dropped` of `size` bytes."""
    one = f"{size - dropped}s{dropped}x"
    many = Struct("=" + one * _ROWS_AT_ONCE)
    whole = len(packed) // many.size * many.size
    rows: Iterable[bytes] = chain.from_iterable(many.iter_unpack(packed[:whole]))
    rest = (row for (row,) in Struct("=" + one).iter_unpack(packed[whole:]))
    return [*rows, *rest]


def _turn(square: bytes | bytearray, squares: int) -> bytes:
    """Bit c of byte r becomes bit r of byte c in every eight bytes."""
    bits = int.from_bytes(square, "little")
    for distance, mask in _SWAPS:
        moved = (bits ^ bits >> distance) & _repeated(mask, squares)
        bits ^= moved ^ moved << distance
    return bits.to_bytes(8 * squares, "little")


@lru_cache(maxsize=64)
def _repeated(mask: int, squares: int) -> int:
    return int.from_bytes(mask.to_bytes(8, "little") * squares, "little")
