"""The vectors of the protocol: they fit their schema, are current, and tell right from wrong."""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from json_schema import check, fits
from write_protocol_vectors import FOLDER, vector_files

from ipa.conformance import vectors
from ipa.conformance.checking import check_drawn
from ipa.conformance.honest_adapter import honest_answer
from ipa.conformance.json_values import table_from_json
from ipa.conformance.reference import STEPS, Answer, is_right, right_answer
from ipa.conformance.vectors import VectorFile, read_vectors
from ipa.errors import InputError
from ipa.oracle.steps import last_touch_passes
from ipa.sharing.dealing import reconstruct_for_testing

SCHEMA = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
PATHS = list(vectors.vector_files(FOLDER))
FILES = {file.step: file for file in map(read_vectors, PATHS)}


@cache
def answered(step: str, given: str) -> str:
    """The honest adapter's answer, each only once."""
    return json.dumps(honest_answer(step, json.loads(given)))


def honestly(step: str, given: Any) -> Answer:
    answer: Answer = json.loads(answered(step, json.dumps(given)))
    return answer


def wrong_cases(file: VectorFile, answer: Callable[[str, Any], Answer]) -> list[str]:
    return [
        case.name
        for case in file.cases
        if not is_right(file.step, case.expected, answer(file.step, case.given))
    ]


def test_every_step_has_a_file_and_every_file_is_what_the_script_writes() -> None:
    assert set(FILES) == set(STEPS)
    written = dict(vector_files())
    assert set(written) == set(PATHS)
    for path, file in written.items():
        assert path.read_text(encoding="utf-8") == file.text(), path


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_fits_the_schema(path: Path) -> None:
    check(SCHEMA, json.loads(path.read_text(encoding="utf-8")), path.stem, SCHEMA["$defs"])


@pytest.mark.parametrize("step", FILES)
def test_the_schema_refuses_what_is_no_case(step: str) -> None:
    file = json.loads(FILES[step].text())
    definitions = SCHEMA["$defs"]
    first = file["cases"][0]
    for change in (
        {"input": {**first["input"], "more": 1}},
        {"output": {**first["output"], "more": 1}},
        {"reject": {"stage": "a", "reason": "b"}},
        {"input": dict(list(first["input"].items())[1:])},
        {"output": dict(list(first["output"].items())[:-1])},
        {"note": ""},
    ):
        assert not fits(SCHEMA, {**file, "cases": [{**first, **change}]}, step, definitions), change
    assert not fits(SCHEMA, {**file, "step": "messages/unknown"}, step, definitions)
    assert not fits(SCHEMA, {**file, "cases": []}, step, definitions)


@pytest.mark.parametrize("step", FILES)
def test_cases_that_are_drawn_fit_the_schema(step: str) -> None:
    drawn: list[Any] = []

    def answer(_: str, given: Any) -> Answer:
        """The right one, of a case that is looked at."""
        right = right_answer(step, given)
        drawn.append({"name": "drawn", "input": given, **right})
        return right

    assert check_drawn(answer, step, 10, seed=0, shrink=False).passed
    file = json.loads(json.dumps({"step": step, "description": "", "cases": drawn}))
    check(SCHEMA, file, step, SCHEMA["$defs"])


@pytest.mark.parametrize("step", FILES)
def test_more_inputs_are_invalid_than_valid_and_names_differ(step: str) -> None:
    cases = FILES[step].cases
    valid = sum(case.is_valid for case in cases)
    assert 0 < valid < len(cases) - valid
    assert len({case.name for case in cases}) == len(cases)


@pytest.mark.parametrize("step", FILES)
def test_the_honest_adapter_answers_every_case(step: str) -> None:
    assert wrong_cases(FILES[step], honestly) == []


def accept_all(step: str, given: Any) -> Answer:
    """Right wherever there is an output."""
    answer = honestly(step, given)
    return answer if "output" in answer else {"output": {}}


def reject_all(step: str, given: Any) -> Answer:
    """Right wherever there is a rejection."""
    answer = honestly(step, given)
    return answer if "reject" in answer else {"reject": {"stage": "input", "reason": "range"}}


@pytest.mark.parametrize("step", FILES)
def test_who_accepts_all_and_who_rejects_all_fails(step: str) -> None:
    cases = FILES[step].cases
    invalid = [case.name for case in cases if not case.is_valid]
    assert wrong_cases(FILES[step], accept_all) == invalid
    assert wrong_cases(FILES[step], reject_all) == [case.name for case in cases if case.is_valid]


@pytest.mark.parametrize("part", ["stage", "reason"])
def test_the_wrong_stage_or_reason_fails(part: str) -> None:
    def elsewhere(step: str, given: Any) -> Answer:
        answer = honestly(step, given)
        return {"reject": {**answer["reject"], part: "?"}} if "reject" in answer else answer

    for file in FILES.values():
        assert len(wrong_cases(file, elsewhere)) == sum(not case.is_valid for case in file.cases)


def opened(table: Any) -> list[int]:
    return reconstruct_for_testing(table_from_json("case", table))


def test_what_helpers_hold_puts_together_to_what_the_step_computes() -> None:
    """An anchor outside the reference: the numbers behind the shares."""
    arithmetic: dict[str, Callable[[int, int, int], int]] = {
        "multiply": lambda a, b, width: a & b,
        "compare": lambda a, b, width: a > b,
        "add": lambda a, b, width: (a + b) % (1 << width),
    }
    for name, compute in arithmetic.items():
        case = FILES[f"messages/{name}"].cases[0]
        x, y = opened(case.given["x"]), opened(case.given["y"])
        width = case.given["x"]["width"]
        got = opened(case.expected["output"]["result"])
        assert got == [int(compute(a, b, width)) for a, b in zip(x, y, strict=True)], name


def test_the_pass_of_the_vectors_is_the_oracle_s() -> None:
    case = FILES["messages/last-touch"].cases[0]
    same, is_trigger, value = (
        opened(case.given[name])
        for name in ("same_match_key_and_constraint", "is_trigger", "trigger_value")
    )
    *_, last = last_touch_passes(same, is_trigger, value)
    credits = [c * (1 - t) for c, t in zip(last.credit, is_trigger, strict=True)]
    assert opened(case.expected["output"]["result"]) == credits


def test_the_name_of_a_run_is_the_hash_that_the_note_says() -> None:
    """And the messages are the nonces, then the digest of all three, to both others."""
    for case in FILES["messages/run-name"].cases[:2]:
        nonces = [bytes.fromhex(nonce) for nonce in case.given["nonces"]]
        joined = b"".join(nonces)
        output = case.expected["output"]
        assert output["name"] == "run-" + hashlib.sha256(b"ipa v1 run name" + joined).hexdigest()
        told = {(m["step"], m["from"], m["to"]): m["payload"] for m in output["messages"]}
        assert told == {
            (f"run-name/{step}", sender, receiver): payload.hex()
            for sender, nonce in enumerate(nonces, 1)
            for step, payload in (("broadcast", nonce), ("echo", hashlib.sha256(joined).digest()))
            for receiver in {1, 2, 3} - {sender}
        }


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(InputError, match="cannot be read"):
        read_vectors(path)
    with pytest.raises(InputError, match="no file of cases there"):
        list(vectors.vector_files(tmp_path))
    for text, problem in (
        ("{", "not JSON"),
        ("[]", "not a file of cases"),
        ('{"step": "clear/none", "description": "", "cases": []}', "no step is called"),
        ('{"step": "clear/cap", "description": "", "cases": [{"name": "x"}]}', "not a file"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=problem):
            read_vectors(path)
