"""CSV with a header, read strictly: records by column, with errors that name row and column."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from ipa.errors import EventError

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}


def csv_records(
    stream: TextIO, name: str, required: Sequence[str], optional: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The records of CSV text with their row numbers, which count from 1 after the header.

    The header has the required columns, and perhaps some of the optional ones, in any order. A byte
    order mark, CRLF, no rows and a blank last line are fine. `name` goes in front of messages.

    Raises: EventError for text that is no such CSV, when the row that is wrong is reached.
    """
    rows = _rows(stream, name)
    _, header = next(rows, (0, None))
    if header is None:
        raise EventError(
            None, None, f"no header; must start with {','.join(required)}", source=name
        )
    _check_header(header, name, required, optional)
    for row, fields in rows:
        if not fields and next(rows, None) is None:
            break
        if len(fields) != len(header):
            problem = f"{len(fields)} fields, must have {len(header)}"
            raise EventError(row, None, problem, source=name)
        yield row, dict(zip(header, fields, strict=True))


def allowed_columns(required: Sequence[str], optional: Sequence[str]) -> str:
    """The columns there may be, for a message."""
    return ", ".join((*required, *(f"{column} (optional)" for column in optional)))


def _rows(stream: TextIO, name: str) -> Iterator[tuple[int, list[str]]]:
    """Row number (0 is the header) and fields of each line; malformed CSV is an EventError."""
    reader = csv.reader(_without_byte_order_mark(stream), strict=True)
    row = 0
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError as error:
            # Decoding runs ahead of the rows, so the row is not known.
            raise EventError(None, None, f"not {error.encoding} text", source=name) from error
        except csv.Error as error:
            raise EventError(row or None, None, f"not CSV: {error}", source=name) from error
        yield row, fields
        row += 1


def _without_byte_order_mark(lines: Iterable[str]) -> Iterator[str]:
    iterator = iter(lines)
    for first in iterator:
        yield first.removeprefix("\ufeff")
        yield from iterator


def _check_header(
    header: list[str], name: str, required: Sequence[str], optional: Sequence[str]
) -> None:
    if len(header) == 1 and all(column in header[0] for column in required):
        found = [kind for mark, kind in _SEPARATORS.items() if mark in header[0]]
        by = f", and not by {found[0]}" if found else ""
        problem = f"one column holds them all: columns are separated by commas{by}"
        raise EventError(None, None, problem, source=name)
    for position, column in enumerate(header):
        if column not in (*required, *optional):
            allowed = allowed_columns(required, optional)
            problem = f"unknown column {column[:30]!r}; allowed: {allowed}"
            raise EventError(None, None, problem, source=name)
        if column in header[:position]:
            raise EventError(None, column, "column appears twice", source=name)
    for column in required:
        if column not in header:
            raise EventError(None, column, "column is missing", source=name)
