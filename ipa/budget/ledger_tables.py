"""The tables of a ledger's file, and its rows as objects.

`query` is what is charged and `outcome` what became of it; `asked` are the queries that this helper has
said it would pay for, noted before it said so.
"""

import sqlite3
from dataclasses import dataclass, fields
from typing import Any

from ipa.budget.append_only import FileKind
from ipa.budget.commitment_tables import (
    OF_COLLECTOR,
    OF_EPOCH,
    REFUSED,
    TABLES,
    TERMS_COLUMNS,
    exact,
    read_terms,
)
from ipa.budget.commitments import BudgetTerms
from ipa.budget.composition import EpsilonDelta
from ipa.budget.delta import from_atto, to_atto
from ipa.budget.epsilon import to_micro
from ipa.budget.transparency import QueryRecord
from ipa.display.records import record_html

QUERY_COLUMNS = ", ".join(field.name for field in fields(QueryRecord))

_TABLES = {
    "settings": f"network_name TEXT NOT NULL, helper INTEGER NOT NULL, {TERMS_COLUMNS}",
    **TABLES,
    "asked": "query_id TEXT NOT NULL PRIMARY KEY, question BLOB NOT NULL",
    # After the first two, a query's columns are the fields of QueryRecord in order. A cap of 64
    # bits does not fit sqlite's signed integers and is text. Every epsilon is in millionths, every
    # delta in units of 10^-18.
    # `settled` is 1 for a charge that another helper had and this one lacked.
    "query": """number INTEGER PRIMARY KEY, settled INTEGER NOT NULL CHECK (settled IN (0, 1)),
        query_id TEXT NOT NULL UNIQUE, charged_at INTEGER NOT NULL, network_name TEXT NOT NULL,
        site TEXT NOT NULL, report_collector TEXT NOT NULL, epoch INTEGER NOT NULL,
        match_key_provider TEXT NOT NULL, fanout TEXT NOT NULL,
        epsilon INTEGER NOT NULL CHECK (epsilon > 0),
        delta INTEGER NOT NULL CHECK (delta >= 0), mechanism TEXT NOT NULL,
        cap TEXT NOT NULL, rows INTEGER NOT NULL, breakdowns INTEGER NOT NULL""",
    "outcome": "query_id TEXT NOT NULL PRIMARY KEY, rows_used INTEGER NOT NULL",
}

_RUNNING = "((NEW.charged_at - epoch_start) / epoch_seconds)"

# Any number but the next is refused too, which keeps REPLACE from a query's row through its number.
# What was charged is at most the share, unless it was settled: such a query was never answered.
_REFUSED = {
    "settings": "EXISTS (SELECT 1 FROM settings)",
    **REFUSED,
    "asked": """EXISTS (SELECT 1 FROM asked WHERE query_id = NEW.query_id)
        OR EXISTS (SELECT 1 FROM query WHERE query_id = NEW.query_id)""",
    "query": f"""EXISTS (SELECT 1 FROM query WHERE query_id = NEW.query_id)
        OR NEW.number != (SELECT coalesce(max(number), 0) + 1 FROM query)
        OR NOT EXISTS (SELECT 1 FROM settings WHERE network_name = NEW.network_name
            AND NEW.charged_at >= epoch_start
            AND NEW.epoch BETWEEN {_RUNNING} - open_epochs AND {_RUNNING})
        OR NOT EXISTS (SELECT 1 FROM share WHERE {OF_COLLECTOR}
            AND network_name = NEW.network_name AND match_key_provider = NEW.match_key_provider)
        OR (SELECT count(*) FROM share WHERE {OF_EPOCH})
            != (SELECT shares FROM commitment WHERE {OF_EPOCH})
        OR NEW.settled = 0 AND (
            NOT EXISTS (SELECT 1 FROM asked WHERE query_id = NEW.query_id)
            OR NEW.epsilon + (SELECT coalesce(sum(epsilon), 0) FROM query WHERE {OF_COLLECTOR})
                > (SELECT epsilon FROM share WHERE {OF_COLLECTOR})
            OR NEW.delta + (SELECT coalesce(sum(delta), 0) FROM query WHERE {OF_COLLECTOR})
                > (SELECT delta FROM share WHERE {OF_COLLECTOR}))""",
    "outcome": """EXISTS (SELECT 1 FROM outcome WHERE query_id = NEW.query_id)
        OR NOT EXISTS (SELECT 1 FROM query
            WHERE query_id = NEW.query_id AND NEW.rows_used BETWEEN 0 AND rows)""",
}

KIND = FileKind(
    name="budget ledger",
    application_id=0x4950414C,  # "IPAL"
    version=4,
    tables=_TABLES,
    refused=_REFUSED,
    indexes={
        "spent": "query (site, epoch, report_collector, epsilon, delta)",
        "charged": "query (charged_at)",
    },
)


@dataclass(frozen=True, kw_only=True)
class LedgerSettings:
    """What a ledger was created with: whose it is, and the terms of its board."""

    network_name: str
    helper: int
    terms: BudgetTerms

    _repr_html_ = record_html


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a charge left in the ledger: the record, its number from 1, what remained after it."""

    query: QueryRecord
    number: int
    remaining: EpsilonDelta

    _repr_html_ = record_html


def read_settings(file: sqlite3.Connection) -> LedgerSettings:
    """What the ledger was created with."""
    network_name, helper = file.execute("SELECT network_name, helper FROM settings").fetchone()
    return LedgerSettings(network_name=network_name, helper=helper, terms=read_terms(file))


def insert_query(file: sqlite3.Connection, query: QueryRecord, *, settled: bool) -> int:
    """Add the charge; its number."""
    stored = vars(query) | {
        "epsilon": to_micro(query.epsilon),
        "delta": to_atto(query.delta),
        "cap": str(query.cap),
    }
    (number,) = file.execute("SELECT coalesce(max(number), 0) + 1 FROM query").fetchone()
    file.execute(
        f"INSERT INTO query (number, settled, {QUERY_COLUMNS}) "
        f"VALUES ({', '.join('?' * (2 + len(stored)))})",
        (number, int(settled), *stored.values()),
    )
    assigned: int = number
    return assigned


def query_from_row(row: tuple[Any, ...]) -> QueryRecord:
    """The record in a row of QUERY_COLUMNS; Any is what sqlite3 returns, the record checks it."""
    stored = dict(zip(QUERY_COLUMNS.split(", "), row, strict=True))
    numbers = {
        "epsilon": exact(stored["epsilon"]),
        "delta": from_atto(stored["delta"]),
        "cap": int(stored["cap"]),
    }
    return QueryRecord(**stored | numbers)


def find_query(file: sqlite3.Connection, query_id: str) -> tuple[int, QueryRecord] | None:
    """The number and the record of the charge with this id, if there is one."""
    row = file.execute(
        f"SELECT number, {QUERY_COLUMNS} FROM query WHERE query_id = ?", (query_id,)
    ).fetchone()
    return None if row is None else (row[0], query_from_row(row[1:]))


def spent(
    file: sqlite3.Connection,
    site: str,
    epoch: int,
    report_collector: str,
    *,
    up_to: int | None = None,
) -> EpsilonDelta:
    """What was charged to the collector's budget, by the queries up to a number if one is given.

    By basic composition: the sum of their epsilons, and that of their deltas.
    """
    micro, atto = file.execute(
        "SELECT coalesce(sum(epsilon), 0), coalesce(sum(delta), 0) FROM query "
        "WHERE site = ? AND epoch = ? AND report_collector = ? AND number <= ?",
        (site, epoch, report_collector, (1 << 63) - 1 if up_to is None else up_to),
    ).fetchone()
    return EpsilonDelta(epsilon=exact(micro), delta=from_atto(atto))
