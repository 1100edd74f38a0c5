"""Kills while three ledgers are charged: no charge is lost or refunded in any of them."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from budget_cases import NETWORK, commit, commitment, query, terms
from three_ledgers_cases import ids, left, together
from worker_processes import FORK_WARNING, kills_at_every_statement, quick_directory, start

from ipa.budget.board import MemoryBoard
from ipa.budget.ledger_directory import Ledgers, create_ledgers, unsettled

pytestmark = pytest.mark.filterwarnings(FORK_WARNING)


@pytest.fixture
def ledgers() -> Iterator[Ledgers]:
    """The ledgers of a network in which the site has given its collector all of its epsilon of 1."""
    with quick_directory() as directory:
        made = create_ledgers(directory / "l", terms(), network_name=NETWORK)
        commit(made[0], commitment())
        yield made


def charge_forever(ledgers: Ledgers, name: str) -> Callable[[Callable[[str], None]], None]:
    def work(acknowledge: Callable[[str], None]) -> None:
        for i in range(1_000_000):
            new = query(f"{name}-{i}", "0.000001")
            together(ledgers, new)
            acknowledge(new.query_id)

    return work


def test_kills_lose_and_refund_nothing_in_any_ledger(ledgers: Ledgers) -> None:
    draw = random.Random(1)
    said: set[str] = set()
    differed = 0
    seen: set[str] = set()
    for number in range(40):
        worker = start(charge_forever(ledgers, f"r{number}"))
        worker.kill_after(draw.randint(0, 2), draw)
        said |= set(worker.acknowledged())
        differed += bool(unsettled(ledgers))
        seen |= {query_id for known in ids(ledgers) for query_id in known}
        together(ledgers, query(f"settle-{number}", "0.000001"))
        said.add(f"settle-{number}")
        assert unsettled(ledgers) == ()
        assert said | seen <= set(ids(ledgers)[0]), "a charge was lost"
        assert len({left(ledger) for ledger in ledgers}) == 1
    assert differed > 0, "no kill fell between two ledgers: this tested nothing"


def test_a_kill_before_any_statement_is_settled(ledgers: Ledgers) -> None:
    """Each place of a charge in three ledgers gets its own kill."""
    board = MemoryBoard(ledgers[0].board.terms)  # which is not what is killed here
    first, second, third = (replace(ledger, board=board) for ledger in ledgers)
    ledgers = (first, second, third)
    commit(first, commitment())
    differed = 0
    for number, worker in enumerate(
        kills_at_every_statement(
            lambda n: together(ledgers, query(f"q{n}", "0.000001")), ("INSERT", "COMMIT")
        )
    ):
        before = ids(ledgers)
        differed += len({tuple(known) for known in before}) > 1
        together(ledgers, query(f"settle{number}", "0.000001"))
        after = ids(ledgers)
        assert len({tuple(known) for known in after}) == 1
        assert {query_id for known in before for query_id in known} <= set(after[0])
        if worker.process.exitcode == 0:
            break
    assert f"q{number}" in ids(ledgers)[2]
    assert number > 20  # three ledgers, each read, asked and charged
    assert differed >= 4  # one has it or two, before and at each COMMIT
