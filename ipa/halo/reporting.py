"""Reports: the reach of set expressions over several periods, from measurements of unions alone.

Noisy measurements contradict each other: a part can come out larger than the whole, an intersection
negative. `run_report` corrects that in a last step, which the report names, beside what was measured.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from ipa.display.numbers import plural
from ipa.display.records import records_table
from ipa.display.style import framed
from ipa.display.tables import facts
from ipa.errors import ParameterError
from ipa.halo.impressions import Impression, Selection
from ipa.halo.set_expressions import SetExpression, names_of, parse_expression, union_weights
from ipa.ranges import check_integer

Days = tuple[int, int]
"""The first and the last day of a period."""

Dimension = Literal["publisher", "campaign", "medium"]

Measure = Callable[[Sequence[Selection]], int]
"""Measures the reach of the impressions that any selection means."""

NOT_NEGATIVE = "no reach is negative"
NOT_BELOW_PARTS = "no union is below its parts"
NOT_FALLING = "no cumulative reach falls"
NOT_ABOVE_WHOLE = "no expression is above the union of its sets"


@dataclass(frozen=True, kw_only=True)
class ReportSpecification:
    """Named sets, set expressions over them as text, and periods.

    `cumulative` says that each period contains the one before, so that what is reached cannot fall.

    Raises: ParameterError without expression or period, and for sets or periods that do not fit.
    """

    sets: Mapping[str, Selection]
    expressions: tuple[str, ...]
    periods: tuple[Days, ...]
    cumulative: bool = False

    def __post_init__(self) -> None:
        if not self.expressions or not self.periods:
            raise ParameterError("a report needs at least one set expression and one period")
        if any(selection.days is not None for selection in self.sets.values()):
            raise ParameterError("the days of a report's sets are those of its periods")
        if self.cumulative and any(
            later[0] > before[0] or later[1] < before[1]
            for before, later in zip(self.periods, self.periods[1:], strict=False)
        ):
            raise ParameterError("each cumulative period must contain the one before")


@dataclass(frozen=True)
class ReportRow:
    """The reach of one expression in one period, as measured and after the correction."""

    expression: str
    days: Days
    measured: int
    reach: int


@dataclass(frozen=True)
class Report:
    """Rows by period and expression, the corrections that changed one, and the measurements made."""

    rows: tuple[ReportRow, ...]
    corrections: tuple[str, ...]
    measurements: int

    def _repr_html_(self) -> str:
        rows = records_table(self.rows, len(self.rows), "rows")
        corrections = facts((f"correction {n}", text) for n, text in enumerate(self.corrections, 1))
        title = f"Report from {plural(self.measurements, 'measurement')}"
        return framed(title, rows, corrections)


@dataclass(frozen=True)
class _Cell:
    """Which unions an expression needs, with their weights; `grows` when it has no difference."""

    weights: Mapping[frozenset[str], int]
    whole: frozenset[str]
    grows: bool


def sets_by(impressions: Iterable[Impression], dimension: Dimension) -> dict[str, Selection]:
    """A set for each publisher, campaign or medium that there is.

    Raises: ParameterError for another dimension.
    """
    if dimension not in get_args(Dimension):
        raise ParameterError(f"sets go by publisher, campaign or medium, not by {dimension!r}")
    names = sorted({getattr(impression, dimension) for impression in impressions})

    def only(field: Dimension, name: str) -> frozenset[str] | None:
        """The selection of one value of a dimension."""
        return frozenset([name]) if field == dimension else None

    return {
        name: Selection(
            publishers=only("publisher", name),
            campaigns=only("campaign", name),
            media=only("medium", name),
        )
        for name in names
    }


def cumulative_periods(first: int, last: int, every: int) -> tuple[Days, ...]:
    """Periods from `first` on that end every so many days, the last one on `last`."""
    _check_period(first, last, every, every)
    return tuple((first, end) for end in _ends(first, last, every))


def trailing_periods(first: int, last: int, every: int, window: int) -> tuple[Days, ...]:
    """Periods of the last `window` days (fewer at the start), every so many days."""
    _check_period(first, last, every, window)
    return tuple((max(first, end - window + 1), end) for end in _ends(first, last, every))


def run_report(specification: ReportSpecification, measure: Measure) -> Report:
    """Measure every union that is needed, once a period, and compute the expressions from them.

    Cost: at most 2^k - 1 measurements a period for k sets; each spends its privacy parameters.
    Raises: ParameterError for a wrong expression before anything is measured.
    """
    cells = [
        _cell(parse_expression(text), specification.sets) for text in specification.expressions
    ]
    unions = sorted({union for cell in cells for union in (*cell.weights, cell.whole)}, key=sorted)
    measured = {
        (union, days): measure(
            [replace(specification.sets[name], days=days) for name in sorted(union)]
        )
        for days in specification.periods
        for union in unions
    }
    corrections: list[str] = []
    corrected = _correct_unions(measured, unions, specification, corrections)
    series = []
    for cell in cells:
        raw = [_combine(cell, measured, days) for days in specification.periods]
        reaches = _within_whole(cell, corrected, specification, corrections)
        if specification.cumulative and cell.grows:
            reaches = _changed(reaches, rising(reaches), NOT_FALLING, corrections)
        series.append((raw, reaches))
    rows = [
        ReportRow(text, days, raw[place], reaches[place])
        for place, days in enumerate(specification.periods)
        for text, (raw, reaches) in zip(specification.expressions, series, strict=True)
    ]
    return Report(tuple(rows), tuple(dict.fromkeys(corrections)), len(measured))


def rising(values: Sequence[int]) -> list[int]:
    """The series that never falls and is nearest by least squares, rounded down.

    Neighbours that fall are pooled into their mean until none falls.
    """
    pools: list[tuple[int, int]] = []
    for value in values:
        total, count = value, 1
        while pools and pools[-1][0] * count > total * pools[-1][1]:
            before, many = pools.pop()
            total, count = total + before, count + many
        pools.append((total, count))
    return [total // count for total, count in pools for _ in range(count)]


_Unions = dict[tuple[frozenset[str], Days], int]


def _cell(expression: SetExpression, sets: Mapping[str, Selection]) -> _Cell:
    names = names_of(expression)
    for name in names:
        if name not in sets:
            raise ParameterError(
                f"set expression: there is no set {name!r}; there are {', '.join(sets)}"
            )
    weights = {
        frozenset(name for bit, name in enumerate(names) if union >> bit & 1): weight
        for union, weight in union_weights(expression, names).items()
    }
    return _Cell(weights, frozenset(names), not _has_difference(expression))


def _has_difference(expression: SetExpression) -> bool:
    if isinstance(expression, str):
        return False
    inner = _has_difference(expression.left) or _has_difference(expression.right)
    return inner or expression.operator == "-"


def _correct_unions(
    measured: _Unions,
    unions: Sequence[frozenset[str]],
    specification: ReportSpecification,
    corrections: list[str],
) -> _Unions:
    """Unions that are not negative, not below what they contain, and not falling."""
    corrected: _Unions = {}
    for days in specification.periods:
        raw = [measured[union, days] for union in unions]
        values = _changed(raw, [max(0, value) for value in raw], NOT_NEGATIVE, corrections)
        parts = [
            max(values[place] for place, part in enumerate(unions) if part <= union)
            for union in unions
        ]
        values = _changed(values, parts, NOT_BELOW_PARTS, corrections)
        corrected |= {(union, days): v for union, v in zip(unions, values, strict=True)}
    if specification.cumulative:
        for union in unions:
            values = [corrected[union, days] for days in specification.periods]
            values = _changed(values, rising(values), NOT_FALLING, corrections)
            for days, value in zip(specification.periods, values, strict=True):
                corrected[union, days] = value
    return corrected


def _within_whole(
    cell: _Cell,
    unions: _Unions,
    specification: ReportSpecification,
    corrections: list[str],
) -> list[int]:
    """The expression in every period, not negative and not above the union of its sets."""
    values = [_combine(cell, unions, days) for days in specification.periods]
    values = _changed(values, [max(0, value) for value in values], NOT_NEGATIVE, corrections)
    wholes = [unions[cell.whole, days] for days in specification.periods]
    bounded = [min(pair) for pair in zip(values, wholes, strict=True)]
    return _changed(values, bounded, NOT_ABOVE_WHOLE, corrections)


def _combine(cell: _Cell, unions: _Unions, days: Days) -> int:
    return sum(weight * unions[union, days] for union, weight in cell.weights.items())


def _changed(before: list[int], after: list[int], name: str, corrections: list[str]) -> list[int]:
    if after != before:
        corrections.append(name)
    return after


def _ends(first: int, last: int, every: int) -> list[int]:
    return [*range(first + every - 1, last, every), last]


def _check_period(first: int, last: int, every: int, window: int) -> None:
    check_integer("the first day", first, 0)
    check_integer("the last day", last, first)
    check_integer("days from a period to the next", every, 1)
    check_integer("days of a period", window, 1)
