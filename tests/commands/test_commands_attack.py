"""`ipa attack`: what the laboratory reports, in words and as JSON, and what it refuses."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line_cases import HEADER, SOURCE, TRIGGER
from terminal_cases import WIDTHS, seen

from ipa import QueryParameters, generate_events
from ipa.attacks import Attack, add_error, feed_other_input, run_attack, tamper
from ipa.commands.attack import BEHAVIOURS
from ipa.commands.command_line import main

EVENTS = generate_events(30, breakdowns=4, seed=7)
PARAMETERS = QueryParameters(breakdowns=4, cap=100)
SORT = "query/sort/*"


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["attack", *words, "--format", "json", "--seed", "1"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(
    ("words", "attack"),
    [
        (["add-error", "--step", SORT], add_error(2, SORT)),
        (["other-input", "--helper", "3"], feed_other_input(3)),
        (["drop", "--step", "query/h*", "--helper", "1"], tamper(1, "query/h*", "drop")),
        (
            ["flip", "--step", "check/*/coin/open", "--receiver", "3", "--bit", "9"],
            tamper(2, "check/*/coin/open", "flip", receiver=3, bit=9),
        ),
    ],
)
def test_it_runs_the_attack_that_is_asked_for(
    words: list[str], attack: Attack, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run_attack(EVENTS, PARAMETERS, attack, seed=1)
    assert answer(capsys, *words) == {
        "behaviour": words[0],
        "helper": attack.helper,
        "tampered": report.tampered,
        "outcome": "aborted",
        "step": report.step,
        "detected_by": list(report.detected_by),
        "errors": {str(helper): str(error) for helper, error in report.errors.items()},
        "result_is_right": None,
    }
    assert report.tampered > 0
    assert attack.helper not in report.detected_by


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_behaviour_can_be_had(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--step", SORT] if "step" in BEHAVIOURS[name].options else []
    found = answer(capsys, name, *words)
    assert found["tampered"] > 0
    assert found["outcome"] == "aborted"


def test_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attack", "flip", "--step", "query/agreement/verdict", "--seed", "1"]) == 0
    lines = " ".join(capsys.readouterr().out.split())
    assert lines.startswith("H2 inverts a bit of messages: 2 times. The query was aborted at ")
    assert "aborted at query/agreement/verdict, noticed by H1 and H3. No result came out." in lines
    assert re.search(r"H1 says: query/agreement/verdict: .* H3 says: query/agreement/", lines)


def test_a_wrong_result_fails_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["attack", "add-error", "--step", "query/capping/*"]
    words += ["--security", "semi-honest", "--seed", "1"]
    for check, status in (([], 0), (["--check"], 1)):
        assert main([*words, *check]) == status
        said = capsys.readouterr().out
        assert "Nobody noticed. A result came out, and it is WRONG.\n" in said
    assert main(["attack", "add-error", "--step", SORT, "--check"]) == 0
    assert "No result came out" in " ".join(capsys.readouterr().out.split())


def test_the_seed_is_that_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []

    def watched(events: Any, parameters: Any, attack: Attack, seed: int | None) -> Any:
        seeds.append(seed)
        return run_attack(events, parameters, attack, seed)

    monkeypatch.setattr("ipa.commands.attack.run_attack", watched)
    for words in (["--seed", "5"], []):
        assert main(["attack", "other-input", "--security", "semi-honest", *words]) == 0
    assert seeds == [5, None]


def test_in_threads_one_helper_can_be_lied_to(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["flip", "--step", "query/agreement/verdict", "--receiver", "1", "--threads"]
    found = answer(capsys, *words)
    assert found["tampered"] == 1
    assert found["errors"]["1"].startswith("query/agreement/verdict:")
    assert found["errors"]["3"].startswith("query/agreement/confirmation: H1 aborted")


def test_events_of_a_file(file_of: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["replay", "--step", SORT, "--events", file_of(HEADER, SOURCE, TRIGGER)]
    assert answer(capsys, *words)["tampered"] > 0
    assert main(["attack", *words, "--breakdowns", "2"]) == 2
    assert "breakdown_key: must be an integer from 0 to 1" in capsys.readouterr().err


def test_what_there_is_to_attack_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attack", "--list", "--helper", "3"]) == 0
    text = capsys.readouterr().out
    assert "steps in which H3 sends:" in text
    for name, one in BEHAVIOURS.items():
        options = " ".join(f"--{option}" for option in sorted(one.options))
        line = next(line for line in text.splitlines() if line.startswith(f"{name} "))
        assert line.split() == [name, *one.told.split(), *options.split()]
    patterns = re.findall(r"^((?:query|check)\S+) +[\d,]+ +[\d,]+$", text, re.MULTILINE)
    assert {"query/sort/*", "query/input-check", "check/bits/*"} <= set(patterns)
    for pattern in patterns:
        attack = tamper(3, pattern, "replay")
        assert run_attack(EVENTS, PARAMETERS, attack, seed=1).tampered > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "a behaviour is needed, one of flip, drop,"),
        (["explode"], "invalid choice: 'explode'"),
        (["drop"], "drop needs --step, a pattern"),
        (["drop", "--step", "nothing/*"], "the attack changed nothing: H2 does nothing"),
        (["add-error", "--step", "query/agreement/*"], "the attack changed nothing"),
        (["drop", "--step", SORT, "--bit", "1"], "--bit means nothing for drop"),
        (["other-keys", "--step", SORT], "--step means nothing for other-keys"),
        (["other-input", "--receiver", "1"], "--receiver means nothing for other-input"),
        (["flip", "--step", SORT, "--receiver", "2"], "the receiver must be another helper"),
        (["flip", "--step", SORT, "--bit", "-1"], "bit must be an integer of at least 0"),
        (["flip", "--step", SORT, "--seed", "-1"], "seed must be an integer of at least 0"),
        (["other-keys", "--helper", "4"], "invalid choice: 4"),
        (["other-keys", "--events", "nowhere.csv"], "nowhere.csv: cannot be read"),
        (["flip", "--list"], "--list runs no attack: leave out a behaviour"),
        (["--list", "--threads"], "--list runs no attack: leave out --threads"),
        (["--list", "--format", "json"], "--list is text: leave out --format"),
    ],
)
def test_what_cannot_be_asked(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["attack", *words])
    except SystemExit as exit:
        status = int(str(exit.code))
    output = capsys.readouterr()
    assert (status, output.out, output.err.count("\n")) == (2, "", 1)
    assert said in output.err


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_the_terminal(width: int, tmp_path: Path) -> None:
    words = ["attack", "flip", "--step", "query/agreement/verdict", "--seed", "1"]
    text = seen(width, words, tmp_path)
    assert all(len(line) <= width for line in text.splitlines())
    assert "noticedbyH1andH3.Noresultcameout." in "".join(text.split())


def test_the_list_fits_a_narrow_terminal(tmp_path: Path) -> None:
    width = 20
    listed = seen(width, ["attack", "--list"], tmp_path)
    assert all(len(line) <= width for line in listed.splitlines())
