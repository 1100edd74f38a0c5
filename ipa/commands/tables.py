"""Tables for people: plain text, fitted to the terminal where there is one.

On a terminal a table that is too wide gives up its bars, then folds text and headers, and in the end
stands cell by cell, each under its name. A number is never folded nor cut. What is in a cell is data,
names that others chose among it: nothing in it is read as markup. Where the optional package `rich` is
installed it draws what was fitted here, with a rule and bold headers.
"""

import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TextIO

_GAP = "  "
_NARROWEST_TEXT = 12
"""Text is folded to no fewer characters than this; what still does not fit is shown cell by cell."""

USUAL_WIDTH = 80
"""How wide a terminal is taken to be that does not say it."""


@dataclass(frozen=True)
class Table:
    """Cells by row, under column headers.

    The columns `text` hold text, aligned to the left, and the column `bar` holds bars, which can be
    given up. All others hold numbers, aligned to the right.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    text: tuple[int, ...]
    bar: int | None = None


def write_table(table: Table, stream: TextIO) -> None:
    """Draw a table, fitted if the stream is a terminal, and with `rich` if it is there too."""
    if not stream.isatty():
        _write_rows(table, [_widest(cells) for cells in _by_column(table)], stream)
        return
    width = terminal_width(stream)
    table = _without_bar(table, width)
    widths = _fitted(table, width)
    if widths is None:
        _write_cell_by_cell(table, width, stream)
    elif find_spec("rich"):
        _write_rich(table, widths, width, stream)
    else:
        _write_rows(table, widths, stream)


def write_text(text: str, stream: TextIO, elsewhere: int | None = None) -> None:
    """Write lines of text, folded at spaces to the terminal.

    Where there is none they are folded to the width `elsewhere`, or left as they are.
    """
    width = terminal_width(stream) if stream.isatty() else elsewhere
    for line in text.splitlines():
        pieces = [line] if width is None else fold(line, width)
        stream.write("".join(f"{piece}\n" for piece in pieces))


def terminal_width(stream: TextIO) -> int:
    """How many characters fit in a line: COLUMNS if it is set, else what the terminal says."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_WIDTH
    except (OSError, ValueError):  # no descriptor, or no terminal behind it
        return USUAL_WIDTH


def fold(text: str, width: int) -> list[str]:
    """The lines of `text` in `width` characters: broken at spaces, and within longer words."""
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if _width(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = _pieces(word, width)
        lines += whole
    return [*lines, line]


def _pieces(word: str, width: int) -> list[str]:
    """A word in pieces of at most `width`, and of at least one character."""
    pieces = [""]
    for character in word:
        if pieces[-1] and _width(pieces[-1] + character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces


def _width(text: str) -> int:
    """How many places of a terminal a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me")
        else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def _by_column(table: Table) -> list[tuple[str, ...]]:
    return list(zip(table.columns, *table.rows, strict=True))


def _widest(cells: Sequence[str]) -> int:
    return max(map(_width, cells))


def _without_bar(table: Table, width: int) -> Table:
    """The table as it is if all of it fits, else without its bars, which is its last column."""
    if table.bar is None or _total([_widest(cells) for cells in _by_column(table)]) <= width:
        return table
    rows = [row[: table.bar] for row in table.rows]
    return replace(table, columns=table.columns[: table.bar], rows=rows, bar=None)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _fitted(table: Table, width: int) -> list[int] | None:
    """The width of each column, so that the table fits; None if it does not.

    First headers are folded, at their spaces only; then the widest text column gives way, place by
    place.
    """
    columns = _by_column(table)
    natural = [_widest(cells) for cells in columns]
    if _total(natural) <= width:
        return natural
    least = [max(_widest(cells[1:] or ("",)), _widest(cells[0].split(" "))) for cells in columns]
    folded = [
        min(_NARROWEST_TEXT, least[k]) if k in table.text else least[k] for k in range(len(least))
    ]
    if _total(folded) > width:
        return None
    widths = least
    while _total(widths) > width:
        widest = max(table.text, key=lambda k: widths[k])
        widths[widest] -= 1
    return widths


def _write_rows(table: Table, widths: Sequence[int], stream: TextIO) -> None:
    left = (*table.text, table.bar)
    for line in _lines([table.columns, *table.rows], widths):
        cells = [
            _padded(cell, width, position in left)
            for position, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        stream.write(_GAP.join(cells).rstrip() + "\n")


def _padded(cell: str, width: int, left: bool) -> str:
    space = " " * (width - _width(cell))
    return cell + space if left else space + cell


def _lines(rows: Sequence[tuple[str, ...]], widths: Sequence[int]) -> Iterator[tuple[str, ...]]:
    """The lines of each row, its cells folded to the widths of their columns."""
    for row in rows:
        cells = [fold(cell, width) for cell, width in zip(row, widths, strict=True)]
        height = max(map(len, cells))
        yield from zip(*([*lines, *[""] * (height - len(lines))] for lines in cells), strict=True)


def _write_cell_by_cell(table: Table, width: int, stream: TextIO) -> None:
    """Every cell under the name of its column, or behind it if there is room; a blank line between rows."""
    for row in table.rows:
        for position, (name, cell) in enumerate(zip(table.columns, row, strict=True)):
            line = f"{name}: {cell}"
            if not cell:
                continue
            if _width(line) <= width:
                stream.write(f"{line}\n")
                continue
            # A number wider than the terminal is left to it, in one piece.
            longest = 0 if position in table.text else _widest(cell.split(" "))
            for piece in [*fold(f"{name}:", width), *fold(cell, max(width, longest))]:
                stream.write(f"{piece}\n")
        stream.write("\n")


def _write_rich(table: Table, widths: Sequence[int], width: int, stream: TextIO) -> None:
    # Imported here: rich is optional, and slow to import.
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    left = (*table.text, table.bar)
    drawn = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0, 0, 1))
    for position, name in enumerate(table.columns):
        drawn.add_column(
            Text("\n".join(fold(name, widths[position])), style="bold"),
            justify="left" if position in left else "right",
            width=widths[position],
            no_wrap=True,
        )
    for row in table.rows:
        cells = (fold(cell, space) for cell, space in zip(row, widths, strict=True))
        # Text, not a string, in which rich would look for markup and emoji.
        drawn.add_row(*(Text("\n".join(lines)) for lines in cells))
    console = Console(file=stream, width=width, markup=False, emoji=False, highlight=False)
    console.print(drawn)
