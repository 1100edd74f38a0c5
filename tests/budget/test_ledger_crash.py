"""The budget ledger under real kills of real processes, and under many processes and threads.

A worker is a forked process. It writes to a pipe what the ledger acknowledged, one id per line, in
one unbuffered write after each return of `charge`; SIGKILL, which no process can catch, ends it at
a random moment. Whatever came through the pipe must be in the ledger.
"""

import itertools
import multiprocessing
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from budget_cases import NETWORK, accepted, commitment, query, share

from ipa.budget.epsilon import to_micro
from ipa.budget.ledger import (
    budgets,
    charge,
    commit,
    committed,
    create_ledger,
    find_receipt,
    queries,
    remaining,
)
from ipa.budget.transparency import QueryRecord
from ipa.errors import BudgetError

# Newer Pythons warn of a fork beside threads; ours have none, but the test runner may.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

FORK = multiprocessing.get_context("fork")
BUDGET = Fraction(3, 10_000)  # of 300 millionths: exhausted in some rounds and not in others


@dataclass
class Worker:
    """A running process and the end of the pipe on which its acknowledgements arrive."""

    process: BaseProcess
    pipe: int

    def kill(self) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()

    def acknowledged(self) -> list[str]:
        """Everything said until the pipe's last writer is gone."""
        with os.fdopen(self.pipe, "rb") as pipe:
            return pipe.read().decode().split()


def start(work: Callable[[Callable[[str], None]], None]) -> Worker:
    """Run `work(acknowledge)` in a process of its own."""
    here, there = os.pipe()

    def acknowledge(said: str) -> None:
        os.write(there, f"{said}\n".encode())

    def run() -> None:
        os.close(here)
        work(acknowledge)

    process = FORK.Process(target=run)
    process.start()
    os.close(there)
    return Worker(process, here)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger"
    create_ledger(path, network_name=NETWORK, site_epsilon=BUDGET)
    return path


def journal(path: Path) -> Path:
    """The file that a transaction cut short leaves beside the ledger."""
    return path.with_name("ledger-journal")


def commit_epoch(path: Path, epoch: int) -> None:
    commit(path, commitment(share(epsilon="0.0003"), epoch=epoch))


def charge_forever(path: Path, epoch: int, name: str) -> Callable[[Callable[[str], None]], None]:
    """Charge 1 to 9 millionths at a time, also after the budget is used up, until killed."""

    def work(acknowledge: Callable[[str], None]) -> None:
        draw = random.Random(f"{epoch} {name}")
        for i in range(1_000_000):
            new = query(f"{name}-{epoch}-{i}", f"0.00000{draw.randint(1, 9)}", epoch=epoch)
            if accepted(partial(charge, path, new)):
                acknowledge(new.query_id)

    return work


def check_round(path: Path, epoch: int, workers: list[Worker]) -> None:
    """Check the epoch's charges after the kill, then spend what is left of its budget."""
    said = [query_id for worker in workers for query_id in worker.acknowledged()]
    recorded = [q for q in queries(path) if q.epoch == epoch]
    ids = {q.query_id for q in recorded}
    assert len(ids) == len(recorded) and len(set(said)) == len(said)
    assert set(said) <= ids, "an acknowledged charge was lost"
    for worker_name in {query_id.split("-")[0] for query_id in ids - set(said)}:
        extra = [query_id for query_id in ids - set(said) if query_id.startswith(worker_name)]
        assert len(extra) == 1, "more than the one charge that was under way"
    spent = sum((q.epsilon for q in recorded), Fraction(0))
    assert spent <= BUDGET
    left = remaining(path, site="shop.example", epoch=epoch, report_collector="collector")
    assert left == BUDGET - spent
    for q in recorded[-2:]:
        receipt = find_receipt(path, q.query_id)
        assert receipt is not None and receipt.query == q
        with pytest.raises(BudgetError, match="was charged already"):
            charge(path, q)
    if left:  # the kill left no lock behind, and what is left can be spent, exactly
        charge(path, query(f"rest-{epoch}", left, epoch=epoch))
    with pytest.raises(BudgetError, match=r"has 0 of 0\.0003 remaining"):
        charge(path, query(f"more-{epoch}", "0.000001", epoch=epoch))


@pytest.mark.parametrize(("rounds", "workers"), [(150, 1), (50, 3)])
def test_kills_lose_and_refund_nothing(path: Path, rounds: int, workers: int) -> None:
    draw = random.Random(workers)
    interrupted = 0
    for epoch in range(rounds):
        commit_epoch(path, epoch)
        running = [start(charge_forever(path, epoch, f"w{i}")) for i in range(workers)]
        time.sleep(draw.uniform(0.002, 0.05))
        for worker in running:
            worker.kill()
        interrupted += journal(path).exists()
        check_round(path, epoch, running)
    assert len(queries(path)) > rounds
    assert [budget.remaining for budget in budgets(path)] == [0] * rounds
    assert interrupted > 0, "no kill fell into a transaction: this tested nothing"
    assert not journal(path).exists()


def test_a_kill_before_any_statement_leaves_nothing_of_the_charge(path: Path) -> None:
    """Random kills seldom fall between two given statements; here each place gets its own."""
    commit_epoch(path, 0)
    for statements in itertools.count():
        new = query(f"q{statements}", "0.000001", epoch=0)
        worker = start(partial(charge_and_die, path, new, statements))
        worker.process.join()
        if worker.process.exitcode == 0:
            break
        assert worker.process.exitcode == -signal.SIGKILL
        assert worker.acknowledged() == []
        assert find_receipt(path, new.query_id) is None
    assert worker.acknowledged() == [new.query_id] == [q.query_id for q in queries(path)]
    assert statements > 10  # from the first pragma to COMMIT


def charge_and_die(
    path: Path, new: QueryRecord, statements: int, acknowledge: Callable[[str], None]
) -> None:
    """Charge, but die when sqlite3 starts one more than this number of statements."""
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect
    started = itertools.count()

    def die(statement: str) -> None:
        if next(started) == statements:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect_to_die(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_trace_callback(die)
        return connection

    with mock.patch.object(sqlite3, "connect", connect_to_die):
        acknowledge(charge(path, new).query.query_id)


def test_kills_leave_whole_commitments(path: Path) -> None:
    """A commitment is several rows; a kill between them must not leave some."""
    draw = random.Random(0)
    shares = [share(f"c{i}", "0.000001") for i in range(20)]
    done = 0
    for _ in range(30):

        def work(acknowledge: Callable[[str], None], first: int = done) -> None:
            for epoch in range(first, 1_000_000):
                commit(path, commitment(*shares, epoch=epoch))
                acknowledge(str(epoch))

        worker = start(work)
        time.sleep(draw.uniform(0.002, 0.03))
        worker.kill()
        for said in worker.acknowledged():
            assert int(said) == done
            assert committed(path, site="shop.example", epoch=done) is not None
            done += 1
        assert len(budgets(path)) in (20 * done, 20 * (done + 1))
        commit(path, commitment(*shares, epoch=done))  # done by the killed process, or not
        done += 1
    assert len(budgets(path)) == 20 * done > 20 * 30


def test_kills_during_creation_leave_what_can_be_created_again(tmp_path: Path) -> None:
    draw = random.Random(0)
    for i in range(40):

        def work(acknowledge: Callable[[str], None], i: int = i) -> None:
            for j in range(1_000_000):
                create_ledger(tmp_path / f"{i}-{j}", network_name=NETWORK, site_epsilon=BUDGET)
                acknowledge(f"{i}-{j}")

        worker = start(work)
        time.sleep(draw.uniform(0.001, 0.02))
        worker.kill()
        made = worker.acknowledged()
        for name in made:
            assert budgets(tmp_path / name) == ()
        interrupted = tmp_path / f"{i}-{len(made)}"
        create_ledger(interrupted, network_name=NETWORK, site_epsilon=BUDGET)
        commit_epoch(interrupted, 0)


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


def test_together_they_are_granted_exactly_what_fits(path: Path) -> None:
    commit_epoch(path, 0)

    def work(number: int, acknowledge: Callable[[str], None]) -> None:
        for i in range(25):
            new = query(f"{number}-{i}", "0.000002", epoch=0)
            if accepted(partial(charge, path, new)):
                acknowledge(new.query_id)

    said = at_once(work)
    assert len(said) == 150  # of the 200 asked for
    assert sorted(said) == sorted(q.query_id for q in queries(path))
    assert remaining(path, site="shop.example", epoch=0, report_collector="collector") == 0


def test_together_with_different_amounts_nothing_that_fitted_was_refused(path: Path) -> None:
    commit_epoch(path, 0)

    def work(number: int, acknowledge: Callable[[str], None]) -> None:
        draw = random.Random(number)
        for i in range(25):
            new = query(f"{number}-{i}", draw.randint(1, 9) * Fraction(1, 1_000_000), epoch=0)
            kept = accepted(partial(charge, path, new))
            acknowledge(f"{new.query_id}:{to_micro(new.epsilon)}:{kept}")

    said = [line.split(":") for line in at_once(work)]
    granted = {name: int(micro) for name, micro, kept in said if kept == "True"}
    refused = [int(micro) for _, micro, kept in said if kept == "False"]
    assert len(said) == 200 and sum(granted.values()) <= 300 and refused
    # The budget only shrinks, so what was refused at any time is more than what is left now.
    assert min(refused) > 300 - sum(granted.values())
    assert {q.query_id: to_micro(q.epsilon) for q in queries(path)} == granted


def test_together_they_charge_one_query_id_once(path: Path) -> None:
    commit_epoch(path, 0)

    def work(number: int, acknowledge: Callable[[str], None]) -> None:
        for i in range(10):
            if accepted(partial(charge, path, query(f"q{i}", "0.000001", epoch=0))):
                acknowledge(f"q{i}")

    assert sorted(at_once(work)) == [f"q{i}" for i in range(10)]


def test_together_they_create_one_ledger_and_keep_one_commitment(tmp_path: Path) -> None:
    path = tmp_path / "ledger"

    def work(number: int, acknowledge: Callable[[str], None]) -> None:
        create_ledger(path, network_name=NETWORK, site_epsilon=BUDGET)
        for epoch in range(5):
            new = commitment(share(epsilon="0.0001"), epoch=epoch, match_key_provider=f"p{number}")
            if accepted(partial(commit, path, new)):
                acknowledge(f"{epoch}:p{number}")

    said = at_once(work)
    kept = [committed(path, site="shop.example", epoch=epoch) for epoch in range(5)]
    assert sorted(said) == [f"{c.epoch}:{c.match_key_provider}" for c in kept if c]
    assert len(said) == 5
