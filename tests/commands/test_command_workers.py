"""`ipa query --workers`: the same answers, and a clean end whatever happens to whom."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_cases import NEWS, collect, two_sites, write_events
from executor_cases import PicklingExecutor

import ipa.commands.query
import ipa.commands.reports
from ipa import TriggerEvent, generate_events, write_events_csv
from ipa.commands.command_line import main

QUERY = ["--breakdowns", "16", "--cap", "50", "--no-noise"]


def events_file(folder: Path, count: int) -> str:
    path = folder / "events.csv"
    with path.open("w") as stream:
        write_events_csv(generate_events(count, seed=5), stream)
    return str(path)


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[1]) == process:
            found.append(int(path.parent.name))
    return found


def is_worker(process: int) -> bool:
    """Whether a child is a worker, and not what looks after shared resources."""
    try:
        return b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def until_ended(processes: list[int]) -> None:
    """Wait for the end of all of them.

    Raises: AssertionError when they do not end.
    """
    deadline = time.monotonic() + 60
    while any(map(is_running, processes)):
        assert time.monotonic() < deadline, "workers outlived the command"
        time.sleep(0.02)


@contextmanager
def long_query(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A query that would take long, with its two workers, once they run."""
    path = events_file(folder, 1 << 14)
    with subprocess.Popen(
        [sys.executable, "-m", "ipa", "query", path, *QUERY, "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            workers: list[int] = []
            deadline = time.monotonic() + 60
            while len(workers) < 2:
                assert time.monotonic() < deadline, "no workers"
                time.sleep(0.02)
                workers = [child for child in children(process.pid) if is_worker(child)]
            yield process, workers
        finally:
            if process.poll() is None:
                process.kill()
    until_ended(workers)


def test_the_sums_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["query", events_file(tmp_path, 100), *QUERY, "--seed", "1", "--format", "json"]
    shown = []
    for more in ([], ["--workers", "2", "--check"]):
        assert main([*words, *more]) == 0
        shown.append(json.loads(capsys.readouterr().out))
    assert shown[0]["sums"] == shown[1]["sums"]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_workers_work_for_events_and_for_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int | None] = []
    executor = PicklingExecutor()

    @contextmanager
    def here(count: int | None) -> Iterator[PicklingExecutor]:
        asked.append(count)
        yield executor

    monkeypatch.chdir(tmp_path)
    assert main(["keygen", "--out", "net"]) == 0
    of_site = [
        each for each in two_sites(20) if each.site == NEWS or isinstance(each, TriggerEvent)
    ]
    write_events(of_site)
    assert collect() == 0
    for module, words in (
        (ipa.commands.query, ["events.csv"]),
        (ipa.commands.reports, ["q", "--keys", "net", "--no-budget"]),
    ):
        monkeypatch.setattr(module, "worker_processes", here)
        before = len(executor.sizes)
        assert main(["query", *words, *QUERY, "--workers", "3"]) == 0
        assert len(executor.sizes) > before
    assert asked == [3, 3]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--workers", "0"], "--workers must be an integer from 1 to 61, not 0"),
        (["--workers", "62"], "--workers must be an integer from 1 to 61, not 62"),
        (["--workers", "1", "--security", "semi-honest"], "--security malicious"),
    ],
)
def test_workers_that_cannot_be_are_refused(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", events_file(tmp_path, 5), *QUERY, *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="finds workers in /proc"
)


@needs_proc
def test_ctrl_c_ends_the_query_and_its_workers_quietly(tmp_path: Path) -> None:
    with long_query(tmp_path) as (process, _):
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of the foreground
        assert process.wait(60) == 130
        assert process.communicate() == ("", "ipa: interrupted\n")


@needs_proc
def test_a_worker_that_is_killed_is_one_line_and_no_sums(tmp_path: Path) -> None:
    with long_query(tmp_path) as (process, workers):
        os.kill(workers[0], signal.SIGKILL)
        assert process.wait(120) == 3
        output, errors = process.communicate()
        assert output == ""
        assert errors == "ipa: check/bits/values: a worker failed: BrokenProcessPool\n"


@needs_proc
def test_workers_do_not_outlive_a_command_that_is_killed(tmp_path: Path) -> None:
    with long_query(tmp_path) as (process, workers):
        process.kill()
        process.wait(60)
        until_ended(workers)
