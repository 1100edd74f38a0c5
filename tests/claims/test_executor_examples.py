"""The examples of executors and grids, with the executors that are installed."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=240
    )


def installed(name: str) -> None:
    """Skip the test of an executor whose extra is not installed."""
    package = {"processes": "concurrent", "dask": "distributed", "ray": "ray"}[name]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


@pytest.mark.parametrize("name", ["processes", "dask", "ray"])
def test_a_query_has_the_same_sums_with_every_executor(name: str) -> None:
    installed(name)
    done = run(
        *(str(EXAMPLES / "executors.py"), "--executor", name),
        *("--workers", "2", "--events", "200"),
    )
    assert done.returncode == 0, done.stderr
    without, with_executor, same = done.stdout.splitlines()
    assert without.split("sums")[1] == with_executor.split("sums")[1]
    assert with_executor.split(":")[0].strip() == name
    assert same == "the same sums: True"


DEADLY = """
import sys
sys.path[:0] = sys.argv[1:3]
from executors import EXECUTORS
from executor_cases import DeadlyExecutor
from ipa import QueryParameters, RunOptions, generate_events, run_query
from ipa.errors import WorkerError

if __name__ == "__main__":
    if sys.argv[3] == "dask":
        import dask
        dask.config.set({"distributed.scheduler.allowed-failures": 0})
    events, parameters = generate_events(50, breakdowns=4), QueryParameters(breakdowns=4, cap=9)
    with EXECUTORS[sys.argv[3]](1) as executor:
        options = RunOptions(seed=1, executor=DeadlyExecutor(executor, 1))
        try:
            print(run_query(events, parameters, no_noise=True, options=options))
        except WorkerError as error:
            print(error)
"""


@pytest.mark.parametrize("name", ["dask", "ray"])  # processes: tests/network/test_execution.py
def test_a_worker_that_dies_is_an_error(name: str, tmp_path: Path) -> None:
    installed(name)
    program = tmp_path / "deadly.py"
    program.write_text(DEADLY, encoding="utf-8")
    done = run(str(program), str(EXAMPLES), str(ROOT / "tests" / "cases"), name)
    assert done.returncode == 0, done.stderr
    assert re.match(r"check/bits/values: a worker failed: \w+\n", done.stdout)


def test_an_executor_that_is_not_installed_names_its_extra() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(EXAMPLES)!r}); import executors;"
        "executors.find_spec = lambda _: None; sys.exit(executors.main())"
    )
    for name in ("dask", "ray"):
        done = run("-c", program, "--executor", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"pip install 'ipa-reference[{name}]'" in done.stderr


GRID = ["--caps", "1,1000", "--epsilons", "1/8,8", "--events", "60", "--breakdowns", "4"]


def test_a_grid_shows_progress_and_an_error_for_each_cap_and_epsilon() -> None:
    tables = []
    for more in ([], ["--workers", "2"]):
        done = run(str(EXAMPLES / "grid.py"), *GRID, *more)
        assert done.returncode == 0, done.stderr
        progress = done.stderr.splitlines()
        assert [line.partition(":")[0] for line in progress] == [f"{n} of 4" for n in range(1, 5)]
        assert {line.partition(": ")[2] for line in progress} == {
            f"cap {cap}, epsilon {epsilon}" for cap in (1, 1000) for epsilon in ("1/8", "8")
        }
        tables.append(done.stdout)
    assert tables[0] == tables[1]
    head, low, high = tables[0].splitlines()
    assert head.split() == ["cap", "epsilon", "1/8", "epsilon", "8"]
    # At cap 1 what is taken away is nearly all; at cap 1,000 the noise of epsilon 1/8 is far more.
    cap, much, little = (float(number.replace(",", "")) for number in high.split())
    assert cap == 1000 and much > 1000 > 500 > little
    assert low.split()[0] == "1"


def test_a_grid_that_cannot_be_is_one_line() -> None:
    done = run(str(EXAMPLES / "grid.py"), "--caps", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("grid.py: cap must be ")
