"""README's commands and code run, and the ones that matter most are those that `.ci/run` runs."""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import get_args

import pytest
from apart_cases import wait_until

import ipa
from ipa.attacks import AttackReport
from ipa.events import read_events_csv
from ipa.network.costs import cost_of
from ipa.network.simulation import RunOptions
from ipa.oracle.steps import query_in_steps
from ipa.parameters import Security
from ipa.service.local_services import free_addresses

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COSTS = (ROOT / "COSTS.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
RUN, TEST, COMMANDS, REPORTS, SERVICES = SHELL

ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-e", "-c", command],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_ci_runs_the_test_command() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    make, activate, install, test = TEST.strip().split(" && ")
    assert make == "python3 -m venv .venv"
    assert '"${PYTHON:-python3}" -m venv "$environment"' in lines
    assert activate == ". .venv/bin/activate"
    assert '. "$environment/bin/activate"' in lines
    places = [lines.index(line) for line in (install, "ruff check .", "mypy --strict", test)]
    assert places == sorted(places)
    assert "ruff format --check ." in lines
    assert lines[-1] == test


def test_ci_can_be_run() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert shell(f"bash -n {ROOT}/.ci/run", ROOT).returncode == 0


def test_the_run_command_answers_the_query_on_the_example_file() -> None:
    *setup, query = RUN.strip().split(" && ")
    assert setup[:2] == TEST.strip().split(" && ")[:2]
    assert setup[2].startswith("pip install ")
    done = shell(query, ROOT)
    assert done.returncode == 0
    assert "300 reports" in done.stdout
    assert "check passed" in done.stderr


def test_the_run_command_caps() -> None:
    """Without a cap that is reached, the example would show nothing of capping."""
    query = RUN.strip().split(" && ")[-1]
    cap = re.search(r"--cap (\d+)", query)
    assert cap
    with (ROOT / "examples/events.csv").open(newline="", encoding="utf-8") as file:
        events = read_events_csv(file)
    capped, uncapped = (
        query_in_steps(events, ipa.QueryParameters(breakdowns=16, cap=c))
        for c in (int(cap[1]), 1_000_000)
    )
    assert sum(capped) < sum(uncapped)


def test_the_commands_run(tmp_path: Path) -> None:
    done = shell(COMMANDS, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    answer = next(line for line in done.stdout.splitlines() if line.startswith("{"))
    assert json.loads(answer)["rows"] == 1000


def test_the_commands_from_devices_to_sums_run(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = shell(REPORTS, tmp_path)
    assert done.returncode == 0
    assert re.fullmatch("ipa query: charged query-[0-9a-f]{16}\n", done.stderr)
    assert "300 reports submitted, 0 dropped" in done.stdout
    assert "epsilon 0.25 charged, 0.75 remaining; delta 1e-9 charged" in done.stdout
    assert done.stdout.splitlines()[-1].split()[-3:] == ["1,1e-7", "0.25,1e-9", "0.75,9.9e-8"]
    assert (
        json.loads(shell("ipa budget --ledger ledger --queries", tmp_path).stdout)["rows_used"]
        == 300
    )
    record = shell("ipa budget --ledger ledger --queries", tmp_path)
    assert json.loads(record.stdout)["site"] == "news.example"


def test_reports_and_events_give_the_same_sums(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    query = "--breakdowns 16 --cap 100 --no-noise --format json"
    made = shell("\n".join(REPORTS.splitlines()[:2]), tmp_path)
    assert made.returncode == 0
    over_reports = shell(f"ipa query q --keys net --no-budget {query}", tmp_path)
    over_events = shell(f"ipa query examples/events.csv {query}", tmp_path)
    assert json.loads(over_reports.stdout)["sums"] == json.loads(over_events.stdout)["sums"]


def with_free_ports(text: str, addresses: list[str]) -> str:
    """What README says of addresses, with others where nobody listens."""
    for own, address in zip(("8441", "8442", "8443"), addresses, strict=True):
        text = text.replace(f"127.0.0.1:{own}", address)
    return text


@contextmanager
def everything_stopped(shell: "subprocess.Popen[str]") -> Iterator[None]:
    """A shell whose group of processes is stopped with the context, and killed if it does not stop."""
    try:
        yield
        os.killpg(shell.pid, signal.SIGTERM)
        wait_until(lambda: not group_is_there(shell.pid))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)


def group_is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_three_services_answer_in_five_commands(tmp_path: Path) -> None:
    assert len(SERVICES.splitlines()) == 5
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    addresses = free_addresses()
    metrics = re.findall(r"`(curl [^`]+/metrics)`", README)
    assert len(metrics) == 1
    commands = SERVICES
    if shutil.which("curl"):
        commands += f"{metrics[0]} --silent --show-error >metrics\n"
    with (
        (tmp_path / "said").open("w") as said,
        (tmp_path / "shown").open("w") as shown,
        subprocess.Popen(
            ["bash", "-e", "-c", with_free_ports(commands, addresses)],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=shown,
            stderr=said,
            text=True,
            start_new_session=True,
        ) as process,
        everything_stopped(process),
    ):
        assert process.wait(120) == 0, (tmp_path / "said").read_text()
    text, log = (tmp_path / "shown").read_text(), (tmp_path / "said").read_text()
    assert "300 reports submitted, 0 dropped" in text
    assert "epsilon 0.25 charged, 0.75 remaining" in text
    for event in ("listening", "query done", "stopped"):
        assert len(re.findall(rf" H[123] {event}\b", log)) == 3
    if shutil.which("curl"):
        assert 'ipa_queries_total{state="done"} 1' in (tmp_path / "metrics").read_text()


def test_the_attack_is_noticed_as_said() -> None:
    (attack,) = [block for block in PYTHON if "run_attack" in block]
    assert "aborted, noticed by helpers 1 and 3" in attack
    *statements, last = ast.parse(attack).body
    assert isinstance(last, ast.Expr)
    names: dict[str, object] = {}
    exec(compile(ast.Module(statements, []), "README", "exec"), names)
    report = eval(compile(ast.Expression(last.value), "README", "eval"), names)
    assert isinstance(report, AttackReport)
    assert (report.outcome, report.detected_by) == ("aborted", (1, 3))


def test_every_module_and_example_is_in_the_layout() -> None:
    layout = README.split("\n## Layout\n")[1]
    modules = {f"ipa/{path.name}" for path in (ROOT / "ipa").glob("[a-z]*.py")}
    folders = {f"ipa/{path.parent.name}/" for path in (ROOT / "ipa").glob("*/__init__.py")}
    examples = {path.name for path in (ROOT / "examples").glob("*.py")}
    assert [name for name in modules | folders | examples if f"`{name}`" not in layout] == []


def test_links_work_wherever_the_page_is_shown() -> None:
    """The package index shows README without the files beside it."""
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    assert all(link.startswith("https://") for link in links)


def test_files_that_are_named_are_there() -> None:
    named = re.findall(r"`((?:ipa|docs|examples|tests)/[a-z_/]*(?:\.[a-z]+)?|[A-Z_]+\.md)`", README)
    assert {"SPEC_NOTES.md", "docs/statements.md"} <= set(named)
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("block", PYTHON, ids=range(len(PYTHON)))
def test_every_block_of_python_runs_as_written(block: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_notebook_block_gives_the_sums_it_says() -> None:
    names: dict[str, object] = {}
    results = []
    for statement in ast.parse(PYTHON[0]).body:
        if isinstance(statement, ast.Expr):
            results.append(eval(compile(ast.Expression(statement.value), "README", "eval"), names))
        else:
            exec(compile(ast.Module([statement], []), "README", "exec"), names)
    exact, noisy = results
    assert isinstance(exact, ipa.QueryResult)
    assert exact.noise is None
    assert f"# sums={exact.sums}" in PYTHON[0]
    assert isinstance(noisy, ipa.QueryResult)
    assert noisy.noise is not None
    assert f"95 % of the time within {noisy.noise.interval_95}" in PYTHON[0]


def test_no_block_digs_deeper_than_one_package() -> None:
    for block in PYTHON:
        for module in re.findall(r"^from (\S+) import", block, re.MULTILINE):
            assert module.count(".") <= 1, module


@pytest.mark.parametrize("security", get_args(Security))
def test_the_table_of_costs_is_what_the_benchmark_prints(security: Security) -> None:
    """For the smallest size; if this fails, run the benchmark again and update the table."""
    parameters = ipa.QueryParameters(breakdowns=16, cap=300, security=security)
    result = ipa.run_query(
        ipa.generate_events(100), parameters, no_noise=True, options=RunOptions(seed=0)
    )
    total = cost_of(result.costs)
    row = f"| 100 | query | {total.and_gates:,} | {total.rounds:,} | {total.bytes_sent:,} |"
    assert row in COSTS
