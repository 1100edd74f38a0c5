"""SPEC_NOTES.md and the code stay in step: sections, notes, citations, files."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_spec_example import ERRATA

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SPEC_NOTES.md").read_text(encoding="utf-8")
MAP, NOTES = TEXT.split("\n## Notes\n")

SECTIONS = """
Overview
Parties Involved
Other Key Terms
Relationship Between Websites/Apps and Delegate Report Collectors
Attribution Measurement
Gathering Events
Querying
Overview of MPC Security Model
Differentially Private Aggregate Queries
Sensitivity Capping
Differentially Private Noise
Differential Privacy Budget Management
Setup
Commitments
Client Side: Setting the match key
Client Side: Getting the encrypted match key report
Constraints on encrypted match keys
Clarifying allowed uses
Additional Data
Generating source and trigger reports by the report collector
Secure Multi Party Computation between a helper party network (P1, P2, P3)
Validating reports
Oblivious source and trigger reports
Oblivious Sorting
Oblivious Last Touch Attribution
Interaction Pattern
Last Touch Attribution
User Level Sensitivity Capping
Computing the Aggregates
DP Noise Addition
Two Party Secret Sharing
Match Key Compression
Presorting by Timestamp and Attribution Constraint ID
Computing the Aggregation for Large Amount of Breakdowns
Unbounded Scope of Incoming Information
Privacy Preserving Mean and Covariance Estimation
Transparency of Queries
Oblivious Algorithms
Applications that can access web content
Applications that cannot access web content
"""
"""The specification's sections, in its order, those that only hold other sections left out."""

CITATION = re.compile(r"SPEC_NOTES:\s+([a-z0-9-]+)")


def notes() -> list[tuple[int, str]]:
    return [
        (int(number), name)
        for number, name in re.findall(r"^### (\d+)\. ([a-z0-9-]+)$", NOTES, re.MULTILINE)
    ]


def note_text(name: str) -> str:
    return re.split(r"^### ", NOTES.split(f". {name}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def citations(*folders: str) -> Iterator[tuple[str, str]]:
    """(name, file) of every citation. A name must not be broken over two lines."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name in CITATION.findall(path.read_text(encoding="utf-8")):
                yield name, str(path.relative_to(ROOT))


def map_rows() -> list[tuple[str, str]]:
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", MAP, re.MULTILINE)
    return rows[1:]  # the header


def test_notes_are_numbered_and_named_once() -> None:
    assert notes()
    assert [number for number, _ in notes()] == list(range(1, len(notes()) + 1))
    assert len({name for _, name in notes()}) == len(notes())
    assert len(notes()) == NOTES.count("\n### ")


def test_every_citation_has_a_note() -> None:
    names = {name for _, name in notes()}
    assert [cited for cited in citations("ipa", "tests", "examples") if cited[0] not in names] == []


def test_every_note_is_cited_in_code() -> None:
    cited = {name for name, _ in citations("ipa", "tests")}
    assert [name for _, name in notes() if name not in cited] == []


@pytest.mark.parametrize("name", [name for _, name in notes()])
def test_a_note_says_section_decision_and_reason(name: str) -> None:
    text = note_text(name)
    assert re.match(r"\nSection: \S", text)
    assert "\nDecision: " in text
    assert "Why: " in text or "is right" in text


def test_every_section_is_in_the_map_in_order() -> None:
    assert [section for section, _ in map_rows()] == SECTIONS.strip().splitlines()


def test_every_section_has_a_place_or_a_reason() -> None:
    for section, where in map_rows():
        assert "`" in where or ": " in where or "see " in where, section
    files = set(re.findall(r"`([^`]+\.py)`", TEXT))
    assert files
    assert [name for name in sorted(files) if not (ROOT / name).is_file()] == []


def test_the_map_names_notes_that_exist() -> None:
    names = {name for _, name in notes()}
    named = [name for _, where in map_rows() for name in named_notes(where)]
    assert named
    assert set(named) == names


def named_notes(where: str) -> list[str]:
    match = re.search(r"; notes?: ([a-z0-9, -]+)$", where)
    return match[1].split(", ") if match else []


def test_every_step_of_the_query_is_in_the_map() -> None:
    tree = ast.parse((ROOT / "ipa/query.py").read_text(encoding="utf-8"))
    imported = {
        node.module.replace(".", "/") + ".py"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and "protocols" in node.module
    }
    assert imported
    assert [name for name in sorted(imported) if f"`{name}`" not in MAP] == []


def test_the_errata_of_the_worked_example_are_those_the_test_found() -> None:
    columns = {
        "updated_stop": "Updated Stop Bit",
        "stop": "Stop Bit",
        "flag": "formula of the stop bit",
        "sum": "formula of the credit",
        "credit": "Credit",
        "updated_credit": "Updated Credit",
    }
    found = [
        (str(iteration), str(row + 1), columns[column], printed, right)
        for (iteration, row, column), (printed, right) in ERRATA.items()
    ]
    listed = re.findall(
        r"^\| (\d) \| (\d+) \| (.+) \| (.+) \| (.+) \|$",
        note_text("last-touch-table"),
        re.MULTILINE,
    )
    assert sorted(listed) == sorted(found)
