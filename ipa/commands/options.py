"""What the commands that answer queries have in common: options, and reading a file of events."""

import argparse
from typing import get_args

from ipa.errors import InputError
from ipa.events import Event, check_events, read_events_csv
from ipa.parameters import Aggregate, Capping, QueryParameters, Security


def add_query_arguments(parser: argparse.ArgumentParser) -> None:
    """The events file, the public parameters of a query, and how to show the answer."""
    parser.add_argument("events", metavar="EVENTS.csv", help="the events; - is standard input")
    query = parser.add_argument_group("query")
    query.add_argument(
        "--breakdowns", type=int, required=True, metavar="B", help="breakdown keys are 0 to B - 1"
    )
    query.add_argument(
        "--cap", type=int, required=True, metavar="C", help="the most one match key contributes"
    )
    for name, choices in (("capping", Capping), ("aggregate", Aggregate), ("security", Security)):
        query.add_argument(
            f"--{name}",
            choices=get_args(choices),
            default=getattr(QueryParameters, name),
            help="default: %(default)s",
        )
    query.add_argument(
        "--no-noise",
        action="store_true",
        help="release exact sums, which are not differentially private",
    )
    widths = parser.add_argument_group("widths of the fields, in bits")
    for name in ("match_key", "attribution_constraint_id", "timestamp", "value"):
        widths.add_argument(
            f"--{name.replace('_', '-')}-bits",
            type=int,
            default=getattr(QueryParameters, f"{name}_bits"),
            metavar="W",
            help="default: %(default)s",
        )
    running = parser.add_argument_group("running")
    running.add_argument(
        "--seed", type=int, metavar="S", help="make the run reproducible, and its secrets guessable"
    )
    running.add_argument("--format", choices=["table", "json"], default="table")
    running.add_argument(
        "--check", action="store_true", help="compute the sums in the clear as well, and compare"
    )


def query_parameters(arguments: argparse.Namespace) -> QueryParameters:
    """The public parameters of the query.

    Raises: ParameterError for one that is out of range.
    """
    return QueryParameters(
        breakdowns=arguments.breakdowns,
        cap=arguments.cap,
        capping=arguments.capping,
        aggregate=arguments.aggregate,
        security=arguments.security,
        match_key_bits=arguments.match_key_bits,
        attribution_constraint_id_bits=arguments.attribution_constraint_id_bits,
        timestamp_bits=arguments.timestamp_bits,
        value_bits=arguments.value_bits,
    )


def source_name(path: str) -> str:
    """What messages call the events file: its path, or standard input for "-"."""
    return "standard input" if path == "-" else path


def read_events(path: str, parameters: QueryParameters) -> list[Event]:
    """The events of a CSV file, or of standard input for "-", all checked.

    Raises: InputError when they cannot be read. EventError for a wrong one.
    """
    name = source_name(path)
    try:
        # Standard input, descriptor 0, is opened again to read it as UTF-8 wherever we run.
        with open(
            0 if path == "-" else path, encoding="utf-8", newline="", closefd=path != "-"
        ) as stream:
            events = read_events_csv(stream, name)
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}") from error
    check_events(events, parameters, name)
    return events
