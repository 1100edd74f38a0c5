"""`ipa demo`: what it shows is what the helpers hold and send, and a helper's view has nothing else."""

import io
import re
import sys
from pathlib import Path
from typing import get_args

import pytest
from terminal_cases import WIDTHS, seen

from ipa.commands.command_line import main
from ipa.commands.demo_steps import PARAMETERS, DemoStep, StepName, demo_steps
from ipa.events.worked_example import WORKED_EXAMPLE
from ipa.oracle import query_sql
from ipa.oracle.steps import (
    attributed_credits,
    cap_credits,
    rows_from_events,
    sort_rows,
)
from ipa.parties import left_of
from ipa.sharing.dealing import reconstruct_for_testing

STEPS = list(demo_steps(1))
"""Every step, in order."""


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["demo", *words]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


def of(name: StepName) -> DemoStep:
    return next(step for step in STEPS if step.name == name)


def test_the_steps_are_those_of_the_oracle() -> None:
    rows = sort_rows(rows_from_events(WORKED_EXAMPLE, "sum"))
    first = of("sort").first_row
    keys = reconstruct_for_testing(of("sort").held[0][1])
    assert keys == [0] * first + [row.match_key for row in rows]
    credits = attributed_credits(rows, "last-touch", None)
    assert reconstruct_for_testing(of("attribution").held[0][1])[first:] == credits
    capped = cap_credits(rows, credits, PARAMETERS.cap, PARAMETERS.capping)
    assert reconstruct_for_testing(of("capping").held[0][1])[first:] == capped
    assert max(credits) > max(capped) == PARAMETERS.cap
    sums = reconstruct_for_testing(of("aggregation").held[0][1])
    assert sums == query_sql(WORKED_EXAMPLE, PARAMETERS)
    assert [step.name for step in STEPS] == list(get_args(StepName))


def test_everything_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys)
    titles = re.findall(r"^(\d)\. ([a-z-]+): ", text, re.MULTILINE)
    assert titles == [(str(n), name) for n, name in enumerate(get_args(StepName), start=1)]
    released = of("release").sums
    assert released is not None and min(released) < 0
    assert max(map(len, text.splitlines())) <= 80  # where there is no terminal, too
    assert text.endswith(f"the report collector has: {', '.join(map(str, released))}\n")
    for total in released:
        assert re.search(rf"^ +\d( +[0-9a-f]{{4}}){{4}} +{total}$", text, re.MULTILINE)


def test_shares_in_a_row_are_those_of_their_value(capsys: pytest.CaptureFixture[str]) -> None:
    rows = re.findall(
        r"^ *(\d+)((?: +[0-9a-f]+){4}) +(-?\d+)$", said(capsys, "--step", "sort"), re.MULTILINE
    )
    assert len(rows) == 5
    for _, cells, value in rows:
        one, two, three, together = (int(cell, 16) for cell in cells.split())
        assert one ^ two ^ three == together == int(value)
    assert {int(value) for _, _, value in rows} == {1454}


@pytest.mark.parametrize("helper", [1, 2, 3])
def test_a_helper_sees_its_shares_and_messages_alone(
    helper: int, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, "--helper", str(helper), "--step", "sort", "--step", "release")
    whole = said(capsys, "--step", "sort")
    columns = {
        number: re.findall(rf"^ *\d+{' +([0-9a-f]{4})' * 3}", whole, re.MULTILINE)
        for number in (1, 2, 3)
    }
    right = helper % 3 + 1
    shown = re.findall(r"^ *\d+ +([0-9a-f]{4}) +([0-9a-f]{4})$", text, re.MULTILINE)
    expected = [(row[min(helper, right) - 1], row[max(helper, right) - 1]) for row in columns[1]]
    held = [row if helper < right else row[::-1] for row in shown[:5]]
    assert held == expected
    routes = re.findall(r"^(H\d) +(H\d) ", text, re.MULTILINE)
    assert routes == sorted([(f"H{helper}", f"H{left_of(helper)}"), (f"H{right}", f"H{helper}")])
    for public in ("XOR", "value", "put together", "collector has", "1454"):
        assert public not in text


def test_options_choose_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--seed", "2") != said(capsys) == said(capsys, "--seed", "1")
    assert list(demo_steps(2))[-1].sums != STEPS[-1].sums  # what helpers draw is another, too
    few = said(capsys, "--step", "share", "--rows", "2")
    assert few.count("trigger of") + few.count("source for") == 2
    many = said(capsys, "--step", "sort", "--rows", "100")
    assert many.count("trigger of") + many.count("source for") == len(WORKED_EXAMPLE)
    for words, problem in (
        (["--rows", "0"], "--rows must be an integer of at least 1, not 0"),
        (["--seed", "-1"], "--seed must be an integer of at least 0, not -1"),
    ):
        assert main(["demo", *words]) == 2
        assert problem in capsys.readouterr().err


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pause_waits_for_enter(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard("\n\n"))
    assert main(["demo", "--pause"]) == 0
    output = capsys.readouterr()
    assert re.findall(r"^(\d)\. ", output.out, re.MULTILINE) == ["1", "2", "3"]
    assert output.err.count("Enter goes on") == 3  # and then the keyboard ended
    monkeypatch.setattr(sys, "stdin", Keyboard("\n" * 20))
    assert main(["demo", "--pause"]) == 0
    assert capsys.readouterr().err.count("Enter goes on") == len(STEPS) - 1
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    assert main(["demo", "--pause"]) == 2
    assert "--pause needs a terminal" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_a_terminal_without_rich(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipa.commands.tables.find_spec", lambda name: None)
    monkeypatch.setenv("COLUMNS", str(width))
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["demo"]) == 0
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert len([line for line in lines if line.strip().endswith("1454")]) >= 5


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_the_terminal(width: int, tmp_path: Path) -> None:
    text = seen(width, ["demo"], tmp_path)
    assert all(len(line) <= width for line in text.splitlines())
    released = of("release").sums
    assert released is not None
    assert f"thereportcollectorhas:{','.join(map(str, released))}" in "".join(text.split())
    if width >= 40:
        assert len(re.findall(r"^ +\d+( +[0-9a-f]{4}){4} +1454", text, re.MULTILINE)) >= 5
