"""An encoder of events: what each column of a table becomes, and which label has which sum."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from ipa.display.markup import Markup
from ipa.display.numbers import plural
from ipa.display.style import framed, note
from ipa.display.tables import Column, table

_MOST_CHARACTERS = 80


class Encoder(Protocol):
    """What an encoder declares, as far as it is shown: never its key, nor whom it has numbered."""

    @property
    def breakdown_labels(self) -> Sequence[Hashable]:
        """The labels that get a sum each."""

    @property
    def kinds(self) -> Mapping[Any, str]:
        """What is a source and what a trigger."""

    @property
    def other_label(self) -> Hashable | None:
        """What sources with another label count for."""

    @property
    def start(self) -> datetime | None:
        """The time that is 0."""

    @property
    def time_step(self) -> timedelta:
        """How long a step of time is."""

    @property
    def value_step(self) -> Decimal | int | str:
        """How much a step of a value is."""

    @property
    def largest_value(self) -> Decimal | int | str | None:
        """The largest value there may be, where one is declared."""

    @property
    def match_key_bits(self) -> int:
        """Width of a match key."""

    @property
    def attribution_constraint_id_bits(self) -> int:
        """Width of a constraint ID."""

    @property
    def timestamp_bits(self) -> int:
        """Width of a timestamp."""

    @property
    def value_bits(self) -> int:
        """Width of a trigger value."""


def encoder_html(encoder: Encoder, column_of: Mapping[str, str], *, hashed: bool) -> Markup:
    """A row per field, with its column and what is made of it; then a row per label.

    `column_of` has the table's name of each field; `hashed` says that people get a keyed hash.
    """
    columns = [
        Column("field"),
        Column("column of the table"),
        Column("becomes", wide=True),
        Column("bits", "number"),
    ]
    rows = [
        (name.replace("_", " "), column_of[name], *made)
        for name, made in _made_of(encoder, hashed).items()
        if name in column_of
    ]
    labels = encoder.breakdown_labels
    other = encoder.other_label
    numbered = (
        (key, _short(label), "and every other label" if label == other else "")
        for key, label in enumerate(labels)
    )
    heads = [Column("breakdown key", "number"), Column("label"), Column("")]
    return framed(
        f"Event encoder with {plural(len(labels), 'label')}",
        table(columns, rows, len(rows)),
        table(heads, numbered, len(labels), what="labels"),
        note("the labels must be public, and fixed before the data are looked at"),
    )


def _made_of(encoder: Encoder, hashed: bool) -> dict[str, tuple[str, object]]:
    """By field, what is made of a cell, and its width in bits."""
    kinds = (f"{_short(value)} is a {kind}" for value, kind in encoder.kinds.items())
    people = "a keyed hash" if hashed else "numbers, as people come"
    times = "whole numbers already"
    if encoder.start is not None:
        times = f"steps of {_duration(encoder.time_step)} after {encoder.start}"
    values = f"steps of {encoder.value_step}"
    if encoder.largest_value is not None:
        values += f", {encoder.largest_value} at most"
    labels = "the place of the label among the labels"
    return {
        "report": (_cut("; ".join(kinds)), ""),
        "match_key": (people, encoder.match_key_bits),
        "attribution_constraint_id": (
            "numbers, as they come",
            encoder.attribution_constraint_id_bits,
        ),
        "timestamp": (times, encoder.timestamp_bits),
        "breakdown_key": (labels, ""),
        "trigger_value": (values, encoder.value_bits),
        "site": ("text", ""),
    }


def _duration(step: timedelta) -> str:
    """A duration in seconds where it is a few of them, else as Python writes it."""
    seconds = step.total_seconds()
    return f"{seconds:g} s" if seconds < 60 else str(step)


def _short(label: object) -> str:
    """A label as it is told from a number: text in quotation marks, and not more than fits."""
    return _cut(repr(label))


def _cut(said: str) -> str:
    return said if len(said) <= _MOST_CHARACTERS else f"{said[: _MOST_CHARACTERS - 3]}..."
