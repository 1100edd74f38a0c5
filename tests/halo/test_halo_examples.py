"""Halo's examples run, and say what they should."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from ipa.halo.groups import GroupName
from ipa.halo.impressions import read_impressions_csv
from ipa.halo.workload import generate_impressions

EXAMPLES = Path(__file__).parents[2] / "examples"


def output(name: str, *words: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "left out: the group ed25519" in done.stderr if done.stderr else True
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
    assert "of 3/2, 1/2 is left to each afterwards" in said
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
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in lines[2:]]
    groups = [name for name in get_args(GroupName) if name != "ed25519" or find_spec("nacl")]
    assert rows == [
        ["hmss", ""],
        ["hmss-malicious", ""],
        *([protocol, group] for group in groups for protocol in ("llv2", "reach-only-llv2")),
    ]
