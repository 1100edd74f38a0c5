"""The contract of the `ipa` command, through `main` in this process."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import ipa.commands.checking
import ipa.commands.query
import ipa.oracle.sql
from ipa import generate_events, run_query, write_events_csv
from ipa.commands.checking import sums_by_sql
from ipa.commands.command_line import main
from ipa.errors import BudgetError, VerificationError
from ipa.events import COLUMNS, Event, SourceEvent, TriggerEvent, read_events_csv
from ipa.network.channel import Message
from ipa.network.simulation import RunOptions
from ipa.oracle.sql import query_sql
from ipa.parameters import QueryParameters
from ipa.query import QueryResult

HEADER = ",".join(COLUMNS)
SOURCE = "source,7,1,10,2,"
TRIGGER = "trigger,7,1,20,,25"
ASKED = ["--breakdowns", "4", "--cap", "100"]
QUERY = [*ASKED, "--security", "semi-honest", "--no-noise"]
OPTIONS = {"query": QUERY, "oracle": ASKED}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[..., str]:
    def write(*lines: str) -> str:
        path = tmp_path / "events.csv"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return str(path)

    return write


def sums_of(capsys: pytest.CaptureFixture[str], *words: str) -> list[int]:
    assert main([*words, "--format", "json"]) == 0
    sums: list[int] = json.loads(capsys.readouterr().out)["sums"]
    return sums


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
    ("lines", "said"),
    [
        ([], ["no header"]),
        ([HEADER.replace("timestamp,", "")], ["timestamp", "missing"]),
        ([HEADER, SOURCE, "trigger,7,x,20,,25"], ["row 2", "attribution_constraint_id"]),
        ([HEADER, "trigger,7,1,-20,,25"], ["row 1", "timestamp"]),
        ([HEADER, SOURCE, SOURCE, "trigger,7,1,20,,65536"], ["row 3", "trigger_value", "65535"]),
        ([HEADER, f"source,{2**64},1,10,2,"], ["row 1", "match_key", "2**64 - 1"]),
        ([HEADER, "click,7,1,10,2,"], ["row 1", "report", "'source' or 'trigger'"]),
        ([HEADER, "source,7,1,10,4,"], ["row 1", "breakdown_key", "0 to 3"]),
        ([HEADER, "source,7,1,10,,"], ["row 1", "breakdown_key"]),
        ([HEADER, "source,7,1,10,2"], ["row 1", "fields"]),
    ],
)
@pytest.mark.parametrize("command", ["query", "oracle"])
def test_bad_input_is_one_line_with_row_and_field_before_any_work(
    command: str,
    lines: list[str],
    said: list[str],
    file_of: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_work(*_: object, **__: object) -> None:
        raise AssertionError("work began on bad input")

    monkeypatch.setattr(ipa.commands.query, "run_query", no_work)
    monkeypatch.setattr(ipa.commands.checking, "query_sql", no_work)
    path = file_of(*lines)
    assert main([command, path, *OPTIONS[command], "--check"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"ipa: {path}: ")
    assert captured.err.count("\n") == 1
    for part in said:
        assert part in captured.err


@pytest.mark.parametrize(
    ("option", "field"),
    [
        ("--match-key-bits", "match_key"),
        ("--attribution-constraint-id-bits", "attribution_constraint_id"),
        ("--timestamp-bits", "timestamp"),
        ("--value-bits", "trigger_value"),
    ],
)
def test_the_widths_asked_for_are_the_widths_allowed(
    option: str, field: str, file_of: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(HEADER, "trigger,9,9,9,,9")
    assert main(["query", path, *QUERY, option, "3"]) == 2
    assert f"row 1: {field}: must be an integer from 0 to 7\n" in capsys.readouterr().err
    assert main(["query", path, *QUERY, option, "4"]) == 0


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_an_unreadable_file_is_one_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", str(tmp_path / name), *QUERY]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"ipa: {tmp_path / name}: cannot be read: ")
    assert captured.err.count("\n") == 1


def test_bytes_that_are_no_text_are_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(HEADER.encode() + b"\n\xff\xfe\n")
    assert main(["query", str(path), *QUERY]) == 2
    assert "not utf-8 text" in capsys.readouterr().err


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--breakdowns", "4", "--cap", "100"], "--no-noise"),
        (["--breakdowns", "0", "--cap", "100", "--no-noise"], "breakdowns must be"),
        (["--breakdowns", "4", "--cap", "0", "--no-noise"], "cap must be"),
        ([*QUERY, "--match-key-bits", "257"], "match_key_bits must be"),
        ([*QUERY, "--value-bits", "0"], "value_bits must be"),
        ([*QUERY, "--seed", "-1"], "seed must be"),
    ],
)
def test_parameters_out_of_range_are_one_line(
    words: list[str],
    said: str,
    file_of: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["query", file_of(HEADER, SOURCE), *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["guess"],
        ["query"],
        ["query", "events.csv", "--no-noise"],
        ["query", "events.csv", *QUERY, "--cap", "many"],
        ["query", "events.csv", *QUERY, "--capping", "half"],
        ["query", "events.csv", *QUERY, "--security", "none"],
        ["query", "events.csv", *QUERY, "--form", "json"],
        ["generate"],
        ["generate", "--events", "1", "a\nb"],
        ["oracle", "events.csv", *ASKED, "--seed", "1"],
        ["oracle", "events.csv", *ASKED, "--no-noise"],
        ["oracle", "events.csv", *ASKED, "--security", "malicious"],
    ],
)
def test_options_that_cannot_be_parsed_are_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("ipa")
    assert captured.err.count("\n") == 1


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--events", "-1"], "--events must be an integer of at least 0, not -1"),
        (["--events", "1", "--users", "0"], "--users must be an integer of at least 1, not 0"),
        (
            ["--events", "1", "--breakdowns", "0"],
            "--breakdowns must be an integer from 1 to 1048576, not 0",
        ),
        (["--events", "1", "--seed", "-2"], "--seed must be an integer of at least 0, not -2"),
    ],
)
def test_generate_names_the_option(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", *words]) == 2
    assert capsys.readouterr() == ("", f"ipa: {said}\n")


@pytest.mark.parametrize(("count", "more"), [(1, ""), (3, " (and 2 more)")])
def test_check_finds_a_difference(
    count: int,
    more: str,
    file_of: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wrong(events: list[Event], parameters: QueryParameters) -> list[int]:
        sums = query_sql(events, parameters)
        return [total + (key >= 4 - count) for key, total in enumerate(sums)]

    monkeypatch.setattr(ipa.commands.checking, "query_sql", wrong)
    path = file_of(HEADER, "source,7,1,10,0,", TRIGGER)
    assert main(["query", path, *QUERY, "--check"]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("breakdown key")
    key = 4 - count
    assert captured.err == (
        f"ipa query: check failed, breakdown key {key} has 0 and should have 1{more}\n"
    )
    assert main(["oracle", path, *ASKED, "--check"]) == 1
    assert main(["query", path, *QUERY]) == 0


def test_check_finds_a_wrong_query(
    file_of: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wrong(events: list[Event], parameters: QueryParameters, **_: object) -> QueryResult:
        result = run_query(events, parameters, no_noise=True)
        return replace(result, sums=[*result.sums[:-1], result.sums[-1] ^ 1])

    monkeypatch.setattr(ipa.commands.query, "run_query", wrong)
    assert main(["query", file_of(HEADER, SOURCE, TRIGGER), *QUERY, "--check"]) == 1
    assert "breakdown key 3 has 1 and should have 0\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "ipa: interrupted\n"),
        (PermissionError(13, "Permission denied", "a\nb"), 2, "ipa: a\\nb: Permission denied\n"),
        (MemoryError(), 3, "ipa: not enough memory\n"),
        (BudgetError("nothing left"), 3, "ipa: nothing left\n"),
        (VerificationError("query/sort", "a lie", [1, 2]), 3, "(noticed by H1 and H2)\n"),
    ],
)
def test_what_ends_a_query_early_is_one_line(
    error: BaseException,
    status: int,
    said: str,
    file_of: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(ipa.commands.query, "run_query", fail)
    assert main(["query", file_of(HEADER, SOURCE), *QUERY]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith(said)
    assert captured.err.count("\n") == 1


def test_an_interrupt_inside_sql_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(blob: bytes) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(ipa.oracle.sql, "_number", interrupted)
    events: list[Event] = [SourceEvent(7, 1, 10, 2), TriggerEvent(7, 1, 20, 25)]
    with pytest.raises(KeyboardInterrupt):
        sums_by_sql(events, QueryParameters(breakdowns=4, cap=100))
