"""What the commands that answer queries have in common: options, and reading a file of events."""

import argparse
from pathlib import Path
from typing import get_args

from ipa.errors import InputError
from ipa.events import Event, check_events, read_events_csv
from ipa.names import RegistrableDomain, by_public_suffix_list, host_itself
from ipa.parameters import Aggregate, Attribution, Capping, QueryParameters, Security


def add_query_arguments(parser: argparse.ArgumentParser) -> None:
    """What every way to answer a query needs: its public parameters, and how to show the answer."""
    query = parser.add_argument_group("query")
    query.add_argument(
        "--breakdowns", type=int, required=True, metavar="B", help="breakdown keys are 0 to B - 1"
    )
    query.add_argument(
        "--cap", type=int, required=True, metavar="C", help="the most one match key contributes"
    )
    _add_choices(
        query, ("capping", Capping), ("aggregate", Aggregate), ("attribution", Attribution)
    )
    query.add_argument(
        "--attribution-window",
        type=int,
        metavar="SECONDS",
        help="how much earlier than a trigger its sources may be (default: no limit)",
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
    shown = parser.add_argument_group("what is shown")
    shown.add_argument("--format", choices=["table", "json"], default="table")
    shown.add_argument(
        "--check", action="store_true", help="compute the sums another way as well, and compare"
    )


def add_helper_arguments(parser: argparse.ArgumentParser) -> None:
    """What only means something where helper parties compute."""
    helpers = parser.add_argument_group("helper parties")
    _add_choices(helpers, ("security", Security))
    helpers.add_argument(
        "--no-noise",
        action="store_true",
        help="release exact sums, which are not differentially private",
    )
    helpers.add_argument(
        "--seed", type=int, metavar="S", help="make the run reproducible, and its secrets guessable"
    )


def add_site_argument(group: argparse._ArgumentGroup) -> None:
    """Whether sites are registrable domains, for all commands that read names of sites."""
    group.add_argument(
        "--public-suffixes",
        action="store_true",
        help="a site is its registrable domain by the public suffix list, which the extra `sites` "
        "installs (default: every host is a site of its own)",
    )


def registrable_domain(arguments: argparse.Namespace) -> RegistrableDomain:
    """What tells the registrable domain of a host.

    Raises: ParameterError when the public suffix list is not installed.
    """
    return by_public_suffix_list() if arguments.public_suffixes else host_itself


def _add_choices(group: argparse._ArgumentGroup, *options: tuple[str, object]) -> None:
    for name, choices in options:
        group.add_argument(
            f"--{name}",
            choices=get_args(choices),
            default=getattr(QueryParameters, name),
            help="default: %(default)s",
        )


def query_parameters(arguments: argparse.Namespace) -> QueryParameters:
    """The public parameters of the query, with the default security where none can be chosen.

    Raises: ParameterError for one that is out of range.
    """
    return QueryParameters(
        breakdowns=arguments.breakdowns,
        cap=arguments.cap,
        capping=arguments.capping,
        aggregate=arguments.aggregate,
        attribution=arguments.attribution,
        attribution_window=arguments.attribution_window,
        security=getattr(arguments, "security", QueryParameters.security),
        match_key_bits=arguments.match_key_bits,
        attribution_constraint_id_bits=arguments.attribution_constraint_id_bits,
        timestamp_bits=arguments.timestamp_bits,
        value_bits=arguments.value_bits,
    )


def source_name(path: str) -> str:
    """What messages call the events file: its path, or standard input for "-"."""
    return "standard input" if path == "-" else path


def read_events(
    path: str, parameters: QueryParameters, registrable_domain: RegistrableDomain | None = None
) -> list[Event]:
    """The events of a CSV file, or of standard input for "-", all checked.

    With a `registrable_domain`, sites are those that it tells.

    Raises: InputError when they cannot be read. EventError for a wrong one.
    """
    name = source_name(path)
    if path == "-":
        try:
            # Standard input, descriptor 0, is opened again to read it as UTF-8 wherever we run.
            with open(0, encoding="utf-8", newline="", closefd=False) as stream:
                events = read_events_csv(stream, name, registrable_domain=registrable_domain)
        except OSError as error:
            raise InputError(f"{name}: cannot be read: {error.strerror}") from error
    else:
        events = read_events_csv(Path(path), name, registrable_domain=registrable_domain)
    check_events(events, parameters, name)
    return events
