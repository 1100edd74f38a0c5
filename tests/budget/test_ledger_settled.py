"""A ledger's charges in two steps, asked and charged, and those that are settled."""

from collections.abc import Iterator
from fractions import Fraction

import pytest
from budget_cases import both, commit, commitment, during, new_ledger, pay, query
from ledger_cases import left
from worker_processes import quick_directory

from ipa.budget.ledger import Ledger, ask, charge, find_receipt, record_outcome, settle
from ipa.budget.ledger_directory import budgets, outcomes, queries
from ipa.errors import BudgetError


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with quick_directory() as directory:
        yield new_ledger(directory)


def test_what_was_not_asked_is_not_charged(ledger: Ledger) -> None:
    commit(ledger, commitment())
    with pytest.raises(BudgetError, match="was not asked"):
        charge(ledger, query("q1"))
    ask(ledger, query("q1"))
    for changed in (
        {"epsilon": "0.5"},
        {"delta": 0},
        {"cap": 99},
        {"rows": 999},
        {"breakdowns": 15},
    ):
        with pytest.raises(BudgetError, match="asked otherwise"):
            charge(ledger, query(**{"query_id": "q1"} | changed))
    assert left(ledger) == 1
    later = query("q1", charged_at=during(8))  # the helpers agree on a time after asking
    assert charge(ledger, later).remaining.epsilon == Fraction(3, 4)


def test_a_query_id_is_asked_once_also_when_it_was_not_charged(ledger: Ledger) -> None:
    commit(ledger, commitment())
    ask(ledger, query("q1"))
    with pytest.raises(BudgetError, match="was asked already; ask with a new id"):
        ask(ledger, query("q1"))
    assert left(ledger) == 1


def test_what_another_query_took_in_between_is_not_charged_again(ledger: Ledger) -> None:
    commit(ledger, commitment())
    for name in ("q1", "q2"):
        ask(ledger, query(name, "0.75"))
    charge(ledger, query("q1", "0.75"))
    with pytest.raises(BudgetError, match=r"has 0\.25 of 1 remaining"):
        charge(ledger, query("q2", "0.75"))


def test_a_settled_charge_counts_also_beyond_what_remains(ledger: Ledger) -> None:
    commit(ledger, commitment())
    pay(ledger, query("q1", "0.75"))
    settle(ledger, [query("q1", "0.75"), query("q2", "0.5"), query("q3", "0.1")])
    assert [q.query_id for q in queries(ledger)] == ["q1", "q2", "q3"]
    assert left(ledger) == 0
    receipt = find_receipt(ledger, "q2")
    assert receipt is not None and receipt.remaining.epsilon == 0
    with pytest.raises(BudgetError, match="has 0 of 1 remaining"):
        ask(ledger, query("q4", "0.000001"))


def test_a_settled_charge_keeps_to_the_commitment_and_the_clock(ledger: Ledger) -> None:
    commit(ledger, commitment())
    pay(ledger, query("q1"))
    for changed in (
        query("q2", report_collector="x"),
        query("q2", network_name="network-2"),
        query("q2", charged_at=during(9)),
        query("q1", "0.5"),
        query("q1", charged_at=during(8)),
    ):
        with pytest.raises(BudgetError):
            settle(ledger, [query("q0"), changed])
    assert queries(ledger) == (query("q1"),)


def test_a_query_that_was_settled_while_it_was_asked_is_charged_once(ledger: Ledger) -> None:
    commit(ledger, commitment())
    ask(ledger, query("q1", "0.75"))
    settle(ledger, [query("q1", "0.75")])
    assert charge(ledger, query("q1", "0.75")).remaining.epsilon == Fraction(1, 4)
    ask(ledger, query("q2"))
    settle(ledger, [query("q2"), query("q3", "0.000001")])
    with pytest.raises(BudgetError, match="otherwise, or too late"):
        charge(ledger, query("q2"))  # answered, it would be more than the budget
    assert len(queries(ledger)) == 3


def test_a_query_that_was_settled_at_another_time_is_not_charged(ledger: Ledger) -> None:
    commit(ledger, commitment())
    ask(ledger, query("q1"))
    settle(ledger, [query("q1", charged_at=during(8))])
    with pytest.raises(BudgetError, match="otherwise, or too late"):
        charge(ledger, query("q1"))


def test_the_end_of_a_query_is_recorded_once(ledger: Ledger) -> None:
    commit(ledger, commitment())
    pay(ledger, query("q1", rows=10))
    pay(ledger, query("q2", rows=10))
    for query_id, rows in (("q3", 1), ("q1", 11)):
        with pytest.raises(BudgetError):
            record_outcome(ledger, query_id, rows)
    record_outcome(ledger, "q1", 10)
    record_outcome(ledger, "q2", 0)
    with pytest.raises(BudgetError, match="its end is on record"):
        record_outcome(ledger, "q1", 10)
    assert outcomes(ledger) == {"q1": 10, "q2": 0}


def test_a_delta_that_another_query_took_in_between_is_not_charged_again(ledger: Ledger) -> None:
    commit(ledger, commitment())
    first, second = query("q1", delta="6e-8"), query("q2", delta="5e-8")
    ask(ledger, first)
    ask(ledger, second)
    charge(ledger, first)
    with pytest.raises(BudgetError, match=r"requests delta 5e-8, .* has 4e-8 of 1e-7 remaining"):
        charge(ledger, second)
    settle(ledger, [second])
    with pytest.raises(BudgetError, match="charged otherwise, or too late"):
        charge(ledger, second)
    found = find_receipt(ledger, "q2")
    assert found is not None and found.remaining == both("0.5", "0")
    (budget,) = (one for one in budgets(ledger, now=during(7)) if one.epoch == 7)
    assert budget.spent == both("0.5", "1.1e-7") and budget.remaining == both("0.5", "0")
