"""The commitment board, in memory and as a file: one entry for a site and epoch, the first one."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from budget_cases import (
    CLOCK,
    NETWORK,
    accepted,
    commitment,
    during,
    new_ledger,
    pay,
    query,
    share,
    terms,
)
from worker_processes import FORK_WARNING, Work, quick_directory, start

from ipa.budget.board import CommitmentBoard, FileBoard, MemoryBoard
from ipa.errors import BudgetError, InputError, ParameterError

pytestmark = pytest.mark.filterwarnings(FORK_WARNING)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory: nothing here needs a disk."""
    with quick_directory() as directory:
        yield directory


def in_file(directory: Path) -> CommitmentBoard:
    return FileBoard.create(directory / "board", terms())


def in_memory(directory: Path) -> CommitmentBoard:
    return MemoryBoard(terms())


@pytest.fixture(params=[in_file, in_memory])
def board(request: pytest.FixtureRequest, tmp_path: Path) -> CommitmentBoard:
    make: Callable[[Path], CommitmentBoard] = request.param
    return make(tmp_path)


def test_the_first_entry_counts_and_an_equal_one_changes_nothing(board: CommitmentBoard) -> None:
    first = commitment(share("a", "0.5"), share("b", "0.5"))
    board.commit(first, now=during(7))
    board.commit(commitment(share("b", "0.5"), share("a", "0.5")), now=during(7))
    for changed in (
        commitment(share("a", "0.5")),
        commitment(share("a", "0.5"), share("b", "0.499999")),
        commitment(share("a", "0.5"), share("b", "0.5", network_name="network-2")),
        commitment(share("a", "0.5"), share("b", "0.5", match_key_provider="p")),
    ):
        with pytest.raises(BudgetError, match="is committed for epoch 7 already and cannot change"):
            board.commit(changed, now=during(7))
    assert board.in_force("shop.example", 7) == first
    assert board.terms == terms()


def test_a_repeat_is_no_error_when_its_epoch_is_over(board: CommitmentBoard) -> None:
    board.commit(commitment(), now=during(7))
    board.commit(commitment(), now=during(9))


def test_an_allocation_carries_over_until_a_new_one_is_committed(board: CommitmentBoard) -> None:
    first, second = commitment(share("a", "0.5")), commitment(share("b", "0.25"), epoch=10)
    board.commit(first, now=during(7))
    board.commit(second, now=during(9))
    assert board.in_force("shop.example", 6) is None
    for epoch in (7, 8, 9):
        assert board.in_force("shop.example", epoch) == replace(first, epoch=epoch)
    for epoch in (10, 11, (1 << 32) - 1):
        assert board.in_force("shop.example", epoch) == replace(second, epoch=epoch)
    assert board.in_force("other.example", 8) is None


def test_what_was_carried_over_into_an_epoch_cannot_be_changed_in_it(
    board: CommitmentBoard,
) -> None:
    board.commit(commitment(), now=during(7))
    late = commitment(share("b"), epoch=9)
    with pytest.raises(BudgetError, match=r"epoch 9 has begun with the allocation .* for epoch 10"):
        board.commit(late, now=CLOCK.begins_at(9))
    board.commit(late, now=CLOCK.begins_at(9) - 1)
    assert board.in_force("shop.example", 9) == late


def test_a_site_s_first_commitment_can_be_for_the_running_epoch(board: CommitmentBoard) -> None:
    board.commit(commitment(epoch=8), now=during(7))
    board.commit(commitment(share("a"), epoch=7), now=during(7))
    board.commit(commitment(site="a.example", epoch=7), now=during(7))
    assert board.sites() == ("a.example", "shop.example")


@pytest.mark.parametrize("epoch", [0, 5, 6, 9, 4_000_000_000])
def test_no_commitment_for_an_epoch_that_is_over_or_far_away(
    epoch: int, board: CommitmentBoard
) -> None:
    with pytest.raises(BudgetError, match=f"can be for epoch 8, .* not for epoch {epoch}, which"):
        board.commit(commitment(epoch=epoch), now=during(7))
    assert board.sites() == ()


def test_a_clock_that_was_put_back_opens_nothing_again(board: CommitmentBoard) -> None:
    board.commit(commitment(site="a.example", epoch=9), now=during(9))
    with pytest.raises(BudgetError, match="not for epoch 7"):
        board.commit(commitment(), now=during(7))
    with pytest.raises(BudgetError, match="not for epoch 99"):
        board.commit(commitment(epoch=99), now=during(9))
    board.commit(commitment(epoch=9), now=during(7))  # a refusal did not move the clock


def test_the_shares_are_at_most_the_site_s_epsilon(board: CommitmentBoard) -> None:
    with pytest.raises(BudgetError, match="more than its budget of 1"):
        board.commit(commitment(share("a", "0.4"), share("b", "0.600001")), now=during(7))
    board.commit(commitment(share("a", "0.4"), share("b", "0.6")), now=during(7))


@pytest.mark.parametrize("now", [-1, 1.0, 1 << 60, None])
def test_a_time_that_cannot_be(now: int, board: CommitmentBoard) -> None:
    with pytest.raises(ParameterError, match="now must be"):
        board.commit(commitment(), now=now)


def test_two_networks_together_grant_a_collector_no_more_than_one(
    board: CommitmentBoard, tmp_path: Path
) -> None:
    """The attack: commit the same epsilon to each network, and spend it at both."""
    ledgers = [
        new_ledger(tmp_path, board=board, network_name=name, name=name)
        for name in (NETWORK, "network-2")
    ]
    board.commit(commitment(share("a", "0.5"), share("b", "0.5", "network-2")), now=during(7))
    again = commitment(share("a", "0.5", "network-2"), share("b", "0.5", "network-2"))
    with pytest.raises(BudgetError, match="cannot change"):
        board.commit(again, now=during(7))
    spent = Fraction(0)
    for collector in ("a", "b"):
        for number, ledger in enumerate(ledgers, 1):
            name = f"network-{number}"
            asked = query("q" + collector, "0.5", report_collector=collector, network_name=name)
            if (name == NETWORK) == (collector == "a"):
                spent += pay(ledger, asked).query.epsilon
            else:
                with pytest.raises(BudgetError, match="is committed to helper party network"):
                    pay(ledger, asked)
    assert spent == 1


def test_what_was_charged_under_is_fixed_also_if_the_board_s_clock_is_behind(
    board: CommitmentBoard, tmp_path: Path
) -> None:
    """The attack: spend in epoch 8 what is carried over, and commit it anew before the board's 8."""
    ledger = new_ledger(tmp_path, board=board)
    board.commit(commitment(), now=during(7))
    pay(ledger, query("q", "1", epoch=8, charged_at=CLOCK.begins_at(8)))
    for site_epoch in (7, 8):
        moved = commitment(share(network_name="network-2"), epoch=site_epoch)
        with pytest.raises(BudgetError, match=r"charged for epoch 8 already|committed for epoch 7"):
            board.commit(moved, now=CLOCK.begins_at(8) - 1)
    board.commit(commitment(share("b"), epoch=9), now=during(8))
    assert board.in_force("shop.example", 8) == commitment(epoch=8)


def test_an_entry_that_would_change_what_carries_over_into_a_fixed_epoch_is_refused(
    board: CommitmentBoard,
) -> None:
    board.commit(commitment(epoch=6), now=during(6))
    assert board.fix("shop.example", 8) == commitment(epoch=8)
    for epoch in (7, 8):
        with pytest.raises(BudgetError, match=f"was charged for epoch {epoch} already"):
            board.commit(commitment(share("b"), epoch=epoch), now=during(epoch - 1))
    assert board.fix("shop.example", 7) == commitment(epoch=7)
    assert board.fix("shop.example", 8) == commitment(epoch=8)
    board.commit(commitment(share("b"), epoch=9), now=during(8))


def test_a_charge_that_no_commitment_pays_for_fixes_nothing(board: CommitmentBoard) -> None:
    """Else whoever asks in a site's name could keep it from its first commitment."""
    assert board.fix("shop.example", 7) is None
    board.commit(commitment(), now=during(7))


def test_the_file_itself_keeps_to_what_was_charged_under(tmp_path: Path) -> None:
    board = in_file(tmp_path)
    board.commit(commitment(), now=during(7))
    board.fix("shop.example", 8)
    with closing(sqlite3.connect(tmp_path / "board", isolation_level=None)) as file:
        for statement in (
            f"INSERT INTO commitment VALUES ('shop.example', 8, {during(7)}, 1)",
            "INSERT OR REPLACE INTO fixed VALUES ('shop.example', 8)",
            "DELETE FROM fixed",
            "UPDATE fixed SET epoch = 1",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                file.execute(statement)


def test_making_a_board_again_keeps_it_and_other_terms_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "board"
    FileBoard.create(path, terms()).commit(commitment(), now=during(7))
    assert FileBoard.create(path, terms()).sites() == ("shop.example",)
    for other in (
        terms(Fraction(2)),
        terms(Fraction(1), Fraction(2, 10**6)),
        *(
            replace(terms(), clock=replace(CLOCK, **{name: getattr(CLOCK, name) + 1}))
            for name in ("start", "seconds", "open_epochs")
        ),
    ):
        with pytest.raises(BudgetError, match="another budget or clock"):
            FileBoard.create(path, other)


def test_a_board_is_not_created_by_using_it(tmp_path: Path) -> None:
    board = FileBoard(tmp_path / "absent")
    for use in (
        board.sites,
        lambda: board.terms,
        lambda: board.in_force("a", 1),
        lambda: board.commit(commitment(), now=during(7)),
    ):
        with pytest.raises(InputError, match="there is no commitment board here"):
            use()
    assert list(tmp_path.iterdir()) == []
    for site, epoch in (("", 1), ("a", -1)):
        with pytest.raises(ParameterError):
            board.in_force(site, epoch)


@pytest.mark.parametrize(
    ("epoch", "recorded_at", "site", "fits"),
    [
        (7, during(7), "a.example", True),
        (8, during(7), "a.example", True),
        (8, during(7), "shop.example", True),
        (8, during(8), "shop.example", False),  # carried over
        (6, during(7), "a.example", False),
        (9, during(7), "a.example", False),
        (7, during(7), "shop.example", False),
        (0, CLOCK.start - 1, "a.example", True),
        (0, CLOCK.start - 1_001, "a.example", False),
        (1, CLOCK.start - 1, "a.example", False),
    ],
)
def test_the_file_itself_keeps_to_the_clock(
    epoch: int, recorded_at: int, site: str, fits: bool, tmp_path: Path
) -> None:
    in_file(tmp_path).commit(commitment(), now=during(7))
    with closing(sqlite3.connect(tmp_path / "board", isolation_level=None)) as file:
        row = ("INSERT INTO commitment VALUES (?, ?, ?, 1)", (site, epoch, recorded_at))
        if fits:
            file.execute(*row)
        else:
            with pytest.raises(sqlite3.IntegrityError, match="board does not allow this"):
                file.execute(*row)


def test_of_many_processes_one_is_first(tmp_path: Path) -> None:
    board = in_file(tmp_path)

    def enter(number: int) -> Work:
        def work(acknowledge: Callable[[str], None]) -> None:
            name = f"network-{number}"
            if accepted(lambda: board.commit(commitment(share(network_name=name)), now=during(7))):
                acknowledge(name)

        return work

    workers = [start(enter(number)) for number in range(6)]
    said = [name for worker in workers for name in worker.acknowledged()]
    for worker in workers:
        worker.process.join()
    found = board.in_force("shop.example", 7)
    assert found is not None
    assert said == [found.shares[0].network_name]
