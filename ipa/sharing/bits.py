"""Bit slices: a table of n rows of w-bit numbers as w columns, each one n-bit integer.

Row r of column j is bit r of `columns[j]`; column 0 holds the least significant bits. One Python
`&` or `^` then works on all rows of a column at once.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from ipa.errors import MismatchError, ParameterError

Columns = list[int]

# A word of eight bytes is an 8 x 8 table of bits. Exchanging the bits under each mask with those
# that stand so many places higher turns it: bit j of byte i becomes bit i of byte j.
_DISTANCES = (7, 14, 28)
_MASKS = (0x00AA00AA00AA00AA, 0x0000CCCC0000CCCC, 0x00000000F0F0F0F0)


def ones(count: int) -> int:
    """The integer whose `count` lowest bits are 1."""
    return (1 << count) - 1


def columns_from_rows(values: Sequence[int], width: int) -> Columns:
    """Turn n integers of `width` bits into `width` columns of n bits.

    Raises: ParameterError, which names the row, when a value is no integer, is negative or does not
        fit.
    """
    size = bytes_per_row(width)
    try:
        table = b"".join([value.to_bytes(size, "little") for value in values])
        columns = columns_from_table(table, len(values), 8 * size)
        fits = not any(columns[width:])
    except AttributeError:
        row, value = next(item for item in enumerate(values) if not isinstance(item[1], int))
        problem = f"row {row}: must be an int, not {type(value).__name__}"
        raise ParameterError(problem) from None
    except OverflowError:
        fits = False
    if not fits:
        row = next(row for row, value in enumerate(values) if value < 0 or value >> width)
        raise ParameterError(f"row {row}: must be from 0 to 2**{width} - 1")
    return columns[:width]


def rows_from_columns(columns: Sequence[int], rows: int) -> list[int]:
    """Turn columns of `rows` bits back into `rows` integers; the inverse of columns_from_rows."""
    size = bytes_per_row(len(columns))
    table = table_from_columns(columns, rows)
    starts = (row * size for row in range(rows))
    return [int.from_bytes(table[start : start + size], "little") for start in starts]


def bytes_per_row(width: int) -> int:
    """A row of a table of bytes is whole bytes, column 0 in the lowest bit of the first byte."""
    return (width + 7) // 8


def columns_from_table(table: bytes, rows: int, width: int) -> Columns:
    """The first `width` columns of a table of bytes: `rows` rows of equal length, one after another.

    One byte of every row makes one integer, whose words of eight rows are turned at once.

    Cost: about 0.5 ns per bit.
    Raises: MismatchError when the table is not `rows` rows of at least bytes_per_row(width) bytes.
    """
    size = len(table) // rows if rows else bytes_per_row(width)
    if size * rows != len(table) or size < bytes_per_row(width):
        raise MismatchError(f"{len(table)} bytes are not {rows} rows of {width} bits")
    words = (rows + 7) // 8
    columns: Columns = []
    for position in range(bytes_per_row(width)):
        turned = _turn(table[position::size], words)
        columns += [int.from_bytes(turned[bit::8], "little") for bit in range(8)]
    return columns[:width]


def table_from_columns(columns: Sequence[int], rows: int) -> bytes:
    """The table of bytes whose rows have bytes_per_row(len(columns)) bytes; bits to spare are 0.

    The inverse of columns_from_table.

    Cost: about 0.5 ns per bit.
    """
    size, words = bytes_per_row(len(columns)), (rows + 7) // 8
    table = bytearray(size * rows)
    for position in range(size):
        turned = bytearray(8 * words)
        for bit, column in enumerate(columns[8 * position : 8 * position + 8]):
            turned[bit::8] = column.to_bytes(words, "little")
        table[position::size] = _turn(turned, words)[:rows]
    return bytes(table)


def _turn(data: bytes | bytearray, words: int) -> bytes:
    """Every word of eight bytes as an 8 x 8 table of bits, turned; missing bytes at the end are 0."""
    total = int.from_bytes(data, "little")
    for distance, mask in zip(_DISTANCES, _masks(words), strict=True):
        moved = (total ^ total >> distance) & mask
        total ^= moved ^ moved << distance
    return total.to_bytes(8 * words, "little")


@lru_cache(maxsize=8)
def _masks(words: int) -> tuple[int, ...]:
    return tuple(int.from_bytes(mask.to_bytes(8, "little") * words, "little") for mask in _MASKS)


def bytes_per_column(rows: int) -> int:
    """A column travels as whole bytes, row 0 in the lowest bit of the first byte.

    A column of no rows is one zero byte, so that a payload always says how many columns it has.
    """
    return max(1, (rows + 7) // 8)


def encode_columns(columns: Iterable[int], rows: int) -> bytes:
    """The bytes of columns one after another, each little endian in bytes_per_column(rows) bytes."""
    size = bytes_per_column(rows)
    return b"".join([column.to_bytes(size, "little") for column in columns])


def decode_columns(payload: bytes, rows: int) -> Columns:
    """The inverse of encode_columns, padding bits included; the caller has checked the length."""
    size = bytes_per_column(rows)
    return [
        int.from_bytes(payload[start : start + size], "little")
        for start in range(0, len(payload), size)
    ]


@lru_cache(maxsize=256)
def alternating(rows: int, run: int) -> int:
    """A column of `rows` bits: `run` zeros, `run` ones, `run` zeros, ... from row 0 up."""
    column, length = ones(run) << run, 2 * run
    while length < rows:
        column |= column << length
        length *= 2
    return column & ones(rows)


def every_other_row(column: int, rows: int) -> tuple[int, int]:
    """The even and the odd rows of a column of `rows` bits, as two columns.

    Cost: about 0.5 ns per bit.
    """
    data = column.to_bytes(2 * ((rows + 15) // 16), "little")
    low, high = data[::2], data[1::2]
    even, odd = (
        int.from_bytes(low.translate(into_low), "little")
        | int.from_bytes(high.translate(into_high), "little")
        for into_low, into_high in (_EVEN_BITS, _ODD_BITS)
    )
    return even, odd


def interleaved(even: int, odd: int, rows: int) -> int:
    """The column whose even and odd rows are given; the inverse of every_other_row.

    Cost: about 0.5 ns per bit.
    """
    return _spread(even, rows) | _spread(odd, rows) << 1


def _spread(column: int, rows: int) -> int:
    """Row r becomes row 2r."""
    data = column.to_bytes((rows + 15) // 16, "little")
    spread = bytearray(2 * len(data))
    spread[::2], spread[1::2] = (data.translate(table) for table in _SPREAD)
    return int.from_bytes(spread, "little")


def _every_second_bit(byte: int) -> int:
    return sum((byte >> 2 * bit & 1) << bit for bit in range(4))


_EVEN_BITS, _ODD_BITS = (
    tuple(bytes(_every_second_bit(byte >> odd) << up for byte in range(256)) for up in (0, 4))
    for odd in (0, 1)
)
"""By byte its even or odd bits, for the lower half of a byte and for the upper half."""

_SPREAD = tuple(
    bytes(sum((byte >> up + bit & 1) << 2 * bit for bit in range(4)) for byte in range(256))
    for up in (0, 4)
)
"""By byte its lower or its upper half, with a zero behind each bit."""
