"""The privacy budget: what sites commit, what queries spend, and the public record of it."""

from ipa.budget.board import CommitmentBoard, FileBoard, MemoryBoard
from ipa.budget.bucket_ledger import Bucket, BucketCharge, BucketLedger
from ipa.budget.charging import charge_together
from ipa.budget.commitments import BudgetTerms, CollectorShare, Commitment
from ipa.budget.composition import EpsilonDelta
from ipa.budget.delta import delta_text, exact_delta
from ipa.budget.epochs import EpochClock
from ipa.budget.epsilon import decimal_text, exact_epsilon
from ipa.budget.ledger import (
    Ledger,
    Receipt,
    create_ledger,
    find_receipt,
    record_outcome,
    remaining,
)
from ipa.budget.ledger_directory import (
    Budget,
    budgets,
    create_ledgers,
    ledgers_in,
    outcomes,
    queries,
    unsettled,
)
from ipa.budget.transparency import QueryRecord, export_queries

__all__ = [
    "Bucket",
    "BucketCharge",
    "BucketLedger",
    "Budget",
    "BudgetTerms",
    "CollectorShare",
    "Commitment",
    "CommitmentBoard",
    "EpochClock",
    "EpsilonDelta",
    "FileBoard",
    "Ledger",
    "MemoryBoard",
    "QueryRecord",
    "Receipt",
    "budgets",
    "charge_together",
    "create_ledger",
    "create_ledgers",
    "decimal_text",
    "delta_text",
    "exact_delta",
    "exact_epsilon",
    "export_queries",
    "find_receipt",
    "ledgers_in",
    "outcomes",
    "queries",
    "record_outcome",
    "remaining",
    "unsettled",
]
