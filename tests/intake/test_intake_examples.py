"""The examples from devices to sums run, and say what they should."""

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def run(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / name), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_two_sites_get_the_sums_that_sql_computes() -> None:
    done = run("two_sites.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(": as near as the noise takes it\n") == 2
    assert done.stdout.count("epsilon: 1/4 charged, 3/4 remaining") == 2
    assert "source fanout query of news.example" in done.stdout
    assert "trigger fanout query of shop.example" in done.stdout


def test_the_intake_benchmark_measures_an_intake_that_is_right() -> None:
    done = run("intake_benchmark.py", "200")
    assert (done.returncode, done.stderr) == (0, "")
    assert "times the openings" in done.stdout
    assert "reports shared as collected: True" in done.stdout
