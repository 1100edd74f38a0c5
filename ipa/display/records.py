"""Records: the fields of a dataclass and their values, as a `repr` would show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from ipa.display.markup import Markup, element, joined, text
from ipa.display.numbers import amount, decimal, plural
from ipa.display.style import framed, note
from ipa.display.tables import MOST_ENTRIES, Column, facts, folded, more, table

Item = TypeVar("Item")

_MOST_CHARACTERS = 200


def record_html(record: Any, *parts: object) -> Markup:
    """A dataclass: a line per field that its `repr` shows, and what else belongs to it."""
    return framed(type(record).__name__, record_facts(record), *parts)


def record_facts(record: Any) -> Markup:
    """The lines without a frame."""
    shown = ((name, value_shown(getattr(record, name))) for name in shown_fields(record))
    return facts((name.replace("_", " "), value) for name, value in shown)


def shown_fields(record: Any) -> list[str]:
    """The fields that the record's `repr` shows."""
    return [field.name for field in fields(record) if field.repr]


def records_html(title: str, records: Sequence[Any]) -> Markup:
    """Dataclasses of one kind: a row each, a column per field."""
    return framed(title, records_table(records, len(records), "rows"))


def records_table(records: Sequence[Any], total: int, what: str) -> Markup:
    """The table without a frame; `total` is how many records there are in all."""
    if not records:
        return note(f"no {what}")
    names = shown_fields(records[0])
    columns = [Column(name.replace("_", " ")) for name in names]
    rows = ([value_shown(getattr(record, name)) for name in names] for record in records)
    return table(columns, rows, total, what=what)


def value_shown(value: Any) -> object:
    """A value of a field: a record is its fields, fractions are a few digits, the rest is a short text."""
    if isinstance(value, Fraction):
        return decimal(value)
    if isinstance(value, Decimal):
        return amount(value)
    if value is None:
        return "none"
    if getattr(type(value), "_repr_html_", None) is record_html:
        return record_facts(value)
    if isinstance(value, Mapping) and value and len(value) <= MOST_ENTRIES:
        return element("div", facts((str(key), value_shown(each)) for key, each in value.items()))
    shown = value if isinstance(value, str) else repr(value)
    cut = shown if len(shown) <= _MOST_CHARACTERS else f"{shown[:_MOST_CHARACTERS]}..."
    return text(cut)


def parts_html(title: str, parts: Iterable[tuple[str, object]]) -> Markup:
    """Things that show themselves, each folded under its name."""
    known = list(parts)
    shown = [
        folded(joined(name.replace("_", " "), ": ", repr(part)), html_of(part))
        for name, part in known[:MOST_ENTRIES]
    ]
    return framed(title, *shown, more(len(known) - MOST_ENTRIES, "parts"))


def fields_html(record: Any) -> Markup:
    """A dataclass of things that show themselves, such as shared columns."""
    names = shown_fields(record)
    return parts_html(type(record).__name__, ((name, getattr(record, name)) for name in names))


class Records(tuple[Item, ...]):
    """A tuple of dataclasses of one kind, which a notebook shows as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        title = plural(len(self), type(self[0]).__name__) if self else "nothing"
        return records_html(title, self)


def html_of(part: object) -> Markup:
    """What the object shows of itself in a notebook: its HTML, or its `repr`."""
    make = getattr(part, "_repr_html_", None)
    return text(repr(part)) if make is None else Markup(make())
