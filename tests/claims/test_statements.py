"""docs/statements.md keeps to the code: its modules, tests and notes exist, and no row is empty."""

import ast
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/statements.md").read_text(encoding="utf-8")
STATEMENTS = 185
STATUSES = {"implemented", "departure", "policy"}


@dataclass(frozen=True)
class Row:
    """One statement of the specification, and where it stands."""

    number: int
    statement: str
    status: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    remark: str


def read_row(line: str) -> Row:
    number, statement, status, modules, tests, remark = map(str.strip, line.strip("|").split("|"))
    return Row(int(number), statement, status, names(modules), names(tests), remark)


def names(cell: str) -> tuple[str, ...]:
    found = tuple(re.findall(r"`([^`]+)`", cell))
    assert cell == ", ".join(f"`{name}`" for name in found), cell
    return found


ROWS = [read_row(line) for line in TEXT.splitlines() if re.match(r"\| \d", line)]
MODULES = sorted({module for row in ROWS for module in row.modules})
TESTS = sorted({test for row in ROWS for test in row.tests})


def defined_tests() -> Counter[str]:
    """In how many files of tests each function is."""
    return Counter(
        name
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for name in {
            node.name
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
        }
    )


DEFINED = defined_tests()


def test_every_statement_has_one_row_in_order() -> None:
    assert [row.number for row in ROWS] == list(range(1, STATEMENTS + 1))
    assert TEXT.count("\n| ") - len(ROWS) == TEXT.count("\n| No. ") + len(STATUSES) + 1


def test_the_statuses_are_those_explained() -> None:
    explained = re.search(r"\| Status \| Meaning \|\n.*\n((?:\| .*\n)+)", TEXT)
    assert explained
    assert set(re.findall(r"^\| ([^|]+) \|", explained[1], re.MULTILINE)) == STATUSES
    assert {row.status for row in ROWS} == STATUSES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_a_row_has_what_its_status_needs(row: Row) -> None:
    assert row.statement
    assert row.status in STATUSES
    if row.status in ("implemented", "departure"):
        assert row.modules
        assert row.tests
    if row.status != "implemented":
        assert row.remark
    if row.status == "departure":
        assert "(note " in row.remark


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_is_named_exists(module: str) -> None:
    assert (ROOT / module).is_file()


@pytest.mark.parametrize("name", TESTS)
def test_a_test_that_is_named_exists_once(name: str) -> None:
    assert DEFINED[name] == 1


def test_the_notes_that_are_named_exist() -> None:
    notes = re.findall(
        r"^### \d+\. (\S+)$", (ROOT / "SPEC_NOTES.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    named = {
        name
        for row in ROWS
        for listed in re.findall(r"\bnotes? ([a-z0-9-]+(?:, [a-z0-9-]+)*)", row.remark)
        for name in listed.split(", ")
    }
    assert named
    assert named <= set(notes)
