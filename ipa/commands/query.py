"""`ipa query`: events or encrypted reports in, sums per breakdown key out, three helpers between."""

import argparse
import sys

from ipa.commands.checking import report_check, sums_by_sql
from ipa.commands.options import (
    add_helper_arguments,
    add_query_arguments,
    add_run_arguments,
    query_parameters,
    read_events,
    run_options,
)
from ipa.commands.output import write_result
from ipa.commands.progress import Progress
from ipa.commands.report_options import add_report_arguments, is_report_query
from ipa.commands.workers import check_workers, worker_processes
from ipa.query import run_query
from ipa.result import check_noise_is_said


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa query`."""
    parser.add_argument(
        "events",
        metavar="EVENTS.csv|QUERY_DIR",
        help="the events in the clear, - for standard input, or the directory of `ipa collect`",
    )
    add_query_arguments(parser)
    add_run_arguments(add_helper_arguments(parser))
    add_report_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Answer the query, and with --check compare the answer with SQL.

    Raises: ParameterError for an option, InputError for events or reports that are wrong. BudgetError
        when the ledger refuses the query. MisbehaviourError when a helper party deviates.
    """
    parameters = query_parameters(arguments)
    check_noise_is_said(parameters, arguments.no_noise)
    check_workers(arguments)
    if is_report_query(arguments):
        # Imported here: a query over events need not load HPKE.
        from ipa.commands.reports import run_over_reports

        return run_over_reports(arguments, parameters)
    events = read_events(arguments.events, parameters)
    with (
        worker_processes(arguments.workers) as executor,
        Progress(sys.stderr, len(events)) as progress,
    ):
        options = run_options(arguments, progress.step, executor)
        result = run_query(events, parameters, no_noise=arguments.no_noise, options=options)
    write_result(result, parameters.security, arguments.format, sys.stdout, clip=arguments.clip)
    if not arguments.check:
        return 0
    return report_check("ipa query", result, sums_by_sql(events, parameters), arguments.seed)
