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
    assert done.stdout.count(": the same\n") == 2
    assert "source fanout query of news.example" in done.stdout
    assert "trigger fanout query of shop.example" in done.stdout


def test_intake_costs_little_more_than_the_openings() -> None:
    """Processor time on a busy machine still varies, so one good run of three will do."""
    for _ in range(3):
        done = run("intake_benchmark.py", "500")
        assert done.stderr == ""
        assert "reports shared as collected: True" in done.stdout
        if done.returncode == 0:
            return
    raise AssertionError(done.stdout)
