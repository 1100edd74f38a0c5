"""The examples run, and say what they should."""

import ast
import re
import subprocess
import sys
from math import hypot, log, sqrt
from pathlib import Path

import pytest

from ipa import QueryParameters, generate_events, read_events_csv
from ipa.planning import best_cap, plan_caps

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


@pytest.mark.parametrize("name", ["noise", "choose_cap", "coinpress"])
@pytest.mark.parametrize("epsilon", ["1/0", "nan", "-1", "1e400"])
def test_an_epsilon_that_is_no_number_is_said_in_a_line(name: str, epsilon: str) -> None:
    done = run(f"{name}.py", f"--epsilon={epsilon}")
    assert (done.returncode, done.stdout) == (2, "")
    said = "argument --epsilon: the number must be a decimal such as 0.5 or 1e-9, or a fraction"
    assert said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["halo_benchmark.py", "--shuffle", "0"], "--shuffle: must be an integer of at least 1"),
        (["halo_benchmark.py", "--legions=-1"], "--legions: must be an integer of at least 1"),
        (["intake_benchmark.py", "x"], "REPORTS: must be an integer of at least 0"),
        (["benchmark.py", "5", "--seed=-1"], "--seed: must be an integer of at least 0"),
        (
            ["benchmark.py", "5", "--breakdowns", "0"],
            "--breakdowns: must be an integer of at least 1",
        ),
    ],
)
def test_a_size_that_is_none_is_said_in_a_line(words: list[str], said: str) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_every_option_of_an_example_is_explained(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "add_argument":
            assert "help" in {keyword.arg for keyword in call.keywords}, ast.unparse(call)


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


PLAN = QueryParameters(breakdowns=16, cap=1, epsilon=1)
CAPS = (1, 10, 50, 60, 70, 80, 100, 1000, 100_000)


def test_choose_cap_marks_the_best_cap_of_the_plan() -> None:
    said = output("choose_cap.py", "--seed", "3", "--caps", ",".join(map(str, CAPS)))
    plans = plan_caps(generate_events(2000, seed=3), PLAN, CAPS)
    best = best_cap(plans)
    assert CAPS[0] < best.cap < CAPS[-1]
    rows = re.findall(r"^ *(\d+) +([\d,.]+) +([\d,.e+]+) +([\d,.e+]+)  (.*)$", said, re.MULTILINE)
    assert [int(row[0]) for row in rows] == list(CAPS)
    assert [int(row[0]) for row in rows if row[4].endswith("<- best")] == [best.cap]
    assert f"The least error, {best.error:,.1f}, is at cap {best.cap}." in said
    for row, plan in zip(rows[:-1], plans[:-1], strict=True):
        assert row[1:4] == tuple(f"{x:,.1f}" for x in (plan.bias, plan.noise, plan.error))
    assert max(map(len, said.splitlines())) <= 80


def test_choose_cap_plots_in_order_of_size() -> None:
    """On the scale the noise moves right with the cap, the error from left of both to right of none."""
    said = output("choose_cap.py", str(EXAMPLES / "events.csv"), "--caps", "300,2,20,80,40")
    assert said.startswith("300 events, ")
    head, *rows = [line[38:] for line in said.splitlines() if re.match(r" +(cap|\d)", line)]
    noise = [row.find("n") for row in rows]
    error = [row.find("E") for row in rows]
    assert [at for at in noise if at >= 0] == sorted({at for at in noise if at >= 0})
    assert all(row.find("b") <= at for row, at in zip(rows, error, strict=True))
    assert error.index(min(error)) == next(i for i, row in enumerate(rows) if "best" in row)
    # The scale is logarithmic, and the plans' values lie right against the powers of ten above them.
    assert abs(head.find("100") - 2 * head.find("10")) <= 1
    parameters = QueryParameters(breakdowns=16, cap=1, epsilon=1)
    with (EXAMPLES / "events.csv").open() as stream:
        plans = plan_caps(read_events_csv(stream), parameters, [2, 20, 40, 80, 300])
    for plan, at in zip(plans, error, strict=True):
        assert head.find("10") <= at if plan.error > 10 else at <= head.find("10")
        assert head.find("100") <= at if plan.error > 100 else at <= head.find("100")


def test_choose_cap_draws_the_plan_where_matplotlib_is(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    svg, png = tmp_path / "plan.svg", tmp_path / "plan.png"
    done = run("choose_cap.py", "--seed", "3", "--svg", str(svg), "--png", str(png))
    assert done.returncode == 0, done.stderr
    (best,) = re.findall(r"The (least error, .*), is (at cap .*)\.\n", done.stdout)
    assert ", ".join(best) in svg.read_text(encoding="utf-8")
    assert png.read_bytes().startswith(b"\x89PNG")
    nowhere = run("choose_cap.py", "--png", str(tmp_path / "no" / "plan.png"))
    assert nowhere.returncode == 2
    assert "plan.png: cannot be written: No such file" in nowhere.stderr


def test_choose_cap_names_the_extra_that_draws(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); sys.modules['matplotlib'] = None;"
        "import choose_cap; sys.exit(choose_cap.main())"
    )
    file = tmp_path / "plan.svg"
    command = [sys.executable, "-c", program, str(EXAMPLES), "--svg", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'ipa-reference[plots]'" in done.stderr
    assert not file.exists()


Row = tuple[float, ...]


def coinpress(*words: str) -> tuple[Row, Row, Row]:
    """The numbers of the first estimate, of the second, and the exact ones."""
    said = output("coinpress.py", *words)
    first, second, exact = (
        tuple(float(number) for number in re.findall(r"-?[\d.]+", line))
        for line in re.findall(r"^ +(?:first|second|exact) (.*)$", said, re.MULTILINE)
    )
    return first, second, exact


@pytest.mark.parametrize(
    "words", [(), ("--people", "200", "--epsilon", "3", "--seed", "4")], ids=len
)
def test_coinpress_comes_much_nearer_with_its_second_query(words: tuple[str, ...]) -> None:
    first, second, (people, exact) = coinpress(*words)
    first_cap, first_people, first_mean, first_error, _, first_high = first
    second_cap, second_people, second_mean, second_error, low, high = second
    assert abs(second_mean - exact) <= second_error < first_error / 5
    assert abs(second_mean - exact) < abs(first_mean - exact)
    assert low <= exact <= high
    # The second cap is above the interval of the first, and above every total: nothing is taken away.
    assert first_cap > second_cap > max(first_high, 80)
    # The noise of the two queries is not the same.
    assert first_people - people != second_people - people != 0


def test_coinpress_is_as_unsure_as_its_noise() -> None:
    """Each statistic has a sixth of epsilon; total and number of people both have noise."""
    for cap, people, mean, error, low, high in coinpress("--people", "100", "--epsilon", "8")[:2]:
        by_hand = sqrt(2) * 6 / 8 * hypot(cap, mean) / people
        assert error == pytest.approx(by_hand, rel=0.02)
        # With 95 % a number with Laplace noise is off by at most log(20) times the noise's scale.
        total, most = mean * people, log(20) * 6 / 8
        assert low == pytest.approx((total - cap * most) / (people + most), rel=0.02)
        assert high == pytest.approx((total + cap * most) / (people - most), rel=0.02)


def test_coinpress_says_so_when_the_cap_cuts_too_much() -> None:
    done = run("coinpress.py", "--people", "50", "--epsilon", "64", "--cap", "30")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.endswith("the second query tells the mean better: False\n")


def test_coinpress_refuses_what_cannot_be() -> None:
    for words, said in (
        (("--people", "14"), "more of them"),
        (("--epsilon", "0"), "epsilon must be"),
    ):
        done = run("coinpress.py", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
