"""What the `ipa` command refuses, or cannot finish: one line, and an exit status that says which."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line_cases import ASKED, HEADER, OPTIONS, QUERY, SOURCE

import ipa.commands.checking
import ipa.commands.query
import ipa.oracle.sql
from ipa.commands.command_line import main
from ipa.errors import BudgetError, VerificationError


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--epsilon", "0"], "epsilon must be from 1/1000000 to 64, not 0"),
        (["--epsilon", "1", "--delta", "0"], "delta must be from"),
        (["--no-noise", "--delta", "0.1"], "--delta is for sums with noise: it needs --epsilon"),
        (["--no-noise", "--mechanism", "laplace"], "--mechanism is for sums with noise"),
        (["--no-noise", "--clip"], "--clip is for sums with noise"),
    ],
)
def test_options_of_noise_are_never_ignored(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], file_of: Callable[..., str]
) -> None:
    assert main(["query", file_of(HEADER, SOURCE), *ASKED, *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"ipa: {said}")
    assert captured.err.count("\n") == 1
