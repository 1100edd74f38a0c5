"""Source and trigger events in the clear, as a report collector has them before any sharing.

Three ways in: construct them, read them from mappings (a notebook's dictionaries), read them from
CSV. Reading checks the shape of each row; `check_events` then checks every field against the
widths of a query, and is called before any work. Errors name row (from 1), field and allowed
range, and never quote a field's value.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from ipa.errors import EventError
from ipa.parameters import MAX_BREAKDOWNS, MAX_FIELD_BITS, MAX_MATCH_KEY_BITS, QueryParameters
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

_COMMON_FIELDS = COLUMNS[1:4]
_LARGEST = {
    "match_key": (1 << MAX_MATCH_KEY_BITS) - 1,
    "attribution_constraint_id": (1 << MAX_FIELD_BITS) - 1,
    "timestamp": (1 << MAX_FIELD_BITS) - 1,
    "breakdown_key": MAX_BREAKDOWNS - 1,
    "trigger_value": (1 << MAX_FIELD_BITS) - 1,
}
"""What a field may be in the widest of queries."""
_TOO_LARGE = 1 << MAX_MATCH_KEY_BITS
_MAX_DIGITS = len(str(_TOO_LARGE))

_ReadInteger = Callable[[object], int | None]
"""The integer a raw field stands for, or None if it stands for none."""


def events_from_mappings(rows: Iterable[Mapping[str, object]]) -> list[Event]:
    """Events from mappings with the names of `COLUMNS`, and perhaps `site`, as keys.

    An attribution constraint ID that is left out is 0 (SPEC_NOTES: constraint-left-out). `report` is
    "source" or "trigger", integers are `int`; a field that does not apply is absent,
    None, "" or NaN, as a data frame has it. Raises EventError. The ranges that a query allows are
    checked by `check_events`.
    """
    events = []
    for row, record in enumerate(rows, start=1):
        if not isinstance(record, Mapping):
            raise EventError(row, None, f"must be a mapping, not {type(record).__name__}")
        for field in record:
            if field not in COLUMNS and field != "site":
                raise EventError(row, str(field), f"unknown field; allowed: {_allowed_columns()}")
        events.append(_read_event(record, row, _integer_from_object, "an int from 0", ""))
    return events


def read_events_csv(stream: TextIO, name: str = "") -> list[Event]:
    """Events from CSV with the header `COLUMNS`, and perhaps `site`, in any order.

    The column of attribution constraint IDs may be missing, or a field of it empty, which means 0
    (SPEC_NOTES: constraint-left-out). Integers are plain decimal digits; a field that does not apply
    is empty. A byte order mark, CRLF,
    no rows and a blank last line are fine. `name` goes in front of messages. Raises EventError at
    the first bad row, which counts from 1 after the header. The ranges that a query allows are
    checked by `check_events`.
    """
    records = _csv_records(stream, name)
    _, header = next(records, (0, None))
    if header is None:
        raise EventError(None, None, f"no header; must start with {','.join(COLUMNS)}", source=name)
    _check_header(header, name)
    events = []
    expected = "a decimal integer from 0, digits only"
    for row, fields in records:
        if not fields and next(records, None) is None:
            break
        if len(fields) != len(header):
            problem = f"{len(fields)} fields, must have {len(header)}"
            raise EventError(row, None, problem, source=name)
        record = dict(zip(header, fields, strict=True))
        events.append(_read_event(record, row, _integer_from_text, expected, name))
    return events


def write_events_csv(events: Iterable[Event], stream: TextIO) -> None:
    """Write what `read_events_csv` reads; the `site` column is there if any event has a site."""
    events = list(events)
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


def check_events(events: Iterable[Event], parameters: QueryParameters, name: str = "") -> None:
    """Check that every field is an integer within the query's widths, or raise EventError.

    Breakdown keys must be below `parameters.breakdowns`. `name` goes in front of the message.
    """
    widths = {
        "match_key": parameters.match_key_bits,
        "attribution_constraint_id": parameters.attribution_constraint_id_bits,
        "timestamp": parameters.timestamp_bits,
    }
    common = [(field, (1 << bits) - 1) for field, bits in widths.items()]
    source_limits = [*common, ("breakdown_key", parameters.breakdowns - 1)]
    trigger_limits = [*common, ("trigger_value", (1 << parameters.value_bits) - 1)]
    for row, event in enumerate(events, start=1):
        if not isinstance(event, SourceEvent | TriggerEvent):
            problem = f"must be a SourceEvent or a TriggerEvent, not {type(event).__name__}"
            raise EventError(row, None, problem, source=name)
        for field, largest in source_limits if isinstance(event, SourceEvent) else trigger_limits:
            value = getattr(event, field)
            if not is_integer(value, 0, largest):
                problem = f"must be an integer from 0 to {_readable(largest)}"
                raise EventError(row, field, problem, source=name)
        _check_site(event.site, row, name)


def _read_event(
    record: Mapping[str, object], row: int, read: _ReadInteger, expected: str, name: str
) -> Event:
    kind = record.get("report")
    event_type: type[SourceEvent] | type[TriggerEvent]
    if kind == "source":
        event_type, own, other = SourceEvent, "breakdown_key", "trigger_value"
    elif kind == "trigger":
        event_type, own, other = TriggerEvent, "trigger_value", "breakdown_key"
    else:
        raise EventError(row, "report", "must be 'source' or 'trigger'", source=name)
    if not _is_absent(record.get(other)):
        raise EventError(row, other, f"must be empty on a {kind} report", source=name)
    numbers = []
    for field in (*_COMMON_FIELDS, own):
        value = record.get(field)
        number = 0 if field == _CONSTRAINT and _is_absent(value) else read(value)
        if number is None:
            raise EventError(row, field, f"must be {expected}", source=name)
        if number > _LARGEST[field]:
            problem = f"too large: must be an integer from 0 to {_readable(_LARGEST[field])}"
            raise EventError(row, field, problem, source=name)
        numbers.append(number)
    match_key, attribution_constraint_id, timestamp, last = numbers
    site = _check_site(record.get("site", ""), row, name)
    return event_type(match_key, attribution_constraint_id, timestamp, last, site)


def _check_site(site: object, row: int, name: str) -> str:
    if not isinstance(site, str) or not site.isprintable():
        raise EventError(row, "site", "must be printable text, or empty", source=name)
    return site


def _is_absent(value: object) -> bool:
    # Only NaN differs from itself.
    return value is None or value == "" or (isinstance(value, float) and value != value)


def _integer_from_object(value: object) -> int | None:
    return value if type(value) is int and is_integer(value, 0) else None


def _integer_from_text(value: object) -> int | None:
    # isdigit alone takes other scripts' digits; int alone takes signs, blanks and underscores, and
    # refuses thousands of digits in its own way, after quadratic work.
    if not (isinstance(value, str) and value.isdigit() and value.isascii()):
        return None
    digits = value.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MAX_DIGITS else _TOO_LARGE


def _csv_records(stream: TextIO, name: str) -> Iterator[tuple[int, list[str]]]:
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


def _check_header(header: list[str], name: str) -> None:
    for position, column in enumerate(header):
        if column not in COLUMNS and column != "site":
            problem = f"unknown column {column[:30]!r}; allowed: {_allowed_columns()}"
            raise EventError(None, None, problem, source=name)
        if column in header[:position]:
            raise EventError(None, column, "column appears twice", source=name)
    for column in COLUMNS:
        if column not in header and column != _CONSTRAINT:
            raise EventError(None, column, "column is missing", source=name)


def _allowed_columns() -> str:
    return ", ".join((*COLUMNS, "site (optional)"))


def _readable(largest: int) -> str:
    return str(largest) if largest < 1 << 32 else f"2**{largest.bit_length()} - 1"
