"""What the commands that answer queries have in common: options, and reading a file of events."""

import argparse
import re
from collections.abc import Callable
from concurrent.futures import Executor
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from ipa.errors import InputError, ParameterError
from ipa.events import Event, check_events, read_events_csv
from ipa.names import RegistrableDomain, by_public_suffix_list, host_itself
from ipa.network.simulation import RunOptions
from ipa.parameters import (
    DEFAULT_DELTA,
    Aggregate,
    Attribution,
    Capping,
    Mechanism,
    QueryParameters,
    Security,
    Sort,
)
from ipa.ranges import fraction_from_text


def add_query_arguments(
    parser: argparse.ArgumentParser, *, with_cap: bool = True, with_check: bool = True
) -> None:
    """What every way to answer a query needs: its public parameters, and how to show the answer."""
    query = parser.add_argument_group("query")
    query.add_argument(
        "--breakdowns", type=int, required=True, metavar="B", help="breakdown keys are 0 to B - 1"
    )
    if with_cap:
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
    query.add_argument(
        "--max-reports-per-match-key",
        type=int,
        metavar="M",
        help="use only the first M reports of a match key, a power of two, which is faster; for "
        "last-touch attribution (default: no limit)",
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
    if with_check:
        shown.add_argument(
            "--check", action="store_true", help="compute the sums another way as well, and compare"
        )


def add_helper_arguments(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """What only means something where helper parties compute, wherever they are; the group for more."""
    helpers = parser.add_argument_group("helper parties")
    _add_choices(helpers, ("security", Security), ("sort", Sort))
    add_noise_arguments(helpers)
    helpers.add_argument(
        "--no-noise",
        action="store_true",
        help="release exact sums, which are not differentially private",
    )
    helpers.add_argument(
        "--clip",
        action="store_true",
        help="show negative sums, which noise can make, as 0; they are then no longer right on average",
    )
    return helpers


def add_run_arguments(helpers: argparse._ArgumentGroup) -> None:
    """How helper parties are run that this machine plays."""
    helpers.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="share the check of products out among N worker processes (default: none)",
    )
    helpers.add_argument(
        "--seed", type=int, metavar="S", help="make the run reproducible, and its secrets guessable"
    )
    helpers.add_argument(
        "--apart",
        action="store_true",
        help="run each helper party as a process of its own on this machine, which takes less time "
        "where there are several cores",
    )
    helpers.add_argument(
        "--tls", action="store_true", help="with --apart: connect the helper parties by TLS"
    )


def run_options(
    arguments: argparse.Namespace,
    on_step: Callable[[str], None],
    executor: Executor | None,
) -> RunOptions:
    """How the run is done, as the options of `add_run_arguments` say.

    Raises: ParameterError for options that do not go together.
    """
    if arguments.tls and not arguments.apart:
        raise ParameterError("--tls is for helper parties apart: it needs --apart")
    return RunOptions(
        seed=arguments.seed,
        on_step=on_step,
        apart=arguments.apart,
        tls=arguments.tls,
        executor=executor,
    )


def add_noise_arguments(group: argparse._ArgumentGroup) -> None:
    """How much noise the sums get, and how."""
    group.add_argument(
        "--epsilon",
        metavar="E",
        help="make the sums differentially private with this epsilon, a decimal",
    )
    group.add_argument(
        "--delta",
        metavar="D",
        help="the delta that goes with epsilon, a decimal such as 1e-9 (the default)",
    )
    group.add_argument(
        "--mechanism",
        choices=get_args(Mechanism),
        help=f"noise made within the MPC, or by each helper (default: {QueryParameters.mechanism})",
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


def query_parameters(arguments: argparse.Namespace, cap: int | None = None) -> QueryParameters:
    """The public parameters of the query, with the default security where none can be chosen.

    Raises: ParameterError for one that is out of range, and for one that is of noise where there is none.
    """
    epsilon = _fraction("--epsilon", getattr(arguments, "epsilon", None))
    delta = _fraction("--delta", getattr(arguments, "delta", None))
    if epsilon is None:
        for name in ("delta", "mechanism", "clip"):
            if getattr(arguments, name, None):
                raise ParameterError(f"--{name} is for sums with noise: it needs --epsilon")
    return QueryParameters(
        breakdowns=arguments.breakdowns,
        cap=arguments.cap if cap is None else cap,
        capping=arguments.capping,
        aggregate=arguments.aggregate,
        attribution=arguments.attribution,
        attribution_window=arguments.attribution_window,
        max_reports_per_match_key=arguments.max_reports_per_match_key,
        epsilon=epsilon,
        delta=DEFAULT_DELTA if delta is None else delta,
        mechanism=getattr(arguments, "mechanism", None) or QueryParameters.mechanism,
        security=getattr(arguments, "security", QueryParameters.security),
        sort=getattr(arguments, "sort", QueryParameters.sort),
        match_key_bits=arguments.match_key_bits,
        attribution_constraint_id_bits=arguments.attribution_constraint_id_bits,
        timestamp_bits=arguments.timestamp_bits,
        value_bits=arguments.value_bits,
    )


def _fraction(option: str, text: str | None) -> Fraction | None:
    return None if text is None else fraction_from_text(option, text)


def exact_number(text: str) -> Fraction:
    """The `type` of an option that is an exact number: argparse then says what is wrong with it.

    Raises: ArgumentTypeError.
    """
    try:
        return fraction_from_text("the number", text)
    except ParameterError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def whole_number(low: int) -> Callable[[str], int]:
    """The `type` of an option that is an integer of at least `low`."""

    def convert(text: str) -> int:
        """The number that up to 18 digits stand for. Raises: ArgumentTypeError."""
        if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < low:
            raise argparse.ArgumentTypeError(f"must be an integer of at least {low}")
        return int(text)

    return convert


def check_can_serve() -> None:
    """Check that what a helper party as a service needs is there.

    Raises: ParameterError, which names the extra to install.
    """
    if find_spec("h11") is None:
        raise ParameterError(
            "helper parties as services need the package h11: pip install 'ipa-reference[service]'"
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
