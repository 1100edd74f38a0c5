"""Charging three ledgers together, and what they then say, for the tests of three ledgers."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from budget_cases import query

from ipa.budget.charging import charge_together
from ipa.budget.ledger import Ledger, charges, remaining
from ipa.budget.ledger_directory import Ledgers
from ipa.budget.transparency import QueryRecord
from ipa.network.interception import Interceptor
from ipa.network.simulation import simulated_network
from ipa.parties import HELPERS


def together(
    ledgers: Ledgers,
    asked: QueryRecord | Mapping[int, QueryRecord],
    *interceptors: Interceptor,
) -> dict[int, Any]:
    """Charge in lockstep; one query for all helpers, or one for each."""
    each = dict.fromkeys(HELPERS, asked) if isinstance(asked, QueryRecord) else asked
    network = simulated_network(interceptors=interceptors)
    return dict(charge_together(network, dict(zip(HELPERS, ledgers, strict=True)), each))


def left(ledger: Ledger) -> Fraction:
    key = {"site": "shop.example", "report_collector": "collector"}
    return remaining(ledger, **key, epoch=7).epsilon


def ids(ledgers: Ledgers) -> list[list[str]]:
    return [
        [q.query_id for q in charges(ledger, site=q0.site, epoch=7, report_collector="collector")]
        for ledger in ledgers
        for q0 in [query()]
    ]
