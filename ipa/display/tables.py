"""Tables: rows of cells, cut where there are many, and folded where they are seldom read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from ipa.display.markup import Markup, element, joined
from ipa.display.style import note

MOST_ROWS = 10
"""Rows of a table of shares, or of anything of which there can be as many as reports."""

MOST_ENTRIES = 64
"""Entries of a list that is read as a whole: breakdown keys, messages, queries."""


@dataclass(frozen=True)
class Column:
    """A column: its head and how its cells are set; `wide` cells are wrapped."""

    head: object
    kind: Literal["text", "number", "code"] = "text"
    wide: bool = False
    apart: bool = False
    """Whether a line stands before it."""

    @property
    def style(self) -> str:
        """The classes of its cells."""
        kinds = {"text": "", "number": "number", "code": "code"}
        classes = (kinds[self.kind], "wrap" if self.wide else "", "left" if self.apart else "")
        return " ".join(filter(None, classes))


def table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[object]],
    total: int,
    *,
    limit: int = MOST_ENTRIES,
    what: str = "rows",
) -> Markup:
    """The first `limit` of `total` rows, and how many more there are; the rest is not asked for."""
    head = element("tr", *(element("th", each.head, class_=each.style or None) for each in columns))
    body = [
        element(
            "tr",
            *(
                element("td", cell, class_=column.style or None)
                for column, cell in zip(columns, row, strict=True)
            ),
        )
        for row in islice(rows, limit)
    ]
    made = element("table", element("thead", head), element("tbody", *body))
    return joined(made, more(total - limit, what))


def more(count: int, what: str) -> Markup:
    """How many are not shown; nothing where all are."""
    return note(f"... {count:,} more {what}") if count > 0 else Markup("")


def facts(pairs: Iterable[tuple[str, object]]) -> Markup:
    """Names and values, a line each."""
    known = list(pairs)
    rows = [element("tr", element("th", name), element("td", value)) for name, value in known]
    return element("table", element("tbody", *rows))


def folded(summary: object, *parts: object) -> Markup:
    """What is shown only when the reader opens it."""
    return element("details", element("summary", summary), *parts)
