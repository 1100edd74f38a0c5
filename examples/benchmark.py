"""What each step of a query costs.

    python examples/benchmark.py 100 16384 65536

For every number of events given it prints the AND gates, rounds, bytes (all helpers together),
seconds and nanoseconds per gate of each step, checks the answer against the oracle, and tells the
most memory that the process has had. Exits 1 where answers differ. Options set the query; `--apart`
runs each helper as a process of its own, with `--tls` over TLS. `--profile` shows instead in which
modules and built-in functions the time goes.
"""

import argparse
import cProfile
import pstats
import resource
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import get_args

import ipa
from ipa import QueryParameters, generate_events, run_query
from ipa.commands.options import whole_number
from ipa.commands.output import steps_shown
from ipa.errors import ParameterError
from ipa.network.costs import cost_of
from ipa.network.simulation import RunOptions
from ipa.oracle.sql import query_sql
from ipa.parameters import Capping, Security, Sort

HEADER = "| events | step | AND gates | rounds | bytes sent | seconds | ns per gate |"
RULE = "|---:|:---|---:|---:|---:|---:|---:|"

LIBRARY = Path(ipa.__file__).parent


def benchmark(events_count: int, parameters: QueryParameters, options: RunOptions) -> bool:
    """Print the table rows of one size; whether the answer was right."""
    events = generate_events(events_count, breakdowns=parameters.breakdowns, seed=options.seed or 0)
    started = perf_counter()
    result = run_query(events, parameters, no_noise=True, options=options)
    elapsed = perf_counter() - started
    for name, cost in (steps_shown(result.costs) | {"query": cost_of(result.costs)}).items():
        per_gate = f"{1e9 * cost.seconds / cost.and_gates:.2f}" if cost.and_gates else ""
        print(
            f"| {events_count:,} | {name} | {cost.and_gates:,} "
            f"| {cost.rounds:,} | {cost.bytes_sent:,} | {cost.seconds:.2f} | {per_gate} |"
        )
    right = result.sums == query_sql(events, parameters)
    verdict = "equal to the oracle" if right else "DIFFERENT FROM THE ORACLE"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"| {events_count:,} | with sharing and release: {verdict}; {memory:.2f} GB "
        f"| | | | {elapsed:.2f} | |"
    )
    return right


def profile(events_count: int, parameters: QueryParameters, options: RunOptions) -> None:
    """Print the twenty modules and built-in functions in which a query spends most of its time."""
    events = generate_events(events_count, breakdowns=parameters.breakdowns, seed=options.seed or 0)
    profiler = cProfile.Profile()
    profiler.runcall(run_query, events, parameters, no_noise=True, options=options)
    seconds: Counter[str] = Counter()
    for (file, _, function), (_, _, own, _, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        path = Path(file)
        inside = path.is_relative_to(LIBRARY)
        seconds[str(path.relative_to(LIBRARY)) if inside else function] += own
    total = seconds.total()
    print(f"{events_count:,} events, {total:.2f} s, slowed down by the profiler")
    for name, own in seconds.most_common(20):
        print(f"{100 * own / total:5.1f} %  {name}")


def arguments_parser() -> argparse.ArgumentParser:
    """The sizes, the query and how it runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, shown = parser.add_argument, "default: %(default)s"
    add("sizes", type=whole_number(0), nargs="+", metavar="EVENTS", help="a run for each size")
    add("--breakdowns", type=whole_number(1), default=16, metavar="B", help=shown)
    add("--cap", type=whole_number(1), default=300, metavar="C", help=shown)
    add("--capping", choices=get_args(Capping), default="proportional", help=shown)
    add("--security", choices=get_args(Security), default="semi-honest", help=shown)
    add("--sort", choices=get_args(Sort), default=QueryParameters.sort, help=shown)
    add(
        "--max-reports-per-match-key",
        type=whole_number(1),
        metavar="M",
        help="a power of two (default: no limit)",
    )
    add("--seed", type=whole_number(0), default=0, metavar="S", help="of events and shares")
    add("--apart", action="store_true", help="a process for each helper")
    add("--tls", action="store_true", help="with --apart: connected by TLS")
    add("--profile", action="store_true", help="show where the time goes, and no costs")
    return parser


def main() -> int:
    """Run the sizes on the command line."""
    parser = arguments_parser()
    arguments = parser.parse_args()
    try:
        parameters = QueryParameters(
            breakdowns=arguments.breakdowns,
            cap=arguments.cap,
            capping=arguments.capping,
            security=arguments.security,
            sort=arguments.sort,
            max_reports_per_match_key=arguments.max_reports_per_match_key,
        )
        options = RunOptions(seed=arguments.seed, apart=arguments.apart, tls=arguments.tls)
    except ParameterError as error:
        parser.error(str(error))
    if arguments.profile:
        for size in arguments.sizes:
            profile(size, parameters, options)
        return 0
    print(HEADER, RULE, sep="\n")
    right = [benchmark(size, parameters, options) for size in arguments.sizes]
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
