"""Files that are no ledger, or no longer one: always a documented error, never a changed file."""

import os
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from budget_cases import CLOCK, NETWORK, terms
from hypothesis import given
from hypothesis import strategies as st
from ledger_file_cases import BOARD, READS, WRITES, create_again, filled, run_sql
from worker_processes import quick_directory

from ipa.budget import append_only
from ipa.budget.board import MemoryBoard
from ipa.budget.ledger import Ledger, create_ledger
from ipa.budget.ledger_directory import queries
from ipa.budget.ledger_tables import KIND
from ipa.errors import BudgetError, InputError, IpaError


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory: nothing here needs a disk."""
    with quick_directory() as directory:
        yield directory


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
