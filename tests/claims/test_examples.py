"""The examples run, and say what they should."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ipa import generate_events, read_events_csv

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / name), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def output(name: str, *words: str) -> str:
    done = run(name, *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_example_events_are_those_that_generate_writes() -> None:
    with (EXAMPLES / "events.csv").open() as stream:
        assert read_events_csv(stream) == generate_events(300, users=60, seed=7)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_every_example_says_what_it_does_and_takes_no_more(path: Path) -> None:
    summary = str(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))).splitlines()[0]
    said = " ".join(output(path.name, "--help").split())
    assert said.startswith(f"usage: {path.name} [-h]")
    assert summary in said
    wrong = run(path.name, "--nonsense")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "--nonsense" in wrong.stderr or "required" in wrong.stderr


def test_three_lines() -> None:
    assert "sums=[0, 0, 25, 0], rows=2" in output("three_lines.py")


def test_step_by_step_shows_every_helper_s_view_and_ends_with_the_sums() -> None:
    said = output("step_by_step.py")
    assert [line[0] for line in said.splitlines() if re.match(r"\d\. ", line)] == list("1234567")
    views = re.findall(r"H1 holds share 1: (.*)\n(?:.*\n){5} +put together.*: (.*)", said)
    assert len(views) == 7
    assert all(held != value for held, value in views)
    assert said.count("H1 holds share 1:") == said.count("H3 holds share 3:") == 7
    assert "put together, as nobody can: 0 0 0 200" in said
    assert said.endswith("[0, 0, 0, 200]\n")


def test_the_benchmark_prints_a_table_and_checks_the_answer() -> None:
    lines = output("benchmark.py", "5", "30", "--security", "semi-honest").splitlines()
    assert lines[0].count("|") == 8
    assert all(line.count("|") == 8 for line in lines)
    assert [line for line in lines if "equal to the oracle" in line and "| 30 |" in line]
    assert [line for line in lines if line.startswith("| 5 | sort |")]


def test_the_benchmark_notices_a_wrong_answer() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import benchmark;"
        "benchmark.query_sql = lambda events, parameters: [];"
        "sys.exit(benchmark.main())"
    )
    command = [sys.executable, "-c", program, str(EXAMPLES), "5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "DIFFERENT FROM THE ORACLE" in done.stdout


def test_offline_purchases_are_attributed() -> None:
    assert output("offline_purchases.py").endswith(": the same\n")
