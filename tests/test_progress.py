"""Progress of a run where it is looked at: in a notebook, on a terminal, in a file of lines."""

import itertools
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest

import ipa
from ipa.progress import StepDisplay

STEPS = ["query", "query/sort/a", "query/sort/stage-2/x", "check/bits", "query/sort/stage-3/x"]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes between two looks at the clock."""
    ticks = itertools.count()
    monkeypatch.setattr("ipa.progress.perf_counter", lambda: float(next(ticks)))
    monkeypatch.setitem(sys.modules, "IPython", None)


def shown(display: StepDisplay, steps: list[str] = STEPS) -> None:
    with display:
        for step in steps:
            display(step)


def test_in_a_file_each_kind_of_step_is_a_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    shown(StepDisplay(5))
    output = capsys.readouterr()
    assert output.out == ""
    lines = [re.sub(r"^ *[0-9.]+ s  ", "", line) for line in output.err.splitlines()]
    assert lines == ["query", "sort", "check", "done"]
    assert output.err.splitlines()[0] == "   1.0 s  query"


def test_on_a_terminal_one_line_is_written_over(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown(StepDisplay(5))
    first, *lines = capsys.readouterr().err.split("\r\x1b[K")
    assert first == ""
    assert lines[2].endswith("sort: stage 3 of 6 (33 %)")
    assert lines[-1].endswith("s  done\n")
    assert sum(line.count("\n") for line in lines) == 1


def test_steps_that_come_fast_are_not_all_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    ticks = itertools.count()
    monkeypatch.setattr("ipa.progress.perf_counter", lambda: next(ticks) / 16)
    display = StepDisplay(5)
    for _ in range(40):
        display("query/sort/stage-2/x")
    assert 8 <= capsys.readouterr().err.count("stage 3") <= 16


class Output:
    """An output of a notebook: what it showed, one after the other."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def display(self, content: dict[str, str], *, raw: bool, display_id: bool) -> "Output":
        assert (raw, display_id, self.texts) == (True, True, [])
        self.update(content, raw=raw)
        return self

    def update(self, content: dict[str, str], *, raw: bool) -> None:
        assert raw and set(content) == {"text/plain"}
        self.texts.append(content["text/plain"])


def notebook(monkeypatch: pytest.MonkeyPatch, shell: Any) -> Output:
    output = Output()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=output.display))
    return output


def test_in_a_notebook_one_output_is_updated(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = notebook(monkeypatch, SimpleNamespace(kernel="kernel"))
    shown(StepDisplay(5))
    assert output.texts[2].endswith("s  sort: stage 3 of 6 (33 %)")
    assert output.texts[-1] == "done"  # the same in every run, for a notebook that is kept
    assert capsys.readouterr().err == ""
    for shell in (None, SimpleNamespace()):  # imported by something else; in a terminal
        output = notebook(monkeypatch, shell)
        shown(StepDisplay(5))
        assert output.texts == []
        assert capsys.readouterr().err.count("\n") == 4


def test_a_run_that_fails_is_not_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ipa.ParameterError), StepDisplay() as display:
        display("query")
        ipa.run_query([], ipa.QueryParameters(breakdowns=1, cap=1))
    assert capsys.readouterr().err.endswith("s  ended by ParameterError\n")


def test_it_shows_the_steps_of_a_query(capsys: pytest.CaptureFixture[str]) -> None:
    events = ipa.generate_events(3, breakdowns=2)
    parameters = ipa.QueryParameters(breakdowns=2, cap=5, security="semi-honest")
    with StepDisplay(len(events)) as display:
        ipa.run_query(events, parameters, no_noise=True, options=ipa.RunOptions(on_step=display))
    said = capsys.readouterr().err
    for step in ("sort", "attribution", "capping", "aggregation", "done"):
        assert f"s  {step}\n" in said
