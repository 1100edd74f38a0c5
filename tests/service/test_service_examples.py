"""The benchmark of services runs, and both ways of running a query answer the same."""

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_benchmark_compares_services_with_processes() -> None:
    command = [sys.executable, str(EXAMPLES / "service_benchmark.py"), "20", "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    processes, services, ratio = done.stdout.splitlines()
    assert processes.startswith("processes  ") and services.startswith("services  ")
    assert ratio.startswith("services take ")
