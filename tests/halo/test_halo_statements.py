"""docs/halo-statements.md keeps to the code: modules and tests exist, and no row lacks what it needs."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "halo-statements.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if re.match(r"\| \d", line)
]
STATEMENTS = 49


def names(cell: str) -> list[str]:
    found = re.findall(r"`([^`]+)`", cell)
    assert cell == ", ".join(f"`{name}`" for name in found), cell
    return found


def defined_tests() -> set[str]:
    return {
        node.name
        for path in (ROOT / "tests" / "halo").glob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }


DEFINED = defined_tests()


def test_every_statement_is_there_once() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, STATEMENTS + 1))
    assert len({row[1] for row in ROWS}) == STATEMENTS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_has_what_its_status_needs(row: list[str]) -> None:
    _, statement, status, where, tests, note = row
    assert statement
    assert [name for name in names(where) if not (ROOT / name).is_file()] == []
    assert set(names(tests)) <= DEFINED
    assert status in ("implemented", "departure", "policy")
    if status == "policy":
        assert (where, tests) == ("", "") and note
    else:
        assert where and tests
        assert note or status == "implemented"


def test_every_module_but_the_groundwork_keeps_a_statement() -> None:
    used = {name for row in ROWS for name in names(row[3])}
    modules = {f"ipa/halo/{path.name}" for path in (ROOT / "ipa" / "halo").glob("[a-z]*.py")}
    groundwork = {"group", "groups", "p256", "ed25519", "ring_vectors", "registers", "records"}
    groundwork |= {"workload", "oracle_sql", "protocol_choice", "specification", "tasks"}
    assert modules - used == {f"ipa/halo/{name}.py" for name in groundwork}
