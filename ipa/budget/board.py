"""The commitment board: what sites commit to, in one place that all helper party networks read.

Spec: Commitments ("making sure that it's visible to all helper party networks is still an open
problem"). A site has one entry for an epoch, and the first one counts: it names the one network of each
of its report collectors, so that a second network cannot grant the same budget again. An epoch
without an entry of its own has that of the last epoch before it (SPEC_NOTES: commitment-board).
"""

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ipa.budget.append_only import FileKind, create_file, reading, writing
from ipa.budget.commitment_tables import (
    REFUSED,
    TABLES,
    TERMS_COLUMNS,
    insert_commitment,
    read_commitment,
    read_terms,
    terms_row,
)
from ipa.budget.commitments import BudgetTerms, Commitment, check_total
from ipa.budget.epochs import LAST_SECOND
from ipa.errors import BudgetError
from ipa.names import MAX_EPOCH, check_identifier
from ipa.ranges import check_integer

_RUNNING = """(SELECT (NEW.recorded_at - epoch_start) / epoch_seconds
    - (NEW.recorded_at < epoch_start) FROM settings)"""

_KIND = FileKind(
    name="commitment board",
    application_id=0x49504142,  # "IPAB"
    version=2,
    tables={
        "settings": TERMS_COLUMNS,
        **TABLES,
        "fixed": "site TEXT NOT NULL, epoch INTEGER NOT NULL, PRIMARY KEY (site, epoch)",
    },
    refused={
        "settings": "EXISTS (SELECT 1 FROM settings)",
        "share": REFUSED["share"],
        "fixed": """EXISTS (SELECT 1 FROM fixed WHERE site = NEW.site AND epoch = NEW.epoch)""",
        # Also: only for the next epoch, or for the running one if there is none before it; and
        # nothing that changes what a query was charged under.
        "commitment": f"""{REFUSED["commitment"]}
            OR NEW.epoch NOT IN ({_RUNNING}, {_RUNNING} + 1)
            OR EXISTS (SELECT 1 FROM fixed WHERE site = NEW.site AND epoch >= NEW.epoch)
            OR NEW.epoch = {_RUNNING} AND EXISTS
                (SELECT 1 FROM commitment WHERE site = NEW.site AND epoch < NEW.epoch)""",
    },
    indexes={},
)


class CommitmentBoard(Protocol):
    """What ledgers need of a board; `MemoryBoard` and `FileBoard` are two."""

    @property
    def terms(self) -> BudgetTerms:
        """What a site has in an epoch, and the clock of epochs."""

    def commit(self, commitment: Commitment, *, now: int) -> None:
        """Enter a site's commitment, at a time of the board's own clock.

        The first one counts: an identical one changes nothing, a different one is refused. It can be
        for the next epoch, or for the running one if nothing was carried over into it.

        Raises: BudgetError if another one is on record, the epoch is not one that can be committed
        to, or the shares exceed the site's budget.
        """

    def in_force(self, site: str, epoch: int) -> Commitment | None:
        """What counts for the site in the epoch: its entry, or the last one before it."""

    def fix(self, site: str, epoch: int) -> Commitment | None:
        """What is in force, for a charge: from now on the answer for this epoch never changes.

        By the clock of who charges the epoch has begun, by that of who commits it may not have:
        without this a site could commit anew between the two. If nothing is in force nothing is fixed.
        """

    def sites(self) -> tuple[str, ...]:
        """Every site that ever committed, in order."""


class MemoryBoard:
    """A board in this process, for tests and simulations; it is gone when the process ends."""

    def __init__(self, terms: BudgetTerms) -> None:
        self.terms = terms
        self._entries: dict[tuple[str, int], Commitment] = {}
        self._latest = 0
        self._fixed: dict[str, int] = {}
        self._lock = threading.Lock()

    def commit(self, commitment: Commitment, *, now: int) -> None:
        """Enter a site's commitment: see CommitmentBoard."""
        _check_entry(commitment, self.terms, now)
        with self._lock:
            key = (commitment.site, commitment.epoch)
            if _is_known(commitment, self._entries.get(key)):
                return
            _check_not_fixed(commitment, self._fixed.get(key[0], -1) >= key[1])
            latest = max(self._latest, now)  # a clock that was put back opens nothing again
            earlier = any(site == key[0] and epoch < key[1] for site, epoch in self._entries)
            self.terms.clock.check_can_be_committed(key[1], latest, is_first=not earlier)
            self._entries[key] = commitment
            self._latest = latest

    def in_force(self, site: str, epoch: int) -> Commitment | None:
        """What counts for the site in the epoch: see CommitmentBoard."""
        with self._lock:
            return self._in_force(site, epoch)

    def fix(self, site: str, epoch: int) -> Commitment | None:
        """What is in force, for a charge: see CommitmentBoard."""
        with self._lock:
            found = self._in_force(site, epoch)
            if found is not None:
                self._fixed[site] = max(epoch, self._fixed.get(site, epoch))
            return found

    def sites(self) -> tuple[str, ...]:
        """Every site that ever committed, in order."""
        with self._lock:
            return tuple(sorted({site for site, _ in self._entries}))

    def _in_force(self, site: str, epoch: int) -> Commitment | None:
        epochs = [e for s, e in self._entries if s == site and e <= epoch]
        return replace(self._entries[site, max(epochs)], epoch=epoch) if epochs else None


class FileBoard:
    """A board in a file that only grows, which any number of processes can read and write."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, terms: BudgetTerms) -> "FileBoard":
        """Create the board; doing it again with the same terms changes nothing.

        Raises: BudgetError if there is a board with other terms; InputError for another file.
        """
        create_file(path, _KIND, terms_row(terms))
        board = cls(path)
        if board.terms != terms:
            raise BudgetError(f"{path}: there is a commitment board, with another budget or clock")
        return board

    @property
    def terms(self) -> BudgetTerms:
        """What a site has in an epoch, and the clock of epochs."""
        with reading(self.path, _KIND) as file:
            return read_terms(file)

    def commit(self, commitment: Commitment, *, now: int) -> None:
        """Enter a site's commitment, durably: see CommitmentBoard."""
        with writing(self.path, _KIND) as file:
            terms = read_terms(file)
            _check_entry(commitment, terms, now)
            site, epoch = commitment.site, commitment.epoch
            if _is_known(commitment, read_commitment(file, site, epoch)):
                return
            _check_not_fixed(commitment, _is_fixed(file, site, epoch))
            (earlier,) = file.execute(
                "SELECT count(*) FROM commitment WHERE site = ? AND epoch < ?", (site, epoch)
            ).fetchone()
            latest = max(_latest(file), now)  # as in MemoryBoard
            terms.clock.check_can_be_committed(epoch, latest, is_first=not earlier)
            insert_commitment(file, commitment, latest)

    def in_force(self, site: str, epoch: int) -> Commitment | None:
        """What counts for the site in the epoch: see CommitmentBoard."""
        check_identifier("site", site)
        check_integer("epoch", epoch, 0, MAX_EPOCH)
        with reading(self.path, _KIND) as file:
            return _in_force(file, site, epoch)

    def fix(self, site: str, epoch: int) -> Commitment | None:
        """What is in force, for a charge, durably: see CommitmentBoard."""
        with reading(self.path, _KIND) as file:
            if _is_fixed(file, site, epoch):  # mostly: only the first charge writes
                return _in_force(file, site, epoch)
        with writing(self.path, _KIND) as file:
            found = _in_force(file, site, epoch)
            if found is not None and not _is_fixed(file, site, epoch):
                file.execute("INSERT INTO fixed VALUES (?, ?)", (site, epoch))
            return found

    def sites(self) -> tuple[str, ...]:
        """Every site that ever committed, in order."""
        with reading(self.path, _KIND) as file:
            rows = file.execute("SELECT DISTINCT site FROM commitment ORDER BY site")
            return tuple(site for (site,) in rows)


def _check_entry(commitment: Commitment, terms: BudgetTerms, now: int) -> None:
    check_integer("now", now, 0, LAST_SECOND)
    check_total(commitment, terms.site_budget)


def _is_known(commitment: Commitment, known: Commitment | None) -> bool:
    """Whether it is on record; BudgetError if another one is."""
    if known is not None and known != commitment:
        raise BudgetError(
            f"site {commitment.site} is committed for epoch {commitment.epoch} already and cannot "
            "change that"
        )
    return known is not None


def _check_not_fixed(commitment: Commitment, is_fixed: bool) -> None:
    if is_fixed:
        raise BudgetError(
            f"site {commitment.site} was charged for epoch {commitment.epoch} already, under what "
            "was committed before"
        )


def _in_force(file: sqlite3.Connection, site: str, epoch: int) -> Commitment | None:
    (last,) = file.execute(
        "SELECT max(epoch) FROM commitment WHERE site = ? AND epoch <= ?", (site, epoch)
    ).fetchone()
    found = None if last is None else read_commitment(file, site, last)
    return found and replace(found, epoch=epoch)


def _is_fixed(file: sqlite3.Connection, site: str, epoch: int) -> bool:
    """Whether something was charged for this epoch, or for a later one that it would carry over to."""
    found = file.execute("SELECT 1 FROM fixed WHERE site = ? AND epoch >= ?", (site, epoch))
    return found.fetchone() is not None


def _latest(file: sqlite3.Connection) -> int:
    """The latest time on record."""
    (latest,) = file.execute("SELECT max(recorded_at) FROM commitment").fetchone()
    return latest or 0
