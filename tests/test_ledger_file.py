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

from ipa import ledger_file
from ipa.budget import (
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
    create_ledger(path, network=NETWORK, site_epsilon=Fraction(1))
    commit(path, commitment())
    charge(path, query("q1"))
    charge(path, query("q2"))
    return path


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement).fetchall()


def create_again(path: Path) -> None:
    create_ledger(path, network=NETWORK, site_epsilon=Fraction(1))


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
    run_sql(path, "PRAGMA user_version = 2")
    for ask in (*READS, *WRITES, create_again):
        with pytest.raises(InputError, match="ledger of version 2; only version 1"):
            ask(path)


def test_creating_again_keeps_everything_and_other_settings_are_refused(tmp_path: Path) -> None:
    path = filled(tmp_path)
    create_again(path)
    for network, site_epsilon in (("network-2", Fraction(1)), (NETWORK, Fraction(2))):
        with pytest.raises(BudgetError, match="another network or site budget"):
            create_ledger(path, network=network, site_epsilon=site_epsilon)
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
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET rowid = rowid + 1"])
def test_the_file_itself_refuses_to_forget(tmp_path: Path, table: str, change: str) -> None:
    path = filled(tmp_path)
    with pytest.raises(sqlite3.IntegrityError, match="a budget ledger only grows"):
        run_sql(path, change.format(table))


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
                with pytest.raises(InputError, match="damaged or out of reach"):
                    ask(path)


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
