"""SPEC_NOTES.md and the code stay in step: notes, statuses, citations, sections, places."""

import ast
import re
from collections.abc import Iterator
from itertools import groupby
from math import log2

import pytest
from spec_example_errata import ERRATA
from spec_notes_cases import INDEX, MAP, NOTES, ROOT, TEXT, rows_under

from ipa.network.product_log import SMALLEST_CHECKED_FIELD

SECTIONS = """
Overview
Parties Involved
Other Key Terms
Relationship Between Websites/Apps and Delegate Report Collectors
Attribution Measurement
Gathering Events
Querying
Overview of MPC Security Model
Differential Privacy
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
Web Views and Embedded Browsers
Applications that can access web content
Applications that cannot access web content
"""
"""The specification's sections, in its order, those that only hold other sections left out."""

STATUSES = (
    "Open",
    "Ambiguous",
    "Contradictory",
    "Wrong",
    "Erratum",
    "Departure",
    "Beyond the spec",
    "Consequence",
)
"""What a note says of the specification, in the order of the index."""

CITATION = re.compile(r"SPEC_NOTES:\s+([a-z0-9-]+)")


def notes() -> list[tuple[int, str]]:
    return [
        (int(number), name)
        for number, name in re.findall(r"^### (\d+)\. ([a-z0-9-]+)$", NOTES, re.MULTILINE)
    ]


def note_text(name: str) -> str:
    return re.split(r"^### ", NOTES.split(f". {name}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def citations(*folders: str) -> Iterator[tuple[str, str]]:
    """(name, file) of every citation."""
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


def test_a_citation_can_be_found_with_grep() -> None:
    for path in sorted((ROOT / "ipa").rglob("*.py")):
        assert not re.search(r"SPEC_NOTES:\s*\n", path.read_text(encoding="utf-8")), path


def test_every_note_is_cited_in_code() -> None:
    """All but errata: a slip of the specification's text leaves nothing to decide in code."""
    cited = {name for name, _ in citations("ipa", "tests")}
    decided = [name for _, name in notes() if statuses_of(name) != ["Erratum"]]
    assert [name for name in decided if name not in cited] == []


def heading_of(name: str) -> tuple[list[str], list[str]]:
    """The sections and the statuses of a note, from its first paragraph."""
    found = re.match(r"\nSection: ([^|]+?)\. Status: ([^.]+)\.\n\n", note_text(name))
    assert found, name
    sections = found[1].replace("\n", " ").split("; ")
    return sections, found[2].split(", ")


def statuses_of(name: str) -> list[str]:
    return heading_of(name)[1]


@pytest.mark.parametrize("name", [name for _, name in notes()])
def test_a_note_says_section_status_decision_and_reason(name: str) -> None:
    sections, statuses = heading_of(name)
    known = SECTIONS.strip().splitlines()
    for section in sections:  # "steps 3 and 4" or "the tables of ..." may come behind it
        assert any(section == title or section.startswith(f"{title}, ") for title in known), section
    assert set(statuses) <= set(STATUSES)
    text = note_text(name)
    assert "\nDecision: " in text
    assert "Why: " in text or "is right" in text


def test_the_index_by_status_is_that_of_the_notes() -> None:
    rows = [tuple(cell.strip() for cell in row) for row in index_rows("Status")]
    assert [status for status, _, _ in rows] == list(STATUSES)
    for status, meaning, numbers in rows:
        assert meaning
        having = [str(number) for number, name in notes() if status in statuses_of(name)]
        assert numbers.split(", ") == having, status


def test_the_index_by_theme_has_every_note_once() -> None:
    rows = index_rows("Theme")
    assert all(len(row) == 3 and all(row) for row in rows)
    themes = [theme for theme, _, _ in rows]
    assert len(list(groupby(themes))) == len(set(themes))  # each theme's notes stand together
    listed = [note for _, note, _ in rows]
    assert sorted(listed) == sorted(f"{number} {name}" for number, name in notes())
    for _, group in groupby(rows, key=lambda row: row[0]):
        numbers = [int(note.split()[0]) for _, note, _ in group]
        assert numbers == sorted(numbers)


def index_rows(header: str) -> list[tuple[str, ...]]:
    return rows_under(INDEX, f"| {header} |")


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


def test_the_note_on_products_names_the_smallest_field() -> None:
    assert f"at least 2^{log2(SMALLEST_CHECKED_FIELD):.0f} elements" in note_text(
        "modulo-2k-products"
    )
