"""Bit slices: rows to columns and back, columns as bytes, alternating columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ROWS, WIDTHS, below, columns_of_numbers, examples

from ipa.errors import MismatchError, ParameterError
from ipa.sharing.bits import (
    alternating,
    bytes_per_column,
    bytes_per_row,
    columns_from_rows,
    columns_from_table,
    decode_columns,
    encode_columns,
    every_other_row,
    interleaved,
    ones,
    rows_from_columns,
    table_from_columns,
)


@examples(100)
@given(st.data(), ROWS, WIDTHS | st.just(0) | st.just(256))
def test_row_r_of_column_j_is_bit_r_and_back(data: st.DataObject, rows: int, width: int) -> None:
    (values,) = data.draw(columns_of_numbers(rows, width))
    columns = columns_from_rows(values, width)
    assert len(columns) == width
    assert all(column >> rows == 0 for column in columns)
    for r, value in enumerate(values):
        assert [column >> r & 1 for column in columns] == [value >> j & 1 for j in range(width)]
    assert rows_from_columns(columns, rows) == values


def test_many_rows_round_trip() -> None:
    values = [row * 0x9E3779B97F4A7C15 % 2**64 for row in range(10_001)]
    assert rows_from_columns(columns_from_rows(values, 64), len(values)) == values


@examples(100)
@given(st.data(), ROWS, WIDTHS | st.just(0) | st.just(136), st.integers(0, 2))
def test_bit_j_of_row_r_of_a_table_is_bit_r_of_column_j_and_back(
    data: st.DataObject, rows: int, width: int, spare: int
) -> None:
    size = bytes_per_row(width)
    assert 8 * size - 8 < width <= 8 * size
    bits = data.draw(st.lists(st.integers(0, ones(rows)), min_size=width, max_size=width))
    table = table_from_columns(bits, rows)
    assert len(table) == rows * size
    for r in range(rows):
        row = int.from_bytes(table[r * size : (r + 1) * size], "little")
        assert row == sum((column >> r & 1) << j for j, column in enumerate(bits))
    assert columns_from_table(table, rows, width) == bits
    # Bytes and bits of a row beyond the width are left out.
    longer = b"".join(table[r * size : (r + 1) * size] + b"\xff" * spare for r in range(rows))
    assert columns_from_table(longer, rows, width) == bits
    assert columns_from_table(longer, rows, width // 2) == bits[: width // 2]


def test_the_bits_of_a_row() -> None:
    """Column 0 is the lowest bit of the first byte; bits beyond the last column are zero."""
    columns = [0b01, 0b10, 0, 0, 0, 0, 0, 0b10, 0b11]
    assert table_from_columns(columns, 2) == bytes([0b1, 1, 0b10000010, 1])
    assert [bytes_per_row(width) for width in (0, 1, 8, 9)] == [0, 1, 1, 2]


@pytest.mark.parametrize(("size", "rows", "width"), [(5, 2, 8), (4, 2, 17), (1, 0, 8), (0, 1, 1)])
def test_a_table_has_whole_rows(size: int, rows: int, width: int) -> None:
    with pytest.raises(MismatchError, match=f"{size} bytes are not {rows} rows of {width} bits"):
        columns_from_table(bytes(size), rows, width)


@examples(100)
@given(st.data(), st.integers(1, 9), st.integers(0, 20), st.booleans())
def test_a_value_out_of_range_is_named_by_its_row(
    data: st.DataObject, rows: int, width: int, negative: bool
) -> None:
    (values,) = data.draw(columns_of_numbers(rows, width))
    row = data.draw(st.integers(0, rows - 1))
    wrong = st.integers(max_value=-1) if negative else st.integers(min_value=1 << width)
    values[row] = data.draw(wrong)
    with pytest.raises(ParameterError, match=rf"^row {row}: must be from 0 to 2\*\*{width} - 1$"):
        columns_from_rows(values, width)


@examples(100)
@given(st.data(), ROWS, st.integers(0, 12))
def test_columns_as_bytes_round_trip(data: st.DataObject, rows: int, width: int) -> None:
    columns = data.draw(
        st.lists(st.integers(0, ones(rows)), min_size=width, max_size=width), label="columns"
    )
    payload = encode_columns(columns, rows)
    assert len(payload) == width * bytes_per_column(rows)
    assert decode_columns(payload, rows) == columns


def test_the_layout_of_bytes() -> None:
    """Columns one after another, row 0 in the lowest bit of the first byte."""
    assert encode_columns([0b1, 0b10_0000_0001], 10) == bytes([1, 0, 1, 2])
    assert bytes_per_column(8) == 1
    assert bytes_per_column(9) == 2
    assert encode_columns([0, 0, 0], 0) == bytes(3)


@examples(100)
@given(st.data(), ROWS | st.integers(0, 100))
def test_every_other_row_and_back(data: st.DataObject, rows: int) -> None:
    column = data.draw(below(1 << rows))
    bits = [column >> row & 1 for row in range(rows)]
    even, odd = every_other_row(column, rows)
    assert [even >> row & 1 for row in range(rows)] == bits[::2] + [0] * (rows // 2)
    assert [odd >> row & 1 for row in range(rows)] == bits[1::2] + [0] * ((rows + 1) // 2)
    assert interleaved(even, odd, rows) == column


def test_padding_bits_are_decoded_for_the_caller_to_see() -> None:
    assert decode_columns(b"\xff", 3) == [0xFF]


@given(st.integers(0, 70), st.integers(1, 40))
def test_alternating_is_runs_of_zeros_and_ones(rows: int, run: int) -> None:
    assert alternating(rows, run) == sum(1 << r for r in range(rows) if r // run % 2)


@given(st.integers(0, 200))
def test_ones(count: int) -> None:
    assert f"{ones(count):b}" == ("1" * count or "0")
