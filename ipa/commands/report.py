"""`ipa report`: the reach of set expressions over periods, from measured unions."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from ipa.budget.epsilon import decimal_text
from ipa.commands.measurement_options import (
    add_measurement_arguments,
    noise_text,
    read_impressions,
    running_options,
    selection_of,
    specification_of,
)
from ipa.commands.tables import Table, write_table
from ipa.errors import ParameterError
from ipa.halo.impressions import Impression, Selection, select
from ipa.halo.measurement import fresh_hash_key, run_measurement
from ipa.halo.reporting import (
    Days,
    Dimension,
    Report,
    ReportSpecification,
    cumulative_periods,
    run_report,
    sets_by,
    trailing_periods,
)
from ipa.halo.specification import MeasurementSpecification


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa report`."""
    add_measurement_arguments(parser)
    report = parser.add_argument_group("report")
    report.add_argument(
        "--by",
        choices=get_args(Dimension),
        default="publisher",
        help="what the sets of the expressions are (%(default)s)",
    )
    report.add_argument(
        "--set",
        action="append",
        metavar="EXPR",
        dest="expressions",
        help='such as "(news | video) & tv - radio"; default: each set, and the union of all',
    )
    report.add_argument(
        "--periods",
        default="whole",
        metavar="P",
        help="whole, cumulative:N (every N days, from the first on) or trailing:N (the last N days, "
        "every N days); default: %(default)s",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure the unions and write the report.

    Raises: ParameterError for an option, InputError for impressions that are wrong.
    """
    if arguments.protocol == "llv2":
        raise ParameterError("a report has reaches only: take protocol reach-only-llv2")
    selection = selection_of(arguments)
    asked = specification_of(arguments, (selection,), None)
    options = running_options(arguments)
    impressions = read_impressions(arguments.impressions)
    specification = report_specification(arguments, selection, impressions)
    seed, number = options["seed"], 0
    options["hash_key"] = fresh_hash_key(seed)

    def measure(chosen: Sequence[Selection]) -> int:
        # A seed serves one measurement: the same noise twice would cancel out in a difference.
        """The measurement of these selections, each with a seed of its own."""
        nonlocal number
        options["seed"] = None if seed is None else (seed << 32) + number
        number += 1
        within = replace(asked, selections=tuple(chosen))
        return run_measurement(impressions, within, arguments.protocol, **options).reach

    report = run_report(specification, measure)
    write = write_json if arguments.format == "json" else write_tables
    write(report, asked)
    return 0


def report_specification(
    arguments: argparse.Namespace, selection: Selection, impressions: Sequence[Impression]
) -> ReportSpecification:
    """Sets within the selection, expressions and periods.

    Raises: ParameterError for an expression or period that is none, or when nothing is selected.
    """
    meant = select(impressions, [selection])
    sets = {name: _within(part, selection) for name, part in sets_by(meant, arguments.by).items()}
    if not sets:
        raise ParameterError("there is nothing to report on: no impression is selected")
    known = [impression.day for impression in meant]
    first, last = selection.days or (min(known), max(known))
    names = [f'"{name}"' for name in sets]
    every = [*names, " | ".join(names)] if len(names) > 1 else names
    return ReportSpecification(
        sets=sets,
        expressions=tuple(arguments.expressions or every),
        periods=_periods(arguments.periods, first, last),
        cumulative=arguments.periods.startswith("cumulative"),
    )


def write_json(report: Report, asked: MeasurementSpecification) -> None:
    """One object: rows, corrections, how many measurements, the epsilon of each."""
    rows = [
        {
            "set": row.expression,
            "days": row.days,
            "measured": row.measured,
            "reach": row.reach,
        }
        for row in report.rows
    ]
    said = {
        "rows": rows,
        "corrections": report.corrections,
        "measurements": report.measurements,
        "epsilon": None if asked.epsilon is None else decimal_text(asked.epsilon),
    }
    sys.stdout.write(json.dumps(said) + "\n")


def write_tables(report: Report, asked: MeasurementSpecification) -> None:
    """A row per period and expression, and a line about the corrections and the price."""
    rows = [
        (f"{row.days[0]}-{row.days[1]}", row.expression, f"{row.measured:,}", f"{row.reach:,}")
        for row in report.rows
    ]
    write_table(Table(("days", "set", "measured", "reach"), rows, text=(1,)), sys.stdout)
    corrected = "; ".join(report.corrections) or "none was needed"
    sys.stdout.write(f"\ncorrections: {corrected}\n")
    sys.stdout.write(f"{report.measurements} measurements, {noise_text(asked.epsilon)} each\n")


def _within(part: Selection, selection: Selection) -> Selection:
    """The part, where it says nothing as narrow as the selection; days are the periods' own."""
    return Selection(
        publishers=part.publishers or selection.publishers,
        campaigns=part.campaigns or selection.campaigns,
        media=part.media or selection.media,
    )


def _periods(text: str, first: int, last: int) -> tuple[Days, ...]:
    found = re.fullmatch(r"(cumulative|trailing):([1-9][0-9]{0,5})", text)
    if text == "whole":
        return ((first, last),)
    if not found:
        raise ParameterError(f"--periods must be whole, cumulative:N or trailing:N, not {text!r}")
    days = int(found[2])
    if found[1] == "cumulative":
        return cumulative_periods(first, last, days)
    return trailing_periods(first, last, days, days)
