"""`ipa generate`: synthetic events as CSV."""

import argparse
import sys

from ipa.events import write_events_csv
from ipa.events.workload import generate_events
from ipa.parameters import MAX_BREAKDOWNS
from ipa.ranges import check_integer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa generate`."""
    parser.add_argument("--events", type=int, required=True, metavar="N", help="how many events")
    parser.add_argument(
        "--users", type=int, metavar="U", help="about how many users (default: a fifth of N)"
    )
    parser.add_argument(
        "--breakdowns", type=int, default=16, metavar="B", help="breakdown keys 0 to B - 1 (16)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="another seed, other events (0)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the events to standard output: the same ones for the same options.

    Raises: ParameterError for an option that is out of range.
    """
    check_integer("--events", arguments.events, 0)
    if arguments.users is not None:
        check_integer("--users", arguments.users, 1)
    check_integer("--breakdowns", arguments.breakdowns, 1, MAX_BREAKDOWNS)
    check_integer("--seed", arguments.seed, 0)
    events = generate_events(
        arguments.events,
        users=arguments.users,
        breakdowns=arguments.breakdowns,
        seed=arguments.seed,
    )
    write_events_csv(events, sys.stdout)
    return 0
