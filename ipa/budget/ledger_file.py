"""The sqlite3 file under the budget ledger: its tables, how it is opened, how it survives a kill.

Every transaction opens the file and closes it again: nothing is shared between threads or
inherited by forked processes, and no handle outlives an error.

Durability: a transaction is on disk when its block ends. The journal mode is DELETE, not WAL, so
that between transactions the ledger is exactly one file: a copy taken without its `-wal` would be a
ledger with charges refunded. `synchronous=EXTRA` is FULL plus a sync of the directory, without
which the deleted journal could come back after a power loss and undo the last charge.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Literal

from ipa.errors import BudgetError, InputError, IpaError

APPLICATION_ID = 0x4950414C
"""Marks a sqlite3 file as a budget ledger ("IPAL"), in its header."""

VERSION = 2
"""The version of the tables below."""

BUSY_SECONDS = 60.0
"""How long to wait for other processes' transactions, which take milliseconds each."""

_TABLES = {
    "settings": "network_name TEXT NOT NULL, site_epsilon INTEGER NOT NULL",
    "commitment": """site TEXT NOT NULL, epoch INTEGER NOT NULL, network_name TEXT NOT NULL,
        match_key_provider TEXT NOT NULL, PRIMARY KEY (site, epoch)""",
    "share": """site TEXT NOT NULL, epoch INTEGER NOT NULL, report_collector TEXT NOT NULL,
        epsilon INTEGER NOT NULL CHECK (epsilon > 0),
        PRIMARY KEY (site, epoch, report_collector)""",
    # After its number, a query's columns are the fields of QueryRecord in order. A cap of 64 bits
    # does not fit sqlite's signed integers and is text. Every epsilon is in millionths.
    "query": """number INTEGER PRIMARY KEY, query_id TEXT NOT NULL UNIQUE,
        charged_at INTEGER NOT NULL, network_name TEXT NOT NULL, site TEXT NOT NULL,
        report_collector TEXT NOT NULL, epoch INTEGER NOT NULL, match_key_provider TEXT NOT NULL,
        fanout TEXT NOT NULL, epsilon INTEGER NOT NULL CHECK (epsilon > 0),
        cap TEXT NOT NULL, rows INTEGER NOT NULL, breakdowns INTEGER NOT NULL""",
}

# When a new row is refused, as an expression over NEW. A key that is there is refused here, because
# INSERT OR REPLACE would delete the old row without asking the trigger on DELETE; so is any number
# but the next, which also keeps REPLACE from a query's row through its number. This is against
# slips, not against who can drop the triggers (SPEC_NOTES: ledger-guards).
_EPOCH = "site = NEW.site AND epoch = NEW.epoch"
_COLLECTOR = f"{_EPOCH} AND report_collector = NEW.report_collector"
_REFUSED = {
    "settings": "EXISTS (SELECT 1 FROM settings)",
    "commitment": f"EXISTS (SELECT 1 FROM commitment WHERE {_EPOCH})",
    "share": f"""EXISTS (SELECT 1 FROM share WHERE {_COLLECTOR})
        OR NEW.epsilon + (SELECT coalesce(sum(epsilon), 0) FROM share WHERE {_EPOCH})
            > (SELECT site_epsilon FROM settings)""",
    "query": f"""EXISTS (SELECT 1 FROM query WHERE query_id = NEW.query_id)
        OR NEW.number != (SELECT coalesce(max(number), 0) + 1 FROM query)
        OR NEW.epsilon + (SELECT coalesce(sum(epsilon), 0) FROM query WHERE {_COLLECTOR})
            > (SELECT coalesce(sum(epsilon), 0) FROM share WHERE {_COLLECTOR})""",
}


def create_tables(path: Path, network_name: str, site_epsilon: int) -> None:
    """Make the file a ledger with these settings, unless it is a ledger already.

    `site_epsilon` is in millionths. An empty file, as a kill at this moment leaves it, is filled.

    Raises: InputError for a file that is neither empty nor a ledger.
    """
    with _transaction(path, "rwc", "BEGIN IMMEDIATE") as connection:
        if connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            return
        for table, columns in _TABLES.items():
            # Without rowids, which would be a second key to replace a row by.
            options = "STRICT" if table == "settings" else "STRICT, WITHOUT ROWID"
            connection.execute(f"CREATE TABLE {table} ({columns}) {options}")
            connection.execute(
                f"CREATE TRIGGER {table}_no_REPLACE BEFORE INSERT ON {table} "
                f"WHEN {_REFUSED[table]} "
                "BEGIN SELECT RAISE(ABORT, 'the budget ledger does not allow this'); END"
            )
            for change in ("UPDATE", "DELETE"):
                connection.execute(
                    f"CREATE TRIGGER {table}_no_{change} BEFORE {change} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'a budget ledger only grows'); END"
                )
        connection.execute("CREATE INDEX spent ON query (site, epoch, report_collector, epsilon)")
        connection.execute("INSERT INTO settings VALUES (?, ?)", (network_name, site_epsilon))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


def reading(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """A transaction that sees one state of the ledger; the file may be read-only.

    Raises: InputError when there is no ledger that can be read; BudgetError when it stays locked.
    """
    return _ledger(path, "BEGIN")


def writing(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """A transaction with no other writer beside it; undone if its block raises.

    BEGIN IMMEDIATE takes the write lock before anything is read, so that what the block has
    checked still holds when it writes.

    Raises: InputError when there is no ledger that can be written; BudgetError when it stays
    locked.
    """
    return _ledger(path, "BEGIN IMMEDIATE")


@contextmanager
def _ledger(path: Path, begin: str) -> Iterator[sqlite3.Connection]:
    try:
        found = path.is_file()
    except OSError as error:
        raise InputError(f"{path}: the budget ledger is out of reach: {error.strerror}") from error
    if not found:
        # Never created on the way: a ledger gone missing would come back with nothing spent.
        raise InputError(f"{path}: there is no budget ledger here; create one first")
    with _transaction(path, "rw", begin) as connection:
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application_id != APPLICATION_ID:
            raise InputError(f"{path}: this is not a budget ledger")
        if version != VERSION:
            raise InputError(
                f"{path}: a budget ledger of version {version}; only version {VERSION} can be used"
            )
        yield connection


@contextmanager
def _transaction(
    path: Path, mode: Literal["rw", "rwc"], begin: str
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
        raise _explained(path, error) from error
    except (TypeError, ValueError) as error:
        # Arguments were checked before the file was opened, so what was read is at fault. It can
        # also be that sqlite3 fails to decode its own message because it quotes the damage.
        raise InputError(f"{path}: the budget ledger is damaged") from error


def _explained(path: Path, error: sqlite3.Error) -> InputError | BudgetError:
    """The documented error for one of sqlite3's; extended codes carry the primary in 8 bits."""
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return BudgetError(
                f"{path}: other processes kept the budget ledger busy for {BUSY_SECONDS:g} s"
            )
        case sqlite3.SQLITE_NOTADB:
            return InputError(f"{path}: this is not a budget ledger")
        case sqlite3.SQLITE_READONLY:
            return InputError(f"{path}: the budget ledger is read-only: nothing can be charged")
        case sqlite3.SQLITE_CANTOPEN:
            return InputError(
                f"{path}: the budget ledger cannot be opened or created: no such directory, or no "
                "permission"
            )
        case _:
            shown = ascii(str(error)[:100])  # sqlite3 may quote the damage: any bytes, any lines
            return InputError(f"{path}: the budget ledger is damaged or out of reach: {shown}")
