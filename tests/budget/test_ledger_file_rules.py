"""The rules that a ledger's file keeps itself, whichever program writes to it."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from budget_cases import CLOCK, NETWORK, during
from ledger_file_cases import dump, filled, run_sql
from worker_processes import quick_directory


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory: nothing here needs a disk."""
    with quick_directory() as directory:
        yield directory


COLUMNS = {"share": "report_collector", "commitment": "site", "asked": "query_id"}


@pytest.mark.parametrize("table", ["settings", "commitment", "share", "asked", "query", "outcome"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET {} = 'x'"])
def test_the_file_itself_refuses_to_forget(tmp_path: Path, table: str, change: str) -> None:
    path = filled(tmp_path)
    column = COLUMNS.get(table, "query_id" if table == "outcome" else "network_name")
    with pytest.raises(sqlite3.IntegrityError, match="a budget ledger only grows"):
        run_sql(path, change.format(table, column))


def query_row(**changed: Any) -> str:
    """A row for the next query of `filled`, which takes what is left."""
    values = {
        "number": 3,
        "settled": 0,
        "query_id": "n",
        "charged_at": during(7),
        "network_name": NETWORK,
        "site": "shop.example",
        "report_collector": "collector",
        "epoch": 7,
        "match_key_provider": "provider.example",
        "fanout": "source",
        "epsilon": 500_000,
        "delta": 99_998_000_000,
        "mechanism": "laplace",
        "cap": "1",
        "rows": 1,
        "breakdowns": 1,
    }
    return f"query VALUES ({', '.join(repr(value) for value in (values | changed).values())})"


@pytest.mark.parametrize("how", ["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"])
@pytest.mark.parametrize(
    "row",
    [
        "settings VALUES ('network-1', 1, 1000000, 0, 0, 1, 1)",
        "settings (rowid, network_name, helper, site_epsilon, site_delta, epoch_start, epoch_seconds,"
        " open_epochs) VALUES (1, 'n', 1, 1, 1, 1, 1, 1)",
        f"commitment VALUES ('shop.example', 7, {during(7)}, 1)",
        f"commitment VALUES ('new.example', 7, {during(7)}, 0)",
        "share VALUES ('shop.example', 7, 'collector', 'network-1', 'provider.example', 1, 1)",
        "share VALUES ('shop.example', 7, 'another', 'network-1', 'provider.example', 1, 1)",
        "share VALUES ('shop.example', 9, 'collector', 'network-1', 'provider.example', 1, 1)",
        "asked VALUES ('n', x'00')",
        "asked VALUES ('q1', x'00')",
        "outcome VALUES ('q2', 9)",
        "outcome VALUES ('q1', 1001)",
        "outcome VALUES ('q1', -1)",
        "outcome VALUES ('n', 0)",
        query_row(number=1),
        query_row(number=2),
        query_row(number=4),
        query_row(query_id="q1"),
        query_row(query_id="not-asked"),
        query_row(epsilon=500_001),
        query_row(epsilon=0),
        query_row(epsilon=-1),
        query_row(delta=99_998_000_001),
        query_row(delta=-1),
        query_row(settled=2),
        query_row(site="other.example"),
        query_row(report_collector="another"),
        query_row(network_name="network-2"),
        query_row(match_key_provider="m"),
        query_row(epoch=6),
        query_row(epoch=8),
        query_row(charged_at=CLOCK.begins_at(7) - 1),
        query_row(charged_at=CLOCK.closes_at(7)),
        query_row(charged_at=CLOCK.start - 1, epoch=0),
        query_row(settled=1, network_name="network-2"),
        query_row(settled=1, report_collector="another"),
        query_row(settled=1, charged_at=CLOCK.closes_at(7)),
    ],
)
def test_the_file_itself_refuses_to_replace_or_to_go_beyond(
    tmp_path: Path, how: str, row: str
) -> None:
    path = filled(tmp_path)
    before = dump(path)
    try:
        run_sql(path, f"{how} INTO {row}")
    except sqlite3.IntegrityError as error:
        assert re.search(r"does not allow this|CHECK constraint", str(error))
    else:
        assert how == "INSERT OR IGNORE"  # the row is left out
    assert dump(path) == before


def test_the_file_takes_a_commitment_with_all_its_shares_and_no_more(tmp_path: Path) -> None:
    path = filled(tmp_path)
    row = "INSERT INTO share VALUES ('new.example', 8, '{}', 'network-1', 'p', {}, {})"
    run_sql(
        path,
        f"INSERT INTO commitment VALUES ('new.example', 8, {during(7)}, 2)",
        row.format("a", 600_000, 6 * 10**11),
    )
    for wrong in (
        row.format("a", 1, 1),
        row.format("b", 400_001, 1),
        row.format("b", 0, 1),
        row.format("b", 1, 4 * 10**11 + 1),
        row.format("b", 1, -1),
    ):
        with pytest.raises(sqlite3.IntegrityError):
            run_sql(path, wrong)
    before_all_are_there = query_row(
        site="new.example",
        epoch=8,
        report_collector="a",
        epsilon=1,
        delta=6 * 10**11,
        match_key_provider="p",
        charged_at=during(8),
    )
    with pytest.raises(sqlite3.IntegrityError, match="does not allow this"):
        run_sql(path, f"INSERT INTO {before_all_are_there}")
    run_sql(path, row.format("b", 300_000, 4 * 10**11))
    with pytest.raises(sqlite3.IntegrityError, match="does not allow this"):
        run_sql(path, row.format("c", 1, 0))
    run_sql(path, f"INSERT INTO {before_all_are_there}")


def test_the_file_takes_no_charge_from_before_the_clock_s_start(tmp_path: Path) -> None:
    path = filled(tmp_path)
    row = {"epoch": 0, "epsilon": 1, "delta": 0}
    run_sql(
        path,
        f"INSERT INTO commitment VALUES ('shop.example', 0, {during(0)}, 1)",
        "INSERT INTO share VALUES"
        " ('shop.example', 0, 'collector', 'network-1', 'provider.example', 1, 1)",
    )
    with pytest.raises(sqlite3.IntegrityError, match="does not allow this"):
        run_sql(path, f"INSERT INTO {query_row(charged_at=CLOCK.start - 1, **row)}")
    run_sql(path, f"INSERT INTO {query_row(charged_at=CLOCK.start, **row)}")


@pytest.mark.parametrize("table", ["commitment", "share", "asked", "query", "outcome"])
def test_a_row_cannot_be_replaced_through_its_rowid(tmp_path: Path, table: str) -> None:
    path = filled(tmp_path)
    with pytest.raises(sqlite3.OperationalError, match="no such column: rowid"):
        run_sql(path, f"SELECT rowid FROM {table}")


@pytest.mark.parametrize(
    "row",
    [
        query_row(),
        query_row(charged_at=CLOCK.begins_at(7)),
        query_row(charged_at=CLOCK.closes_at(7) - 1),
        query_row(settled=1, query_id="not-asked", epsilon=900_000, delta=9 * 10**10),
        "outcome VALUES ('q1', 1000)",
        "outcome VALUES ('q1', 0)",
        "asked VALUES ('m', x'00')",
    ],
)
def test_the_file_takes_what_keeps_to_its_rules(tmp_path: Path, row: str) -> None:
    path = filled(tmp_path)
    before = len(dump(path))
    run_sql(path, f"INSERT INTO {row}")
    assert len(dump(path)) == before + 1
