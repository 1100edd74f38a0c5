"""A sqlite3 file that only grows: how it is created, opened and guarded, and how it survives a kill.

Every transaction opens the file and closes it again: nothing is shared between threads or
inherited by forked processes, and no handle outlives an error.

Durability: a transaction is on disk when its block ends. The journal mode is DELETE, not WAL, so
that between transactions the file is exactly one: a copy taken without its `-wal` would be a ledger
with charges refunded. `synchronous=EXTRA` is FULL plus a sync of the directory, without which the
deleted journal could come back after a power loss and undo the last charge.

Guards against slips (SPEC_NOTES: ledger-guards). Triggers in the file refuse, to whatever program,
each row that breaks a rule, and every UPDATE and DELETE. This program's own connections are also
allowed nothing but SELECT and INSERT. No trigger can refuse DROP TABLE to another program; a file whose
tables and triggers are not exactly those it was created with is not used any more.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ipa.errors import BudgetError, InputError, IpaError

BUSY_SECONDS = 60.0
"""How long to wait for other processes' transactions, which take milliseconds each."""

_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_TRANSACTION,
}


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """What is in a file of this kind, and which rows it refuses.

    `application_id` marks the kind in the file's header, `version` that of the tables. `tables` are
    the columns by table; the first table is `settings` and has one row. `refused` is when a new row
    of the table is refused, as an expression over NEW.
    """

    name: str
    application_id: int
    version: int
    tables: Mapping[str, str]
    refused: Mapping[str, str]
    indexes: Mapping[str, str]

    def statements(self) -> dict[str, str]:
        """The statements that make tables, triggers and indexes, by the name of what they make."""
        made = {}
        for table, columns in self.tables.items():
            # Without rowids, which would be a second key to replace a row by.
            options = "STRICT" if table == "settings" else "STRICT, WITHOUT ROWID"
            made[table] = f"CREATE TABLE {table} ({columns}) {options}"
            made[f"{table}_no_REPLACE"] = (
                f"CREATE TRIGGER {table}_no_REPLACE BEFORE INSERT ON {table} "
                f"WHEN {self.refused[table]} "
                f"BEGIN SELECT RAISE(ABORT, 'the {self.name} does not allow this'); END"
            )
            for change in ("UPDATE", "DELETE"):
                made[f"{table}_no_{change}"] = (
                    f"CREATE TRIGGER {table}_no_{change} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, 'a {self.name} only grows'); END"
                )
        for index, on in self.indexes.items():
            made[index] = f"CREATE INDEX {index} ON {on}"
        return made

    def authorizer(self) -> Callable[..., int]:
        """What this program's connections may do once the file is open: read, and insert rows."""

        def authorize(
            action: int, first: str | None, second: str | None, database: str | None, by: str | None
        ) -> int:
            """SQLITE_OK or SQLITE_DENY, as sqlite3 asks for each action."""
            reads_pragma = action == sqlite3.SQLITE_PRAGMA and second is None
            inserts = action == sqlite3.SQLITE_INSERT and first in self.tables
            if action in _ALLOWED or reads_pragma or inserts:
                return sqlite3.SQLITE_OK
            return sqlite3.SQLITE_DENY

        return authorize


def create_file(path: Path, kind: FileKind, settings: tuple[str | int, ...]) -> None:
    """Make the file one of this kind with these settings, unless there is something in it.

    An empty file, as a kill at this moment leaves it, is filled.

    Raises: InputError for a file that is no database; BudgetError when it stays locked.
    """
    with _transaction(path, kind, "rwc", "BEGIN IMMEDIATE") as connection:
        if connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            return
        for statement in kind.statements().values():
            connection.execute(statement)
        places = ", ".join("?" * len(settings))
        connection.execute(f"INSERT INTO settings VALUES ({places})", settings)
        connection.execute(f"PRAGMA application_id = {kind.application_id}")
        connection.execute(f"PRAGMA user_version = {kind.version}")


def reading(path: Path, kind: FileKind) -> AbstractContextManager[sqlite3.Connection]:
    """A transaction that sees one state of the file; the file may be read-only.

    Raises: InputError when there is no such file that can be read; BudgetError when it stays locked.
    """
    return _opened(path, kind, "BEGIN")


def writing(path: Path, kind: FileKind) -> AbstractContextManager[sqlite3.Connection]:
    """A transaction with no other writer beside it; undone if its block raises.

    BEGIN IMMEDIATE takes the write lock before anything is read, so that what the block has
    checked still holds when it writes.

    Raises: InputError when there is no such file that can be written; BudgetError when it stays
    locked, or when the block tries anything but reading and inserting.
    """
    return _opened(path, kind, "BEGIN IMMEDIATE")


@contextmanager
def _opened(path: Path, kind: FileKind, begin: str) -> Iterator[sqlite3.Connection]:
    try:
        found = path.is_file()
    except OSError as error:
        raise InputError(f"{path}: the {kind.name} is out of reach: {error.strerror}") from error
    if not found:
        # Never created on the way: a ledger gone missing would come back with nothing spent.
        raise InputError(f"{path}: there is no {kind.name} here; create one first")
    with _transaction(path, kind, "rw", begin) as connection:
        _check_kind(path, kind, connection)
        connection.set_authorizer(kind.authorizer())
        yield connection


def _check_kind(path: Path, kind: FileKind, connection: sqlite3.Connection) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id != kind.application_id:
        raise InputError(f"{path}: this is not a {kind.name}")
    if version != kind.version:
        raise InputError(
            f"{path}: a {kind.name} of version {version}; only version {kind.version} can be used"
        )
    made = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    if dict(made.fetchall()) != kind.statements():
        raise InputError(f"{path}: the {kind.name} is damaged: its tables or triggers were changed")


@contextmanager
def _transaction(
    path: Path, kind: FileKind, mode: Literal["rw", "rwc"], begin: str
) -> Iterator[sqlite3.Connection]:
    """Open, begin, commit, close. Closing without COMMIT undoes everything, as does a kill."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    try:
        with closing(
            sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("PRAGMA fullfsync = ON")  # macOS: sync through the drive's cache
            connection.execute(begin)
            yield connection
            connection.execute("COMMIT")
    except IpaError:
        raise
    except sqlite3.Error as error:
        raise _explained(path, kind, error) from error
    except (TypeError, ValueError) as error:
        # Arguments were checked before the file was opened, so what was read is at fault. It can
        # also be that sqlite3 fails to decode its own message because it quotes the damage.
        raise InputError(f"{path}: the {kind.name} is damaged") from error


def _explained(path: Path, kind: FileKind, error: sqlite3.Error) -> InputError | BudgetError:
    """The documented error for one of sqlite3's; extended codes carry the primary in 8 bits."""
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return BudgetError(
                f"{path}: other processes kept the {kind.name} busy for {BUSY_SECONDS:g} s"
            )
        case sqlite3.SQLITE_AUTH:
            return BudgetError(f"{path}: the {kind.name} only takes new rows")
        case sqlite3.SQLITE_NOTADB:
            return InputError(f"{path}: this is not a {kind.name}")
        case sqlite3.SQLITE_READONLY:
            return InputError(f"{path}: the {kind.name} is read-only: nothing can be added")
        case sqlite3.SQLITE_CANTOPEN:
            return InputError(
                f"{path}: the {kind.name} cannot be opened or created: no such directory, or no "
                "permission"
            )
        case _:
            shown = ascii(str(error)[:100])  # sqlite3 may quote the damage: any bytes, any lines
            return InputError(f"{path}: the {kind.name} is damaged or out of reach: {shown}")
