"""Ledgers that pay for the queries of tests.intake: HOME's site has given its collector epsilon 1."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from intake_cases import HOME, PARAMETERS

from ipa.budget.commitments import BudgetTerms, CollectorShare, Commitment
from ipa.budget.epochs import EpochClock
from ipa.budget.ledger_directory import Ledgers, create_ledgers
from ipa.client.user_agent import ON_DEVICE
from ipa.report_query import Payment

NOW = 1_700_000_000
TERMS = BudgetTerms(
    site_epsilon=Fraction(1), clock=EpochClock(start=NOW - 1_000 * HOME.epoch, seconds=1_000)
)
CHARGED = replace(PARAMETERS, epsilon=Fraction(1, 4))
"""The parameters of a query with noise; epsilon is what it is charged."""


def paying_ledgers(directory: Path) -> Ledgers:
    """Ledgers in which HOME's site has given its collector epsilon 1."""
    made = create_ledgers(directory / "ledgers", TERMS, network_name=HOME.network_name)
    commit_to(made)
    return made


def commit_to(
    ledgers: Ledgers,
    *,
    site: str = HOME.site,
    network_name: str = HOME.network_name,
    provider: str = ON_DEVICE,
    collector: str = HOME.report_collector,
) -> None:
    """What a site commits to for HOME's epoch, epsilon 1 for one collector."""
    share = CollectorShare(
        report_collector=collector,
        network_name=network_name,
        match_key_provider=provider,
        epsilon=Fraction(1),
    )
    new = Commitment(site=site, epoch=HOME.epoch, shares=(share,))
    ledgers[0].board.commit(new, now=NOW)


def payment_of(ledgers: Ledgers, query_id: str) -> Payment:
    return Payment(ledgers=ledgers, query_id=query_id, charged_at=NOW)
