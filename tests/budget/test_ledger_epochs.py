"""The budget ledger over time: epochs that open, refresh and close, and what a board may not change."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from budget_cases import (
    CLOCK,
    both,
    commit,
    commitment,
    during,
    new_ledger,
    pay,
    query,
    share,
    terms,
)
from ledger_cases import left
from worker_processes import quick_directory

from ipa.budget.board import MemoryBoard
from ipa.budget.ledger import Ledger, ask, settle
from ipa.budget.ledger_directory import Budget, budgets
from ipa.errors import BudgetError


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with quick_directory() as directory:
        yield new_ledger(directory)


def test_an_epoch_is_charged_from_its_beginning_until_it_closes(ledger: Ledger) -> None:
    """Also when its epoch was skipped: what is spent in one is not spent in another."""
    commit(ledger, commitment())
    moments = (CLOCK.begins_at(7), CLOCK.closes_at(7) - 1)
    for name, moment in zip(("first", "last"), moments, strict=True):
        pay(ledger, query(name, charged_at=moment))
    assert (left(ledger), left(ledger, epoch=8)) == (Fraction(1, 2), Fraction(1))


@pytest.mark.parametrize("epoch", [0, 3, 5, 8, 4_000_000_000])
def test_nothing_is_charged_for_an_epoch_that_is_closed_or_not_yet_open(
    epoch: int, ledger: Ledger
) -> None:
    commit(ledger, commitment(epoch=0), now=during(0))
    assert left(ledger, epoch=epoch) == 1  # it is committed to: only the clock forbids it
    with pytest.raises(BudgetError, match=f"epoch {epoch} (is closed|has not begun)"):
        ask(ledger, query("q", epoch=epoch, charged_at=during(7)))


def test_a_budget_refreshes_with_the_epoch_and_a_new_commitment_replaces_it(
    ledger: Ledger,
) -> None:
    commit(ledger, commitment(share(epsilon="0.5")))
    pay(ledger, query("q7", "0.5"))
    pay(ledger, query("q8", "0.5", epoch=8))
    assert (left(ledger), left(ledger, epoch=8), left(ledger, epoch=9)) == (
        Fraction(0),
        Fraction(0),
        Fraction(1, 2),
    )
    commit(ledger, commitment(share("b"), epoch=9), now=during(8))
    with pytest.raises(BudgetError, match="no budget to report collector collector for epoch 9"):
        pay(ledger, query("q9", "0.5", epoch=9))
    assert pay(ledger, query("q9", epoch=9, report_collector="b")).remaining.epsilon == Fraction(
        3, 4
    )


def test_a_clock_that_was_put_back_opens_no_epoch_again(ledger: Ledger) -> None:
    commit(ledger, commitment())
    pay(ledger, query("q9", epoch=9))
    with pytest.raises(BudgetError, match="epoch 7 is closed"):
        ask(ledger, query("q7", charged_at=during(7)))
    ask(ledger, query("q8", epoch=8, charged_at=during(8)))


def test_a_board_that_says_something_else_than_before_pays_nothing(tmp_path: Path) -> None:
    """A board has no right to: what was charged keeps to the copy in the ledger."""
    ledger = new_ledger(tmp_path, board=MemoryBoard(terms()))
    commit(ledger, commitment())
    pay(ledger, query("q1"))
    changed = Ledger(ledger.path, MemoryBoard(terms()))
    commit(changed, commitment(share(epsilon="0.999999")))
    with pytest.raises(BudgetError, match=r"board has changed what site shop.example committed"):
        ask(changed, query("q2"))
    for other in (terms(Fraction(2)), replace(terms(), clock=replace(CLOCK, open_epochs=2))):
        changed = Ledger(ledger.path, MemoryBoard(other))
        commit(changed, commitment())
        with pytest.raises(BudgetError, match="another budget or clock than the ledger"):
            ask(changed, query("q2"))
    pay(ledger, query("q2"))


def test_budgets_are_listed_by_epoch_site_and_collector(ledger: Ledger) -> None:
    """Those that are open, carried over or not, and those that something was spent from."""
    assert budgets(ledger, now=during(7)) == ()
    commit(ledger, commitment(share("b", "0.25"), share("a", "0.25"), epoch=4))
    commit(ledger, commitment(share("c", "0.5"), share("d", "0.5", "network-2"), site="a.example"))
    pay(ledger, query("q", "0.125", report_collector="b", epoch=4))
    pay(ledger, query("r", "0.125", report_collector="b", epoch=7))
    listed: list[tuple[str, int, str, str, str]] = [
        ("shop.example", 4, "a", "1/4", "0"),
        ("shop.example", 4, "b", "1/4", "1/8"),
        ("shop.example", 6, "a", "1/4", "0"),
        ("shop.example", 6, "b", "1/4", "0"),
        ("a.example", 7, "c", "1/2", "0"),
        ("shop.example", 7, "a", "1/4", "0"),
        ("shop.example", 7, "b", "1/4", "1/8"),
    ]
    assert budgets(ledger, now=during(7)) == tuple(
        Budget(
            site=site,
            epoch=epoch,
            report_collector=collector,
            granted=both(granted, "1e-7"),
            spent=both(spent, "1e-12" if Fraction(spent) else "0"),
        )
        for site, epoch, collector, granted, spent in listed
    )
    assert budgets(ledger, now=during(7))[1].remaining.epsilon == Fraction(1, 8)
    settle(ledger, [query("s", "0.25", report_collector="b", epoch=4)])
    assert budgets(ledger, now=during(7))[1].remaining.epsilon == 0
    with pytest.raises(BudgetError, match="no budget to report collector x for epoch 7"):
        left(ledger, report_collector="x")
