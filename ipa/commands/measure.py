"""`ipa measure`: impressions in, reach and frequency out, by simulated workers."""

import argparse
import json
import sys

from ipa.budget.epsilon import decimal_text
from ipa.commands.measurement_options import (
    add_measurement_arguments,
    cost_object,
    noise_text,
    read_impressions,
    running_options,
    selection_of,
    specification_of,
    write_costs,
)
from ipa.commands.tables import Table, write_table
from ipa.halo.measurement import run_measurement
from ipa.halo.specification import MeasurementResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa measure`."""
    add_measurement_arguments(parser)
    parser.add_argument(
        "--max-frequency",
        type=int,
        metavar="F",
        help="count persons by frequency, F and more as one (left out: the reach only)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure and write the result.

    Raises: ParameterError for an option, InputError for impressions that are wrong.
    """
    selection = selection_of(arguments)
    specification = specification_of(arguments, (selection,), arguments.max_frequency)
    options = running_options(arguments)
    impressions = read_impressions(arguments.impressions)
    result = run_measurement(impressions, specification, arguments.protocol, **options)
    if arguments.format == "json":
        sys.stdout.write(json.dumps(result_object(result)) + "\n")
    else:
        write_tables(result)
    return 0


def result_object(result: MeasurementResult) -> dict[str, object]:
    """The result as an object for JSON; `frequency[i]` belongs to i + 1, the last one to more, too."""
    epsilon = result.specification.epsilon
    return {
        "reach": result.reach,
        "frequency": result.frequency,
        "protocol": result.protocol,
        "publishers": result.providers,
        "epsilon": None if epsilon is None else decimal_text(epsilon),
        "cost": cost_object(result.costs),
    }


def write_tables(result: MeasurementResult) -> None:
    """Persons by frequency, a line that says what was measured, and the workers' costs."""
    if result.frequency is not None:
        last = len(result.frequency)
        rows = [
            (f"{times} or more" if times == last else str(times), f"{persons:,}")
            for times, persons in enumerate(result.frequency, start=1)
        ]
        write_table(Table(("frequency", "persons"), rows, text=()), sys.stdout)
        sys.stdout.write("\n")
    sys.stdout.write(
        f"reach {result.reach:,}, {len(result.providers)} publishers, "
        f"protocol: {result.protocol}, {noise_text(result.specification.epsilon)}\n"
    )
    write_costs(result.costs, sys.stdout)
