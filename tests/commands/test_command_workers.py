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
from random import Random

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


def fields(process: int) -> list[str]:
    """State, parent, group and session of a process; none when it has ended."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return []
    return stat.rpartition(")")[2].split()[:4]


def of_session(leader: int) -> list[int]:
    """The processes of a session that have not ended."""
    numbers = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [
        number
        for number in numbers
        if (of := fields(number)) and of[0] != "Z" and int(of[3]) == leader
    ]


def is_worker(process: int) -> bool:
    try:
        return b"worker_executor" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def until_ended(leader: int) -> None:
    """Wait for the end of all processes of a session.

    Raises: AssertionError when they do not end.
    """
    deadline = time.monotonic() + 60
    while of_session(leader):
        assert time.monotonic() < deadline, "workers outlived the command"
        time.sleep(0.02)


@contextmanager
def long_query(folder: Path, running: int = 2) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A query that would take long, with two workers, once so many of them run."""
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
            while len(workers) < running:
                assert time.monotonic() < deadline, "no workers"
                time.sleep(0.01)
                workers = list(filter(is_worker, of_session(process.pid)))
            yield process, workers
        finally:
            if process.poll() is None:
                process.kill()
    until_ended(process.pid)


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
        (["--workers", "1", "--apart"], "--workers and --apart do not go together"),
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


# While the workers start, and at some moments of the query.
MOMENTS = [(1, 0.0), (2, 0.0), *((2, Random(seed).uniform(0, 1.5)) for seed in range(3))]


@needs_proc
@pytest.mark.parametrize(("running", "seconds"), MOMENTS)
@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [(signal.SIGINT, 130, "ipa: interrupted\n"), (signal.SIGTERM, 143, "")],
)
def test_a_signal_to_all_ends_the_query_and_its_workers_quietly(
    sent: int, status: int, said: str, running: int, seconds: float, tmp_path: Path
) -> None:
    with long_query(tmp_path, running) as (process, _):
        time.sleep(seconds)
        os.killpg(process.pid, sent)  # as a terminal does: to all of the foreground
        assert process.wait(60) == status
        assert not list(filter(is_worker, of_session(process.pid)))
        assert process.communicate() == ("", said)


@needs_proc
def test_a_worker_that_is_killed_is_one_line_and_no_sums(tmp_path: Path) -> None:
    with long_query(tmp_path) as (process, workers):
        os.kill(workers[0], signal.SIGKILL)
        assert process.wait(120) == 3
        output, errors = process.communicate()
        assert output == ""
        assert errors == "ipa: check/bits/values: a worker failed: BrokenExecutor\n"


@needs_proc
def test_workers_do_not_outlive_a_command_that_is_killed(tmp_path: Path) -> None:
    with long_query(tmp_path) as (process, _):
        process.kill()
        process.wait(60)
        until_ended(process.pid)
