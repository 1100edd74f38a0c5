"""Bit slices: a table of n rows of w-bit numbers as w columns, each one n-bit integer.

Row r of column j is bit r of `columns[j]`; column 0 holds the least significant bits. One Python
`&` or `^` then works on all rows of a column at once.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from ipa.errors import ParameterError

Columns = list[int]

# For each bit position, the 256-entry table that maps a byte to the digit "0" or "1" of that bit.
_BIT_DIGITS = [bytes(48 + (byte >> bit & 1) for byte in range(256)) for bit in range(8)]


def ones(count: int) -> int:
    """The integer whose `count` lowest bits are 1."""
    return (1 << count) - 1


def columns_from_rows(values: Sequence[int], width: int) -> Columns:
    """Turn n integers of `width` bits into `width` columns of n bits.

    Goes through strings of binary digits, which CPython parses in linear time: about 2 ns per bit.

    Raises: ParameterError, which names the row, when a value is no integer, is negative or does not fit.
    """
    size = (width + 7) // 8
    table: bytes | None
    try:
        table = b"".join([value.to_bytes(size, "little") for value in values])
    except AttributeError:
        row, value = next(item for item in enumerate(values) if not isinstance(item[1], int))
        problem = f"row {row}: must be an int, not {type(value).__name__}"
        raise ParameterError(problem) from None
    except OverflowError:
        table = None
    if table is None or (width % 8 and _any_above(values, width)):
        row = next(row for row, value in enumerate(values) if value < 0 or value >> width)
        raise ParameterError(f"row {row}: must be from 0 to 2**{width} - 1")
    if not values:
        return [0] * width
    columns = []
    for position in range(size):
        digits = table[position::size][::-1]
        for bit in range(min(8, width - 8 * position)):
            columns.append(int(digits.translate(_BIT_DIGITS[bit]), 2))
    return columns


def _any_above(values: Iterable[int], width: int) -> bool:
    return any(value >> width for value in values)


def rows_from_columns(columns: Sequence[int], rows: int) -> list[int]:
    """Turn columns of `rows` bits back into `rows` integers; the inverse of columns_from_rows."""
    size = (len(columns) + 7) // 8
    if rows == 0 or size == 0:
        return [0] * rows
    table = bytearray(size * rows)
    low_bits = int.from_bytes(b"\x01" * rows, "little")
    for position in range(size):
        total = 0
        for bit, column in enumerate(columns[8 * position : 8 * position + 8]):
            digits = format(column, f"0{rows}b").encode()
            total |= (int.from_bytes(digits, "big") & low_bits) << bit
        table[position::size] = total.to_bytes(rows, "little")
    return [
        int.from_bytes(table[start : start + size], "little")
        for start in range(0, size * rows, size)
    ]


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
