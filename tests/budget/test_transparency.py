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

from ipa.budget.transparency import ExportFormat, QueryRecord, export_queries
from ipa.errors import ParameterError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("cap", value) for value in (0, 1 << 64, 1.0)),
        *(("rows", value) for value in (-1, 1 << 63)),
        *(("breakdowns", value) for value in (0, (1 << 20) + 1)),
        *(("charged_at", value) for value in (-1, 253402300800, 1.5)),
        *(("fanout", value) for value in ("both", "", None)),
    ],
)
def test_malformed_queries_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=f"^{name} must be"):
        query("q", **{name: value})


def exported(form: ExportFormat, *records: QueryRecord) -> str:
    out = io.StringIO()
    export_queries(records, out, form)
    return out.getvalue()


def test_the_export_is_pinned() -> None:
    record = query("q1", "0.1", cap=(1 << 64) - 1)
    assert exported("jsonl", record) == (
        '{"query_id": "q1", "charged_at": "2023-11-14T22:13:20Z", "network_name": "network-1", '
        '"site": "shop.example", "report_collector": "collector", "epoch": 7, '
        '"match_key_provider": "provider.example", '
        '"fanout": "source", "epsilon": "0.1", "cap": 18446744073709551615, "rows": 1000, '
        '"breakdowns": 16}\n'
    )
    assert exported("csv", record) == (
        "query_id,charged_at,network_name,site,report_collector,epoch,match_key_provider,fanout,epsilon,cap,"
        "rows,breakdowns\n"
        "q1,2023-11-14T22:13:20Z,network-1,shop.example,collector,7,provider.example,source,0.1,"
        "18446744073709551615,1000,16\n"
    )
    assert '"site": "caf\\u00e9"' in exported("jsonl", query(site="caf\u00e9"))
    assert exported("jsonl") == ""
    with pytest.raises(ParameterError, match="jsonl, csv"):
        export_queries([], io.StringIO(), "xml")  # type: ignore[arg-type]


@given(st.lists(charges, max_size=3), st.sampled_from(["a,b", 'a"b', "\u00e9;", "a'"]))
def test_both_exports_carry_every_record(records: list[QueryRecord], name: str) -> None:
    records = [replace(record, site=name) for record in records]
    from_json = [json.loads(line) for line in exported("jsonl", *records).splitlines()]
    from_csv = list(csv.DictReader(io.StringIO(exported("csv", *records))))
    assert [{k: str(v) for k, v in row.items()} for row in from_json] == from_csv
    assert [Fraction(row["epsilon"]) for row in from_json] == [r.epsilon for r in records]
    assert [row["cap"] for row in from_json] == [r.cap for r in records]
    assert [row["site"] for row in from_json] == [name] * len(records)
