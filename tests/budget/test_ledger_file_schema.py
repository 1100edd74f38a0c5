"""A ledger's tables and triggers: noticed when changed, and never changed by this program."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from budget_cases import pay, query
from ledger_file_cases import BOARD, READS, WRITES, create_again, dump, filled, run_sql
from worker_processes import quick_directory

from ipa.budget.append_only import reading, writing
from ipa.budget.ledger import Ledger, ask
from ipa.budget.ledger_directory import queries
from ipa.budget.ledger_tables import KIND
from ipa.errors import BudgetError, InputError


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory: nothing here needs a disk."""
    with quick_directory() as directory:
        yield directory


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
