"""What tables and progress look like where the output cannot show everything."""

import io
import itertools
from dataclasses import replace

import pytest
from terminal_cases import WIDTHS

from ipa import QueryParameters, QueryResult, generate_events, run_query
from ipa.commands.output import cost_table, sums_table, write_result
from ipa.commands.progress import Progress
from ipa.network.costs import Cost
from ipa.network.simulation import RunOptions
from ipa.progress import describe_step

PARAMETERS = QueryParameters(breakdowns=4, cap=100, security="semi-honest")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("encoding", "mark"), [("ascii", "#"), ("latin-1", "#"), ("utf-8", "█")])
def test_bars_are_made_of_what_the_output_can_show(encoding: str, mark: str) -> None:
    result = run_query(generate_events(40, breakdowns=4), PARAMETERS, no_noise=True)
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    write_result(result, "semi-honest", "table", stream)
    stream.seek(0)
    assert mark * 40 in stream.read()


def test_bars_are_in_proportion_and_every_sum_but_zero_has_one() -> None:
    result = run_query([], PARAMETERS, no_noise=True)
    result.sums[:] = [2**70, 2**69, 1, 0]
    table = sums_table(result, "#")
    assert [len(bar) for _, _, bar in table.rows] == [40, 20, 1, 0]
    assert [total for _, total, _ in table.rows][2:] == ["1", "0"]
    result.sums[:] = [1, 0, 0, 0]
    assert [len(bar) for _, _, bar in sums_table(result, "#").rows] == [40, 0, 0, 0]


def test_without_rich_a_terminal_gets_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipa.commands.tables.find_spec", lambda name: None)
    result = run_query([], PARAMETERS, no_noise=True)
    terminal, plain = Terminal(), io.StringIO()
    write_result(result, "semi-honest", "table", terminal)
    write_result(result, "semi-honest", "table", plain)
    assert terminal.getvalue() == plain.getvalue()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("rich", [True, False])
def test_noisy_sums_and_their_intervals_are_whole_at_any_width(
    width: int, rich: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not rich:
        monkeypatch.setattr("ipa.commands.tables.find_spec", lambda name: None)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "dumb")
    sums = [123_456_789, -98_765_432, 0, 7]
    noisy = replace(PARAMETERS, epsilon=1, cap=10_000)
    costs = {"query/sort": Cost(rounds=1, bytes_sent=2_345_678, and_gates=3_456_789, seconds=1.5)}
    result = QueryResult(sums, 1_234_567, noisy, costs)
    terminal = Terminal()
    write_result(result, "semi-honest", "table", terminal)
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert result.noise is not None
    within = result.noise.interval_95
    ends = [f"{total + end:,}" for total in sums for end in (-within, within)]
    others = ["1,234,567", "2,345,678", "3,456,789", "10,000", f"{within:,}"]
    for number in [*(f"{total:,}" for total in sums), *ends, *others]:
        assert any(number in line for line in lines), number


def test_the_cost_table_adds_up_and_gives_nanoseconds_per_gate() -> None:
    costs = {
        "query": Cost(seconds=1.0),
        "query/sort/a": Cost(rounds=1, bytes_sent=1000, and_gates=2000, seconds=3e-6),
        "query/sort/b": Cost(rounds=2, bytes_sent=500, and_gates=1000, seconds=6e-6),
        "check": Cost(seconds=0.5),
        "check/bits": Cost(rounds=4, seconds=1.5),
        "sql": Cost(seconds=0.25),
    }
    table = cost_table(costs)
    assert table.rows == [
        ("sort", "3", "1,500", "3,000", "0.000", "3.00"),
        ("check/bits", "4", "0", "0", "1.500", ""),
        ("sql", "0", "0", "0", "0.250", ""),
        ("total", "7", "1,500", "3,000", "3.250", "1083336.33"),
    ]


@pytest.mark.parametrize(
    ("path", "rows", "text"),
    [
        ("query", 5, "query"),
        ("query/sort", 5, "sort"),
        ("query/sort/stage-0/compare", 5, "sort: stage 1 of 6 (0 %)"),
        ("query/sort/stage-5/exchange", 8, "sort: stage 6 of 6 (83 %)"),
        ("query/sort/shuffle/pass/first", 5, "sort: shuffle"),
        ("query/sort/compare", 5, "sort: comparisons, level 1"),
        ("query/sort/compare#12/open", 5, "sort: comparisons, level 12"),
        ("query/attribution/distance-4/add", 5, "attribution: distance-4"),
        ("query/aggregation/sort#2/stage-3", 5, "aggregation: sort"),
        ("check#2/bits/open", 5, "check: bits"),
    ],
)
def test_a_step_is_described_with_how_far_it_is(path: str, rows: int, text: str) -> None:
    assert describe_step(path, rows) == text


def test_the_stages_counted_are_those_of_the_sort() -> None:
    bitonic = replace(PARAMETERS, sort="bitonic")
    for rows in (2, 3, 5, 16):
        steps: list[str] = []
        events = generate_events(rows, breakdowns=4)
        run_query(events, bitonic, no_noise=True, options=RunOptions(on_step=steps.append))
        stages = [describe_step(step, rows) for step in steps if "query/sort/stage-" in step]
        last = stages[-1].split()
        assert last[2] == last[4]


def test_progress_is_for_terminals_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ipa.commands.progress._SECONDS_BETWEEN", 0.0)
    terminal, plain = Terminal(), io.StringIO()
    for stream in (terminal, plain):
        with Progress(stream, 5) as progress:
            progress.step("query/sort/stage-2/compare")
    assert plain.getvalue() == ""
    assert "sort: stage 3 of 6 (33 %)" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_progress_is_shown_ten_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    monkeypatch.setattr("ipa.commands.progress.perf_counter", lambda: next(clock) / 32)
    terminal = Terminal()
    with Progress(terminal, 5) as progress:
        for _ in range(40):
            progress.step("query/sort/stage-2/compare")
    assert terminal.getvalue().count("stage") == 10
    assert "\x1b[K   0.1 s  sort" in terminal.getvalue()
