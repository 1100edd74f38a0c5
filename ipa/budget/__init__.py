"""The privacy budget: what sites commit, what queries spend, and the public record of it."""

from ipa.budget.commitments import CollectorShare, Commitment
from ipa.budget.epsilon import decimal_text, exact_epsilon
from ipa.budget.ledger import (
    Budget,
    Receipt,
    budgets,
    charge,
    commit,
    committed,
    create_ledger,
    find_receipt,
    queries,
    remaining,
)
from ipa.budget.transparency import QueryRecord, export_queries

__all__ = [
    "Budget",
    "CollectorShare",
    "Commitment",
    "QueryRecord",
    "Receipt",
    "budgets",
    "charge",
    "commit",
    "committed",
    "create_ledger",
    "decimal_text",
    "exact_epsilon",
    "export_queries",
    "find_receipt",
    "queries",
    "remaining",
]
