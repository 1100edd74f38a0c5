"""`ipa demo --apart`: three services answer the worked example, and however it ends nothing is left."""

import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from apart_cases import is_running, wait_until
from terminal_cases import seen

from ipa.commands import demo_apart
from ipa.commands.command_line import main
from ipa.commands.demo_steps import PARAMETERS
from ipa.errors import ServiceError
from ipa.events.worked_example import WORKED_EXAMPLE
from ipa.oracle import query_sql
from ipa.service import local_services
from ipa.service.local_services import LocalHelper, free_addresses

SECTIONS = ["keys", "processes", "query", "sums", "budget", "logs"]
EVENTS = ["listening", "query runs", "query accepted", "query done", "stopping", "stopped"]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All temporary files of this process and its children are made in `tmp_path`; nobody is killed."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    kill = LocalHelper.kill

    def fail(helper: LocalHelper) -> None:
        """End it all the same."""
        kill(helper)
        pytest.fail(f"H{helper.helper} does not stop")

    monkeypatch.setattr(local_services, "_STOP_SECONDS", 30)
    monkeypatch.setattr(LocalHelper, "kill", fail)


def processes_of(folder: Path) -> list[int]:
    """The processes, other than this one, whose temporary files are made in the folder."""
    wanted = f"TMPDIR={folder}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            is_one = wanted in path.read_bytes().split(b"\0")
        except OSError:  # it has ended, or is another user's
            continue
        process = int(path.parent.name)
        if is_one and process != os.getpid() and is_running(process):
            found.append(process)
    return found


def addresses_in(text: str) -> list[tuple[str, int]]:
    return [("127.0.0.1", int(port)) for port in re.findall(r" 127\.0\.0\.1:(\d+)$", text, re.M)]


def is_listened_at(address: tuple[str, int]) -> bool:
    with socket.socket() as one:
        return one.connect_ex(address) == 0


def check_nothing_is_left(folder: Path, text: str) -> None:
    assert processes_of(folder) == []
    assert list(folder.iterdir()) == []
    assert not any(map(is_listened_at, addresses_in(text)))


def test_it_shows_what_happened(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["demo", "--apart"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    text = output.out
    assert len(addresses_in(text)) == 3
    check_nothing_is_left(tmp_path, text)
    titles = re.findall(r"^(\d)\. ([a-z]+): ", text, re.MULTILINE)
    assert titles == [(str(n), name) for n, name in enumerate(SECTIONS, start=1)]
    assert max(map(len, text.splitlines())) <= 80
    assert text.endswith("\nThe three processes have ended, and what they had in files is gone.\n")
    assert len(set(re.findall(r" ([0-9a-f]{8})$", text, re.MULTILINE))) == 4  # certificates
    sums = re.findall(r"^ +(\d)  +-?[\d,]+  +-?[\d,]+ to -?[\d,]+  +(\d+)$", text, re.MULTILINE)
    exact = query_sql(WORKED_EXAMPLE, PARAMETERS)
    assert sums == [(str(key), str(total)) for key, total in enumerate(exact)]
    charged = re.findall(r"^(H\d) +10,1e-7 +4,1e-9 +6,9.9e-8$", text, re.MULTILINE)
    assert charged == ["H1", "H2", "H3"]
    logs = text.partition("\n6. ")[2]
    times = []
    for event in EVENTS:
        cell = rf" +([\d,]+)  {event}"
        (row,) = re.findall(rf"^ *{cell * 3}$", "\n " + logs.replace("\n", "\n "), re.MULTILINE)
        times.append([int(time.replace(",", "")) for time in row])
    assert all(earlier <= later for earlier, later in itertools.pairwise(times))
    assert times == sorted(times)


def test_it_fits_a_narrow_terminal(tmp_path: Path) -> None:
    text = seen(40, ["demo", "--apart"], tmp_path)
    assert max(map(len, text.splitlines())) <= 40
    logs = text.partition("\n6. ")[2]
    for helper in (1, 2, 3):  # one below the other
        below = re.split(r"^ *ms +H\d *\n", logs, flags=re.MULTILINE)[helper]
        assert re.findall(rf"[\d,]+ +({'|'.join(EVENTS)})\b", below) == EVENTS
    check_nothing_is_left(tmp_path, text)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--step", "sort"], "--step does not go with --apart"),
        (["--helper", "2"], "--helper does not go with --apart"),
        (["--rows", "0"], "--rows does not go with --apart"),
        (["--pause"], "--pause does not go with --apart"),
        (["--seed", "1"], "--seed does not go with --apart"),
    ],
)
def test_options_of_the_simulation_are_refused(
    words: list[str], problem: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["demo", "--apart", *words]) == 2
    output = capsys.readouterr()
    assert (output.out, output.err.count("\n")) == ("", 1)
    assert output.err.startswith(f"ipa: {problem}: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["demo", "--apart"], ["helper", "--help"]])
def test_the_extra_that_is_missing_is_named(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "h11", None)
    assert main(words) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == (
        "ipa: helper parties as services need the package h11: pip install 'ipa-reference[service]'\n"
    )


def test_an_error_leaves_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ServiceError("the query has no answer")

    monkeypatch.setattr(demo_apart, "ask_services", fail)
    assert main(["demo", "--apart"]) == 3
    output = capsys.readouterr()
    assert output.err == "ipa: the query has no answer\n"
    assert "\n4. " not in output.out
    check_nothing_is_left(tmp_path, output.out)


def test_a_helper_that_does_not_start_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    free = free_addresses()
    with socket.socket() as taken:  # by somebody who does not listen
        taken.bind(("127.0.0.1", 0))
        last = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr(demo_apart, "free_addresses", lambda: [*free[:2], last])
        assert main(["demo", "--apart"]) == 3
    output = capsys.readouterr()
    assert output.err.startswith("ipa: the process of H3 ended with exit status 2: ipa: ")
    assert "\n2. " not in output.out
    check_nothing_is_left(tmp_path, "".join(f" {address}\n" for address in free[:2]))


def test_a_killed_demo_s_files_stay_as_long_as_a_helper_needs_them(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "ipa", "demo", "--apart"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        text = ""
        while "3. query" not in text:
            text += process.stdout.readline()
        (helper,) = re.findall(r"^H2 +(\d+)  ", text, re.MULTILINE)
        os.kill(int(helper), signal.SIGSTOP)
        process.kill()
        process.communicate()
    try:
        wait_until(lambda: len(processes_of(tmp_path)) == 2)  # and who keeps the files
        time.sleep(0.2)
        assert len(list(tmp_path.iterdir())) == 1
    finally:
        os.kill(int(helper), signal.SIGCONT)
    wait_until(lambda: not processes_of(tmp_path))
    check_nothing_is_left(tmp_path, text)


@pytest.mark.parametrize(
    ("number", "seen_first"),
    [
        (signal.SIGINT, "1. keys"),
        (signal.SIGTERM, "2. processes"),
        (signal.SIGTERM, "3. query"),
        (signal.SIGKILL, "1. keys"),
        (signal.SIGKILL, "3. query"),
    ],
)
def test_a_signal_leaves_nothing(number: signal.Signals, seen_first: str, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "ipa", "demo", "--apart"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        text = ""
        while not (seen_first in text and text.endswith("\n\n")):
            text += process.stdout.readline()
        process.send_signal(number)
        rest, said = process.communicate(timeout=60)
        text += rest
    status = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    assert process.returncode == status
    assert said == ("ipa: interrupted\n" if number == signal.SIGINT else "")
    assert "\n4. " not in text
    if number == signal.SIGKILL:  # what it started notices
        wait_until(lambda: not processes_of(tmp_path))
    check_nothing_is_left(tmp_path, text)
