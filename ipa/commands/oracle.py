"""`ipa oracle`: the query of `ipa query`, answered in the clear with SQL."""

import argparse
import sys
from time import perf_counter

from ipa.commands.checking import report_check, sums_by_sql
from ipa.commands.options import add_query_arguments, query_parameters, read_events
from ipa.commands.output import write_result
from ipa.network.costs import Cost
from ipa.oracle.steps import query_in_steps
from ipa.result import QueryResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa query` that mean something in the clear, and mean the same."""
    parser.add_argument("events", metavar="EVENTS.csv", help="the events; - is standard input")
    add_query_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Answer with SQL, and with --check compare with the oracle that goes step after step.

    Raises: ParameterError for an option, InputError for events that are wrong.
    """
    parameters = query_parameters(arguments)
    events = read_events(arguments.events, parameters)
    started = perf_counter()
    sums = sums_by_sql(events, parameters)
    costs = {"sql": Cost(seconds=perf_counter() - started)}
    result = QueryResult(sums, len(events), parameters, costs)
    write_result(result, "none", arguments.format, sys.stdout)
    if not arguments.check:
        return 0
    return report_check("ipa oracle", result, query_in_steps(events, parameters))
