"""A helper's budget ledger: who may still spend how much of a budget in which epoch.

Spec: Differential Privacy Budget Management, Commitments, Transparency of Queries. A ledger is one
file (ipa/budget/ledger_tables.py) of one helper of one helper party network, beside the commitment
board that it reads. It only grows. What was spent is always the sum over the queries on record;
there is no second count that could differ. The sum is that of basic composition: epsilons add up, and
deltas add up (SPEC_NOTES: epsilon-unit).

A query is charged in two steps, between which the three helpers make sure that all will do it
(ipa/budget/charging.py): `ask` notes that this helper would pay, `charge` pays. A query is charged before it
runs and a charge is never taken back, so that a crash can cost a report collector budget, but
nobody privacy (SPEC_NOTES: charge-first). What only some ledgers have, because a helper
crashed, the others take over with `settle`.

All functions may be called from any number of processes and threads at once. Beside what its own
docstring says, each of them raises InputError if a file is missing, damaged, not a ledger or of another
version, and BudgetError if it stays locked.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ipa.budget.append_only import create_file, reading, writing
from ipa.budget.board import CommitmentBoard
from ipa.budget.commitment_tables import insert_commitment, read_commitment, terms_row
from ipa.budget.commitments import CollectorShare, Commitment
from ipa.budget.composition import EpsilonDelta, exceeded, left_of
from ipa.budget.ledger_display import ledger_html
from ipa.budget.ledger_tables import (
    KIND,
    QUERY_COLUMNS,
    LedgerSettings,
    find_query,
    insert_query,
    query_from_row,
    read_settings,
    spent,
)
from ipa.budget.ledger_tables import Receipt as Receipt
from ipa.budget.transparency import QueryRecord
from ipa.errors import BudgetError
from ipa.names import MAX_EPOCH, check_identifier
from ipa.parties import HELPERS
from ipa.ranges import check_integer


@dataclass(frozen=True)
class Ledger:
    """One helper's ledger: its file, and the board where sites commit."""

    path: Path
    board: CommitmentBoard

    _repr_html_ = ledger_html


def create_ledger(ledger: Ledger, *, network_name: str, helper: int) -> None:
    """Create the ledger of a helper of a helper party network, on the terms of its board.

    Doing it again with the same arguments changes nothing.

    Raises: ParameterError for a malformed argument; BudgetError if there is a ledger with other
    settings.
    """
    check_identifier("network_name", network_name)
    check_integer("helper", helper, HELPERS[0], HELPERS[-1])
    wanted = LedgerSettings(network_name=network_name, helper=helper, terms=ledger.board.terms)
    create_file(ledger.path, KIND, (network_name, helper, *terms_row(wanted.terms)))
    if settings(ledger) != wanted:
        raise BudgetError(
            f"{ledger.path}: there is a ledger, of another network, helper, budget or clock"
        )


def settings(ledger: Ledger) -> LedgerSettings:
    """What the ledger was created with."""
    with reading(ledger.path, KIND) as file:
        return read_settings(file)


def ask(ledger: Ledger, query: QueryRecord) -> None:
    """Make sure that the query could be charged, and note durably that it was asked.

    An id is asked once, also when the query is then not charged: two runs of one id could otherwise
    both be answered for one charge.

    Raises: BudgetError, and then nothing was noted, if the id was used, the epoch is not open, the
    collector is not committed to this network and to the query's match key provider, or less than
    the query's epsilon or delta remains.
    """
    with writing(ledger.path, KIND) as file:
        if found := find_query(file, query.query_id):
            raise BudgetError(
                f"query {query.query_id} was charged already (number {found[0]}); "
                "to run again it needs a new id and a new charge"
            )
        if _question(file, query.query_id):
            raise BudgetError(f"query {query.query_id} was asked already; ask with a new id")
        _check_payable(file, ledger.board, query)
        file.execute("INSERT INTO asked VALUES (?, ?)", (query.query_id, query.question_digest()))


def charge(ledger: Ledger, query: QueryRecord) -> Receipt:
    """Take what a query that was asked promises from its collector's budget, and record it.

    All or nothing, and on disk when this returns. If another helper's charge of this very query was
    settled in between, it counts. After a crash, `find_receipt` tells whether the charge happened.

    Raises: BudgetError, and then nothing was charged here, if it was not asked, or cannot be paid any
    more because another query was charged since.
    """
    with writing(ledger.path, KIND) as file:
        if _question(file, query.query_id) != query.question_digest():
            raise BudgetError(f"query {query.query_id} was not asked, or was asked otherwise")
        key = (query.site, query.epoch, query.report_collector)
        if found := find_query(file, query.query_id):
            share = _check_epoch_and_share(file, ledger.board, query)
            number, known = found
            if known != query or exceeded(spent(file, *key), share.budget):
                raise BudgetError(f"query {query.query_id} was charged otherwise, or too late")
        else:
            share = _check_payable(file, ledger.board, query)
            number = insert_query(file, query, settled=False)
        return Receipt(
            query=query, number=number, remaining=left_of(share.budget, spent(file, *key))
        )


def settle(ledger: Ledger, queries: Sequence[QueryRecord]) -> None:
    """Take over charges that other helpers have, also beyond what remains: none is refunded.

    A query that would overdraw was never answered, for this helper did not charge it before.

    Raises: BudgetError if the board does not have the site's commitment for one of them, or another
    query was charged under its id.
    """
    with writing(ledger.path, KIND) as file:
        for query in queries:
            found = find_query(file, query.query_id)
            if found and found[1] != query:
                raise BudgetError(f"two queries were charged as {query.query_id}")
            if found is None:
                _check_epoch_and_share(file, ledger.board, query)
                insert_query(file, query, settled=True)


def record_outcome(ledger: Ledger, query_id: str, rows_used: int) -> None:
    """Record, after the run, how many of a charged query's rows were used; once.

    Raises: BudgetError if there is no such query, it has fewer rows, or this was done before.
    """
    check_identifier("query_id", query_id)
    check_integer("rows_used", rows_used, 0)
    with writing(ledger.path, KIND) as file:
        found = find_query(file, query_id)
        known = file.execute("SELECT 1 FROM outcome WHERE query_id = ?", (query_id,)).fetchone()
        if found is None or known or rows_used > found[1].rows:
            raise BudgetError(f"query {query_id} has no {rows_used} rows, or its end is on record")
        file.execute("INSERT INTO outcome VALUES (?, ?)", (query_id, rows_used))


def find_receipt(ledger: Ledger, query_id: str) -> Receipt | None:
    """The receipt of the query with this id, or None: it was never charged.

    Raises: ParameterError for a malformed id.
    """
    check_identifier("query_id", query_id)
    with reading(ledger.path, KIND) as file:
        if (found := find_query(file, query_id)) is None:
            return None
        number, query = found
        key = (query.site, query.epoch, query.report_collector)
        share = _share(file, ledger.board, *key)
        left = left_of(share.budget, spent(file, *key, up_to=number))
        return Receipt(query=query, number=number, remaining=left)


def was_asked(ledger: Ledger, query: QueryRecord) -> bool:
    """Whether this helper noted that it would pay for exactly this query, whenever it is charged."""
    with reading(ledger.path, KIND) as file:
        return _question(file, query.query_id) == query.question_digest()


def remaining(ledger: Ledger, *, site: str, epoch: int, report_collector: str) -> EpsilonDelta:
    """What the collector may still spend in the epoch.

    Raises: BudgetError if it was committed nothing; ParameterError for a malformed name or epoch.
    """
    check_identifier("site", site)
    check_identifier("report_collector", report_collector)
    check_integer("epoch", epoch, 0, MAX_EPOCH)
    with reading(ledger.path, KIND) as file:
        share = _share(file, ledger.board, site, epoch, report_collector)
        return left_of(share.budget, spent(file, site, epoch, report_collector))


def charges(
    ledger: Ledger, *, site: str, epoch: int, report_collector: str
) -> tuple[QueryRecord, ...]:
    """What was charged to one budget, by query id."""
    with reading(ledger.path, KIND) as file:
        rows = file.execute(
            f"SELECT {QUERY_COLUMNS} FROM query "
            "WHERE site = ? AND epoch = ? AND report_collector = ? ORDER BY query_id",
            (site, epoch, report_collector),
        )
        return tuple(query_from_row(row) for row in rows)


def _question(file: sqlite3.Connection, query_id: str) -> bytes | None:
    row = file.execute("SELECT question FROM asked WHERE query_id = ?", (query_id,)).fetchone()
    return None if row is None else bytes(row[0])


def _unchanged(
    file: sqlite3.Connection, found: Commitment | None, site: str, epoch: int
) -> Commitment:
    """What the board says, if it says something and that is what it said before."""
    if found is None:
        raise BudgetError(f"site {site} has made no commitment for epoch {epoch}")
    known = read_commitment(file, site, epoch)
    if known is not None and known != found:
        raise BudgetError(
            f"the commitment board has changed what site {site} committed to for epoch {epoch}"
        )
    return found


def _share(
    file: sqlite3.Connection, board: CommitmentBoard, site: str, epoch: int, report_collector: str
) -> CollectorShare:
    commitment = _unchanged(file, board.in_force(site, epoch), site, epoch)
    return _share_of(commitment, report_collector)


def _share_of(commitment: Commitment, report_collector: str) -> CollectorShare:
    share = commitment.share_of(report_collector)
    if share is None:
        raise BudgetError(
            f"site {commitment.site} has committed no budget to report collector "
            f"{report_collector} for epoch {commitment.epoch}"
        )
    return share


def _check_epoch_and_share(
    file: sqlite3.Connection, board: CommitmentBoard, query: QueryRecord
) -> CollectorShare:
    """The share that pays; the ledger's copy of the commitment is made. BudgetError if none pays."""
    own = read_settings(file)
    if own.terms != board.terms:
        raise BudgetError("the commitment board has another budget or clock than the ledger")
    own.terms.clock.check_open(query.epoch, query.charged_at)
    commitment = _unchanged(file, board.fix(query.site, query.epoch), query.site, query.epoch)
    share = _share_of(commitment, query.report_collector)
    if query.network_name != own.network_name:
        raise BudgetError(
            f"this is a ledger of helper party network {own.network_name}, the query is for "
            f"{query.network_name}"
        )
    for what, committed, asked in (
        ("helper party network", share.network_name, own.network_name),
        ("match key provider", share.match_key_provider, query.match_key_provider),
    ):
        if committed != asked:
            raise BudgetError(
                f"report collector {query.report_collector} of site {query.site} is committed to "
                f"{what} {committed} for epoch {query.epoch}, not {asked}"
            )
    if read_commitment(file, query.site, query.epoch) is None:
        insert_commitment(file, commitment, query.charged_at)
    return share


def _check_payable(
    file: sqlite3.Connection, board: CommitmentBoard, query: QueryRecord
) -> CollectorShare:
    share = _check_epoch_and_share(file, board, query)
    (latest,) = file.execute("SELECT max(charged_at) FROM query").fetchone()
    if latest is not None:  # a clock that was put back opens no epoch again
        read_settings(file).terms.clock.check_open(query.epoch, max(latest, query.charged_at))
    key = (query.site, query.epoch, query.report_collector)
    left = left_of(share.budget, spent(file, *key))
    if name := exceeded(query.promise, left):
        raise BudgetError(
            f"query {query.query_id} requests {name} {query.promise.texts()[name]}, but "
            f"report collector {query.report_collector} of site {query.site} has "
            f"{left.texts()[name]} of {share.budget.texts()[name]} remaining "
            f"in epoch {query.epoch}"
        )
    return share
