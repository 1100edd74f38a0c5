"""`ipa plan`: which cap a query should have: what capping takes away against the noise it needs."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from ipa.commands.options import (
    add_noise_arguments,
    add_query_arguments,
    query_parameters,
    read_events,
)
from ipa.commands.tables import Table, write_table, write_text
from ipa.errors import ParameterError
from ipa.events.workload import generate_events
from ipa.parameters import MAX_FIELD_BITS
from ipa.planning import CapPlan, best_cap, plan_caps
from ipa.ranges import check_integer

_CAPS = "1,2,5,10,20,50,100,200,500,1000"
_EVENTS = 2000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa plan`."""
    parser.add_argument(
        "events",
        nargs="?",
        metavar="EVENTS.csv",
        help="events that may be seen in the clear; - is standard input "
        f"(default: {_EVENTS:,} made-up ones)",
    )
    parser.add_argument(
        "--caps",
        default=_CAPS,
        metavar="C,C,...",
        help="the caps to compare (default: %(default)s)",
    )
    add_query_arguments(parser, with_cap=False)
    add_noise_arguments(parser.add_argument_group("noise"))


def run(arguments: argparse.Namespace) -> int:
    """Show for each cap the bias of capping, the noise and the error, and which cap has the least.

    Raises: ParameterError for an option, InputError for events that are wrong.
    """
    caps = _caps(arguments.caps)
    if arguments.check:
        raise ParameterError("--check has nothing to compare a plan with")
    parameters = query_parameters(arguments, cap=caps[0])
    if parameters.epsilon is None:
        raise ParameterError("--epsilon is needed: without noise the best cap is none")
    if arguments.events is None:
        events = generate_events(_EVENTS, breakdowns=parameters.breakdowns)
    else:
        events = read_events(arguments.events, parameters)
    plans = plan_caps(events, parameters, caps)
    best = best_cap(plans)
    if arguments.format == "json":
        print(json.dumps({"plans": [asdict(plan) for plan in plans], "best_cap": best.cap}))
    else:
        write_table(plan_table(plans), sys.stdout)
        least = f"the least error, {best.error:,.1f}, is at cap {best.cap:,}"
        write_text(f"\n{least}", sys.stdout)
    return 0


def plan_table(plans: Sequence[CapPlan]) -> Table:
    """A row per cap; bias, noise and error are of one sum."""
    rows = [
        (
            f"{plan.cap:,}",
            f"{100 * plan.kept:.1f} %",
            f"{plan.bias:,.1f}",
            f"{plan.noise:,.1f}",
            f"{plan.error:,.1f}",
        )
        for plan in plans
    ]
    return Table(("cap", "kept", "bias", "noise", "error"), rows, text=())


def _caps(text: str) -> list[int]:
    caps = []
    for part in text.split(","):
        number = int(part) if part.isascii() and part.isdigit() and len(part) <= 20 else part
        check_integer("each of --caps", number, 1, (1 << MAX_FIELD_BITS) - 1)
        caps.append(int(number))
    return caps
