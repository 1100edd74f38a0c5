"""A ledger's file with something in it, and every way to use it, for the tests of that file."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from budget_cases import NETWORK, commitment, during, new_ledger, pay, query, share, terms

from ipa.budget.board import MemoryBoard
from ipa.budget.ledger import (
    Ledger,
    ask,
    charges,
    create_ledger,
    find_receipt,
    record_outcome,
    remaining,
    settings,
    settle,
    was_asked,
)
from ipa.budget.ledger_directory import budgets, outcomes, queries

BOARD = MemoryBoard(terms())
BOARD.commit(commitment(), now=during(7))
BOARD.commit(commitment(share("collector", "0.5"), share("b", "0.5"), epoch=8), now=during(7))
KEY: dict[str, Any] = {"site": "shop.example", "epoch": 7, "report_collector": "collector"}

READS: list[Callable[[Ledger], Any]] = [
    settings,
    queries,
    outcomes,
    lambda ledger: budgets(ledger, now=during(7)),
    lambda ledger: charges(ledger, **KEY),
    lambda ledger: find_receipt(ledger, "q1"),
    lambda ledger: was_asked(ledger, query("q1")),
    lambda ledger: remaining(ledger, **KEY),
]
WRITES: list[Callable[[Ledger], Any]] = [
    lambda ledger: pay(ledger, query("q3")),
    lambda ledger: ask(ledger, query("q4")),
    lambda ledger: settle(ledger, [query("q5")]),
    lambda ledger: record_outcome(ledger, "q1", 1),
]


def filled(directory: Path) -> Path:
    """A ledger of half a budget, with a query that was asked and not charged."""
    ledger = new_ledger(directory, board=BOARD)
    pay(ledger, query("q1"))
    pay(ledger, query("q2"))
    record_outcome(ledger, "q2", 9)
    ask(ledger, query("n", "0.5", cap=1, rows=1, breakdowns=1))
    return ledger.path


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement).fetchall()


def create_again(ledger: Ledger) -> None:
    create_ledger(ledger, network_name=NETWORK, helper=1)


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())
