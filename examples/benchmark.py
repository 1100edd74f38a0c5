"""What each step of a query costs.

    python examples/benchmark.py 100 16384 65536

For every number of events given it prints the AND gates, rounds, bytes (all helpers together),
seconds and nanoseconds per gate of each step, and checks the answer against the oracle. Exits 1
where they differ. `--breakdowns`, `--cap`, `--capping`, `--security` and `--seed` set the query.
"""

import argparse
import sys
from time import perf_counter

from ipa import QueryParameters, generate_events, run_query
from ipa.commands.output import steps_shown
from ipa.network.costs import cost_of
from ipa.network.simulation import RunOptions
from ipa.oracle.sql import query_sql

HEADER = "| events | step | AND gates | rounds | bytes sent | seconds | ns per gate |"
RULE = "|---:|:---|---:|---:|---:|---:|---:|"


def benchmark(events_count: int, parameters: QueryParameters, seed: int) -> bool:
    """Print the table rows of one size; whether the answer was right."""
    events = generate_events(events_count, breakdowns=parameters.breakdowns, seed=seed)
    started = perf_counter()
    result = run_query(events, parameters, no_noise=True, options=RunOptions(seed=seed))
    elapsed = perf_counter() - started
    for name, cost in (steps_shown(result.costs) | {"query": cost_of(result.costs)}).items():
        per_gate = f"{1e9 * cost.seconds / cost.and_gates:.2f}" if cost.and_gates else ""
        print(
            f"| {events_count:,} | {name} | {cost.and_gates:,} "
            f"| {cost.rounds:,} | {cost.bytes_sent:,} | {cost.seconds:.2f} | {per_gate} |"
        )
    right = result.sums == query_sql(events, parameters)
    verdict = "equal to the oracle" if right else "DIFFERENT FROM THE ORACLE"
    print(f"| {events_count:,} | with sharing and release: {verdict} | | | | {elapsed:.2f} | |")
    return right


def main() -> int:
    """Run the sizes on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "sizes", type=int, nargs="+", metavar="EVENTS", help="how many events, for a run each"
    )
    parser.add_argument(
        "--breakdowns", type=int, default=16, metavar="B", help="keys (default: 16)"
    )
    parser.add_argument("--cap", type=int, default=300, metavar="C", help="default: 300")
    parser.add_argument(
        "--capping",
        choices=["proportional", "truncate"],
        default="proportional",
        help="default: %(default)s",
    )
    parser.add_argument(
        "--security",
        choices=["semi-honest", "malicious"],
        default="semi-honest",
        help="default: %(default)s",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="of events and shares (default: 0)"
    )
    arguments = parser.parse_args()
    parameters = QueryParameters(
        breakdowns=arguments.breakdowns,
        cap=arguments.cap,
        capping=arguments.capping,
        security=arguments.security,
    )
    print(HEADER, RULE, sep="\n")
    right = [benchmark(size, parameters, arguments.seed) for size in arguments.sizes]
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
