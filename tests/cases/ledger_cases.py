"""What remains of a budget, for the tests of one ledger."""

from fractions import Fraction
from typing import Any

from ipa.budget.ledger import Ledger, remaining


def left(ledger: Ledger, **changed: Any) -> Fraction:
    key: dict[str, Any] = {"site": "shop.example", "epoch": 7, "report_collector": "collector"}
    return remaining(ledger, **key | changed).epsilon
