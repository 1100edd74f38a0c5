"""The logs of three helper parties side by side, or one below the other where there is no room."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from ipa.commands.tables import (
    USUAL_WIDTH,
    Table,
    fold,
    terminal_width,
    write_table,
)

_NARROWEST = 15
"""The fewest characters of a log's lines that are side by side."""

_GAPS_AND_TIMES = 10 + 3 * 6
"""What three columns take beside their text: the gaps, and times of a minute."""

_SAID_ELSEWHERE = ("time", "level", "helper", "event", "query_id", "address")


@dataclass(frozen=True)
class LogLine:
    """An event: milliseconds since the start, or None if a line says no time; its name and its fields."""

    milliseconds: int | None
    event: str
    fields: str = ""


def read_log(path: Path, began: datetime) -> list[LogLine]:
    """The lines of a log of `ipa helper --log-format json`, and as they are what else is in the file."""
    lines = []
    for text in path.read_text(errors="replace").splitlines():
        try:
            said = json.loads(text)
            after = datetime.fromisoformat(said["time"]) - began
            event = str(said["event"])
        except (ValueError, TypeError, KeyError):
            lines.append(LogLine(None, text))
            continue
        fields = [f"{name}={_shown(v)}" for name, v in said.items() if name not in _SAID_ELSEWHERE]
        lines.append(LogLine(round(1000 * after.total_seconds()), event, " ".join(fields)))
    return lines


def _shown(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def write_logs(logs: Mapping[int, Sequence[LogLine]], stream: TextIO) -> None:
    """Write the logs of helper parties: what they have logged alike stands in one row."""
    width = terminal_width(stream) if stream.isatty() else USUAL_WIDTH
    room = (width - _GAPS_AND_TIMES) // len(logs)
    if room < _NARROWEST:
        for number, (helper, lines) in enumerate(logs.items()):
            stream.write("\n" if number else "")
            below = [cells for line in lines for cells in _cells(line, width)]
            write_table(Table(("ms", f"H{helper}"), below, text=(1,)), stream)
        return
    rows: list[tuple[str, ...]] = []
    for aligned in aligned_rows(logs):
        cells = [_cells(aligned[h], room) if h in aligned else [] for h in logs]
        for place in range(max(map(len, cells))):
            row = [piece for each in cells for piece in (each[place : place + 1] or [("", "")])[0]]
            rows.append(tuple(row))
    columns = tuple(name for helper in logs for name in ("ms", f"H{helper}"))
    write_table(Table(columns, rows, text=tuple(range(1, len(columns), 2))), stream)


def aligned_rows(logs: Mapping[int, Sequence[LogLine]]) -> list[dict[int, LogLine]]:
    """Rows of at most one line of each log, with the same event: each log's lines keep their order."""
    rows: list[dict[int, LogLine]] = []
    reached = dict.fromkeys(logs, 0)
    merged = []
    for helper, lines in logs.items():
        when = 0
        for line in lines:
            # One that says no time is of the time of the line above it.
            when = when if line.milliseconds is None else line.milliseconds
            merged.append((when, helper, line))
    for _, helper, line in sorted(merged, key=lambda each: each[0]):
        place = reached[helper]
        while place < len(rows) and (
            helper in rows[place] or next(iter(rows[place].values())).event != line.event
        ):
            place += 1
        if place == len(rows):
            rows.append({})
        rows[place][helper] = line
        reached[helper] = place + 1
    return rows


def _cells(line: LogLine, width: int) -> list[tuple[str, str]]:
    """A line as pairs of time and text: its event, and below what has no room beside it."""
    when = "" if line.milliseconds is None else f"{line.milliseconds:,}"
    whole = f"{line.event} {line.fields}".strip()
    pieces = (
        [line.event, *fold(line.fields, width)] if len(whole) > width and line.fields else [whole]
    )
    return [(when if k == 0 else "", piece) for k, piece in enumerate(pieces)]
