"""The contract of the `ipa` command, through `main` in this process."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from command_line_cases import ASKED, HEADER, OPTIONS, QUERY, SOURCE, TRIGGER, sums_of

import ipa.commands.checking
import ipa.commands.query
import ipa.oracle.sql
from ipa import generate_events, run_query, write_events_csv
from ipa.commands.command_line import main
from ipa.events import Event, read_events_csv
from ipa.network.channel import Message
from ipa.network.simulation import RunOptions
from ipa.oracle.sql import query_sql
from ipa.parameters import QueryParameters


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_generate_writes_the_workload_and_its_options_matter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--events", "30", "--users", "4", "--breakdowns", "3", "--seed", "9"]
    assert main(["generate", *options]) == 0
    written = read_events_csv(io.StringIO(capsys.readouterr().out))
    assert written == generate_events(30, users=4, breakdowns=3, seed=9)
    assert main(["generate", "--events", "30"]) == 0
    assert read_events_csv(io.StringIO(capsys.readouterr().out)) == generate_events(30)


@pytest.mark.parametrize("capping", ["proportional", "truncate"])
@pytest.mark.parametrize("aggregate", ["sum", "count"])
@pytest.mark.parametrize("cap", [3, 60])
def test_query_and_oracle_answer_the_same(
    capping: str, aggregate: str, cap: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.csv"
    events = generate_events(60, users=5, breakdowns=3)
    with path.open("w") as stream:
        write_events_csv(events, stream)
    words = [str(path), "--breakdowns", "3", "--cap", str(cap), "--capping", capping]
    words += ["--aggregate", aggregate, "--check"]
    parameters = QueryParameters(
        breakdowns=3,
        cap=cap,
        capping="truncate" if capping == "truncate" else "proportional",
        aggregate="count" if aggregate == "count" else "sum",
    )
    expected = query_sql(events, parameters)
    assert sum(expected) > 0
    assert sums_of(capsys, "query", *words, "--no-noise") == expected
    assert sums_of(capsys, "oracle", *words) == expected


def test_a_bound_on_reports_is_asked_for_by_its_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.csv"
    events = generate_events(60, users=5, breakdowns=3)
    with path.open("w") as stream:
        write_events_csv(events, stream)
    words = [str(path), "--breakdowns", "3", "--cap", "60", "--check"]
    parameters = QueryParameters(breakdowns=3, cap=60, max_reports_per_match_key=4)
    expected = query_sql(events, parameters)
    assert expected != sums_of(capsys, "oracle", *words)
    words += ["--max-reports-per-match-key", "4"]
    assert sums_of(capsys, "query", *words, "--no-noise") == expected
    assert sums_of(capsys, "oracle", *words) == expected
    assert main(["oracle", *words[:-1], "5"]) == 2
    assert "max_reports_per_match_key must be a power of two, not 5" in capsys.readouterr().err


def test_json_is_one_object_with_exactly_these_keys(
    file_of: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(HEADER, SOURCE, TRIGGER)
    for command, security in (("query", "semi-honest"), ("oracle", "none")):
        assert main([command, path, *OPTIONS[command], "--format", "json"]) == 0
        out = capsys.readouterr().out
        assert out.count("\n") == 1
        answer = json.loads(out)
        assert list(answer) == ["sums", "rows", "security", "noise", "parameters", "cost"]
        assert answer["sums"] == [0, 0, 25, 0]
        assert answer["rows"] == 2
        assert answer["security"] == security
        assert answer["noise"] is None
        assert answer["parameters"] == {
            "breakdowns": 4,
            "cap": 100,
            "capping": "proportional",
            "aggregate": "sum",
            "attribution": "last-touch",
            "attribution_window": None,
            "max_reports_per_match_key": None,
            "sort": "shuffle",
            "epsilon": None,
            "delta": 1e-9,
            "mechanism": "laplace",
            "match_keys_can_collide": False,
            "match_key_bits": 64,
            "attribution_constraint_id_bits": 16,
            "timestamp_bits": 32,
            "value_bits": 16,
        }
        assert list(answer["cost"]) == ["rounds", "bytes_sent", "and_gates", "seconds"]
        assert answer["cost"]["seconds"] > 0
        for count in ("rounds", "bytes_sent", "and_gates"):
            assert (answer["cost"][count] > 0) == (command == "query")


def test_the_table_shows_sums_bars_and_the_cost_of_each_step(
    file_of: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(HEADER, SOURCE, TRIGGER, "source,8,1,10,1,", "trigger,8,1,20,,5")
    assert main(["query", path, *QUERY]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert captured.err == ""
    assert lines[0].split() == ["breakdown", "key", "sum"]
    assert [line.split()[:2] for line in lines[1:5]] == [
        ["0", "0"],
        ["1", "5"],
        ["2", "25"],
        ["3", "0"],
    ]
    assert [line.count("█") for line in lines[1:5]] == [0, 8, 40, 0]
    assert len({len(line.rstrip(" █")) for line in lines[:5]}) == 1  # aligned to the right
    assert "4 reports" in lines[6] and "semi-honest" in lines[6]
    assert lines[7] == "no noise: the sums are exact, and not private"
    steps = [line.split()[0] for line in lines[10:]]
    assert steps == [
        "input-check",
        "sort",
        "helper-bits",
        "attribution",
        "capping",
        "aggregation",
        "total",
    ]
    total = [int(cell.replace(",", "")) for cell in lines[-1].split()[1:4]]
    parts = [[int(cell.replace(",", "")) for cell in line.split()[1:4]] for line in lines[10:-1]]
    assert total == [sum(column) for column in zip(*parts, strict=True)]


def test_a_terminal_gets_the_same_cells(
    file_of: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = file_of(HEADER, SOURCE, TRIGGER)
    assert main(["oracle", path, *ASKED]) == 0
    plain = capsys.readouterr().out.splitlines()[:5]
    monkeypatch.setenv("TERM", "dumb")
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    assert main(["oracle", path, *ASKED]) == 0
    lines = [line.split()[:2] for line in terminal.getvalue().splitlines()]
    assert all(line.split()[:2] in lines for line in plain)
    assert any("─" in line for line in terminal.getvalue().splitlines())


def test_a_seed_repeats_a_run_bit_for_bit(
    file_of: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = file_of(HEADER, SOURCE, TRIGGER)
    payloads: list[bytes] = []

    def recording(
        events: list[Event], parameters: QueryParameters, *, no_noise: bool, options: RunOptions
    ) -> object:

        def record(message: Message) -> list[Message]:
            payloads.append(message.payload)
            return [message]

        watched = replace(options, interceptors=[record])
        return run_query(events, parameters, no_noise=no_noise, options=watched)

    monkeypatch.setattr(ipa.commands.query, "run_query", recording)
    transcripts = []
    for seed in (["--seed", "5"], ["--seed", "5"], ["--seed", "6"], [], []):
        assert sums_of(capsys, "query", path, *QUERY, *seed) == [0, 0, 25, 0]
        transcripts.append(b"".join(payloads))
        payloads.clear()
    assert transcripts[0] == transcripts[1]
    assert len(set(transcripts)) == 4


@pytest.mark.parametrize(
    "lines",
    [[], [SOURCE], [TRIGGER], [SOURCE, SOURCE, "source,8,1,10,3,"], [TRIGGER, TRIGGER, TRIGGER]],
)
def test_few_or_one_kind_of_events_give_zeros(
    lines: list[str], file_of: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(HEADER, *lines)
    assert sums_of(capsys, "query", path, *QUERY, "--check") == [0, 0, 0, 0]
    assert main(["query", path, *QUERY]) == 0
    assert f"\n{len(lines)} reports, " in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--help"], ["generate", "-h"], ["query", "-h"]])
def test_help_tells_the_exit_statuses(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert "exit status:\n  0 " in capsys.readouterr().out


def test_query_s_help_says_that_it_takes_a_directory_of_reports(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for command in ("query", "oracle"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        shown = " ".join(capsys.readouterr().out.split())
        assert (
            "EVENTS.csv|QUERY_DIR the events in the clear, - for standard input, or the "
            "directory of `ipa collect`" in shown
        ) == (command == "query")
