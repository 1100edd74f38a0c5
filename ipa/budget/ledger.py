"""The helpers' budget ledger: who may still spend how much epsilon in which epoch.

Spec: Differential Privacy Budget Management, Commitments, Transparency of Queries. A ledger is one
sqlite3 file (ipa/budget/ledger_file.py), kept by each helper of one helper party network. It only grows:
sites' commitments and charged queries are added, and the file itself refuses every statement that
would change, replace or delete one, or grant or spend too much. What was spent is always the sum
over the queries on record; there is no second count that could differ.

A query is charged before it runs and a charge is never taken back, so that a crash can cost a
report collector budget, but nobody privacy (SPEC_NOTES: charge-first). All functions may be called
from any number of processes and threads at once. Beside what its own docstring says, each of them
raises InputError if the file is missing, damaged, not a ledger or of another version, and
BudgetError if it stays locked.
"""

import sqlite3
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from ipa.budget.commitments import CollectorShare, Commitment
from ipa.budget.epsilon import MICRO_PER_EPSILON, decimal_text, exact_epsilon, to_micro
from ipa.budget.ledger_file import create_tables, reading, writing
from ipa.budget.transparency import QueryRecord
from ipa.errors import BudgetError
from ipa.names import MAX_EPOCH, check_identifier
from ipa.ranges import check_integer

_QUERY_COLUMNS = ", ".join(field.name for field in fields(QueryRecord))


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The state of one report collector's budget in one epoch."""

    site: str
    epoch: int
    report_collector: str
    granted: Fraction
    spent: Fraction

    @property
    def remaining(self) -> Fraction:
        """What queries may still ask for."""
        return self.granted - self.spent


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a charge left in the ledger: the record, its number from 1, what remained after it."""

    query: QueryRecord
    number: int
    remaining: Fraction


def create_ledger(path: Path, *, network_name: str, site_epsilon: Fraction) -> None:
    """Create the ledger of a helper party network, which grants each site `site_epsilon` per epoch.

    Doing it again with the same arguments changes nothing.

    Raises: ParameterError for a malformed argument; BudgetError if there is a ledger with other
    settings.
    """
    check_identifier("network_name", network_name)
    settings = (network_name, to_micro(exact_epsilon(site_epsilon)))
    create_tables(path, *settings)
    with reading(path) as ledger:
        if _settings(ledger) != settings:
            raise BudgetError(f"{path}: there is a ledger, of another network or site budget")


def check_total(commitment: Commitment, site_epsilon: Fraction) -> None:
    """Check that the shares are together at most what a site has in an epoch.

    Raises: BudgetError if they exceed it.
    """
    if commitment.total > site_epsilon:
        raise BudgetError(
            f"site {commitment.site} commits epsilon {decimal_text(commitment.total)} for epoch "
            f"{commitment.epoch}, more than its budget of {decimal_text(site_epsilon)}"
        )


def commit(path: Path, commitment: Commitment) -> None:
    """Record a site's commitment for an epoch; it holds until the epoch ends.

    The first one counts: an identical one changes nothing, a different one is refused. One to
    another helper party network is recorded as well, and then nothing can be charged here.

    Raises: BudgetError if another is on record or the shares exceed the site's budget.
    """
    site, epoch = commitment.site, commitment.epoch
    with writing(path) as ledger:
        if known := _commitment(ledger, site, epoch):
            if known != commitment:
                raise BudgetError(
                    f"site {site} is committed for epoch {epoch} already and cannot change that"
                )
            return
        check_total(commitment, _epsilon(_settings(ledger)[1]))
        ledger.execute(
            "INSERT INTO commitment VALUES (?, ?, ?, ?)",
            (site, epoch, commitment.network_name, commitment.match_key_provider),
        )
        ledger.executemany(
            "INSERT INTO share VALUES (?, ?, ?, ?)",
            [(site, epoch, s.report_collector, to_micro(s.epsilon)) for s in commitment.shares],
        )


def committed(path: Path, *, site: str, epoch: int) -> Commitment | None:
    """The site's commitment for the epoch, if any; its reports are validated against it.

    Raises: ParameterError for a malformed site or epoch.
    """
    check_identifier("site", site)
    check_integer("epoch", epoch, 0, MAX_EPOCH)
    with reading(path) as ledger:
        return _commitment(ledger, site, epoch)


def charge(path: Path, query: QueryRecord) -> Receipt:
    """Take the query's epsilon from its collector's budget and record it; only then may it run.

    All or nothing, and on disk when this returns. A query id is charged once: to run a query again
    is to draw its noise again, which costs again, under a new id. After a crash, `find_receipt`
    tells whether the charge happened.

    Raises: BudgetError, and then nothing was charged, if the id is used, the site or collector is
    not committed, the site is committed to another network or match key provider, the query is for
    another network, or less than the query's epsilon remains.
    """
    with writing(path) as ledger:
        if receipt := _receipt(ledger, query.query_id):
            raise BudgetError(
                f"query {query.query_id} was charged already (number {receipt.number}); "
                "to run again it needs a new id and a new charge"
            )
        _check_committed(ledger, query)
        budget = _budget(ledger, query.site, query.epoch, query.report_collector)
        if query.epsilon > budget.remaining:
            raise BudgetError(
                f"query {query.query_id} requests epsilon {decimal_text(query.epsilon)}, but "
                f"report collector {query.report_collector} of site {query.site} has "
                f"{decimal_text(budget.remaining)} of {decimal_text(budget.granted)} remaining "
                f"in epoch {query.epoch}"
            )
        stored = vars(query) | {"epsilon": to_micro(query.epsilon), "cap": str(query.cap)}
        (number,) = ledger.execute("SELECT coalesce(max(number), 0) + 1 FROM query").fetchone()
        ledger.execute(
            f"INSERT INTO query (number, {_QUERY_COLUMNS}) "
            f"VALUES ({', '.join('?' * (1 + len(stored)))})",
            (number, *stored.values()),
        )
        return Receipt(query=query, number=number, remaining=budget.remaining - query.epsilon)


def find_receipt(path: Path, query_id: str) -> Receipt | None:
    """The receipt of the query with this id, or None: it was never charged.

    Raises: ParameterError for a malformed id.
    """
    check_identifier("query_id", query_id)
    with reading(path) as ledger:
        return _receipt(ledger, query_id)


def remaining(path: Path, *, site: str, epoch: int, report_collector: str) -> Fraction:
    """What the collector may still spend in the epoch.

    Raises: BudgetError if it was committed nothing; ParameterError for a malformed name or epoch.
    """
    check_identifier("site", site)
    check_identifier("report_collector", report_collector)
    check_integer("epoch", epoch, 0, MAX_EPOCH)
    with reading(path) as ledger:
        return _budget(ledger, site, epoch, report_collector).remaining


def budgets(path: Path) -> tuple[Budget, ...]:
    """Every budget ever granted, ordered by epoch, site and report collector."""
    with reading(path) as ledger:
        keys = ledger.execute(
            "SELECT site, epoch, report_collector FROM share ORDER BY epoch, site, report_collector"
        ).fetchall()
        return tuple(_budget(ledger, *key) for key in keys)


def queries(path: Path) -> tuple[QueryRecord, ...]:
    """All charged queries in the order of charging (spec: Transparency of Queries)."""
    with reading(path) as ledger:
        rows = ledger.execute(f"SELECT {_QUERY_COLUMNS} FROM query ORDER BY number")
        return tuple(_query(row) for row in rows)


def _epsilon(micro: int) -> Fraction:
    return Fraction(micro, MICRO_PER_EPSILON)


def _settings(ledger: sqlite3.Connection) -> tuple[str, int]:
    network_name, site_epsilon = ledger.execute(
        "SELECT network_name, site_epsilon FROM settings"
    ).fetchone()
    return network_name, site_epsilon


def _commitment(ledger: sqlite3.Connection, site: str, epoch: int) -> Commitment | None:
    found = ledger.execute(
        "SELECT network_name, match_key_provider FROM commitment WHERE site = ? AND epoch = ?",
        (site, epoch),
    ).fetchone()
    if found is None:
        return None
    shares = ledger.execute(
        "SELECT report_collector, epsilon FROM share WHERE site = ? AND epoch = ?", (site, epoch)
    )
    return Commitment(
        site=site,
        epoch=epoch,
        network_name=found[0],
        match_key_provider=found[1],
        shares=tuple(
            CollectorShare(report_collector=collector, epsilon=_epsilon(micro))
            for collector, micro in shares
        ),
    )


def _check_committed(ledger: sqlite3.Connection, query: QueryRecord) -> None:
    """Raise BudgetError unless the site committed to this network and the query's provider."""
    commitment = _commitment(ledger, query.site, query.epoch)
    if commitment is None:
        raise BudgetError(f"site {query.site} has made no commitment for epoch {query.epoch}")
    network_name, _ = _settings(ledger)
    if commitment.network_name != network_name:
        raise BudgetError(
            f"site {query.site} is committed to helper party network {commitment.network_name} for "
            f"epoch {query.epoch}; this is {network_name}"
        )
    if query.network_name != network_name:
        raise BudgetError(
            f"this is the ledger of helper party network {network_name}, the query is for "
            f"{query.network_name}"
        )
    if commitment.match_key_provider != query.match_key_provider:
        raise BudgetError(
            f"site {query.site} is committed to match key provider "
            f"{commitment.match_key_provider} for epoch {query.epoch}; query {query.query_id} "
            f"uses {query.match_key_provider}"
        )


def _budget(ledger: sqlite3.Connection, site: str, epoch: int, report_collector: str) -> Budget:
    key = (site, epoch, report_collector)
    where = "WHERE site = ? AND epoch = ? AND report_collector = ?"
    share = ledger.execute(f"SELECT epsilon FROM share {where}", key).fetchone()
    if share is None:
        raise BudgetError(
            f"site {site} has committed no budget to report collector {report_collector} "
            f"for epoch {epoch}"
        )
    (spent,) = ledger.execute(
        f"SELECT coalesce(sum(epsilon), 0) FROM query {where}", key
    ).fetchone()
    return Budget(
        site=site,
        epoch=epoch,
        report_collector=report_collector,
        granted=_epsilon(share[0]),
        spent=_epsilon(spent),
    )


def _receipt(ledger: sqlite3.Connection, query_id: str) -> Receipt | None:
    row = ledger.execute(
        f"SELECT number, {_QUERY_COLUMNS} FROM query WHERE query_id = ?", (query_id,)
    ).fetchone()
    if row is None:
        return None
    number, query = row[0], _query(row[1:])
    key = (query.site, query.epoch, query.report_collector)
    (spent_later,) = ledger.execute(
        "SELECT coalesce(sum(epsilon), 0) FROM query "
        "WHERE site = ? AND epoch = ? AND report_collector = ? AND number > ?",
        (*key, number),
    ).fetchone()
    left = _budget(ledger, *key).remaining + _epsilon(spent_later)
    return Receipt(query=query, number=number, remaining=left)


def _query(row: tuple[Any, ...]) -> QueryRecord:
    """The record in a row of _QUERY_COLUMNS; Any is what sqlite3 returns, the record checks it."""
    stored = dict(zip(_QUERY_COLUMNS.split(", "), row, strict=True))
    return QueryRecord(
        **stored | {"epsilon": _epsilon(stored["epsilon"]), "cap": int(stored["cap"])}
    )
