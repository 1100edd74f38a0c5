"""SPEC_NOTES.md and the code stay in step: sections, byte formats, notes, citations, files."""

import ast
import json
import re
from collections.abc import Iterator
from itertools import groupby, product
from math import log2
from pathlib import Path
from typing import Any, get_args

import pytest
from client_cases import context_from_json
from spec_example_errata import ERRATA

from ipa.client.encrypted_match_key import ReportContext
from ipa.client.fanout_query import FANOUT_CODES, FORM_CODES, Fanout, FanoutQuery, FieldWidths, Form
from ipa.client.keys import KemName
from ipa.client.report_format import info, info_prefix, read_bare_record, read_record
from ipa.client.report_size import report_size, report_size_for_all, report_size_in_spec
from ipa.client.shares import SHARINGS, Sharing
from ipa.network.product_log import SMALLEST_CHECKED_FIELD

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SPEC_NOTES.md").read_text(encoding="utf-8")
MAP, _REST = TEXT.split("\n## Byte formats\n")
FORMATS, _REST = _REST.split("\n## What helper parties send each other\n")
MESSAGES, _REST = _REST.split("\n## Index of the notes\n")
INDEX, NOTES = _REST.split("\n## Notes\n")

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


def rows_under(text: str, header: str) -> list[tuple[str, ...]]:
    """The rows of the table that begins with `header`, without the header."""
    lines = text[text.index(header) :].split("\n\n", 1)[0].splitlines()[2:]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]


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


# The byte formats: what the tables say is what the library writes and reads.


def table(header: str) -> list[tuple[str, ...]]:
    """The rows of the table of the byte formats that is under `header`."""
    found = re.search(rf"{re.escape(header)}\n\n?(?:[^|\n].*\n+)*((?:\|.*\n)+)", FORMATS)
    assert found, header
    lines = found[1].splitlines()
    rows = [line.strip("|").split("|") for line in lines if not re.match(r"\|[:-]", line)]
    return [tuple(cell.strip() for cell in row) for row in rows]


def read_object(name: str, data: bytes, at: int = 0) -> tuple[dict[str, Any], int]:
    """An object of the byte formats, read by its table alone, and where it ends."""
    fields: dict[str, Any] = {}
    for field, kind, _ in table(f"### {name}")[1:]:
        fields[field], at = read_field(kind, data, at, fields)
    return fields, at


def read_field(kind: str, data: bytes, at: int, before: dict[str, Any]) -> tuple[Any, int]:
    if times := re.fullmatch(r"(\d|\w+) x (.+)", kind):
        count = int(times[1]) if times[1].isdigit() else before[times[1]]
        values = []
        for _ in range(count):
            value, at = read_field(times[2], data, at, {})
            values.append(value)
        return values, at
    if number := re.fullmatch(r"u(\d+)", kind):
        end = at + int(number[1]) // 8
        assert end <= len(data)
        return int.from_bytes(data[at:end], "big"), end
    if kind in ("string", "opaque"):
        length, at = read_field("u8" if kind == "string" else "u16", data, at, {})
        assert at + length <= len(data)
        piece = data[at : at + length]
        return piece.decode() if kind == "string" else piece, at + length
    return read_object(kind, data, at)


def cases(name: str) -> Any:
    """The honest cases of a file of test vectors."""
    return json.loads((ROOT / f"tests/vectors/{name}.json").read_text(encoding="utf-8"))["cases"]


def info_of(header: str, values: dict[str, bytes]) -> bytes:
    """The `info` that a table describes, all of its parts opaque."""
    parts = []
    for name, contents in table(f"| {header} | Contents |"):
        label = re.fullmatch("`(.*)`", contents)
        part = label[1].encode() if label and name == "label" else values[name]
        parts.append(len(part).to_bytes(2, "big") + part)
    return b"".join(parts)


def test_the_table_of_encrypted_match_keys_reads_the_vectors() -> None:
    for case in cases("encrypted_match_keys"):
        data = bytes.fromhex(case["bytes"])
        fields, end = read_object("encrypted match key", data)
        assert end == len(data)
        assert (fields["version"], fields["context"]) == (2, case["context"])
        assert fields["shares"] == len(fields["sealed"])
        names = {name: str(value).encode() for name, value in case["context"].items()}
        epoch = case["context"]["epoch"].to_bytes(4, "big")
        both = zip(fields["sealed"], case["helpers"], strict=True)
        assert case["network"]["sharing"] == {3: "three-party", 2: "two-party"}[fields["shares"]]
        for helper, (sealed, vector) in enumerate(both, 1):
            own = {"helper": bytes([helper]), "key_id": sealed["key_id"].to_bytes(2, "big")}
            own["match_key_bits"] = case["network"]["match_key_bits"].to_bytes(2, "big")
            own["shares"] = bytes([fields["shares"]])
            values = names | own | {"epoch": epoch}
            assert info_of("Info of a match key", values).hex() == vector["info"]


def test_the_tables_of_streams_and_records_read_the_vectors() -> None:
    for case in cases("query_streams"):
        for helper, vector in enumerate(case["helpers"], 1):
            data = bytes.fromhex(vector["bytes"])
            stream, end = read_object("stream", data)
            assert end == len(data)
            assert stream["magic"] == int.from_bytes(b"IPAQ", "big")
            assert (stream["version"], stream["helper"]) == (2, helper)
            fingerprint = stream["key_fingerprint"].to_bytes(32, "big")
            assert fingerprint.hex() == vector["key_fingerprint"]
            assert stream["query"]["context"] == case["query"]["context"]
            check_records(stream["records"], stream["query"], helper)


def check_records(records: list[bytes], asked: dict[str, Any], helper: int) -> None:
    """Each record read by its table, and by the library: the same fields, the same `info`."""
    forms = {code: form for form, code in FORM_CODES.items()}
    fanouts = {code: fanout for fanout, code in FANOUT_CODES.items()}
    widths = {name: asked[name] for name in FieldWidths.__dataclass_fields__}
    query = FanoutQuery(
        context=context_from_json(asked["context"]),
        fanout=fanouts[asked["fanout"]],
        widths=FieldWidths(**widths),
        match_key_bits=asked["match_key_bits"],
        form=forms[asked["form"]],
        sharing=SHARINGS[asked["shares"]],
    )
    assert records
    for data in records:
        if asked["shares"] == 2 and helper == 3:
            kind, context = data[0], int.from_bytes(data[1:], "big")
            bare = read_bare_record(data)
            assert len(data) == 5
            assert (FANOUT_CODES[bare.kind], bare.context_index) == (kind, context)
            continue
        record, at = read_object("record", data)
        ciphertexts = record["data"]
        if query.form == "per-field":
            more, at = read_field("2 x opaque", data, at, {})
            ciphertexts = ciphertexts + more
        assert at == len(data)
        known = read_record(data, query)
        assert (known.context_index, known.data_key_id) == (record["context"], record["key_id"])
        assert (FANOUT_CODES[known.kind], list(known.data)) == (record["kind"], ciphertexts)
        assert vars(known.match_key) == record["match_key"]
        for part in range(len(ciphertexts)):
            number = 0 if query.form == "packed" else part + 1
            values = {
                "helper": bytes([helper]),
                "query": query.to_bytes(),
                "kind": bytes([FANOUT_CODES[known.kind]]),
                "field": bytes([number]),
                "key_id": known.data_key_id.to_bytes(2, "big"),
                "match_key_ciphertext": known.match_key.ciphertext,
            }
            prefix = info_prefix(query, helper, known.kind, part, known.data_key_id)
            expected = info(prefix, known.match_key.ciphertext)
            assert info_of("Info of a report's data", values) == expected


def test_the_bytes_per_report_are_those_computed() -> None:
    context = ReportContext(
        network_name="net.example",
        match_key_provider="on-device",
        report_collector="search.example",
        on_behalf_of="search.example",
        site="search.example",
        epoch=1,
    )
    widths = FieldWidths(
        attribution_constraint_id_bits=16, timestamp_bits=32, breakdown_key_bits=8, value_bits=16
    )
    asked = [
        FanoutQuery(context=context, fanout="source", widths=widths, form=form, sharing=sharing)
        for sharing, form in product(get_args(Sharing), get_args(Form))
    ]
    kinds = list(product(get_args(KemName), get_args(Fanout)))
    one_helper = [
        (
            f"{kind}, {kem}",
            *(f"{report_size(query, kind, kem).total:,}" for query in asked),
            f"{report_size_in_spec(asked[0], kind, kem):,}",
        )
        for kem, kind in kinds
    ]
    all_helpers = [
        (
            f"{kind}, {kem}",
            *(f"{report_size_for_all(query, kind, kem):,}" for query in asked[::2]),
            f"{3 * report_size_in_spec(asked[0], kind, kem):,}",
        )
        for kem, kind in kinds
    ]
    assert rows_under(FORMATS, "| Report, KEM |") == one_helper
    assert rows_under(FORMATS, "| All helpers: report, KEM |") == all_helpers
    bare = report_size(asked[2], "source", helper=3).total
    assert f"helper 3 gets {bare} bytes" in FORMATS


def test_every_file_of_vectors_is_listed() -> None:
    listed = {name.strip("`") for name, _ in table("### Test vectors")[1:]}
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "tests/vectors").glob("*.json")}
    assert listed == there
