"""Logs of three helper parties side by side: in order, aligned, complete, and within the terminal."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from ipa.commands.demo_logs import LogLine, aligned_rows, read_log, write_logs

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REASON = "H2 cannot be reached: Connection refused"
LOGS = {
    1: [
        LogLine(600, "listening"),
        LogLine(710, "query waits", f"reason={REASON}"),
        LogLine(800, "query runs"),
        LogLine(1_100, "query aborted", "step=query/sort reason=it took too long"),
        LogLine(1_200, "stopped"),
    ],
    2: [LogLine(590, "listening"), LogLine(802, "query runs"), LogLine(1_110, "query aborted")],
    3: [LogLine(700, "listening"), LogLine(799, "query runs"), LogLine(None, "Traceback")],
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_is_read_with_times_since_the_start(tmp_path: Path) -> None:
    path = tmp_path / "log"
    at = (BEGAN + timedelta(milliseconds=1_234)).isoformat(timespec="milliseconds")
    known = {"time": at, "level": "info", "helper": 1}
    lines = [
        json.dumps(known | {"event": "query done", "query_id": "query-1", "seconds": 0.5}),
        json.dumps(known | {"event": "query accepted", "rows": 9, "epsilon": "4"}),
        "no JSON",
        "[1]",
        '{"event": "without a time"}',
    ]
    path.write_text("\n".join(lines))
    assert read_log(path, BEGAN) == [
        LogLine(1_234, "query done", "seconds=0.500"),
        LogLine(1_234, "query accepted", "rows=9 epsilon=4"),
        *(LogLine(None, line) for line in lines[2:]),
    ]


def test_what_is_logged_alike_is_in_one_row() -> None:
    rows = aligned_rows(LOGS)
    for helper, lines in LOGS.items():
        assert [row[helper] for row in rows if helper in row] == lines
    assert all(len({line.event for line in row.values()}) == 1 for row in rows)
    assert [next(iter(row.values())).event for row in rows if len(row) == 3] == [
        "listening",
        "query runs",
    ]
    assert [sorted(row) for row in rows if len(row) == 2] == [[1, 2]]


@pytest.mark.parametrize("width", [20, 40, 60, 72, 73, 80, 140])
@pytest.mark.parametrize("with_rich", [True, False])
def test_it_fits_and_says_everything(
    width: int, with_rich: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_rich:
        monkeypatch.setattr("ipa.commands.tables.find_spec", lambda name: None)
    monkeypatch.setenv("COLUMNS", str(width))
    terminal = Terminal()
    write_logs(LOGS, terminal)
    text = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    assert all(len(line) <= width for line in text.splitlines())
    is_side_by_side = len(re.findall("H1.*H2.*H3", text)) == 1
    assert is_side_by_side == (width >= 73)
    whole = "".join(text.split())
    for line in (line for lines in LOGS.values() for line in lines):
        assert "".join(line.event.split()) in whole
        if line.milliseconds is not None:
            assert f"{line.milliseconds:,}" in whole
    words = [word for word in REASON.split() if len(word) <= 12]
    assert all(word in text for word in words)
    places = [text.index(time) for time in ("600", "710", "800", "1,100", "1,200")]
    assert all(earlier < later for earlier, later in pairwise(places))


def test_where_there_is_no_terminal_it_is_as_wide_as_usual() -> None:
    stream = io.StringIO()
    write_logs(LOGS, stream)
    assert max(map(len, stream.getvalue().splitlines())) <= 80
    assert "H1" in stream.getvalue().splitlines()[0]
    assert "H3" in stream.getvalue().splitlines()[0]
