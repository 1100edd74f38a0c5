"""Files that are no ledger, or no longer one: always a documented error, never a changed file."""

import os
import random
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from budget_cases import (
    CLOCK,
    NETWORK,
    commitment,
    during,
    new_ledger,
    pay,
    query,
    share,
    terms,
)
from hypothesis import given
from hypothesis import strategies as st
from worker_processes import quick_directory

from ipa.budget import append_only
from ipa.budget.append_only import reading, writing
from ipa.budget.board import MemoryBoard
from ipa.budget.ledger import (
    Ledger,
    ask,
    charges,
    create_ledger,
    find_receipt,
    record_outcome,
    remaining,
    settings,
    settle,
    was_asked,
)
from ipa.budget.ledger_directory import budgets, outcomes, queries
from ipa.budget.ledger_tables import KIND
from ipa.errors import BudgetError, InputError, IpaError

BOARD = MemoryBoard(terms())
BOARD.commit(commitment(), now=during(7))
BOARD.commit(commitment(share("collector", "0.5"), share("b", "0.5"), epoch=8), now=during(7))
KEY: dict[str, Any] = {"site": "shop.example", "epoch": 7, "report_collector": "collector"}

READS: list[Callable[[Ledger], Any]] = [
    settings,
    queries,
    outcomes,
    lambda ledger: budgets(ledger, now=during(7)),
    lambda ledger: charges(ledger, **KEY),
    lambda ledger: find_receipt(ledger, "q1"),
    lambda ledger: was_asked(ledger, query("q1")),
    lambda ledger: remaining(ledger, **KEY),
]
WRITES: list[Callable[[Ledger], Any]] = [
    lambda ledger: pay(ledger, query("q3")),
    lambda ledger: ask(ledger, query("q4")),
    lambda ledger: settle(ledger, [query("q5")]),
    lambda ledger: record_outcome(ledger, "q1", 1),
]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory: nothing here needs a disk."""
    with quick_directory() as directory:
        yield directory


def filled(directory: Path) -> Path:
    """A ledger of half a budget, with a query that was asked and not charged."""
    ledger = new_ledger(directory, board=BOARD)
    pay(ledger, query("q1"))
    pay(ledger, query("q2"))
    record_outcome(ledger, "q2", 9)
    ask(ledger, query("n", "0.5", cap=1, rows=1, breakdowns=1))
    return ledger.path


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement).fetchall()


def create_again(ledger: Ledger) -> None:
    create_ledger(ledger, network_name=NETWORK, helper=1)


@pytest.mark.parametrize("use", READS + WRITES)
def test_a_missing_ledger_is_never_created_by_using_it(tmp_path: Path, use: Any) -> None:
    for path in (tmp_path / "absent", tmp_path, tmp_path / "no" / "such", Path("a\0b")):
        with pytest.raises(InputError, match="there is no budget ledger here"):
            use(Ledger(path, BOARD))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("use", READS + WRITES)
@pytest.mark.parametrize("content", [b"", b"x", b"query_id,site\n" * 999, b"SQLite format 3\0"])
def test_another_file_is_no_ledger(tmp_path: Path, use: Any, content: bytes) -> None:
    path = tmp_path / "notes"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a budget ledger"):
        use(Ledger(path, BOARD))
    assert path.read_bytes() == content


def test_another_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "database"
    run_sql(path, "CREATE TABLE t (a)")
    before = path.read_bytes()
    for use in (*READS, *WRITES, create_again):
        with pytest.raises(InputError, match="not a budget ledger"):
            use(Ledger(path, BOARD))
    assert path.read_bytes() == before


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path)
    run_sql(path, "PRAGMA user_version = 1")
    for use in (*READS, *WRITES, create_again):
        with pytest.raises(InputError, match="ledger of version 1; only version 4"):
            use(Ledger(path, BOARD))


def test_creating_again_keeps_everything_and_other_settings_are_refused(tmp_path: Path) -> None:
    path = filled(tmp_path)
    create_again(Ledger(path, BOARD))
    others = [replace(terms(), clock=replace(CLOCK, seconds=2_000)), terms(Fraction(2))]
    for network, helper, board in (
        ("network-2", 1, BOARD),
        (NETWORK, 2, BOARD),
        *((NETWORK, 1, MemoryBoard(other)) for other in others),
    ):
        with pytest.raises(BudgetError, match="another network, helper, budget or clock"):
            create_ledger(Ledger(path, board), network_name=network, helper=helper)
    assert len(queries(Ledger(path, BOARD))) == 2


def test_creation_cut_short_can_be_done_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.touch()
    create_again(Ledger(path, BOARD))
    assert queries(Ledger(path, BOARD)) == ()


@pytest.mark.parametrize("name", ["a b", "q?mode=memory", "50%", "#1", "\u00e9", "x" * 200])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    create_again(Ledger(tmp_path / name, BOARD))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert queries(Ledger(tmp_path / name, BOARD)) == ()


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


KIND_CHANGES = ("REPLACE", "UPDATE", "DELETE")
DROPS = [
    f"DROP {kind} {name}"
    for kind, name in [
        *(("TABLE", table) for table in KIND.tables),
        *(("TRIGGER", f"{table}_no_{change}") for table in KIND.tables for change in KIND_CHANGES),
        ("INDEX", "spent"),
    ]
]


@pytest.mark.parametrize("statement", DROPS)
def test_a_ledger_whose_tables_or_triggers_were_dropped_is_not_used(
    tmp_path: Path, statement: str
) -> None:
    """Another program may drop them; this one notices."""
    path = filled(tmp_path)
    run_sql(path, statement)
    content = path.read_bytes()
    for use in (*READS, *WRITES, create_again):
        with pytest.raises(InputError, match="damaged: its tables or triggers were changed"):
            use(Ledger(path, BOARD))
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE more (a)",
        "CREATE TRIGGER more AFTER INSERT ON query BEGIN DELETE FROM asked; END",
        "ALTER TABLE query ADD COLUMN refunded INTEGER",
        "DROP TABLE query; CREATE TABLE query (number INTEGER)",
    ],
)
def test_a_ledger_with_other_tables_or_triggers_is_not_used(tmp_path: Path, statement: str) -> None:
    path = filled(tmp_path)
    run_sql(path, *statement.split("; ")) if "TRIGGER" not in statement else run_sql(
        path, statement
    )
    with pytest.raises(InputError, match="damaged: its tables or triggers were changed"):
        queries(Ledger(path, BOARD))


@pytest.mark.parametrize(
    "statement",
    [
        *DROPS,
        "DELETE FROM query",
        "UPDATE query SET epsilon = 1",
        "CREATE TABLE more (a)",
        "CREATE TEMP TABLE query (a)",
        "CREATE TEMP TRIGGER x BEFORE INSERT ON asked BEGIN SELECT RAISE(IGNORE); END",
        "ALTER TABLE query RENAME TO other",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = WAL",
        "PRAGMA user_version = 2",
        "ATTACH 'x' AS x",
        "REINDEX",
        "INSERT INTO sqlite_schema VALUES ('table', 'a', 'a', 0, 'CREATE TABLE a (b)')",
    ],
)
@pytest.mark.parametrize("way", [reading, writing])
def test_this_program_s_connections_only_read_and_insert(
    tmp_path: Path, statement: str, way: Any
) -> None:
    path = filled(tmp_path)
    before = dump(path)
    with (
        pytest.raises(BudgetError, match="the budget ledger only takes new rows"),
        way(path, KIND) as connection,
    ):
        connection.execute(statement)
    assert dump(path) == before


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_a_ledger_is_one_file_also_after_someone_switched_it_to_wal(tmp_path: Path) -> None:
    path = filled(tmp_path)
    run_sql(path, "PRAGMA journal_mode = WAL")
    pay(Ledger(path, BOARD), query("q3"))
    assert [file.name for file in tmp_path.iterdir()] == ["ledger"]
    assert path.read_bytes()[18:20] == b"\1\1"  # the header's read and write versions: no WAL
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    assert len(queries(Ledger(copy, BOARD))) == 3


def test_a_transaction_syncs_the_file_and_its_directory(tmp_path: Path) -> None:
    with writing(filled(tmp_path), KIND) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (3,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_block_that_raises_writes_nothing(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with pytest.raises(KeyboardInterrupt), writing(path, KIND) as connection:
        connection.execute("INSERT INTO asked VALUES ('m', x'00')")
        raise KeyboardInterrupt
    ask(Ledger(path, BOARD), query("m"))


def test_a_ledger_kept_locked_is_a_budget_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled(tmp_path)
    monkeypatch.setattr(append_only, "BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for use in (*READS, *WRITES, create_again):
            with pytest.raises(BudgetError, match=r"kept the budget ledger busy for 0\.05 s"):
                use(Ledger(path, BOARD))
    assert len(queries(Ledger(path, BOARD))) == 2


@contextmanager
def unprivileged() -> Iterator[None]:
    """File permissions mean nothing to the superuser: step down for a moment, if we are it."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_read_only_ledger_can_be_read_and_not_charged() -> None:
    with tempfile.TemporaryDirectory() as name:  # not tmp_path, which is closed to other users
        directory = Path(name)
        path = filled(directory)
        path.chmod(0o444)
        directory.chmod(0o755)
        with unprivileged():
            for use in READS:
                use(Ledger(path, BOARD))
            for use in WRITES:
                with pytest.raises(InputError, match=r"read-only|out of reach"):
                    use(Ledger(path, BOARD))
            assert len(queries(Ledger(path, BOARD))) == 2


def test_a_ledger_that_may_not_be_read_is_an_input_error() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = filled(Path(name))
        path.chmod(0)
        Path(name).chmod(0o755)
        with unprivileged():
            for use in (*READS, *WRITES, create_again):
                with pytest.raises(InputError, match=r"cannot be opened|damaged or out of reach"):
                    use(Ledger(path, BOARD))


def test_a_ledger_cannot_be_created_in_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened or created: no such directory"):
        create_again(Ledger(tmp_path / "no" / "such", BOARD))


def test_a_name_too_long_for_a_file_is_an_input_error(tmp_path: Path) -> None:
    for use in (*READS, *WRITES, create_again):
        with pytest.raises(InputError, match=r"out of reach|cannot be opened"):
            use(Ledger(tmp_path / ("x" * 300), BOARD))


def test_an_error_is_one_line_whatever_sqlite_quotes() -> None:
    error = append_only._explained(Path("ledger"), KIND, sqlite3.DatabaseError("row\n" * 999))
    assert str(error).startswith("ledger: the budget ledger is damaged or out of reach: 'row")
    assert "\n" not in str(error) and len(str(error)) < 250


@given(st.data())
def test_damage_raises_only_documented_errors(data: st.DataObject) -> None:
    with quick_directory() as directory:
        path = filled(directory)
        content = path.read_bytes()
        generator = random.Random(data.draw(st.integers(0, 1 << 32)))
        damaged = bytearray(content)
        for _ in range(data.draw(st.sampled_from([1, 3, 30, 3000]))):
            damaged[generator.randrange(len(content))] = generator.randrange(256)
        if data.draw(st.booleans()):
            del damaged[generator.randrange(len(content)) :]
        path.write_bytes(damaged)
        for use in (*READS, *WRITES, create_again):
            try:
                use(Ledger(path, BOARD))
            except IpaError as error:
                assert "\n" not in str(error)
