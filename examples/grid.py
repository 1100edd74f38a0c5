"""A grid of queries: the error of the sums for many caps and epsilons, measured by running them.

    python examples/grid.py --workers 2
    python examples/grid.py --caps 10,100,1000 --epsilons 1/2,2 --executor dask --workers 8

Each query is a task of its own for the executor (see `executors.py`), with three simulated helper parties.
The error of a sum is how far it is from the exact one without a cap; the table has the root of its mean
square over the breakdown keys. `ipa plan` computes what is to be expected of it, in the clear.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from math import sqrt
from typing import get_args

from executors import EXECUTORS

from ipa import QueryParameters, QueryResult, generate_events, query_sql
from ipa.commands.options import exact_number
from ipa.errors import IpaError
from ipa.grid import run_queries
from ipa.parameters import Security

NO_CAP = 1 << 31


def main() -> int:
    """Run the grid of the command line and show the errors."""
    options = arguments()
    whole = QueryParameters(breakdowns=options.breakdowns, cap=NO_CAP, security=options.security)
    try:
        events = generate_events(options.events, breakdowns=options.breakdowns, seed=options.seed)
        grid = [
            replace(whole, cap=cap, epsilon=epsilon)
            for cap in options.caps
            for epsilon in options.epsilons
        ]
        make = EXECUTORS[options.executor]
        with make(options.workers) if options.workers else nullcontext() as executor:
            done = 0

            def on_done(position: int, result: QueryResult) -> None:
                """Say how far the grid is."""
                nonlocal done
                done += 1
                asked = result.parameters
                print(
                    f"{done} of {len(grid)}: cap {asked.cap}, epsilon {asked.epsilon}",
                    file=sys.stderr,
                )

            results = run_queries(
                events, grid, seed=options.seed, executor=executor, on_done=on_done
            )
        print(table(results, query_sql(events, whole), options.epsilons))
    except IpaError as error:
        print(f"grid.py: {error}", file=sys.stderr)
        return 2
    return 0


def table(
    results: Sequence[QueryResult], exact: Sequence[int], epsilons: Sequence[Fraction]
) -> str:
    """A line per cap, with the error for each epsilon."""
    lines = [f"{'cap':>8}" + "".join(f"{f'epsilon {epsilon}':>14}" for epsilon in epsilons)]
    for start in range(0, len(results), len(epsilons)):
        row = results[start : start + len(epsilons)]
        errors = "".join(f"{error_of(result.sums, exact):>14,.1f}" for result in row)
        lines.append(f"{row[0].parameters.cap:>8}{errors}")
    return "\n".join(lines)


def error_of(sums: Sequence[int], exact: Sequence[int]) -> float:
    """The root mean square of the errors of the sums."""
    squares = [(noisy - true) ** 2 for noisy, true in zip(sums, exact, strict=True)]
    return sqrt(sum(squares) / len(squares))


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--caps",
        type=lambda text: [int(part) for part in text.split(",")],
        default="10,30,100",
        metavar="C,C,...",
        help="default: %(default)s",
    )
    parser.add_argument(
        "--epsilons",
        type=lambda text: [exact_number(part) for part in text.split(",")],
        default="1/2,1,2",
        metavar="E,E,...",
        help="default: %(default)s",
    )
    parser.add_argument("--events", type=int, default=500, help="default: %(default)s")
    parser.add_argument("--breakdowns", type=int, default=16, help="default: %(default)s")
    parser.add_argument(
        "--security", choices=get_args(Security), default="semi-honest", help="default: %(default)s"
    )
    parser.add_argument(
        "--executor", choices=EXECUTORS, default="processes", help="default: %(default)s"
    )
    parser.add_argument("--workers", type=int, help="default: none, one query after another")
    parser.add_argument("--seed", type=int, default=0, help="of events and runs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
