"""Halo's examples run, and say what they should."""

import re
import subprocess
import sys
from pathlib import Path

from ipa.halo.impressions import read_impressions_csv
from ipa.halo.workload import generate_impressions

EXAMPLES = Path(__file__).parents[2] / "examples"


def output(name: str, *words: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_example_impressions_are_a_workload() -> None:
    with (EXAMPLES / "impressions.csv").open(newline="") as stream:
        assert read_impressions_csv(stream) == generate_impressions(
            300, persons=120, publishers=3, seed=7
        )


def test_reach_and_frequency_is_right_and_shows_an_attack() -> None:
    said = output("reach_and_frequency.py")
    sql, shuffle = (re.findall(rf"{name}: +(\[.*?\])", said)[0] for name in ("SQL", "hmss"))
    assert sql == shuffle
    assert "of which 1/2 is left afterwards" in said
    honest, attacked = (
        re.findall(rf"{word}: +(\[.*?\])", said)[0] for word in ("honest", "attacked")
    )
    assert honest == sql != attacked
    assert "nobody noticed" in said
    assert f"hmss-malicious, honest: {sql}" in said
    assert "attacked: no result; hmss-malicious/shuffle/compare: rows were changed" in said


def test_the_benchmark_prints_a_table() -> None:
    lines = output("halo_benchmark.py", "--shuffle", "50", "--legions", "3").splitlines()
    assert all(line.count("|") == 7 for line in lines)
    assert [line.split("|")[1].strip() for line in lines[2:]] == [
        "hmss",
        "hmss-malicious",
        *["llv2", "reach-only-llv2"] * 2,
    ]
