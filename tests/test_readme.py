"""README's commands and code run, and the ones that matter most are those that `.ci/run` runs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import ipa
from ipa.costs import cost_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
RUN, TEST, COMMANDS = SHELL

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


def test_the_commands_run(tmp_path: Path) -> None:
    done = shell(COMMANDS, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    answer = next(line for line in done.stdout.splitlines() if line.startswith("{"))
    assert json.loads(answer)["rows"] == 1000


def test_the_notebook_lines_run() -> None:
    first, walk = PYTHON
    key = {"match_key": 7, "attribution_constraint_id": 1}
    source = {"report": "source", **key, "timestamp": 10, "breakdown_key": 2}
    trigger = {"report": "trigger", **key, "timestamp": 20, "trigger_value": 25}
    exec(first, {"dictionaries": [source, trigger]})
    names: dict[str, object] = {}
    exec(walk, names)
    reports, ordered = names["reports"], names["ordered"]
    assert isinstance(reports, ipa.GenericReports) and isinstance(ordered, ipa.GenericReports)
    keys = ipa.reconstruct_for_testing(reports.match_key)
    assert ipa.reconstruct_for_testing(ordered.match_key) == sorted(keys)


def test_the_table_of_costs_is_what_the_benchmark_prints() -> None:
    """For the smallest size; if this fails, run the benchmark again and update the table."""
    parameters = ipa.QueryParameters(breakdowns=16, cap=300, security="semi-honest")
    result = ipa.run_query(ipa.generate_events(100), parameters, no_noise=True, seed=0)
    total = cost_of(result.costs)
    row = f"| 100 | query | {total.and_gates:,} | {total.rounds:,} | {total.bytes_sent:,} |"
    assert row in README
