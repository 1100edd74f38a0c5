"""Impressions: that a person saw an advertisement, at which publisher, in which campaign, when.

An impression belongs to one virtual person, and persons are named alike at all publishers: giving
out those names is a system of its own, upstream of this one. Errors name row (from 1) and field,
and never quote a person.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TextIO

from ipa.errors import EventError, ParameterError
from ipa.events.csv_records import csv_records
from ipa.events.field_values import integer_from_text, range_problem
from ipa.ranges import check_integer, is_integer

MAX_DAY = (1 << 31) - 1
"""Days are numbers from 0 to this; which day is 0 is for the publishers to agree on."""

MAX_NAME_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class Impression:
    """One person saw one advertisement once. All fields are text but the day's number."""

    person: str
    publisher: str
    campaign: str
    medium: str
    day: int


COLUMNS = tuple(field.name for field in fields(Impression))
"""The columns of an impressions file, in any order."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which impressions are meant: those that agree with every field that is not None.

    `days` is the first and the last day.

    Raises: ParameterError when the days are no interval.
    """

    publishers: frozenset[str] | None = None
    campaigns: frozenset[str] | None = None
    media: frozenset[str] | None = None
    days: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.days is None:
            return
        first, last = self.days
        for day in self.days:
            check_integer("a day", day, 0, MAX_DAY)
        if first > last:
            raise ParameterError(f"days must run from a first to a last day, not {first}-{last}")

    def matches(self, impression: Impression) -> bool:
        """Whether the impression is meant."""
        return (
            (self.publishers is None or impression.publisher in self.publishers)
            and (self.campaigns is None or impression.campaign in self.campaigns)
            and (self.media is None or impression.medium in self.media)
            and (self.days is None or self.days[0] <= impression.day <= self.days[1])
        )


EVERYTHING = (Selection(),)
"""The selections that mean all impressions."""


def select(impressions: Iterable[Impression], selections: Sequence[Selection]) -> list[Impression]:
    """The impressions that any of the selections means, each once."""
    return [item for item in impressions if any(chosen.matches(item) for chosen in selections)]


def check_impressions(impressions: Iterable[Impression], name: str = "") -> None:
    """Check that every field of every impression is what it may be. `name` goes in front of messages.

    Raises: EventError at the first impression that is wrong.
    """
    for row, impression in enumerate(impressions, start=1):
        if not isinstance(impression, Impression):
            problem = f"must be an Impression, not {type(impression).__name__}"
            raise EventError(row, None, problem, source=name)
        _check(impression, row, name)


def read_impressions_csv(stream: TextIO, name: str = "") -> list[Impression]:
    """Impressions from CSV whose header is `COLUMNS` in any order; a day is decimal digits.

    A byte order mark, CRLF, no rows and a blank last line are fine. `name` goes in front of messages.

    Raises: EventError at the first bad row, which counts from 1 after the header.
    """
    impressions = []
    for row, record in csv_records(stream, name, COLUMNS, ()):
        day = integer_from_text(record["day"])
        if isinstance(day, str):
            raise EventError(row, "day", day, source=name)
        person, publisher, campaign, medium = (record[field] for field in COLUMNS[:-1])
        impression = Impression(person, publisher, campaign, medium, day)
        _check(impression, row, name)
        impressions.append(impression)
    return impressions


def write_impressions_csv(impressions: Iterable[Impression], stream: TextIO) -> None:
    """Write what `read_impressions_csv` reads."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for impression in impressions:
        writer.writerow([getattr(impression, column) for column in COLUMNS])


def _check(impression: Impression, row: int, name: str) -> None:
    for field in COLUMNS[:-1]:
        _check_text(getattr(impression, field), row, field, name)
    if not is_integer(impression.day, 0, MAX_DAY):
        problem = range_problem("day", impression.day, MAX_DAY)
        raise EventError(row, "day", problem, source=name)


def _check_text(value: object, row: int, field: str, name: str) -> None:
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= MAX_NAME_CHARACTERS
        or not value.isprintable()
    ):
        problem = f"must be 1 to {MAX_NAME_CHARACTERS} printable characters"
        raise EventError(row, field, problem, source=name)
