"""Helpers in processes of their own that fail, die or fall silent: one clear error, and no orphans."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from apart_cases import Told, act, children_of, is_running, wait_until

import ipa
from ipa.errors import BudgetError, ChannelError, IpaError, VerificationError
from ipa.events import write_events_csv
from ipa.events.workload import generate_events
from ipa.network import apart
from ipa.network.helper_process import Failed, write_message
from ipa.network.processes import start_process
from ipa.network.simulation import RunOptions, new_run_name
from ipa.parties import HELPERS

APART = RunOptions(apart=True)


def outcome_of(*words: str, options: RunOptions = APART) -> BaseException:
    """The error when helpers 1, 2 and 3 are told these words; no process is left."""
    before = children_of(os.getpid())  # of other tests: what keeps track of process pools
    with pytest.raises(Exception) as caught:
        options.run(new_run_name(), "malicious", act, Told(dict(zip(HELPERS, words, strict=True))))
    assert set(children_of(os.getpid())) <= set(before)
    return caught.value


@pytest.mark.parametrize(
    "words", [("-", "check", "-"), ("check", "-", "check"), ("-", "-", "check")]
)
def test_the_error_is_the_one_of_who_noticed(words: tuple[str, ...]) -> None:
    error = outcome_of(*words)
    noticed = [helper for helper in HELPERS if words[helper - 1] == "check"]
    expected = VerificationError("act", "the check failed", noticed)
    assert type(error) is VerificationError
    assert (str(error), vars(error)) == (str(expected), vars(expected))


def test_the_error_is_that_of_the_helper_who_knows_and_not_of_those_who_repeat_it() -> None:
    error = outcome_of("repeat", "repeat", "refuse")
    assert (type(error), str(error)) == (BudgetError, "helper 3 has nothing left")
    error = outcome_of("-", "repeat", "-")
    assert (type(error), str(error)) == (BudgetError, "another helper has nothing left")


def test_a_fault_says_where_it_happened() -> None:
    error = outcome_of("-", "fault", "-")
    assert (type(error), error.args) == (KeyError, ("fault of helper 2",))
    (note,) = error.__notes__
    assert "apart_cases.py" in note and "in do\n" in note
    error = outcome_of("odd", "-", "-")
    assert type(error) is RuntimeError
    assert "OddError: ('odd', <function" in str(error)


@pytest.mark.parametrize("helper", HELPERS)
def test_a_killed_helper_is_named(helper: int) -> None:
    error = outcome_of(*("die" if other == helper else "-" for other in HELPERS))
    others = [other for other in HELPERS if other != helper]
    assert isinstance(error, ChannelError)
    assert error.step == "act/after"
    assert error.problem == f"H{helper} went silent: its process was killed by SIGKILL"
    assert error.detected_by == tuple(others)


def test_a_helper_that_leaves_is_named_and_what_another_one_knows_comes_first() -> None:
    error = outcome_of("-", "leave", "-")
    assert isinstance(error, ChannelError)
    assert error.problem == "H2 went silent: its process ended with exit status 7"
    assert isinstance(outcome_of("die", "check", "-"), VerificationError)
    all_gone = outcome_of("leave", "leave", "leave")
    assert str(all_gone) == "apart: H1 went silent: its process ended with exit status 7"


def test_a_helper_that_stands_still_is_noticed_in_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apart, "SILENCE_SECONDS", 1.0)
    monkeypatch.setattr(apart, "LAST_WORDS_SECONDS", 1.0)
    error = outcome_of("-", "-", "stop")
    assert isinstance(error, ChannelError)
    assert (error.step, error.problem) == ("act/after", "no message from H3")
    assert error.detected_by == (1, 2)


def test_processes_that_cannot_start_are_an_error_and_not_a_hang(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    error = outcome_of("-", "-", "-")
    assert isinstance(error, ChannelError)
    assert str(error) == "apart: H1 went silent: its process ended with exit status 1"


SCRIPT = """
import ipa

def step(path):
    print(path, flush=True)

print("main", flush=True)
ipa.run_query(
    ipa.generate_events({events}, breakdowns=4),
    ipa.QueryParameters(breakdowns=4, cap=100),
    no_noise=True,
    apart=True,
    options=ipa.RunOptions(on_step=step, {options}),
)
print("done")
"""


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *words],
        env=os.environ | {"PYTHONPATH": str(Path(ipa.__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A background job's children ignore Ctrl-C, unless told otherwise.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_a_script_without_a_guard_for_its_main_module_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(events=10, options=""))
    with start(str(script)) as process:
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    lines = out.splitlines()
    assert (lines[0], lines[-1]) == ("main", "done")
    assert lines.count("main") == lines.count("query") == 1


@pytest.mark.parametrize(
    ("sent", "options"),
    [
        (signal.SIGINT, ""),
        (signal.SIGTERM, ""),
        (signal.SIGKILL, ""),
        (signal.SIGKILL, "apart=True, tls=True"),
    ],
)
def test_no_process_outlives_the_one_that_started_it(sent: signal.Signals, options: str) -> None:
    """Ctrl-C reaches the whole group, as from a terminal; the others the process alone."""
    with start("-c", SCRIPT.format(events=10_000, options=options)) as process:
        assert process.stdout is not None and process.stderr is not None
        while not process.stdout.readline().startswith("query/sort/"):
            assert process.poll() is None
        children = children_of(process.pid)
        assert len(children) == 3
        assert all(map(is_running, children))
        if sent == signal.SIGINT:
            os.killpg(process.pid, sent)
        else:
            process.send_signal(sent)
        assert process.wait(60) == -sent
        wait_until(lambda: not any(map(is_running, children)))
        tracebacks = process.stderr.read().count("Traceback")
        assert tracebacks == (1 if sent == signal.SIGINT else 0)
        assert "done" not in process.stdout.read()


def test_a_helper_whose_starter_is_gone_before_it_tells_ends_without_a_word(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Standard input is still open, so that only the telling can notice it."""
    with start_process("ipa.network.helper_process") as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdout.close()
        write_message(process.stdin, "no assignment")
        assert process.wait(60) == 1
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_while_the_processes_start_ends_the_command_cleanly(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    with path.open("w") as stream:
        write_events_csv(generate_events(20_000, breakdowns=4), stream)
    words = ["query", str(path), "--breakdowns", "4", "--cap", "9", "--no-noise", "--apart"]
    with start("-m", "ipa", *words) as process:
        wait_until(lambda: len(children_of(process.pid)) == 3)
        children = children_of(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "ipa: interrupted\n")
    assert not any(map(is_running, children))


def test_an_error_keeps_what_it_says_on_its_way() -> None:
    for error in (
        IpaError("a"),
        VerificationError("step", "problem", [3, 1]),
        BudgetError("b").heard(),
        OSError(2, "not there"),
    ):
        failed = Failed.by(error)
        same = failed.error()
        assert (type(same), same.args, str(same)) == (type(error), error.args, str(error))
        kept = {name: value for name, value in vars(same).items() if name != "__notes__"}
        assert kept == vars(error)
