"""The `ipa` command as a process of its own: streams, pipes, signals, start-up."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ipa import QueryParameters, generate_events, write_events_csv
from ipa.oracle.sql import query_sql

IPA = [sys.executable, "-m", "ipa"]
QUERY = ["--breakdowns", "16", "--cap", "50", "--security", "semi-honest", "--no-noise"]


def run(words: Sequence[str], standard_input: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*IPA, *words], input=standard_input, capture_output=True, text=True, timeout=120
    )


def test_generate_into_query_from_standard_input() -> None:
    generated = run(["generate", "--events", "50", "--seed", "3"])
    assert (generated.returncode, generated.stderr) == (0, "")
    answer = run(["query", "-", *QUERY, "--check", "--format", "json"], generated.stdout)
    assert answer.returncode == 0
    assert answer.stderr == "ipa query: check passed, the oracle computes the same sums\n"
    expected = query_sql(generate_events(50, seed=3), QueryParameters(breakdowns=16, cap=50))
    assert json.loads(answer.stdout)["sums"] == expected


def test_bad_standard_input_is_named_and_there_is_no_traceback() -> None:
    answer = run(["query", "-", *QUERY], "report,match_key\n")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("ipa: standard input: ")
    assert answer.stderr.count("\n") == 1


def test_the_installed_command_is_the_same() -> None:
    command = Path(sys.executable).with_name("ipa")
    shown = subprocess.run([command, "--help"], capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0
    assert shown.stdout == run(["--help"]).stdout


@pytest.mark.parametrize("events", ["5", "20000"])  # fits the output's buffer, and does not
def test_a_closed_pipe_ends_quietly(events: str) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [*IPA, "generate", "--events", events], stdout=writes, stderr=subprocess.PIPE, timeout=60
    )
    os.close(writes)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("events", ["5", "20000"])
def test_a_full_disk_is_one_line(events: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*IPA, "generate", "--events", events],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("ipa: standard output cannot be written: ")
    assert done.stderr.count("\n") == 1


def test_any_name_can_be_shown_whatever_the_terminal_s_encoding(tmp_path: Path) -> None:
    def shown(*words: bytes) -> bytes:
        environment = os.environ | {"PYTHONIOENCODING": "ascii"}
        done = subprocess.run(
            [*IPA, *words], cwd=tmp_path, env=environment, capture_output=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout

    assert shown(b"keygen", b"--out", b"\xfe").startswith(rb"\udcfe: network helpers.example")
    site = "caf\u00e9".encode()
    words = [b"--network", b"\xfe/network.json", b"--site", site, b"--commit", b"a=1"]
    assert rb"caf\xe9" in shown(b"budget", b"--ledger", b"l", b"--create", b"1", *words)
    (budget,) = json.loads(shown(b"budget", b"--ledger", b"l", b"--format", b"json"))
    assert budget["site"] == "caf\u00e9"


def test_sigterm_leaves_no_temporary_directory_behind(tmp_path: Path) -> None:
    assert run(["keygen", "--out", str(tmp_path / "net")]).returncode == 0
    words = ["collect", "-", "--network", "net/network.json", "--out", "q"]
    words += ["--site", "a", "--fanout", "source"]
    with subprocess.Popen(
        [*IPA, *words], cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while len(list(tmp_path.iterdir())) == 1:  # until it has begun, and waits for its input
            time.sleep(0.01)
        process.terminate()
        assert process.wait(60) == 143
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


def test_closed_standard_input_is_one_line() -> None:
    command = " ".join([*IPA, "query", "-", *QUERY, "<&-"])
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ipa: standard input: cannot be read: ")


def test_ctrl_c_ends_a_query_cleanly_and_the_terminal_saw_progress(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    with path.open("w") as stream:
        write_events_csv(generate_events(1 << 14), stream)
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [*IPA, "query", str(path), *QUERY, "--sort", "bitonic"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        # A background job's children ignore Ctrl-C, unless told otherwise.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        os.close(theirs)
        assert process.stdout is not None
        seen = b""
        while b"sort: stage" not in seen:
            seen += os.read(ours, 1000)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stdout.read() == b""
    while b"interrupted" not in seen:
        seen += os.read(ours, 1000)
    os.close(ours)
    assert seen.endswith(b"\r\x1b[Kipa: interrupted\r\n")
    assert b"Traceback" not in seen


def test_starting_up_imports_nothing_slow_that_the_command_does_not_need() -> None:
    for command, unneeded in (
        ("generate", {"rich", "ipa.client.keys", "ipa.commands.output"}),
        ("query", {"rich", "ipa.client.keys"}),
    ):
        program = (
            f"import sys; from ipa.commands.command_line import _parser; _parser(['{command}']);"
            "print(*sys.modules)"
        )
        shown = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        assert not unneeded & set(shown.stdout.split())
