"""Files that are no ledger, or no longer one: always a documented error, never a changed file."""

import os
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from budget_cases import NETWORK, commitment, query
from hypothesis import given
from hypothesis import strategies as st

from ipa.budget import ledger_file
from ipa.budget.ledger import (
    budgets,
    charge,
    commit,
    committed,
    create_ledger,
    find_receipt,
    queries,
    remaining,
)
from ipa.errors import BudgetError, InputError, IpaError

READS: list[Callable[[Path], Any]] = [
    budgets,
    queries,
    lambda path: find_receipt(path, "q1"),
    lambda path: committed(path, site="shop.example", epoch=7),
    lambda path: remaining(path, site="shop.example", epoch=7, report_collector="collector"),
]
WRITES: list[Callable[[Path], Any]] = [
    lambda path: charge(path, query("q3")),
    lambda path: commit(path, commitment(epoch=8)),
]


def filled(directory: Path) -> Path:
    path = directory / "ledger"
    create_ledger(path, network_name=NETWORK, site_epsilon=Fraction(1))
    commit(path, commitment())
    charge(path, query("q1"))
    charge(path, query("q2"))
    return path


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement).fetchall()


def create_again(path: Path) -> None:
    create_ledger(path, network_name=NETWORK, site_epsilon=Fraction(1))


@pytest.mark.parametrize("ask", READS + WRITES)
def test_a_missing_ledger_is_never_created_by_using_it(tmp_path: Path, ask: Any) -> None:
    for path in (tmp_path / "absent", tmp_path, tmp_path / "no" / "such", Path("a\0b")):
        with pytest.raises(InputError, match="there is no budget ledger here"):
            ask(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ask", READS + WRITES)
@pytest.mark.parametrize("content", [b"", b"x", b"query_id,site\n" * 999, b"SQLite format 3\0"])
def test_another_file_is_no_ledger(tmp_path: Path, ask: Any, content: bytes) -> None:
    path = tmp_path / "notes"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a budget ledger"):
        ask(path)
    assert path.read_bytes() == content


def test_another_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "database"
    run_sql(path, "CREATE TABLE t (a)")
    before = path.read_bytes()
    for ask in (*READS, *WRITES, create_again):
        with pytest.raises(InputError, match="not a budget ledger"):
            ask(path)
    assert path.read_bytes() == before


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path)
    run_sql(path, "PRAGMA user_version = 1")
    for ask in (*READS, *WRITES, create_again):
        with pytest.raises(InputError, match="ledger of version 1; only version 2"):
            ask(path)


def test_creating_again_keeps_everything_and_other_settings_are_refused(tmp_path: Path) -> None:
    path = filled(tmp_path)
    create_again(path)
    for network, site_epsilon in (("network-2", Fraction(1)), (NETWORK, Fraction(2))):
        with pytest.raises(BudgetError, match="another network or site budget"):
            create_ledger(path, network_name=network, site_epsilon=site_epsilon)
    assert len(queries(path)) == 2


def test_creation_cut_short_can_be_done_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    path.touch()
    create_again(path)
    assert budgets(path) == ()


@pytest.mark.parametrize("name", ["a b", "q?mode=memory", "50%", "#1", "\u00e9", "x" * 200])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    create_again(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert queries(tmp_path / name) == ()


@pytest.mark.parametrize("table", ["settings", "commitment", "share", "query"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET network_or_key = 'x'"])
def test_the_file_itself_refuses_to_forget(tmp_path: Path, table: str, change: str) -> None:
    path = filled(tmp_path)
    column = "report_collector" if table == "share" else "network_name"
    with pytest.raises(sqlite3.IntegrityError, match="a budget ledger only grows"):
        run_sql(path, change.replace("network_or_key", column).format(table))


QUERY_ROW = "'n', 0, 'network-1', 'shop.example', '{}', 7, 'm', 'source', {}, '1', 1, 1"


@pytest.mark.parametrize("how", ["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"])
@pytest.mark.parametrize(
    "row",
    [
        "settings VALUES ('network-1', 1000000)",
        "settings (rowid, network_name, site_epsilon) VALUES (1, 'n', 1)",
        "commitment VALUES ('shop.example', 7, 'network-2', 'm')",
        "share VALUES ('shop.example', 7, 'collector', 1)",
        "share VALUES ('shop.example', 7, 'another', 1)",
        "share VALUES ('shop.example', 8, 'collector', 1000001)",
        "share VALUES ('shop.example', 8, 'collector', -1)",
        f"query VALUES (1, {QUERY_ROW.format('collector', 1)})",
        f"query VALUES (2, {QUERY_ROW.format('collector', 1)})",
        f"query VALUES (4, {QUERY_ROW.format('collector', 1)})",
        f"query VALUES (3, {QUERY_ROW.format('collector', 1).replace('n', 'q1', 1)})",
        f"query VALUES (3, {QUERY_ROW.format('collector', 500001)})",
        f"query VALUES (3, {QUERY_ROW.format('another', 1)})",
        f"query VALUES (3, {QUERY_ROW.format('collector', -1)})",
    ],
)
def test_the_file_itself_refuses_to_replace_or_to_go_beyond(
    tmp_path: Path, how: str, row: str
) -> None:
    path = filled(tmp_path)
    before = dump(path)
    if how == "INSERT OR IGNORE" and ("-1)" in row or "-1," in row):
        run_sql(path, f"INSERT OR IGNORE INTO {row}")  # the row is left out
    else:
        with pytest.raises(sqlite3.IntegrityError, match=r"does not allow this|CHECK constraint"):
            run_sql(path, f"{how} INTO {row}")
    assert dump(path) == before


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("share", "'shop.example', 7, 'collector', 1"),
        ("commitment", "'new.example', 7, 'network-2', 'm'"),
        ("query", f"3, {QUERY_ROW.format('collector', 1)}"),
    ],
)
def test_a_row_cannot_be_replaced_through_its_rowid(tmp_path: Path, table: str, row: str) -> None:
    path = filled(tmp_path)
    before = dump(path)
    with closing(sqlite3.connect(path)) as connection:
        names = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    with pytest.raises(sqlite3.OperationalError, match="no column named rowid"):
        run_sql(
            path, f"INSERT OR REPLACE INTO {table} (rowid, {', '.join(names)}) VALUES (1, {row})"
        )
    assert dump(path) == before


@pytest.mark.parametrize("epsilon", [1, 5, 6])
def test_a_share_cannot_be_replaced_while_the_site_has_budget_left(
    tmp_path: Path, epsilon: int
) -> None:
    path = filled(tmp_path)
    run_sql(path, "INSERT INTO share VALUES ('shop.example', 8, 'collector', 5)")
    before = dump(path)
    with pytest.raises(sqlite3.IntegrityError, match="does not allow this"):
        run_sql(
            path,
            f"INSERT OR REPLACE INTO share VALUES ('shop.example', 8, 'collector', {epsilon})",
        )
    assert dump(path) == before


def test_the_file_takes_the_next_query_within_its_share(tmp_path: Path) -> None:
    path = filled(tmp_path)
    run_sql(path, f"INSERT INTO query VALUES (3, {QUERY_ROW.format('collector', 500000)})")
    assert [query.query_id for query in queries(path)] == ["q1", "q2", "n"]


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_a_ledger_is_one_file_also_after_someone_switched_it_to_wal(tmp_path: Path) -> None:
    path = filled(tmp_path)
    run_sql(path, "PRAGMA journal_mode = WAL")
    charge(path, query("q3"))
    assert [file.name for file in tmp_path.iterdir()] == ["ledger"]
    assert path.read_bytes()[18:20] == b"\1\1"  # the header's read and write versions: no WAL
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    assert len(queries(copy)) == 3


def test_a_transaction_syncs_the_file_and_its_directory(tmp_path: Path) -> None:
    with ledger_file.writing(filled(tmp_path)) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (3,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_block_that_raises_writes_nothing(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with pytest.raises(KeyboardInterrupt), ledger_file.writing(path) as connection:
        connection.execute("INSERT INTO commitment VALUES ('s', 1, 'n', 'm')")
        raise KeyboardInterrupt
    assert committed(path, site="s", epoch=1) is None


def test_a_ledger_kept_locked_is_a_budget_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled(tmp_path)
    monkeypatch.setattr(ledger_file, "BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for ask in (*READS, *WRITES, create_again):
            with pytest.raises(BudgetError, match=r"kept the budget ledger busy for 0\.05 s"):
                ask(path)
    assert len(queries(path)) == 2


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
            for ask in READS:
                ask(path)
            for ask in WRITES:
                with pytest.raises(InputError, match=r"read-only|out of reach"):
                    ask(path)
            assert len(queries(path)) == 2


def test_a_ledger_that_may_not_be_read_is_an_input_error() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = filled(Path(name))
        path.chmod(0)
        Path(name).chmod(0o755)
        with unprivileged():
            for ask in (*READS, *WRITES, create_again):
                with pytest.raises(InputError, match=r"cannot be opened|damaged or out of reach"):
                    ask(path)


def test_a_ledger_cannot_be_created_in_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened or created: no such directory"):
        create_again(tmp_path / "no" / "such")


def test_a_name_too_long_for_a_file_is_an_input_error(tmp_path: Path) -> None:
    for ask in (*READS, *WRITES, create_again):
        with pytest.raises(InputError, match=r"out of reach|cannot be opened"):
            ask(tmp_path / ("x" * 300))


def test_an_error_is_one_line_whatever_sqlite_quotes() -> None:
    error = ledger_file._explained(Path("ledger"), sqlite3.DatabaseError("row\n" * 999))
    assert str(error).startswith("ledger: the budget ledger is damaged or out of reach: 'row")
    assert "\n" not in str(error) and len(str(error)) < 250


@given(st.data())
def test_damage_raises_only_documented_errors(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = filled(Path(name))
        content = bytearray(path.read_bytes())
        generator = random.Random(data.draw(st.integers(0, 1 << 32)))
        for _ in range(3):
            damaged = bytearray(content)
            for _ in range(data.draw(st.sampled_from([1, 3, 30, 3000]))):
                damaged[generator.randrange(len(content))] = generator.randrange(256)
            if data.draw(st.booleans()):
                del damaged[generator.randrange(len(content)) :]
            path.write_bytes(damaged)
            for ask in (*READS, *WRITES, create_again):
                try:
                    ask(path)
                except IpaError as error:
                    assert "\n" not in str(error)
