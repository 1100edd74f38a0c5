"""Source and trigger events in the clear, as a report collector has them before any sharing.

Three ways in: construct them, read them from mappings (a notebook's dictionaries or data frame),
read them from CSV. Reading checks the shape of each row; `check_events` then checks every field
against the widths of a query, and is called before any work. Errors name row (from 1), field and
allowed range, and never quote a field's value.
"""

import csv
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TextIO

from ipa.errors import EventError, InputError, ParameterError
from ipa.events.csv_records import allowed_columns, csv_records
from ipa.events.field_values import integer_from_object, integer_from_text, is_absent, range_problem
from ipa.events.frames import DataFrame, records_of
from ipa.names import RegistrableDomain, site_of
from ipa.parameters import (
    MAX_BREAKDOWNS,
    MAX_FIELD_BITS,
    MAX_MATCH_KEY_BITS,
    QueryParameters,
    check_parameters_type,
)
from ipa.ranges import is_integer


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """An ad impression or click: what a source report is made of (spec: Additional Data).

    `site`, where the event happened, matters to reports and budgets only, not to the attribution.
    """

    match_key: int
    attribution_constraint_id: int
    timestamp: int
    breakdown_key: int
    site: str = ""


@dataclass(frozen=True, slots=True)
class TriggerEvent:
    """A conversion: what a trigger report is made of (spec: Additional Data).

    `site`, where the event happened, matters to reports and budgets only, not to the attribution.
    """

    match_key: int
    attribution_constraint_id: int
    timestamp: int
    trigger_value: int
    site: str = ""


Event = SourceEvent | TriggerEvent

COLUMNS = (
    "report",
    "match_key",
    "attribution_constraint_id",
    "timestamp",
    "breakdown_key",
    "trigger_value",
)
"""The columns of an events file; `site` may be there too, and the constraint may be left out."""

_CONSTRAINT = "attribution_constraint_id"
_REQUIRED = tuple(column for column in COLUMNS if column != _CONSTRAINT)
_OPTIONAL = (_CONSTRAINT, "site")
_COMMON_FIELDS = COLUMNS[1:4]
_LARGEST = {
    "match_key": (1 << MAX_MATCH_KEY_BITS) - 1,
    "attribution_constraint_id": (1 << MAX_FIELD_BITS) - 1,
    "timestamp": (1 << MAX_FIELD_BITS) - 1,
    "breakdown_key": MAX_BREAKDOWNS - 1,
    "trigger_value": (1 << MAX_FIELD_BITS) - 1,
}
"""What a field may be in the widest of queries."""
_ReadInteger = Callable[[object], int | str]
"""The integer a raw field stands for, or what is wrong with it."""

_SiteOf = Callable[[str], str] | None
"""The site that a host belongs to; None leaves hosts as they are."""


def events_from_mappings(
    rows: Iterable[Mapping[str, object]] | DataFrame,
    *,
    registrable_domain: RegistrableDomain | None = None,
) -> list[Event]:
    """Events from mappings with the names of `COLUMNS`, and perhaps `site`, as keys.

    An attribution constraint ID that is left out is 0 (SPEC_NOTES: constraint-left-out). `report` is
    "source" or "trigger". Integers are `int`, or integers and whole floats of a data
    frame. A field that does not apply is absent, None, "" or one of NaN, NA and NaT. A data frame of
    pandas or polars can be given itself: each of its rows is an event. With a `registrable_domain`,
    a site is the one that the host given belongs to, as for `ipa.names.site_of`. The ranges that a
    query allows are checked by `check_events`.

    Raises: EventError at the first row that is wrong.
    """
    events = []
    in_site = _site_reader(registrable_domain)
    for row, record in enumerate(records_of(rows), start=1):
        if not isinstance(record, Mapping):
            raise EventError(row, None, f"must be a mapping, not {type(record).__name__}")
        for field in record:
            if field not in COLUMNS + _OPTIONAL:
                allowed = allowed_columns(_REQUIRED, _OPTIONAL)
                raise EventError(row, str(field), f"unknown field; allowed: {allowed}")
        events.append(_read_event(record, row, integer_from_object, "", in_site))
    return events


def read_events_csv(
    file: TextIO | str | os.PathLike[str],
    name: str = "",
    *,
    registrable_domain: RegistrableDomain | None = None,
) -> list[Event]:
    """Events from CSV with the header `COLUMNS`, and perhaps `site`, in any order.

    `file` is a path, of a file in UTF-8, or a stream of text. The column of
    attribution constraint IDs may be missing, or a field of it empty, which means 0
    (SPEC_NOTES: constraint-left-out). Integers are plain decimal digits. A
    field that does not apply is empty. A byte order mark, CRLF, no rows and a blank last line are
    fine. `name` goes in front of messages, by default the path. With a `registrable_domain`, a site is
    the one that the host given belongs to, as for `ipa.names.site_of`. The ranges that a query allows
    are checked by `check_events`.

    Raises: EventError at the first bad row, which counts from 1 after the header. InputError for a
        file that cannot be read.
    """
    in_site = _site_reader(registrable_domain)
    if not isinstance(file, str | os.PathLike):
        return _read_csv(file, name, in_site)
    name = name or os.fspath(file)
    if "\n" in name:
        raise InputError("this is CSV itself and not the path of a file: give io.StringIO(text)")
    try:
        with open(file, encoding="utf-8", newline="") as stream:  # noqa: PTH123
            return _read_csv(stream, name, in_site)
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}") from error


def _read_csv(stream: TextIO, name: str, in_site: _SiteOf) -> list[Event]:
    return [
        _read_event(record, row, integer_from_text, name, in_site)
        for row, record in csv_records(stream, name, _REQUIRED, _OPTIONAL)
    ]


def write_events_csv(events: Iterable[Event], file: TextIO | str | os.PathLike[str]) -> None:
    """Write what `read_events_csv` reads; the `site` column is there if any event has a site.

    `file` is a stream of text, or the path of a file to be written, in UTF-8.

    Raises: EventError for what are no events; InputError for a file that cannot be written.
    """
    events = listed_events(events)
    for row, event in enumerate(events, start=1):
        check_event_type(event, row)
    if not isinstance(file, str | os.PathLike):
        _write_csv(events, file)
        return
    try:
        with open(file, "w", encoding="utf-8", newline="") as stream:  # noqa: PTH123
            _write_csv(events, stream)
    except OSError as error:
        raise InputError(f"{os.fspath(file)}: cannot be written: {error.strerror}") from error


def _write_csv(events: list[Event], stream: TextIO) -> None:
    with_site = any(event.site for event in events)
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*COLUMNS, "site"] if with_site else COLUMNS)
    for event in events:
        key = (event.match_key, event.attribution_constraint_id, event.timestamp)
        record: list[int | str]
        if isinstance(event, SourceEvent):
            record = ["source", *key, event.breakdown_key, ""]
        else:
            record = ["trigger", *key, "", event.trigger_value]
        writer.writerow([*record, event.site] if with_site else record)


def listed_events(events: Iterable[Event]) -> list[Event]:
    """The events as a list, from any iterable of them; what they are is not checked.

    Raises: EventError for one event, or anything else that is no iterable.
    """
    if not isinstance(events, Iterable):
        problem = f"there must be a list of events, and not one {type(events).__name__}"
        raise EventError(None, None, problem)
    return list(events)


def check_events(events: Iterable[Event], parameters: QueryParameters, name: str = "") -> None:
    """Check that every field is an integer within the query's widths.

    Breakdown keys must be below `parameters.breakdowns`. `name` goes in front of messages.

    Raises: EventError at the first field that is not. ParameterError for other parameters.
    """
    check_parameters_type(parameters)
    widths = {
        "match_key": parameters.match_key_bits,
        "attribution_constraint_id": parameters.attribution_constraint_id_bits,
        "timestamp": parameters.timestamp_bits,
    }
    common = [(field, (1 << bits) - 1) for field, bits in widths.items()]
    source_limits = [*common, ("breakdown_key", parameters.breakdowns - 1)]
    trigger_limits = [*common, ("trigger_value", (1 << parameters.value_bits) - 1)]
    for row, event in enumerate(events, start=1):
        check_event_type(event, row, name)
        for field, largest in source_limits if isinstance(event, SourceEvent) else trigger_limits:
            value = getattr(event, field)
            if not is_integer(value, 0, largest):
                raise EventError(row, field, range_problem(field, value, largest), source=name)
        _check_site(event.site, row, name)


def check_event_type(event: object, row: int, name: str = "") -> None:
    """Check that `event` is an event, whatever its fields.

    Raises: EventError, which says what makes events of dictionaries.
    """
    if not isinstance(event, SourceEvent | TriggerEvent):
        problem = f"must be a SourceEvent or a TriggerEvent, not {type(event).__name__}"
        hint = "events_from_mappings makes them from dictionaries or a data frame"
        raise EventError(row, None, f"{problem}: {hint}", source=name)


def _read_event(
    record: Mapping[str, object], row: int, read: _ReadInteger, name: str, in_site: _SiteOf
) -> Event:
    kind = record.get("report")
    event_type: type[SourceEvent] | type[TriggerEvent]
    if isinstance(kind, str) and kind == "source":
        event_type, own, other = SourceEvent, "breakdown_key", "trigger_value"
    elif isinstance(kind, str) and kind == "trigger":
        event_type, own, other = TriggerEvent, "trigger_value", "breakdown_key"
    else:
        raise EventError(row, "report", "must be 'source' or 'trigger'", source=name)
    if not is_absent(record.get(other)):
        raise EventError(row, other, f"must be empty on a {kind} report", source=name)
    numbers = []
    for field in (*_COMMON_FIELDS, own):
        value = record.get(field)
        number = 0 if field == _CONSTRAINT and is_absent(value) else read(value)
        if isinstance(number, str):
            raise EventError(row, field, number, source=name)
        if number > _LARGEST[field]:
            problem = f"too large: {range_problem(field, number, _LARGEST[field])}"
            raise EventError(row, field, problem, source=name)
        numbers.append(number)
    match_key, attribution_constraint_id, timestamp, last = numbers
    given = record.get("site")
    site = "" if is_absent(given) else _check_site(given, row, name)
    if site and in_site is not None:
        try:
            site = in_site(site)
        except ParameterError as error:
            raise EventError(row, "site", str(error), source=name) from None
    return event_type(match_key, attribution_constraint_id, timestamp, last, site)


def _check_site(site: object, row: int, name: str) -> str:
    if not isinstance(site, str) or not site.isprintable():
        raise EventError(row, "site", "must be printable text, or empty", source=name)
    return site


def _site_reader(registrable_domain: RegistrableDomain | None) -> _SiteOf:
    if registrable_domain is None:
        return None
    return cache(lambda host: site_of(host, registrable_domain))
