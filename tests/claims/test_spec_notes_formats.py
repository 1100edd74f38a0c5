"""The byte formats of SPEC_NOTES.md: what its tables say is what the library writes and reads."""

import json
import re
from itertools import product
from typing import Any, get_args

from client_cases import context_from_json
from spec_notes_cases import FORMATS, ROOT, rows_under

from ipa.client.encrypted_match_key import ReportContext
from ipa.client.fanout_query import FANOUT_CODES, FORM_CODES, Fanout, FanoutQuery, FieldWidths, Form
from ipa.client.keys import KemName
from ipa.client.report_format import info, info_prefix, read_bare_record, read_record
from ipa.client.report_size import report_size, report_size_for_all, report_size_in_spec
from ipa.client.shares import SHARINGS, Sharing


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


def test_the_tables_of_published_configurations_have_the_members_of_the_vectors() -> None:
    networks = [case["network"] for case in cases("network_configurations")]
    rows = table("### published configuration")[1:]
    kinds = {str: "string", int: "number", list: "list"}
    assert networks
    for network in networks:
        assert [(name, kinds[type(value)]) for name, value in network.items()] == [
            (name, kind) for name, kind, _ in rows
        ]
        assert f"`{network['format']}`" == rows[0][2]
    members = [row[:3] for row in rows_under(FORMATS, "| List | Member | JSON | Value |")]
    last = networks[-1]
    lists = {name: last[name] for name in ("services", "report_collectors")}
    for name, listed in (
        lists | {"helpers": [key for keys in last["helpers"] for key in keys]}
    ).items():
        assert listed
        for each in listed:
            found = [(name, member, kinds[type(value)]) for member, value in each.items()]
            assert found == [row for row in members if row[0] == name]


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
