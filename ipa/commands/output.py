"""Results as people read them (tables) and as programs do (JSON): what is in them."""

import json
from dataclasses import asdict, replace
from fractions import Fraction
from typing import Literal, TextIO

from ipa.commands.tables import Table, write_table, write_text
from ipa.network.costs import Cost, cost_of, costs_by_step
from ipa.result import QueryResult

Format = Literal["table", "json"]

_BAR_WIDTH = 40


def write_result(
    result: QueryResult, security: str, form: Format, stream: TextIO, *, clip: bool = False
) -> None:
    """Write the result of a query that ran under the security model `security`.

    With `clip`, negative sums are shown as 0.
    """
    if clip:
        result = replace(result, sums=result.clipped())
    if form == "json":
        stream.write(json.dumps(result_object(result, security)) + "\n")
    else:
        write_table(sums_table(result, _bar_mark(stream)), stream)
        write_text(f"\n{summary(result, security)}\n{noise_line(result)}\n", stream)
        if result.costs:
            write_text("\n", stream)
            write_table(cost_table(result.costs), stream)
    stream.flush()


def result_object(result: QueryResult, security: str) -> dict[str, object]:
    """The result as an object for JSON; `bytes_sent` and the like are totals of all helpers.

    The cost is None (null) where it is not known.
    """
    total = cost_of(result.costs)
    parameters = {
        name: float(value) if isinstance(value, Fraction) else value
        for name, value in asdict(result.parameters).items()
    }
    del parameters["security"]  # said beside it, as what the query ran under
    return {
        "sums": result.sums,
        "rows": result.rows,
        "security": security,
        "noise": noise_object(result),
        "parameters": parameters,
        "cost": {
            "rounds": total.rounds,
            "bytes_sent": total.bytes_sent,
            "and_gates": total.and_gates,
            "seconds": round(total.seconds, 6),
        }
        if result.costs
        else None,
    }


def noise_object(result: QueryResult) -> dict[str, object] | None:
    """The noise in every sum; None (null) says that the result is not private."""
    noise = result.noise
    if noise is None:
        return None
    return {
        "mechanism": noise.mechanism,
        "epsilon": float(noise.epsilon),
        "delta": float(noise.delta),
        "standard_deviation": round(noise.standard_deviation, 3),
        "interval_95": noise.interval_95,
    }


def summary(result: QueryResult, security: str) -> str:
    """What was asked, in a line."""
    parameters = result.parameters
    return (
        f"{result.rows:,} reports, {parameters.breakdowns:,} breakdown keys, "
        f"cap {parameters.cap:,} ({parameters.capping}), security: {security}"
    )


def noise_line(result: QueryResult) -> str:
    """The noise in the sums, in a line."""
    noise = result.noise
    if noise is None:
        return "no noise: the sums are exact, and not private"
    return (
        f"noise: {noise.mechanism}, epsilon {float(noise.epsilon):g}, delta {float(noise.delta):g}, "
        f"standard deviation {noise.standard_deviation:,.1f}, "
        f"95 % of the time within {noise.interval_95:,}"
    )


def sums_table(result: QueryResult, mark: str) -> Table:
    """A row per breakdown key, with a bar of `mark` as long as its sum is large.

    With noise, the interval in which the sum without noise is at 95 %.
    """
    largest, noise = max(1, *result.sums), result.noise
    columns = ["breakdown key", result.parameters.aggregate]
    rows = [[str(key), f"{total:,}"] for key, total in enumerate(result.sums)]
    if noise is not None:
        columns.append("95 % interval")
        for row, total in zip(rows, result.sums, strict=True):
            row.append(f"{total - noise.interval_95:,} to {total + noise.interval_95:,}")
    for row, total in zip(rows, result.sums, strict=True):
        row.append(mark * -(-_BAR_WIDTH * max(0, total) // largest))  # none only for 0 or less
    return Table((*columns, ""), [tuple(row) for row in rows], text=(), bar=len(columns))


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
