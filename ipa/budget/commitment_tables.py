"""Commitments as rows: the tables that a commitment board and a ledger have in common.

Each file has its terms in the columns `site_epsilon`, `site_delta`, `epoch_start`, `epoch_seconds`
and `open_epochs` of `settings`. Every epsilon is in millionths, every delta in units of 10^-18.
"""

import sqlite3
from fractions import Fraction

from ipa.budget.commitments import BudgetTerms, CollectorShare, Commitment
from ipa.budget.delta import from_atto, to_atto
from ipa.budget.epochs import EpochClock
from ipa.budget.epsilon import MICRO_PER_EPSILON, to_micro

TERMS_COLUMNS = """site_epsilon INTEGER NOT NULL, site_delta INTEGER NOT NULL,
    epoch_start INTEGER NOT NULL, epoch_seconds INTEGER NOT NULL, open_epochs INTEGER NOT NULL"""

TABLES = {
    # `shares` says how many rows of `share` belong to the commitment, so that none can be added.
    "commitment": """site TEXT NOT NULL, epoch INTEGER NOT NULL, recorded_at INTEGER NOT NULL,
        shares INTEGER NOT NULL CHECK (shares > 0), PRIMARY KEY (site, epoch)""",
    "share": """site TEXT NOT NULL, epoch INTEGER NOT NULL, report_collector TEXT NOT NULL,
        network_name TEXT NOT NULL, match_key_provider TEXT NOT NULL,
        epsilon INTEGER NOT NULL CHECK (epsilon > 0), delta INTEGER NOT NULL CHECK (delta >= 0),
        PRIMARY KEY (site, epoch, report_collector)""",
}

# A key that is there is refused here, because INSERT OR REPLACE would delete the old row without
# asking the trigger on DELETE.
OF_EPOCH = "site = NEW.site AND epoch = NEW.epoch"
OF_COLLECTOR = f"{OF_EPOCH} AND report_collector = NEW.report_collector"
REFUSED = {
    "commitment": f"EXISTS (SELECT 1 FROM commitment WHERE {OF_EPOCH})",
    "share": f"""EXISTS (SELECT 1 FROM share WHERE {OF_COLLECTOR})
        OR (SELECT count(*) FROM share WHERE {OF_EPOCH})
            >= (SELECT coalesce(sum(shares), 0) FROM commitment WHERE {OF_EPOCH})
        OR NEW.epsilon + (SELECT coalesce(sum(epsilon), 0) FROM share WHERE {OF_EPOCH})
            > (SELECT site_epsilon FROM settings)
        OR NEW.delta + (SELECT coalesce(sum(delta), 0) FROM share WHERE {OF_EPOCH})
            > (SELECT site_delta FROM settings)""",
}


def exact(micro: int) -> Fraction:
    """The epsilon that is stored as a number of millionths."""
    return Fraction(micro, MICRO_PER_EPSILON)


def terms_row(terms: BudgetTerms) -> tuple[int, int, int, int, int]:
    """The terms as the last columns of `settings`."""
    clock = terms.clock
    granted = to_micro(terms.site_epsilon), to_atto(terms.site_delta)
    return *granted, clock.start, clock.seconds, clock.open_epochs


def read_terms(file: sqlite3.Connection) -> BudgetTerms:
    """The terms of a board or a ledger."""
    site_epsilon, site_delta, start, seconds, open_epochs = file.execute(
        "SELECT site_epsilon, site_delta, epoch_start, epoch_seconds, open_epochs FROM settings"
    ).fetchone()
    return BudgetTerms(
        site_epsilon=exact(site_epsilon),
        site_delta=from_atto(site_delta),
        clock=EpochClock(start=start, seconds=seconds, open_epochs=open_epochs),
    )


def read_commitment(file: sqlite3.Connection, site: str, epoch: int) -> Commitment | None:
    """What is on record for exactly this site and epoch."""
    rows = file.execute(
        "SELECT report_collector, network_name, match_key_provider, epsilon, delta FROM share "
        "WHERE site = ? AND epoch = ?",
        (site, epoch),
    ).fetchall()
    if not rows:
        return None
    shares = tuple(
        CollectorShare(
            report_collector=collector,
            network_name=network_name,
            match_key_provider=provider,
            epsilon=exact(micro),
            delta=from_atto(atto),
        )
        for collector, network_name, provider, micro, atto in rows
    )
    return Commitment(site=site, epoch=epoch, shares=shares)


def insert_commitment(file: sqlite3.Connection, commitment: Commitment, now: int) -> None:
    """Add all rows of a commitment that is not on record."""
    site, epoch = commitment.site, commitment.epoch
    file.execute(
        "INSERT INTO commitment VALUES (?, ?, ?, ?)", (site, epoch, now, len(commitment.shares))
    )
    file.executemany(
        "INSERT INTO share VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                site,
                epoch,
                share.report_collector,
                share.network_name,
                share.match_key_provider,
                to_micro(share.epsilon),
                to_atto(share.delta),
            )
            for share in commitment.shares
        ],
    )
