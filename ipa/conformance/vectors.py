"""Files of cases: the cases of one step, valid and invalid, as JSON (`docs/conformance.md`)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipa.conformance.json_values import Json
from ipa.conformance.reference import STEPS, Answer
from ipa.errors import InputError

_LONGEST_LINE = 100


@dataclass(frozen=True)
class Case:
    """A named input, and the answer that it must get."""

    name: str
    given: Json
    expected: Answer

    @property
    def is_valid(self) -> bool:
        """Whether the input must be accepted."""
        return "output" in self.expected

    def to_json(self) -> Json:
        """The case as a file has it."""
        return {"name": self.name, "input": self.given, **self.expected}


@dataclass(frozen=True)
class VectorFile:
    """The cases of one step."""

    step: str
    description: str
    cases: Sequence[Case]

    def text(self) -> str:
        """The file's text: short arrays and objects stand on one line."""
        whole = {
            "step": self.step,
            "description": self.description,
            "cases": [case.to_json() for case in self.cases],
        }
        return laid_out(whole) + "\n"


def laid_out(value: Any, indent: int = 0) -> str:
    """JSON in which whatever is short stands on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if indent + len(line) <= _LONGEST_LINE or not isinstance(value, dict | list):
        return line
    if isinstance(value, list) and not any(isinstance(part, dict | list) for part in value):
        return line
    inner = " " * (indent + 1)
    if isinstance(value, list):
        parts = [inner + laid_out(part, indent + 1) for part in value]
        opening, closing = "[]"
    else:
        named = ((json.dumps(name), part) for name, part in value.items())
        parts = [f"{inner}{name}: {laid_out(part, indent + 1)}" for name, part in named]
        opening, closing = "{}"
    return "\n".join([opening, ",\n".join(parts), " " * indent + closing])


def read_vectors(path: Path) -> VectorFile:
    """The cases in a file.

    Raises: InputError for a file that cannot be read or is none of cases of a known step.
    """
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path}: not JSON") from error
    try:
        cases = [
            Case(case["name"], case["input"], {name: case[name] for name in _answers(case)})
            for case in whole["cases"]
        ]
        found = VectorFile(whole["step"], whole["description"], cases)
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: not a file of cases") from error
    if found.step not in STEPS:
        raise InputError(f"{path}: no step is called {found.step!r}")
    return found


def _answers(case: Json) -> list[str]:
    (name,) = {"output", "reject"} & set(case) or {"output"}
    return [name]


def vector_files(folder: Path) -> Iterator[Path]:
    """Every file of cases below a folder, or the one file itself, in order.

    Raises: InputError when there is none.
    """
    if folder.is_file():
        yield folder
        return
    paths = sorted(path for path in folder.rglob("*.json") if path.name != "schema.json")
    if not paths:
        raise InputError(f"{folder}: no file of cases there")
    yield from paths
