"""The budget ledger under real kills of real processes, and under many processes and threads.

A worker acknowledges the id of a query after each return of `charge`, and is killed at a random
moment. Whatever it acknowledged must be in the ledger.
"""

import random
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest
from budget_cases import (
    NETWORK,
    accepted,
    commit,
    commitment,
    during,
    new_ledger,
    pay,
    query,
    share,
    terms,
)
from worker_processes import FORK_WARNING, Worker, kills_at_every_statement, quick_directory, start

from ipa.budget.board import FileBoard, MemoryBoard
from ipa.budget.composition import EpsilonDelta
from ipa.budget.delta import DEFAULT_SHARE_DELTA
from ipa.budget.epsilon import to_micro
from ipa.budget.ledger import Ledger, ask, charge, create_ledger, find_receipt, remaining
from ipa.budget.ledger_directory import queries
from ipa.errors import BudgetError

pytestmark = pytest.mark.filterwarnings(FORK_WARNING)

BUDGET = Fraction(3, 10_000)  # of 300 millionths: exhausted in some rounds and not in others


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    """A ledger whose site has its budget in every epoch, carried over."""
    with quick_directory() as directory:
        yield filled(directory)


def filled(directory: Path) -> Ledger:
    ledger = new_ledger(directory, BUDGET)
    commit(ledger, commitment(share(epsilon="0.0003"), epoch=0))
    return ledger


def journal(ledger: Ledger) -> Path:
    """The file that a transaction cut short leaves beside the ledger."""
    return ledger.path.with_name("ledger-journal")


def charge_forever(
    ledger: Ledger, epoch: int, name: str
) -> Callable[[Callable[[str], None]], None]:
    """Charge 10 to 99 millionths at a time, also after the budget is used up, until killed."""

    def work(acknowledge: Callable[[str], None]) -> None:
        draw = random.Random(f"{epoch} {name}")
        for i in range(1_000_000):
            new = query(f"{name}-{epoch}-{i}", f"0.0000{draw.randint(10, 99)}", epoch=epoch)
            kept = accepted(partial(pay, ledger, new))
            acknowledge(new.query_id if kept else "refused")

    return work


def check_round(ledger: Ledger, epoch: int, workers: list[Worker]) -> None:
    """Check the epoch's charges after the kill, then spend what is left of its budget."""
    words = [word for worker in workers for word in worker.acknowledged()]
    said = [word for word in words if word != "refused"]
    recorded = [q for q in queries(ledger) if q.epoch == epoch]
    ids = {q.query_id for q in recorded}
    assert len(ids) == len(recorded) and len(set(said)) == len(said)
    assert set(said) <= ids, "an acknowledged charge was lost"
    for worker_name in {query_id.split("-")[0] for query_id in ids - set(said)}:
        extra = [query_id for query_id in ids - set(said) if query_id.startswith(worker_name)]
        assert len(extra) == 1, "more than the one charge that was under way"
    spent = sum((q.epsilon for q in recorded), Fraction(0))
    spent_delta = sum((q.delta for q in recorded), Fraction(0))
    assert spent <= BUDGET
    left = remaining(ledger, site="shop.example", epoch=epoch, report_collector="collector")
    assert left == EpsilonDelta(epsilon=BUDGET - spent, delta=DEFAULT_SHARE_DELTA - spent_delta)
    for q in recorded[-2:]:
        receipt = find_receipt(ledger, q.query_id)
        assert receipt is not None and receipt.query == q
        with pytest.raises(BudgetError, match="was charged already"):
            pay(ledger, q)
    if left.epsilon:  # the kill left no lock behind, and what is left can be spent, exactly
        pay(ledger, query(f"rest-{epoch}", left.epsilon, delta=left.delta, epoch=epoch))
    with pytest.raises(BudgetError, match=r"has 0 of 0\.0003 remaining"):
        pay(ledger, query(f"more-{epoch}", "0.000001", epoch=epoch))


@pytest.mark.parametrize(("rounds", "workers"), [(40, 1), (15, 3)])
def test_kills_lose_and_refund_nothing(tmp_path: Path, rounds: int, workers: int) -> None:
    ledger = filled(tmp_path)  # on a disk, where a transaction takes long enough to be hit
    draw = random.Random(workers)
    interrupted = 0
    for epoch in range(rounds):
        running = [start(charge_forever(ledger, epoch, f"w{i}")) for i in range(workers)]
        running[0].kill_after(draw.randint(0, 5), draw)
        for worker in running[1:]:
            worker.kill()
        interrupted += journal(ledger).exists()
        check_round(ledger, epoch, running)
    assert len(queries(ledger)) > rounds
    for epoch in range(rounds):
        left = remaining(ledger, site="shop.example", epoch=epoch, report_collector="collector")
        assert left.epsilon == 0
    assert interrupted > 0, "no kill fell into a transaction: this tested nothing"
    assert not journal(ledger).exists()


def test_a_kill_before_any_statement_leaves_nothing_of_the_charge(ledger: Ledger) -> None:
    """Random kills seldom fall between two given statements; here each place gets its own."""
    for number in range(200):
        ask(ledger, query(f"q{number}", "0.000001", epoch=0))

    def work(number: int) -> None:
        charge(ledger, query(f"q{number}", "0.000001", epoch=0))

    for number, worker in enumerate(kills_at_every_statement(work)):
        if worker.process.exitcode == 0:
            break
        assert find_receipt(ledger, f"q{number}") is None
    assert [q.query_id for q in queries(ledger)] == [f"q{number}"]
    assert number > 10  # from the first pragma to COMMIT


def test_kills_leave_whole_commitments() -> None:
    """A commitment is several rows; a kill between them must not leave some."""
    with quick_directory() as directory:
        check_commitments_after_kills(FileBoard.create(directory / "board", terms(BUDGET)))


def check_commitments_after_kills(board: FileBoard) -> None:
    draw = random.Random(0)
    shares = [share(f"c{i}", "0.000001", delta="5e-8") for i in range(20)]
    done = 0
    for _ in range(30):

        def work(acknowledge: Callable[[str], None], first: int = done) -> None:
            for epoch in range(first, 1_000_000):
                board.commit(commitment(*shares, epoch=epoch), now=during(epoch - 1))
                acknowledge(str(epoch))

        worker = start(work)
        worker.kill_after(draw.randint(0, 3), draw)
        for said in worker.acknowledged():
            assert int(said) == done
            done += 1
        whole = [commitment(*shares, epoch=epoch) for epoch in range(done)]
        assert [board.in_force("shop.example", epoch) for epoch in range(done)] == whole
        # By the killed process or not, it is there wholly or not at all.
        board.commit(commitment(*shares, epoch=done), now=during(done - 1))
        done += 1
    assert done > 30


def test_kills_during_creation_leave_what_can_be_created_again(tmp_path: Path) -> None:
    draw = random.Random(0)
    board = MemoryBoard(terms(BUDGET))
    for i in range(40):

        def work(acknowledge: Callable[[str], None], i: int = i) -> None:
            for j in range(1_000_000):
                create_ledger(Ledger(tmp_path / f"{i}-{j}", board), network_name=NETWORK, helper=1)
                acknowledge(f"{i}-{j}")

        worker = start(work)
        worker.kill_after(draw.randint(0, 2), draw)
        made = worker.acknowledged()
        for name in made:
            assert queries(Ledger(tmp_path / name, board)) == ()
        interrupted = Ledger(tmp_path / f"{i}-{len(made)}", board)
        create_ledger(interrupted, network_name=NETWORK, helper=1)
        assert queries(interrupted) == ()


# Many at once


def at_once(work: Callable[[int, Callable[[str], None]], None]) -> list[str]:
    """Run work(number, acknowledge) for numbers 0 to 7, in 4 processes of 2 threads each."""

    def process(first: int, acknowledge: Callable[[str], None]) -> None:
        def thread(number: int) -> None:
            work(number, acknowledge)
            acknowledge("finished")

        threads = [threading.Thread(target=thread, args=(first + i,)) for i in range(2)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    workers = [start(partial(process, first)) for first in range(0, 8, 2)]
    said = [line for worker in workers for line in worker.acknowledged()]
    for worker in workers:
        worker.process.join()
    assert said.count("finished") == 8, "a thread ended with an error"
    return [line for line in said if line != "finished"]


def test_together_they_are_granted_exactly_what_fits(ledger: Ledger) -> None:

    def work(number: int, acknowledge: Callable[[str], None]) -> None:
        for i in range(25):
            new = query(f"{number}-{i}", "0.000002", epoch=0)
            if accepted(partial(pay, ledger, new)):
                acknowledge(new.query_id)

    said = at_once(work)
    assert len(said) == 150  # of the 200 asked for
    assert sorted(said) == sorted(q.query_id for q in queries(ledger))
    left = remaining(ledger, site="shop.example", epoch=0, report_collector="collector")
    assert left.epsilon == 0


def test_together_with_different_amounts_nothing_that_fitted_was_refused(ledger: Ledger) -> None:

    def work(number: int, acknowledge: Callable[[str], None]) -> None:
        draw = random.Random(number)
        for i in range(25):
            new = query(f"{number}-{i}", draw.randint(1, 9) * Fraction(1, 1_000_000), epoch=0)
            kept = accepted(partial(pay, ledger, new))
            acknowledge(f"{new.query_id}:{to_micro(new.epsilon)}:{kept}")

    said = [line.split(":") for line in at_once(work)]
    granted = {name: int(micro) for name, micro, kept in said if kept == "True"}
    refused = [int(micro) for _, micro, kept in said if kept == "False"]
    assert len(said) == 200 and sum(granted.values()) <= 300 and refused
    # The budget only shrinks, so what was refused at any time is more than what is left now.
    assert min(refused) > 300 - sum(granted.values())
    assert {q.query_id: to_micro(q.epsilon) for q in queries(ledger)} == granted


def test_together_they_charge_one_query_id_once(ledger: Ledger) -> None:

    def work(number: int, acknowledge: Callable[[str], None]) -> None:
        for i in range(10):
            if accepted(partial(pay, ledger, query(f"q{i}", "0.000001", epoch=0))):
                acknowledge(f"q{i}")

    assert sorted(at_once(work)) == [f"q{i}" for i in range(10)]


def test_together_they_create_one_ledger(tmp_path: Path) -> None:
    def work(number: int, acknowledge: Callable[[str], None]) -> None:
        board = FileBoard.create(tmp_path / "board", terms(BUDGET))
        ledger = Ledger(tmp_path / "ledger", board)
        if accepted(partial(create_ledger, ledger, network_name=f"n{number % 2}", helper=1)):
            acknowledge(f"n{number % 2}")

    assert at_once(work) in (["n0"] * 4, ["n1"] * 4)
