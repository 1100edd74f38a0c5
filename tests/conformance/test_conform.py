"""`ipa conform` and what is behind it: honest, foreign and broken programs, shrinking, files."""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from json_schema import check
from write_protocol_vectors import FOLDER

from ipa.commands.command_line import main
from ipa.conformance.checking import check_drawn
from ipa.conformance.drawn_cases import DRAWN_INPUTS
from ipa.conformance.honest_adapter import honest_answer
from ipa.conformance.json_values import Json
from ipa.conformance.program import MAX_LINE, Program
from ipa.conformance.reference import STEPS, Answer, is_right
from ipa.conformance.vectors import read_vectors
from ipa.errors import ForeignProgramError

EXAMPLES = Path(__file__).parents[2] / "examples" / "conformance"
HONEST = [sys.executable, "-m", "ipa.conformance"]
NODE = shutil.which("node")
ADAPTERS: dict[str, list[str]] = {
    "adapter.py": [sys.executable, str(EXAMPLES / "adapter.py")],
    "attribution_pass.py": [sys.executable, str(EXAMPLES / "attribution_pass.py")],
    "adapter.mjs": [str(NODE), str(EXAMPLES / "adapter.mjs")],
}
WITHOUT_NODE = pytest.mark.skipif(NODE is None, reason="node is not installed")

LOOP = """
import json, sys, time
for number, line in enumerate(sys.stdin):
    request = json.loads(line)
    if request["step"] == "capabilities":
        print(json.dumps({"id": request["id"], "output": {"steps": ["clear/aggregate"]}}), flush=True)
        continue
"""


def broken(body: str) -> list[str]:
    """A program that offers one step, and does `body` when it is asked a case."""
    return [sys.executable, "-c", LOOP + "".join(f"    {line}\n" for line in body.splitlines())]


def conform(*words: str, program: Sequence[str]) -> int:
    return main(["conform", *words, "--", *program])


@pytest.mark.parametrize("step", STEPS)
def test_the_protocols_answer_drawn_cases_as_the_reference(step: str) -> None:
    result = check_drawn(honest_answer, step, 20, seed=1)
    assert result.passed, result
    assert result.cases > 5


def test_every_step_has_drawn_cases() -> None:
    assert set(DRAWN_INPUTS) == set(STEPS)


def test_the_honest_adapter_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert conform("--steps", "sharing/*", "--cases", "10", program=HONEST) == 0
    said = capsys.readouterr().out
    assert "3 of 3 steps passed, 30 cases" in said
    assert [line.split()[0] for line in said.splitlines()[1:4]] == sorted(
        step for step in STEPS if step.startswith("sharing/")
    )


@pytest.mark.parametrize(
    "name",
    [
        "adapter.py",
        "attribution_pass.py",
        pytest.param("adapter.mjs", marks=WITHOUT_NODE),
    ],
)
def test_an_example_passes_vectors_and_drawn_cases(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conform("--vectors", str(FOLDER), program=ADAPTERS[name]) == 0
    assert conform("--cases", "60", program=ADAPTERS[name]) == 0
    assert "FAILED" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_short_examples_are_short_and_do_not_use_the_library(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert "import ipa" not in text and "from ipa" not in text
    assert len(text.splitlines()) <= (200 if name == "attribution_pass.py" else 60)


def wrong_sum(step: str, given: Json) -> Answer:
    answer = honest_answer(step, given)
    if "output" in answer:
        answer["output"]["sums"] = [int(value) % 1000 for value in answer["output"]["sums"]]
    return answer


def test_a_failing_case_is_shrunk_and_the_same_seed_finds_it_again() -> None:
    result = check_drawn(wrong_sum, "clear/aggregate", 200, seed=0)
    assert result.failure is not None
    given = result.failure.case.given
    assert (given["breakdowns"], len(given["credits"])) == (1, 1)
    assert sum(map(int, given["credits"])) > 999
    assert check_drawn(wrong_sum, "clear/aggregate", 200, seed=0) == result
    first = check_drawn(wrong_sum, "clear/aggregate", 200, seed=0, shrink=False).failure
    assert first is not None and first.case.given != given


def test_another_seed_draws_other_cases() -> None:
    def asked(seed: int) -> list[Json]:
        """The inputs of a run."""
        inputs: list[Json] = []

        def remember(step: str, given: Json) -> Answer:
            """Honest, with a memory."""
            inputs.append(given)
            return honest_answer(step, given)

        assert check_drawn(remember, "clear/aggregate", 20, seed).cases == len(inputs) == 20
        return inputs

    assert asked(3) == asked(3) != asked(4)


WRONG = """
given = request["input"]
sums = [0] * given["breakdowns"]
print(json.dumps({"id": request["id"], "output": {"sums": sums}}), flush=True)
"""


def test_a_failing_case_is_shown_and_written_as_a_vector(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "failed"
    assert conform("--write", str(written), program=broken(WRONG)) == 1
    said = capsys.readouterr().out
    assert "clear/aggregate" in said and "FAILED" in said and "0 of 1 steps passed" in said
    (path,) = written.iterdir()
    file = read_vectors(path)
    (case,) = file.cases
    assert json.dumps(case.given) in said and json.dumps(case.expected) in said
    schema = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
    check(schema, json.loads(path.read_text(encoding="utf-8")), path.name, schema["$defs"])
    assert is_right(file.step, case.expected, honest_answer(file.step, case.given))
    assert conform("--vectors", str(path), program=broken(WRONG)) == 1
    assert conform("--vectors", str(path), program=HONEST) == 0


FAILURES = {
    "hangs": ("time.sleep(60)", "it hangs: no answer within"),
    "half a line": ("print('{', end='', flush=True); time.sleep(60)", "it hangs"),
    "dies": ("sys.exit(7)", "it died: exit status 7"),
    "garbage": ("print('garbage', flush=True)", "it answers garbage, no JSON: garbage"),
    "no object": ("print('[1]', flush=True)", "it answers no object with an id"),
    "no number": ("print('{\"id\": NaN}', flush=True)", "it answers garbage"),
    "deep": ("print('[' * 100000, flush=True)", "it answers garbage"),
    "two lines": ("print('{}\\n{}', flush=True)", "it answers more than one line"),
    "another id": ('print(\'{"id": 99, "output": {}}\', flush=True)', "it answers another request"),
    "neither": (
        'print(json.dumps({"id": request["id"]}), flush=True)',
        "it gives neither output nor reject",
    ),
    "both": (
        'print(json.dumps({"id": request["id"], "output": {}, "reject": {}}), flush=True)',
        "it gives neither output nor reject",
    ),
    "too much": (f"print('x' * {2 * MAX_LINE}, flush=True)", "it answers too much"),
    "control characters": ("print('\\x1b[2J', flush=True)", "no JSON: \\x1b[2J"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_broken_program_is_a_clear_failure(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    body, problem = FAILURES[name]
    words = ["--cases", "2", "--deadline", "3" if "hangs" not in problem else "0.5"]
    assert conform(*words, program=broken(body)) == 1
    said = capsys.readouterr().out
    assert "the program fails: " in said and problem in said
    assert "\x1b" not in said


def test_a_program_that_died_is_started_again_and_one_that_hangs_is_not(tmp_path: Path) -> None:
    log = tmp_path / "starts"
    body = f"open({str(log)!r}, 'a').write('x')\n"
    with Program(broken(body + "sys.exit(1)")) as program:
        for _ in range(3):
            with pytest.raises(ForeignProgramError, match="died"):
                program("clear/aggregate", {})
    assert log.read_text() == "xxx"
    log.unlink()
    with Program(broken(body + "time.sleep(60)"), deadline=0.5) as program:
        result = check_drawn(program, "clear/aggregate", 50, seed=0)
    assert result.failure is not None and "hangs" in result.failure.problem
    assert log.read_text() == "x"


def test_a_request_longer_than_a_pipe_and_a_program_that_does_not_read_it() -> None:
    large = {"breakdown_keys": [0] * 100_000, "credits": [1] * 100_000, "breakdowns": 1}
    with Program(HONEST, deadline=60) as program:
        assert program("clear/aggregate", large) == {"output": {"sums": [100_000]}}
    with (
        Program([sys.executable, "-c", "import time; time.sleep(60)"], deadline=0.5) as program,
        pytest.raises(ForeignProgramError, match="hangs"),
    ):
        program("clear/aggregate", large)


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        (["cat"], "neither output nor reject"),
        (["true"], "died: exit status 0"),
        (["no-such-program"], "cannot be started"),
        (
            ["sh", "-c", 'echo "{\\"id\\": 1, \\"output\\": {\\"steps\\": [\\"x\\"]}}"; cat'],
            "no step",
        ),
        (["sh", "-c", 'echo "{\\"id\\": 1, \\"output\\": {}}"; cat'], "does not say which steps"),
    ],
)
def test_a_program_that_offers_nothing_ends_it(
    program: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conform("--deadline", "5", program=program) == 3
    said = capsys.readouterr()
    assert said.out == "" and "ipa: the program fails: " in said.err and problem in said.err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--cases", "0"], "--cases must be"),
        (["--seed", "-1"], "--seed must be"),
        (["--deadline", "0"], "--deadline must be above 0"),
        (["--deadline", "nan"], "--deadline must be above 0"),
        (["--steps", "none"], "no step matches 'none'"),
        (["--vectors", "no-such-folder"], "no file of cases there"),
        (
            ["--vectors", str(FOLDER / "messages" / "open.json")],
            "no cases of clear/last-touch-passes",
        ),
    ],
)
def test_wrong_options_end_it(
    words: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conform(*words, program=ADAPTERS["adapter.py"]) == 2
    assert problem in capsys.readouterr().err


def test_without_hypothesis_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("ipa.testing", "ipa.conformance"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    assert conform(program=HONEST) == 2
    assert "pip install 'ipa-reference[testing]'" in capsys.readouterr().err


def different(step: str, given: Json) -> Answer:
    """Never twice the same."""
    different.calls = getattr(different, "calls", 0) + 1  # type: ignore[attr-defined]
    return {"output": {"sums": [different.calls]}}  # type: ignore[attr-defined]


def test_answers_that_are_never_the_same_are_wrong() -> None:
    assert not check_drawn(different, "clear/aggregate", 50, seed=0).passed


def sometimes() -> Any:
    """Wrong once, and right from then on."""
    calls: list[Answer] = []

    def answer(step: str, given: Json) -> Answer:
        """The first output is none."""
        right = honest_answer(step, given)
        calls.append(right)
        return {"output": {}} if len(calls) == 5 else right

    return answer


def test_an_answer_that_is_wrong_once_is_told_as_such() -> None:
    result = check_drawn(sometimes(), "clear/aggregate", 50, seed=0)
    assert result.failure is not None
    assert result.failure.problem == "it answers the same case differently at different times"
