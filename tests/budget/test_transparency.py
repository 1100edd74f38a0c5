"""The record of queries and its two exports."""

import csv
import io
import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from budget_cases import charges, query
from hypothesis import given
from hypothesis import strategies as st

from ipa.budget.transparency import (
    ExportFormat,
    QueryRecord,
    export_queries,
    published,
    record_from_published,
)
from ipa.errors import InputError, ParameterError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("cap", value) for value in (0, 1 << 64, 1.0)),
        *(("rows", value) for value in (-1, 1 << 63)),
        *(("breakdowns", value) for value in (0, (1 << 20) + 1)),
        *(("charged_at", value) for value in (-1, 253402300800, 1.5)),
        *(("fanout", value) for value in ("both", "", None)),
        *(("mechanism", value) for value in ("gauss", "", None)),
    ],
)
def test_malformed_queries_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=f"^{name} must be"):
        query("q", **{name: value})


def exported(form: ExportFormat, *records: QueryRecord, **used: int) -> str:
    out = io.StringIO()
    export_queries(records, used, out, form)
    return out.getvalue()


def test_the_export_is_pinned() -> None:
    record = query("q1", "0.1", cap=(1 << 64) - 1)
    assert exported("jsonl", record, q1=998) == (
        '{"query_id": "q1", "charged_at": "2023-11-14T22:13:20Z", "network_name": "network-1", '
        '"site": "shop.example", "report_collector": "collector", "epoch": 7, '
        '"match_key_provider": "provider.example", '
        '"fanout": "source", "epsilon": "0.1", "delta": "1e-12", "mechanism": "laplace", '
        '"cap": 18446744073709551615, "rows": 1000, '
        '"breakdowns": 16, "rows_used": 998}\n'
    )
    assert exported("csv", record, q1=0) == (
        "query_id,charged_at,network_name,site,report_collector,epoch,match_key_provider,fanout,epsilon,delta,mechanism,cap,"
        "rows,breakdowns,rows_used\n"
        "q1,2023-11-14T22:13:20Z,network-1,shop.example,collector,7,provider.example,source,0.1,1e-12,laplace,"
        "18446744073709551615,1000,16,0\n"
    )
    assert '"site": "caf\\u00e9"' in exported("jsonl", query(site="caf\u00e9"))
    assert exported("jsonl") == ""
    assert json.loads(exported("jsonl", record, q2=1))["rows_used"] is None
    assert exported("csv", record).endswith(",16,\n")
    with pytest.raises(ParameterError, match="jsonl, csv"):
        export_queries([], {}, io.StringIO(), "xml")  # type: ignore[arg-type]


@given(st.lists(charges, max_size=3), st.sampled_from(["a,b", 'a"b', "\u00e9;", "a'"]))
def test_both_exports_carry_every_record(records: list[QueryRecord], name: str) -> None:
    records = [replace(record, site=name) for record in records]
    from_json = [json.loads(line) for line in exported("jsonl", *records).splitlines()]
    from_csv = list(csv.DictReader(io.StringIO(exported("csv", *records))))
    shown = [{k: "" if v is None else str(v) for k, v in row.items()} for row in from_json]
    assert shown == from_csv
    assert [Fraction(row["epsilon"]) for row in from_json] == [r.epsilon for r in records]
    assert [Fraction(row["delta"]) for row in from_json] == [r.delta for r in records]
    assert [row["mechanism"] for row in from_json] == [r.mechanism for r in records]
    assert [row["cap"] for row in from_json] == [r.cap for r in records]
    assert [row["site"] for row in from_json] == [name] * len(records)


@given(charges)
def test_helpers_read_the_record_that_they_wrote(record: QueryRecord) -> None:
    assert QueryRecord.from_bytes(record.to_bytes()) == record


def test_a_record_is_read_as_it_is_published() -> None:
    record = query(charged_at=1_700_000_000)
    shown = published(record)
    assert record_from_published(json.loads(json.dumps(shown))) == record
    for name in shown:
        others: list[object] = [None, 1.0, True, "", [], f"{shown[name]} "]
        for changed in others:
            with pytest.raises(InputError, match="this is no record of a query"):
                record_from_published(shown | {name: changed})
        with pytest.raises(InputError):
            record_from_published({other: shown[other] for other in shown if other != name})


def test_the_bytes_of_a_record_are_pinned() -> None:
    """Each field of the record in order, as text, behind its length."""
    texts = (
        *("q1", "1700000000", "network-1", "shop.example", "collector", "7"),
        *("provider.example", "source", "0.1", "1e-12", "laplace", "100", "1000", "16"),
    )
    data = b"".join(len(text).to_bytes(2, "big") + text.encode() for text in texts)
    assert query("q1", "0.1").to_bytes() == data
    assert len(texts) == len(QueryRecord.__dataclass_fields__)


def test_all_but_the_time_is_what_was_asked() -> None:
    asked = query("q1")
    assert replace(asked, charged_at=5).question_digest() == asked.question_digest()
    texts = {"query_id": "b", "network_name": "b", "site": "b", "report_collector": "b"}
    changes: dict[str, Any] = texts | {
        "match_key_provider": "b",
        "fanout": "trigger",
        "epsilon": "0.5",
        "delta": "1e-11",
        "mechanism": "laplace-per-helper",
    }
    changes |= {"epoch": 1, "cap": 1, "rows": 1, "breakdowns": 1}
    others = {query(**{"query_id": "q1"} | {k: v}).question_digest() for k, v in changes.items()}
    assert len(others | {asked.question_digest()}) == len(QueryRecord.__dataclass_fields__)


@given(st.data())
def test_other_bytes_are_no_record(data: st.DataObject) -> None:
    """Whatever is read was written that way: one record has one spelling."""
    good = query("q1").to_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    changed = (
        good[:at] + data.draw(st.binary(max_size=3)) + good[at + data.draw(st.integers(0, 3)) :]
    )
    try:
        assert QueryRecord.from_bytes(changed).to_bytes() == changed
    except InputError as error:
        assert "no record" in str(error)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\x00\x041000", b"\x00\x05+1000"),
        (b"\x00\x041000", b"\x00\x0501000"),
        (b"\x00\x041000", b"\x00\x061 000 "),
        (b"\x00\x041000", b"\x00\x04\xff000"),
        (b"\x00\x030.1", b"\x00\x040.10"),
        (b"\x00\x0216", b"\x00\x0316"),
        (b"\x00\x0216", b""),
        (b"\x00\x0216", b"\x00\x0216\x00\x0216"),
    ],
)
def test_a_record_spelt_otherwise_is_none(old: bytes, new: bytes) -> None:
    good = query("q1", "0.1").to_bytes()
    assert good.count(old) == 1
    with pytest.raises(InputError, match="no record of a query"):
        QueryRecord.from_bytes(good.replace(old, new))


def test_helpers_compare_delta_and_mechanism_as_text() -> None:
    """A delta has one spelling, or two helpers with the same record would not agree."""
    record = query("q1", delta="0.000000001", mechanism="laplace-per-helper")
    assert record == query("q1", delta="1e-9", mechanism="laplace-per-helper")
    data = record.to_bytes()
    assert b"\x00\x041e-9\x00\x12laplace-per-helper" in data
    with pytest.raises(InputError, match="no record of a query"):
        QueryRecord.from_bytes(data.replace(b"\x00\x041e-9", b"\x00\x0610e-10"))
    with pytest.raises(InputError, match="no record of a query"):
        QueryRecord.from_bytes(data.replace(b"\x00\x041e-9", b"\x00\x051e-19"))
