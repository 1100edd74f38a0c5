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


def test_noise_shows_what_a_helper_knows_and_draws_beside_the_distribution() -> None:
    said = output("noise.py", "--draws", "900", "--seed", "2")
    rows = re.findall(r"^ +(-?\d+)(?: to -?\d+)? +([\d.]+) +(\d+)(?: #+)?$", said, re.MULTILINE)
    assert len(rows) > 9
    expected, drawn = sum(float(row[1]) for row in rows), sum(int(row[2]) for row in rows)
    assert 890 < expected <= 901
    assert 880 < drawn <= 900
    assert max(rows, key=lambda row: float(row[1])) == rows[len(rows) // 2]
    shares = re.findall(r"H\d holds ([01]+) and ([01]+)\n", said)
    (together, noise) = re.findall(r"as nobody can: ([01]+), the noise (-?\d+)", said)[0]
    assert int(together, 2) == int(shares[0][0], 2) ^ int(shares[0][1], 2) ^ int(shares[1][1], 2)
    assert int(together, 2) - (int(together[0]) << len(together)) == int(noise)
    deviations = re.findall(r"deviation: ([\d.]+) before, ([\d.]+) after", said)
    assert len(deviations) == 3
    assert all(float(after) < float(before) for before, after in deviations)


def test_noise_says_what_it_is_asked_for_and_refuses_what_cannot_be() -> None:
    assert "--epsilon" in output("noise.py", "--help")
    assert "-23 to 23" in output("noise.py", "--cap", "40", "--epsilon", "1/2", "--draws", "64")
    done = run("noise.py", "--epsilon", "100")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("noise.py: epsilon must be from")


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
