"""From a researcher's table to events, and back: people, sites, times, campaigns and money as numbers.

A query computes with small whole numbers, and its answer is one sum for each number of a breakdown key.
An `EventEncoder` says once, before any data are looked at, what these numbers stand for. It makes events
of the rows of a frame, gives the parameters that go with them, and turns sums back into the labels and
the unit of the table.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from functools import partial
from typing import Any, Self

from ipa.display.encoders import encoder_html
from ipa.errors import EventError, ParameterError
from ipa.events.event import COLUMNS, Event, SourceEvent, TriggerEvent
from ipa.events.field_values import integer_from_object, is_absent
from ipa.events.frames import DataFrame, records_of
from ipa.events.labels import MIN_HASH_KEY_BYTES, Numbering, distinct_labels, keyed_hash, place_of
from ipa.events.quantities import exact_decimal, steps_since, whole_steps
from ipa.parameters import MAX_FIELD_BITS, MAX_MATCH_KEY_BITS, QueryParameters, ReportKind, bits_for
from ipa.ranges import check_integer

_FIELDS = (*COLUMNS, "site")
_OPTIONAL = ("attribution_constraint_id", "site")
_COMMON = COLUMNS[1:4]
_OWN: Mapping[ReportKind, str] = {"source": "breakdown_key", "trigger": "trigger_value"}
_OTHER: Mapping[ReportKind, str] = {"source": "trigger_value", "trigger": "breakdown_key"}
_WIDTHS = ("match_key_bits", "attribution_constraint_id_bits", "timestamp_bits")

_Reader = Callable[[object], int | str]
"""The number that a cell stands for, or what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class EventEncoder:
    """What the columns of a table are, and what the numbers of its events stand for.

    `breakdown_labels` are the labels that get a sum each, in order. **They must be public, and fixed
    before the data are looked at**: a list made of the labels that occur in the data tells who is in
    them, and no noise hides that. Sources with another label, or none, count for `other_label`, which is
    one of the labels; without it they are an error.

    `columns` says which field each column of the table is, as in `{"user": "match_key"}`; other columns
    are left alone. Without it the columns are called like the fields. `kinds` says which values in the
    column for `report` are a source and which a trigger.

    People and constraints (sites, products) are numbered as they come. The encoder remembers the
    numbers, for one table after another, and no query shows them. With a `hash_key`, at least
    16 secret bytes, people get a keyed hash instead, the same wherever the key is known. Two hashes
    can be one, so the noise is that for colliding match keys (SPEC_NOTES: neighbours). A copy has the
    numbers given so far, and goes on by itself. A pickle has them and the `hash_key`: it is as secret as
    the table.

    Times become steps of `time_step` after `start`, rounded down; without a `start` they must be
    whole numbers already. Values become steps of `value_step`, and must be whole numbers of them. All widths
    follow from what is declared here and not from the data: `largest_value` is the largest trigger value
    there may be (default: as many steps as 16 bits can count).

    Raises: ParameterError for a declaration that cannot be.
    """

    breakdown_labels: Sequence[Hashable]
    columns: Mapping[str, str] | None = None
    kinds: Mapping[Any, ReportKind] = field(
        default_factory=lambda: {"source": "source", "trigger": "trigger"}
    )
    other_label: Hashable | None = None
    start: datetime | None = None
    time_step: timedelta = timedelta(seconds=1)
    value_step: Decimal | int | str = 1
    largest_value: Decimal | int | str | None = None
    hash_key: bytes | None = field(default=None, repr=False)
    match_key_bits: int = 64
    attribution_constraint_id_bits: int = 16
    timestamp_bits: int = 32
    _column_of: Mapping[str, str] = field(init=False, repr=False, compare=False)
    _readers: Mapping[str, _Reader] = field(init=False, repr=False, compare=False)
    _largest_steps: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        labels = distinct_labels("breakdown_labels", self.breakdown_labels)
        object.__setattr__(self, "breakdown_labels", labels)
        if self.other_label is not None and self.other_label not in labels:
            raise ParameterError("other_label must be one of breakdown_labels")
        object.__setattr__(self, "_column_of", _columns_by_field(self.columns))
        if not self.kinds or not set(self.kinds.values()) <= set(_OWN):
            raise ParameterError("kinds must say 'source' or 'trigger' for each value")
        _check_times(self.start, self.time_step)
        for name in _WIDTHS:
            most = MAX_MATCH_KEY_BITS if name == "match_key_bits" else MAX_FIELD_BITS
            check_integer(name, getattr(self, name), 1, most)
        key = self.hash_key
        if key is not None and not (isinstance(key, bytes) and len(key) >= MIN_HASH_KEY_BYTES):
            raise ParameterError(f"hash_key must be at least {MIN_HASH_KEY_BYTES} secret bytes")
        object.__setattr__(self, "value_step", exact_decimal("value_step", self.value_step))
        steps = (1 << QueryParameters.value_bits) - 1
        if self.largest_value is not None:
            largest = exact_decimal("largest_value", self.largest_value)
            object.__setattr__(self, "largest_value", largest)
            steps = self._steps("largest_value", largest, self._unit("sum"))
        check_integer("largest_value in steps", steps, 1, (1 << MAX_FIELD_BITS) - 1)
        object.__setattr__(self, "_largest_steps", steps)
        object.__setattr__(self, "_readers", self._new_readers())

    def __copy__(self) -> Self:
        return deepcopy(self)

    def _repr_html_(self) -> str:
        return encoder_html(self, self._column_of, hashed=self.hash_key is not None)

    @property
    def label_column(self) -> str:
        """What the table calls the column of labels."""
        return self._column_of.get("breakdown_key", "breakdown_key")

    @property
    def value_bits(self) -> int:
        """The width of a trigger value in steps."""
        return bits_for(self._largest_steps)

    def encode(
        self, rows: Iterable[Mapping[str, object]] | DataFrame, kind: ReportKind | None = None
    ) -> list[Event]:
        """The events of a table: a frame of pandas or polars, or mappings.

        A row may leave out the field of the other kind. With a `kind` all rows are of this kind, and the
        table needs no column for it.

        Raises: EventError at the first row that is wrong, with the table's name of the column;
            ParameterError for another kind.
        """
        if kind is not None and kind not in _OWN:
            raise ParameterError(f"kind must be source or trigger, not {kind!r}")
        events = []
        for row, record in enumerate(records_of(rows), start=1):
            if not isinstance(record, Mapping):
                raise EventError(row, None, f"must be a mapping, not {type(record).__name__}")
            events.append(self._event(record, row, kind or self._kind(record, row)))
        return events

    def parameters(
        self,
        *,
        cap: Decimal | int | str,
        attribution_window: timedelta | int | None = None,
        **others: Any,
    ) -> QueryParameters:
        """The parameters of a query over these events, with the widths declared here.

        The cap is in the table's unit, or a number of triggers for the aggregate "count". `others` are
        those of `QueryParameters`, such as epsilon.

        Raises: ParameterError for a cap or window that is no whole number of steps, and for parameters
            that cannot be.
        """
        (steps,) = self.caps_in_steps([cap], others.get("aggregate", "sum"))
        if isinstance(attribution_window, timedelta):
            window, rest = divmod(attribution_window, self.time_step)
            if rest:
                raise ParameterError(f"attribution_window must be a multiple of {self.time_step}")
            attribution_window = window
        declared: dict[str, Any] = {
            "breakdowns": len(self.breakdown_labels),
            "cap": steps,
            "attribution_window": attribution_window,
            "match_keys_can_collide": self.hash_key is not None,
            "value_bits": self.value_bits,
            **{name: getattr(self, name) for name in _WIDTHS},
        }
        return QueryParameters(**{**declared, **others})

    def caps_in_steps(
        self, caps: Iterable[Decimal | int | str], aggregate: str = "sum"
    ) -> list[int]:
        """Caps in the table's unit as the whole numbers that a query takes.

        Raises: ParameterError for a cap that is no whole number of steps.
        """
        return [
            self._steps("cap", exact_decimal("cap", cap), self._unit(aggregate)) for cap in caps
        ]

    def in_unit(self, total: int, aggregate: str = "sum") -> Decimal | int:
        """A sum of steps in the table's unit, exactly; a count, or a sum of ones, is what it is."""
        unit = self._unit(aggregate)
        if unit == 1:
            return total
        with localcontext() as context:
            context.prec = 200
            return total * unit

    def _unit(self, aggregate: str) -> Decimal:
        return Decimal(self.value_step) if aggregate == "sum" else Decimal(1)

    @staticmethod
    def _steps(name: str, amount: Decimal, unit: Decimal) -> int:
        steps = whole_steps(amount, unit)
        if isinstance(steps, str):
            raise ParameterError(f"{name} {steps.partition(':')[0]}")
        return steps

    def _new_readers(self) -> dict[str, _Reader]:
        """What reads the cells of each field; the numberings are new, and remember what they number."""
        people = Numbering((1 << self.match_key_bits) - 1)
        constraints = Numbering((1 << self.attribution_constraint_id_bits) - 1)
        places = {label: key for key, label in enumerate(self.breakdown_labels)}
        other = places.get(self.other_label, "is not one of breakdown_labels")
        key, start = self.hash_key, self.start
        return {
            "match_key": people.number
            if key is None
            else partial(keyed_hash, key=key, bits=self.match_key_bits),
            "attribution_constraint_id": constraints.number_from_none,
            "timestamp": integer_from_object
            if start is None
            else partial(steps_since, start=start, step=self.time_step),
            "breakdown_key": partial(place_of, places=places, other=other),
            "trigger_value": partial(whole_steps, step=Decimal(self.value_step)),
        }

    def _kind(self, record: Mapping[str, object], row: int) -> ReportKind:
        given = self._cell(record, row, "report")
        kind = self.kinds.get(given) if isinstance(given, Hashable) else None
        if kind is None:
            known = ", ".join(map(repr, self.kinds))
            raise EventError(row, self._column_of["report"], f"must be one of {known}")
        column = self._column_of.get(_OTHER[kind])
        if column is not None and not is_absent(record.get(column)):
            raise EventError(row, column, f"must be empty on a {kind} report")
        return kind

    def _event(self, record: Mapping[str, object], row: int, kind: ReportKind) -> Event:
        numbers = []
        for name in (*_COMMON, _OWN[kind]):
            number = self._readers[name](self._cell(record, row, name))
            if isinstance(number, int) and name in ("timestamp", "trigger_value"):
                number = self._within(name, number)
            if isinstance(number, str):
                raise EventError(row, self._column_of[name], number)
            numbers.append(number)
        site = self._cell(record, row, "site")
        if is_absent(site):
            site = ""
        if not isinstance(site, str) or not site.isprintable():
            raise EventError(row, self._column_of["site"], "must be printable text, or empty")
        match_key, constraint, timestamp, last = numbers
        event: type[SourceEvent] | type[TriggerEvent]
        event = SourceEvent if kind == "source" else TriggerEvent
        return event(match_key, constraint, timestamp, last, str(site))

    def _within(self, name: str, number: int) -> int | str:
        """The number, or by which declaration it is too large."""
        if name == "timestamp" and number >> self.timestamp_bits:
            return f"is later than {self.timestamp_bits} bits can count from start"
        if name == "trigger_value" and number > self._largest_steps:
            largest = self.in_unit(self._largest_steps)
            return f"is above largest_value, {largest}: clip the column or declare a larger one"
        return number

    def _cell(self, record: Mapping[str, object], row: int, name: str) -> object:
        column = self._column_of.get(name)
        if column is not None and column in record:
            return record[column]
        if name in _OPTIONAL and (self.columns is None or column is None):
            return None
        if column is None:
            raise EventError(None, None, f"columns must say which column is the {name}")
        raise EventError(row, column, "column is missing")


def _columns_by_field(columns: Mapping[str, str] | None) -> dict[str, str]:
    """The table's name of each field that it has.

    Raises: ParameterError for a field that there is not, or that two columns are.
    """
    if columns is None:
        return {name: name for name in _FIELDS}
    by_field: dict[str, str] = {}
    for column, name in columns.items():
        if name not in _FIELDS:
            raise ParameterError(
                f"columns must name fields by column, as in {{'user': 'match_key'}}: {name!r:.40} is no "
                f"field; there are {', '.join(_FIELDS)}"
            )
        if name in by_field:
            raise ParameterError(f"columns has two columns for {name}")
        by_field[name] = column
    return by_field


def _check_times(start: object, step: object) -> None:
    if start is not None and not isinstance(start, datetime):
        raise ParameterError(f"start must be a datetime, not {type(start).__name__}")
    if not isinstance(step, timedelta) or step <= timedelta(0):
        raise ParameterError("time_step must be a timedelta above 0")
