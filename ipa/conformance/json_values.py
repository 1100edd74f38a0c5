"""The values of conformance cases in JSON: numbers, bytes, rings, tables of shares, events.

Whole numbers are JSON numbers below 2^53 and decimal text from there on, since many languages read a
JSON number as a double. Bytes are hexadecimal text. A shared table of bits is an object with `rows`,
`width` and the three `shares`, each its columns as they travel (SPEC_NOTES.md, Columns and elements);
helper i holds shares i and i + 1.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from ipa.errors import IpaError, ParameterError, RefusedCaseError
from ipa.events import Event, SourceEvent, TriggerEvent, check_events
from ipa.parameters import QueryParameters
from ipa.parties import HELPERS, right_of
from ipa.sharing.bits import bytes_per_column, decode_columns, encode_columns
from ipa.sharing.rings import IntegersModulo, Ring
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.verification.binary_field import BinaryField

Json = dict[str, Any]
"""A JSON object: the input or the output of a case."""

LARGE = 1 << 53
"""From here on a number is written as text."""

_CANONICAL = re.compile(r"-?[1-9][0-9]{15,}")

_FRACTIONS = ("epsilon", "delta")
_LARGE_PARAMETERS = ("cap", "attribution_window")


def number(value: int) -> int | str:
    """A whole number as JSON has it."""
    return value if abs(value) < LARGE else str(value)


def numbers(values: Sequence[int]) -> list[int | str]:
    """Whole numbers as JSON has them."""
    return [number(value) for value in values]


def integers(values: Sequence[int | str]) -> list[int]:
    """The inverse of numbers."""
    return [int(value) for value in values]


def comparable_numbers(value: Any) -> Any:
    """A JSON value with large numbers alike, whether they were written as text or not."""
    if isinstance(value, dict):
        return {name: comparable_numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [comparable_numbers(part) for part in value]
    if isinstance(value, str) and _CANONICAL.fullmatch(value):
        return int(value)
    return value


@contextmanager
def refused_at(stage: str, reason: str) -> Iterator[None]:
    """What a library error in the body means for a case: refused, at this stage for this reason.

    Raises: RefusedCaseError for an error of the library.
    """
    try:
        yield
    except RefusedCaseError:
        raise
    except IpaError as error:
        raise RefusedCaseError(stage, reason) from error


def ring_from_json(text: str) -> Ring:
    """The ring that `GF(2^8)` or `Z/7` names."""
    if text.startswith("GF(2^"):
        return BinaryField(int(text[5:-1]))
    return IntegersModulo(int(text.removeprefix("Z/")))


def ring_to_json(ring: Ring) -> str:
    """The inverse of ring_from_json."""
    return ring.name if isinstance(ring, BinaryField) else f"Z/{ring.size}"


def table_from_json(network: str, given: Json) -> SharedBits:
    """A shared table of bits.

    Raises: RefusedCaseError for shares of another length.
    """
    rows, width = given["rows"], given["width"]
    shares = [bytes.fromhex(share) for share in given["shares"]]
    if any(len(share) != width * bytes_per_column(rows) for share in shares):
        raise RefusedCaseError("input", "length")
    columns = dict(zip(HELPERS, (decode_columns(share, rows) for share in shares), strict=True))
    pairs = {helper: (columns[helper], columns[right_of(helper)]) for helper in HELPERS}
    return SharedBits(network, rows, width, pairs)


def table_to_json(table: SharedBits) -> Json:
    """Rows, width, and of each helper the first of its two shares."""
    shares = [encode_columns(table.shares_of(helper)[0], table.rows).hex() for helper in HELPERS]
    return {"rows": table.rows, "width": table.width, "shares": shares}


def event_from_json(given: Json) -> Event:
    """An event from an object with the names of the columns of an events file."""
    key = (
        int(given["match_key"]),
        int(given["attribution_constraint_id"]),
        int(given["timestamp"]),
    )
    if given["report"] == "source":
        return SourceEvent(*key, int(given["breakdown_key"]))
    return TriggerEvent(*key, int(given["trigger_value"]))


def event_to_json(event: Event) -> Json:
    """The inverse of event_from_json."""
    common = {
        "match_key": number(event.match_key),
        "attribution_constraint_id": number(event.attribution_constraint_id),
        "timestamp": number(event.timestamp),
    }
    if isinstance(event, SourceEvent):
        return {"report": "source", **common, "breakdown_key": event.breakdown_key}
    return {"report": "trigger", **common, "trigger_value": number(event.trigger_value)}


def parameters_from_json(given: Json) -> QueryParameters:
    """The parameters of a query; those left out have their default.

    Raises: RefusedCaseError, stage `parameters`, whose reason is the parameter's name.
    """
    fields: Json = dict(given)
    for name in _LARGE_PARAMETERS:
        if isinstance(fields.get(name), str):
            fields[name] = int(fields[name])
    for name in _FRACTIONS:
        if fields.get(name) is not None:
            fields[name] = Fraction(fields[name])
    try:
        return QueryParameters(**fields)
    except ParameterError as error:
        # Each message begins with the parameter's name.
        raise RefusedCaseError("parameters", str(error).split()[0]) from error


def parameters_to_json(parameters: QueryParameters) -> Json:
    """The parameters that are not the default ones, and the two that have none."""
    default = QueryParameters(breakdowns=1, cap=1)
    given: Json = {}
    for name, value in vars(parameters).items():
        if name in ("breakdowns", "cap") or value != getattr(default, name):
            given[name] = str(value) if name in _FRACTIONS else value
            if name in _LARGE_PARAMETERS:
                given[name] = number(value)
    return given


def events_from_json(given: Sequence[Json], parameters: QueryParameters) -> list[Event]:
    """Events that fit the parameters.

    Raises: RefusedCaseError, stage `events`, whose reason is the first field that does not fit.
    """
    events = [event_from_json(event) for event in given]
    for row, event in enumerate(events, start=1):
        try:
            check_events([event], parameters)
        except ParameterError:
            raise
        except IpaError as error:
            field = getattr(error, "field", None)
            raise RefusedCaseError("events", f"row {row} {field}") from error
    return events
