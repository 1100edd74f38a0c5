"""Reports from unions: exact against Python sets, consistent whatever the noise, and said so."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from halo_cases import IMPRESSIONS, LAST_DAY, PUBLISHERS, expressions
from hypothesis import given, settings
from hypothesis import strategies as st

from ipa.errors import ParameterError
from ipa.halo.impressions import Impression, Selection
from ipa.halo.measurement import run_measurement
from ipa.halo.oracle import expression_reach, reach
from ipa.halo.reporting import (
    NOT_ABOVE_WHOLE,
    NOT_BELOW_PARTS,
    NOT_FALLING,
    NOT_NEGATIVE,
    ReportRow,
    ReportSpecification,
    cumulative_periods,
    rising,
    run_report,
    sets_by,
    trailing_periods,
)
from ipa.halo.set_expressions import SetExpression
from ipa.halo.specification import MeasurementSpecification
from ipa.halo.workload import generate_impressions

SETS = {name: Selection(publishers=frozenset([name])) for name in PUBLISHERS}


def text_of(expression: SetExpression) -> str:
    if isinstance(expression, str):
        return expression
    return f"({text_of(expression.left)} {expression.operator} {text_of(expression.right)})"


@given(IMPRESSIONS, st.lists(expressions(PUBLISHERS), min_size=1, max_size=3), st.booleans())
@settings(max_examples=40)
def test_exact_unions_give_the_exact_sets_and_need_no_correction(
    impressions: list[Impression], drawn: list[SetExpression], cumulative: bool
) -> None:
    periods = (
        cumulative_periods(0, LAST_DAY, 4) if cumulative else trailing_periods(0, LAST_DAY, 3, 5)
    )
    specification = ReportSpecification(
        sets=SETS,
        expressions=tuple(map(text_of, drawn)),
        periods=periods,
        cumulative=cumulative,
    )
    report = run_report(specification, lambda chosen: reach(impressions, chosen))
    expected = []
    for days in periods:
        within = [item for item in impressions if days[0] <= item.day <= days[1]]
        for expression in drawn:
            size = expression_reach(within, expression, SETS)
            expected.append(ReportRow(text_of(expression), days, size, size))
    assert list(report.rows) == expected
    assert report.corrections == ()


@given(st.integers(0, 2**32), st.booleans())
def test_a_corrected_report_is_consistent(seed: int, cumulative: bool) -> None:
    rng = random.Random(seed)
    names = ("alpha", "beta", "alpha | beta", "alpha & beta", "alpha - beta")
    periods = cumulative_periods(0, 9, 3)
    specification = ReportSpecification(
        sets=SETS, expressions=names, periods=periods, cumulative=cumulative
    )
    report = run_report(specification, lambda chosen: rng.randrange(-5, 30))
    by_expression = {
        name: [row.reach for row in report.rows if row.expression == name] for name in names
    }
    assert all(value >= 0 for values in by_expression.values() for value in values)
    for place in range(len(periods)):
        alpha, beta, union, both, only = (by_expression[name][place] for name in names)
        assert max(alpha, beta) <= union and max(both, only) <= union
    if cumulative:
        for name in names[:4]:
            assert by_expression[name] == sorted(by_expression[name])
    raw = [row for row in report.rows if row.measured != row.reach]
    assert not raw or report.corrections
    assert report.measurements == 3 * len(periods)


def report_of(
    unions: dict[tuple[str, ...], int | Sequence[int]],
    *names: str,
    cumulative: bool = False,
) -> Any:
    """The report of expressions whose unions measure as given, by period."""
    many = len(next(iter(unions.values()))) if cumulative else 1  # type: ignore[arg-type]

    def measure(chosen: Sequence[Selection]) -> int:
        union = tuple(sorted(name for s in chosen for name in s.publishers or ()))
        value = unions[union]
        days = chosen[0].days
        assert days is not None
        return value if isinstance(value, int) else value[days[1]]

    periods = cumulative_periods(0, many - 1, 1)
    return run_report(
        ReportSpecification(sets=SETS, expressions=names, periods=periods, cumulative=cumulative),
        measure,
    )


def test_each_correction_is_named() -> None:
    report = report_of({("alpha",): -3}, "alpha")
    assert (report.rows[0].measured, report.rows[0].reach) == (-3, 0)
    assert report.corrections == (NOT_NEGATIVE,)
    report = report_of({("alpha",): 9, ("alpha", "beta"): 7}, "alpha", "alpha | beta")
    assert [row.reach for row in report.rows] == [9, 9]
    assert report.corrections == (NOT_BELOW_PARTS,)
    report = report_of({("alpha",): [4, 9, 6]}, "alpha", cumulative=True)
    assert [row.reach for row in report.rows] == [4, 7, 7]
    assert report.corrections == (NOT_FALLING,)
    unions: Any = {("alpha",): 3, ("beta",): 3, ("alpha", "beta"): 9}
    report = report_of(unions, "alpha & beta")
    assert (report.rows[0].measured, report.rows[0].reach) == (-3, 0)
    assert report.corrections == (NOT_NEGATIVE,)
    three: Any = {("alpha", "tv"): 9, ("beta", "tv"): 9, ("tv",): 0, ("alpha", "beta", "tv"): 10}
    report = report_of(three, "(alpha & beta) - tv")
    assert (report.rows[0].measured, report.rows[0].reach) == (8, 8)
    assert report.corrections == ()
    doubled: Any = {**three, ("alpha", "tv"): 30, ("beta", "tv"): 30, ("alpha", "beta", "tv"): 30}
    report = report_of({**doubled, ("tv",): -20}, "(alpha & beta) - tv")
    assert (report.rows[0].measured, report.rows[0].reach) == (50, 30)
    assert report.corrections == (NOT_NEGATIVE,)
    report = report_of(
        {("alpha",): 0, ("beta",): 0, ("alpha", "beta"): 9}, "(alpha - beta) | (beta - alpha)"
    )
    assert (report.rows[0].measured, report.rows[0].reach) == (18, 9)
    assert report.corrections == (NOT_ABOVE_WHOLE,)


@given(st.lists(st.integers(0, 50), max_size=10), st.lists(st.integers(0, 50), max_size=10))
def test_the_nearest_rising_series(first: list[int], second: list[int]) -> None:
    series = rising(first)
    assert series == sorted(series) and len(series) == len(first)
    assert rising(series) == series
    if first:
        assert min(first) <= series[0] and series[-1] <= max(first)
        # The mean is kept, but for rounding down.
        assert 0 <= sum(first) - sum(series) < len(first)
    lower = [min(pair) for pair in zip(first, second, strict=False)]
    higher = rising(first[: len(lower)])
    assert all(a <= b for a, b in zip(rising(lower), higher, strict=True))


def test_periods() -> None:
    assert cumulative_periods(2, 9, 3) == ((2, 4), (2, 7), (2, 9))
    assert cumulative_periods(0, 5, 3) == ((0, 2), (0, 5))
    assert cumulative_periods(3, 3, 7) == ((3, 3),)
    assert trailing_periods(0, 6, 2, 3) == ((0, 1), (1, 3), (3, 5), (4, 6))
    for wrong, said in (
        ((3, 2, 1, 1), "the last day"),
        ((0, 5, 0, 1), "days from a period to the next"),
        ((0, 5, 1, 0), "days of a period"),
        ((-1, 5, 1, 1), "the first day"),
    ):
        with pytest.raises(ParameterError, match=f"{said} must be an integer of at least"):
            trailing_periods(*wrong)


def test_sets_by_dimension() -> None:
    impressions = [Impression("1", "a", "x", "tv", 0), Impression("1", "b", "x", "video", 0)]
    assert sets_by(impressions, "publisher") == {
        "a": Selection(publishers=frozenset(["a"])),
        "b": Selection(publishers=frozenset(["b"])),
    }
    assert sets_by(impressions, "campaign") == {"x": Selection(campaigns=frozenset(["x"]))}
    assert set(sets_by(impressions, "medium")) == {"tv", "video"}
    with pytest.raises(ParameterError, match="not by 'day'"):
        sets_by(impressions, "day")  # type: ignore[arg-type]


def test_wrong_reports_are_refused_before_anything_is_measured() -> None:
    with pytest.raises(ParameterError, match="at least one set expression"):
        ReportSpecification(sets=SETS, expressions=(), periods=((0, 1),))
    with pytest.raises(ParameterError, match="at least one set expression"):
        ReportSpecification(sets=SETS, expressions=("alpha",), periods=())
    with pytest.raises(ParameterError, match="the days of a report's sets"):
        ReportSpecification(
            sets={"a": Selection(days=(0, 1))}, expressions=("a",), periods=((0, 1),)
        )
    for periods in (((0, 3), (1, 4)), ((0, 3), (0, 2))):
        with pytest.raises(ParameterError, match="must contain the one before"):
            ReportSpecification(sets=SETS, expressions=("alpha",), periods=periods, cumulative=True)

    def never(chosen: Sequence[Selection]) -> int:
        raise AssertionError("measured")

    specification = ReportSpecification(sets=SETS, expressions=("alpha - x",), periods=((0, 1),))
    with pytest.raises(ParameterError, match="there is no set 'x'; there are alpha, beta, tv"):
        run_report(specification, never)


def test_a_report_by_a_protocol_is_the_oracle_s() -> None:
    impressions = generate_impressions(400, persons=120, publishers=3, days=10, seed=3)
    sets = sets_by(impressions, "medium")
    names = ("tv & video", "video - tv", "tv | video | display")
    specification = ReportSpecification(
        sets=sets, expressions=names, periods=cumulative_periods(0, 9, 5), cumulative=True
    )

    def measure(chosen: Sequence[Selection]) -> int:
        asked = MeasurementSpecification(selections=tuple(chosen))
        return run_measurement(impressions, asked, no_noise=True).reach

    report = run_report(specification, measure)
    exact = run_report(specification, lambda chosen: reach(impressions, chosen))
    assert report == exact and report.corrections == ()
    assert all(row.reach > 0 for row in report.rows)
