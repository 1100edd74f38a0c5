"""What `ipa measure` and `ipa report` have in common: options, reading impressions, writing costs."""

import argparse
import re
from fractions import Fraction
from typing import Any, TextIO, get_args

from ipa.budget.epsilon import decimal_text, exact_epsilon
from ipa.commands.options import source_name
from ipa.commands.tables import Table, write_table
from ipa.errors import InputError, ParameterError
from ipa.halo.impressions import Impression, Selection, read_impressions_csv
from ipa.halo.lifecycle import ProtocolName
from ipa.halo.sketch import SketchParameters
from ipa.halo.specification import MeasurementSpecification
from ipa.network.costs import Cost, cost_of, costs_by_step

GROUPS = ("p256", "ed25519", "clear")


def add_measurement_arguments(parser: argparse.ArgumentParser) -> None:
    """The impressions file, which of them are meant, how they are measured and shown."""
    parser.add_argument(
        "impressions", metavar="IMPRESSIONS.csv", help="the impressions; - is standard input"
    )
    parser.add_argument(
        "--protocol", required=True, choices=get_args(ProtocolName), help="how it is measured"
    )
    chosen = parser.add_argument_group("which impressions (an option given twice means either)")
    for name, letter in (("campaign", "C"), ("publisher", "P"), ("medium", "M")):
        chosen.add_argument(
            f"--{name}", action="append", metavar=letter, help=f"those of this {name}"
        )
    chosen.add_argument("--days", metavar="A-B", help="those from day A to day B")
    noise = parser.add_mutually_exclusive_group(required=True)
    noise.add_argument(
        "--epsilon", metavar="E", help="add noise for this privacy budget, a decimal such as 0.5"
    )
    noise.add_argument(
        "--no-noise", action="store_true", help="release exact counts, which protect nobody"
    )
    running = parser.add_argument_group("running")
    running.add_argument(
        "--sketch-registers",
        type=int,
        default=SketchParameters().size,
        metavar="N",
        help="registers of a Liquid Legions sketch (%(default)s)",
    )
    running.add_argument(
        "--group",
        choices=GROUPS,
        default=GROUPS[0],
        help="the group of Liquid Legions' encryption; ed25519 needs the extra of that name, clear hides "
        "nothing (%(default)s)",
    )
    running.add_argument("--format", choices=["table", "json"], default="table")
    running.add_argument(
        "--seed", type=int, metavar="S", help="make the run reproducible, and its secrets guessable"
    )


def selection_of(arguments: argparse.Namespace) -> Selection:
    """Which impressions are meant.

    Raises: ParameterError for days that are no interval.
    """
    given = {
        field: None if names is None else frozenset(names)
        for field, names in (
            ("campaigns", arguments.campaign),
            ("publishers", arguments.publisher),
            ("media", arguments.medium),
        )
    }
    return Selection(**given, days=_days(arguments.days))


def specification_of(
    arguments: argparse.Namespace,
    selections: tuple[Selection, ...],
    max_frequency: int | None,
) -> MeasurementSpecification:
    """What is asked of the selected impressions.

    Raises: ParameterError for one that is out of range.
    """
    epsilon = None if arguments.no_noise else exact_epsilon(arguments.epsilon)
    return MeasurementSpecification(
        selections=selections, max_frequency=max_frequency, epsilon=epsilon
    )


def running_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options of `run_measurement` that the command line gives.

    Raises: ParameterError for one that is out of range.
    """
    return {
        "no_noise": arguments.no_noise,
        "sketch": SketchParameters(size=arguments.sketch_registers),
        "group": arguments.group,
        "seed": arguments.seed,
    }


def read_impressions(path: str) -> list[Impression]:
    """The impressions of a CSV file, or of standard input for "-".

    Raises: InputError when they cannot be read. EventError for a wrong one.
    """
    name = source_name(path)
    try:
        # Standard input, descriptor 0, is opened again to read it as UTF-8 wherever we run.
        with open(
            0 if path == "-" else path, encoding="utf-8", newline="", closefd=path != "-"
        ) as stream:
            return read_impressions_csv(stream, name)
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}") from error


def noise_text(epsilon: Fraction | None) -> str:
    """How a result was protected, for people."""
    return "no noise" if epsilon is None else f"epsilon {decimal_text(epsilon)}"


def cost_object(costs: dict[str, Cost]) -> dict[str, object]:
    """The workers' total, for JSON."""
    total = cost_of(costs)
    return {
        "rounds": total.rounds,
        "bytes_sent": total.bytes_sent,
        "seconds": round(total.seconds, 6),
    }


def write_costs(costs: dict[str, Cost], stream: TextIO) -> None:
    """A row per step of the workers; nothing where there was none."""
    if not costs:
        return
    steps = costs_by_step(costs, 2) | {"total": cost_of(costs)}
    rows = [
        (name, f"{cost.rounds:,}", f"{cost.bytes_sent:,}", f"{cost.seconds:.3f}")
        for name, cost in steps.items()
        if cost.rounds
    ]
    stream.write("\n")
    write_table(Table(("step", "rounds", "bytes sent", "seconds"), rows, text=(0,)), stream)


def _days(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,10})-([0-9]{1,10})", text)
    if not found:
        raise ParameterError(f"--days must be two days such as 0-27, not {text!r}")
    return int(found[1]), int(found[2])
