"""Three ledgers that differ are settled: what only some have, all take over."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from budget_cases import NETWORK, commit, commitment, during, pay, query, terms
from three_ledgers_cases import ids, together
from worker_processes import quick_directory

from ipa.budget.ledger import ask, charge, find_receipt, settle, was_asked
from ipa.budget.ledger_directory import Ledgers, budgets, create_ledgers, unsettled
from ipa.errors import BudgetError
from ipa.network.interception import Transcript


@pytest.fixture
def ledgers() -> Iterator[Ledgers]:
    """The ledgers of a network in which the site has given its collector all of its epsilon of 1."""
    with quick_directory() as directory:
        made = create_ledgers(directory / "l", terms(), network_name=NETWORK)
        commit(made[0], commitment())
        yield made


@pytest.mark.parametrize("changed", [{"delta": "2e-12"}, {"mechanism": "laplace-per-helper"}])
def test_a_charge_that_one_has_otherwise_is_not_taken_over(
    changed: dict[str, Any], ledgers: Ledgers
) -> None:
    """Two ledgers that differ in delta or mechanism alone have different charges under one id."""
    for ledger in ledgers[:2]:
        pay(ledger, query("q1"))
    pay(ledgers[2], query("q1", **changed))
    with pytest.raises(BudgetError, match="two queries were charged as q1"):
        together(ledgers, query("q2"))
    assert ids(ledgers) == [["q1"]] * 3


@pytest.mark.parametrize("having", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)])
def test_a_charge_that_only_some_have_is_taken_over_and_never_refunded(
    having: tuple[int, ...], ledgers: Ledgers
) -> None:
    """A crash after all had said that they would pay, and before all had."""
    for ledger in ledgers:
        ask(ledger, query("q1", "0.75"))
    for place in having:
        charge(ledgers[place], query("q1", "0.75"))
    assert unsettled(ledgers) == ("q1",)
    (budget,) = [b for b in budgets(*ledgers, now=during(7)) if b.epoch == 7]
    assert budget.remaining.epsilon == Fraction(1, 4)
    with pytest.raises(BudgetError, match=r"has 0\.25 of 1 remaining"):
        together(ledgers, query("q2", "0.5"))
    assert ids(ledgers) == [["q1"]] * 3
    assert unsettled(ledgers) == ()
    assert {r.remaining.epsilon for r in together(ledgers, query("q3", "0.25")).values()} == {0}


def test_several_differences_are_settled_at_once(ledgers: Ledgers) -> None:
    for name in ("a", "b", "c"):
        for ledger in ledgers:
            ask(ledger, query(name, "0.1"))
    charge(ledgers[0], query("b", "0.1"))
    charge(ledgers[1], query("a", "0.1"))
    charge(ledgers[2], query("c", "0.1"))
    charge(ledgers[2], query("a", "0.1"))
    together(ledgers, query("d", "0.1"))
    assert ids(ledgers) == [["a", "b", "c", "d"]] * 3


def test_the_order_of_charging_is_no_difference(ledgers: Ledgers) -> None:
    for ledger, names in zip(ledgers, ("ab", "ba", "ab"), strict=True):
        for name in names:
            pay(ledger, query(name, "0.1"))
    transcript = Transcript()
    together(ledgers, query("c", "0.1"), transcript)
    assert not any("settle" in message.step for message in transcript.messages)


def test_queries_that_race_for_the_last_of_a_budget_are_all_charged_and_none_twice(
    ledgers: Ledgers,
) -> None:
    """Each of two was charged at some helpers; together they exceed the budget. None was answered."""
    for name in ("a", "b"):
        for ledger in ledgers:
            ask(ledger, query(name, "0.6"))
    charge(ledgers[0], query("a", "0.6"))
    charge(ledgers[1], query("b", "0.6"))
    with pytest.raises(BudgetError, match="has 0 of 1 remaining"):
        together(ledgers, query("c", "0.000001"))
    assert ids(ledgers) == [["a", "b"]] * 3
    for name in ("a", "b"):  # neither comes to its end
        with pytest.raises(BudgetError, match="otherwise, or too late"):
            charge(ledgers[2], query(name, "0.6"))


def test_a_budget_that_ran_out_between_verdict_and_charge_is_a_refusal_everywhere(
    ledgers: Ledgers,
) -> None:
    ask(ledgers[1], query("other", "0.9"))

    def charge_another(message: Any) -> Any:
        if message.step == "budget/verdict/echo" and find_receipt(ledgers[1], "other") is None:
            charge(ledgers[1], query("other", "0.9"))
        yield message

    with pytest.raises(BudgetError, match=r"has 0\.1 of 1 remaining"):
        together(ledgers, query("q1"), charge_another)
    assert ids(ledgers) == [["q1"], ["other"], ["q1"]]


def test_what_two_claim_the_third_takes_over_without_having_been_asked(ledgers: Ledgers) -> None:
    """Its file may be an old copy; of two, one is honest."""
    for ledger in ledgers[:2]:
        pay(ledger, query("q1"))
    together(ledgers, query("q2"))
    assert ids(ledgers) == [["q1", "q2"]] * 3
    assert not was_asked(ledgers[2], query("q1"))


def test_what_was_taken_over_without_having_been_asked_is_claimed_like_any_other(
    ledgers: Ledgers,
) -> None:
    """The two that it came from have lost it again, and know that they were asked."""
    for ledger in ledgers[:2]:
        ask(ledger, query("q1"))
    settle(ledgers[2], [query("q1")])
    together(ledgers, query("q2"))
    assert ids(ledgers) == [["q1", "q2"]] * 3
