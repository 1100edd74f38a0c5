"""Results as people read them (tables) and as programs do (JSON): what is in them."""

import json
from dataclasses import asdict
from typing import Literal, TextIO

from ipa.commands.tables import Table, write_table
from ipa.network.costs import Cost, cost_of, costs_by_step
from ipa.query import QueryResult

Format = Literal["table", "json"]

_BAR_WIDTH = 40


def write_result(result: QueryResult, security: str, form: Format, stream: TextIO) -> None:
    """Write the result of a query that ran under the security model `security`."""
    if form == "json":
        stream.write(json.dumps(result_object(result, security)) + "\n")
    else:
        write_table(sums_table(result, _bar_mark(stream)), stream)
        stream.write(f"\n{summary(result, security)}\n\n")
        write_table(cost_table(result.costs), stream)
    stream.flush()


def result_object(result: QueryResult, security: str) -> dict[str, object]:
    """The result as an object for JSON; `bytes_sent` and the like are totals of all helpers."""
    total = cost_of(result.costs)
    parameters = asdict(result.parameters)
    del parameters["security"]  # said beside it, as what the query ran under
    return {
        "sums": result.sums,
        "rows": result.rows,
        "security": security,
        "parameters": parameters,
        "cost": {
            "rounds": total.rounds,
            "bytes_sent": total.bytes_sent,
            "and_gates": total.and_gates,
            "seconds": round(total.seconds, 6),
        },
    }


def summary(result: QueryResult, security: str) -> str:
    """What was asked, in a line."""
    parameters = result.parameters
    return (
        f"{result.rows:,} reports, {parameters.breakdowns:,} breakdown keys, "
        f"cap {parameters.cap:,} ({parameters.capping}), security: {security}, no noise"
    )


def sums_table(result: QueryResult, mark: str) -> Table:
    """A row per breakdown key, with a bar of `mark` as long as its sum is large."""
    largest = max(1, *result.sums)
    rows = [
        (str(key), f"{total:,}", mark * -(-_BAR_WIDTH * total // largest))  # none only for 0
        for key, total in enumerate(result.sums)
    ]
    return Table(("breakdown key", result.parameters.aggregate, ""), rows, text=(), bar=2)


def cost_table(costs: dict[str, Cost]) -> Table:
    """A row per step of the query, and the total."""
    steps = steps_shown(costs) | {"total": cost_of(costs)}
    rows = [
        (
            name,
            f"{cost.rounds:,}",
            f"{cost.bytes_sent:,}",
            f"{cost.and_gates:,}",
            f"{cost.seconds:.3f}",
            f"{1e9 * cost.seconds / cost.and_gates:.2f}" if cost.and_gates else "",
        )
        for name, cost in steps.items()
    ]
    columns = ("step", "rounds", "bytes sent", "AND gates", "seconds", "ns per gate")
    return Table(columns, rows, text=(0,))


def steps_shown(costs: dict[str, Cost]) -> dict[str, Cost]:
    """The cost of each step of the query, by its name.

    A step that only holds others is left out: what it does between them costs next to nothing.
    """
    by_step = costs_by_step(costs, 2)
    return {
        path.removeprefix("query/"): cost
        for path, cost in by_step.items()
        if cost.rounds or not any(other.startswith(f"{path}/") for other in by_step)
    }


def _bar_mark(stream: TextIO) -> str:
    """What bars are made of: a full block where the output can show one."""
    try:
        "█".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "#"
    return "█"
