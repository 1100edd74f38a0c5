"""Ledgers of buckets for the tests of budget and Kingdom."""

from fractions import Fraction
from pathlib import Path

from ipa.budget.bucket_ledger import BucketLedger
from ipa.budget.composition import EpsilonDelta

THOUSANDTH = Fraction(1, 1000)


def grant(epsilon: Fraction | int = 1, delta: Fraction = THOUSANDTH) -> EpsilonDelta:
    return EpsilonDelta(epsilon=Fraction(epsilon), delta=delta)


def ledger_in(directory: Path, granted: EpsilonDelta) -> BucketLedger:
    return BucketLedger.create(directory / "ledger", granted)
