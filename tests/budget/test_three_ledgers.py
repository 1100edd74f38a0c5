"""Three ledgers, one for each helper: created and found in a directory, and charged together."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from budget_cases import CLOCK, NETWORK, both, commit, commitment, during, pay, query, terms
from three_ledgers_cases import ids, left, together
from worker_processes import quick_directory

from ipa.budget import ledger_directory
from ipa.budget.board import MemoryBoard
from ipa.budget.charging import charge_together
from ipa.budget.ledger import Ledger, ask, create_ledger, find_receipt, settle
from ipa.budget.ledger_directory import Ledgers, budgets, create_ledgers, ledgers_in, unsettled
from ipa.budget.transparency import QueryRecord
from ipa.errors import BudgetError, InputError, IpaError, MismatchError
from ipa.network.channel import in_memory_channels
from ipa.network.costs import cost_of
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.simulation import pairwise_keys, simulated_network
from ipa.parties import HELPERS
from ipa.sharing.prss import Prss


@pytest.fixture
def ledgers() -> Iterator[Ledgers]:
    """The ledgers of a network in which the site has given its collector all of its epsilon of 1."""
    with quick_directory() as directory:
        made = create_ledgers(directory / "l", terms(), network_name=NETWORK)
        commit(made[0], commitment())
        yield made


def test_a_query_is_charged_in_all_three(ledgers: Ledgers) -> None:
    receipts = together(ledgers, query("q1"))
    assert {receipt.remaining for receipt in receipts.values()} == {both("0.75", "9.9999e-8")}
    assert receipts == {h: find_receipt(ledgers[h - 1], "q1") for h in HELPERS}
    together(ledgers, query("q2", "0.75"))
    with pytest.raises(BudgetError, match="has 0 of 1 remaining"):
        together(ledgers, query("q3", "0.000001"))
    with pytest.raises(BudgetError, match="q1 was charged already"):
        together(ledgers, query("q1"))
    assert ids(ledgers) == [["q1", "q2"]] * 3
    assert unsettled(ledgers) == ()


def test_delta_runs_out_while_epsilon_is_left(ledgers: Ledgers) -> None:
    together(ledgers, query("q1", "0.01", delta="9e-8"))
    with pytest.raises(BudgetError, match=r"requests delta 1\.1e-8, .* has 1e-8 of 1e-7 remaining"):
        together(ledgers, query("q2", "0.01", delta="1.1e-8"))
    together(ledgers, query("q3", "0.01", delta="1e-8"))
    with pytest.raises(BudgetError, match=r"requests delta 1e-18, .* has 0 of 1e-7 remaining"):
        together(ledgers, query("q4", "0.01", delta="1e-18"))
    without = query("q5", "0.98", delta=0, mechanism="laplace-per-helper")
    receipts = together(ledgers, without)
    assert {receipt.remaining for receipt in receipts.values()} == {both("0", "0")}
    assert [receipt.query for receipt in receipts.values()] == [without] * 3
    assert ids(ledgers) == [["q1", "q3", "q5"]] * 3


def test_the_rounds_and_bytes_are_those_of_the_docstring(ledgers: Ledgers) -> None:
    network = simulated_network(1)
    charge_together(
        network, dict(zip(HELPERS, ledgers, strict=True)), dict.fromkeys(HELPERS, query("q1"))
    )
    total = cost_of(network.costs)
    assert (total.rounds, total.bytes_sent) == (6, 3 * 348)
    assert charge_together.__doc__ is not None and "six rounds and 348" in charge_together.__doc__


def test_the_time_is_the_middle_one_of_the_helpers_clocks(ledgers: Ledgers) -> None:
    """One clock that is wrong, by however much, decides nothing."""
    for number, clocks in enumerate(
        [(during(7), during(7) + 9, 0), (during(7) + 9, (1 << 37), during(7) + 8)]
    ):
        asked = {
            helper: query(f"q{number}", charged_at=clock)
            for helper, clock in zip(HELPERS, clocks, strict=True)
        }
        receipts = together(ledgers, asked)
        assert {receipt.query.charged_at for receipt in receipts.values()} == {sorted(clocks)[1]}
    asked = {helper: query("q", charged_at=CLOCK.closes_at(7)) for helper in (1, 3)}
    with pytest.raises(BudgetError, match="epoch 7 is closed"):
        together(ledgers, {2: query("q")} | asked)


@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize(
    "change",
    [
        {"epsilon": "0.5"},
        {"delta": "2e-12"},
        {"mechanism": "laplace-per-helper"},
        {"cap": 1},
        {"query_id": "q2"},
    ],
)
def test_helpers_that_were_asked_different_queries_charge_nothing(
    helper: int, change: dict[str, Any], ledgers: Ledgers
) -> None:
    asked = dict.fromkeys(HELPERS, query("q1")) | {helper: query(**{"query_id": "q1"} | change)}
    with pytest.raises(BudgetError, match="asked to charge different queries"):
        together(ledgers, asked)
    assert ids(ledgers) == [[], [], []]
    together(ledgers, query("q1"))  # nobody had noted it


@pytest.mark.parametrize("helper", HELPERS)
def test_what_one_helper_refuses_nobody_charges(helper: int, ledgers: Ledgers) -> None:
    ask(ledgers[helper - 1], query("q1"))
    with pytest.raises(BudgetError, match="asked already"):
        together(ledgers, query("q1"))
    assert ids(ledgers) == [[], [], []]


def test_each_helper_has_its_own_ledger(ledgers: Ledgers) -> None:
    first, second, third = ledgers
    for wrong in ((first, first, first), (second, first, third)):
        with pytest.raises(MismatchError, match="not the ledger of helper"):
            together(wrong, query("q1"))
    assert ids(ledgers) == [[], [], []]


def test_a_ledger_that_is_gone_is_an_error_before_anything_is_charged(ledgers: Ledgers) -> None:
    ledgers[1].path.unlink()
    with pytest.raises(InputError, match=r"helper2\.ledger: there is no budget ledger here"):
        together(ledgers, query("q1"))
    assert left(ledgers[0]) == left(ledgers[2]) == 1


@pytest.mark.parametrize("absent", HELPERS)
def test_one_helper_per_thread_and_each_refusal_reaches_all(absent: int, ledgers: Ledgers) -> None:
    assert set(in_threads(ledgers, query("q1"))) == {"paid"}
    ask(ledgers[absent - 1], query("q2"))
    said = in_threads(ledgers, query("q2"))
    expected = dict.fromkeys(HELPERS, f"helper {absent} refuses to charge the query")
    expected[absent] = "query q2 was asked already; ask with a new id"
    assert said == list(expected.values())
    ledgers[absent - 1].path.unlink()
    said = in_threads(ledgers, query("q3"))
    assert "there is no budget ledger here" in said[absent - 1]
    assert ["aborted" in words for words in said] == [helper != absent for helper in HELPERS]


def in_threads(ledgers: Ledgers, asked: QueryRecord) -> list[str]:
    """What each helper says, with a process of its own: "paid", or its error."""
    keys, channels = pairwise_keys(), in_memory_channels(timeout=5)
    said: dict[int, str] = {}

    def run(helper: int) -> None:
        party = HelperParty(helper, Prss(*keys[helper]), channels[helper])
        network = HelperPartyNetwork("threads", [party])
        try:
            charge_together(network, {helper: ledgers[helper - 1]}, {helper: asked})
        except IpaError as error:
            said[helper] = str(error)
        else:
            said[helper] = "paid"

    threads = [threading.Thread(target=run, args=(helper,)) for helper in HELPERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [said[helper] for helper in HELPERS]


def test_ledgers_in_a_directory_are_created_and_found_again(tmp_path: Path) -> None:
    made = create_ledgers(tmp_path / "l", terms(), network_name=NETWORK)
    names = [f"helper{h}.ledger" for h in HELPERS]
    assert sorted(p.name for p in (tmp_path / "l").iterdir()) == ["commitments.board", *names]
    commit(made[1], commitment())
    pay(made[2], query("q1"))
    (tmp_path / "l" / "helper1.ledger").unlink()  # a kill during creation
    create_ledgers(tmp_path / "l", terms(), network_name=NETWORK)
    found = ledgers_in(tmp_path / "l")
    assert [q.query_id for q in ledger_directory.queries(*found)] == ["q1"]
    assert [ledger.path.name for ledger in found] == names
    for name, other in (("network-2", terms()), (NETWORK, terms(Fraction(2)))):
        with pytest.raises(BudgetError, match="another"):
            create_ledgers(tmp_path / "l", other, network_name=name)


def test_two_networks_ledgers_read_one_board(tmp_path: Path) -> None:
    place = tmp_path / "board"
    first = create_ledgers(tmp_path / "1", terms(), network_name=NETWORK, board=place)
    second = create_ledgers(tmp_path / "2", terms(), network_name="network-2", board=place)
    commit(first[0], commitment())
    together(first, query("q1"))
    with pytest.raises(BudgetError, match="is committed to helper party network network-1"):
        together(second, query("q1", network_name="network-2"))
    assert budgets(*second, now=during(7)) == ()


def test_where_there_are_no_ledgers(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "absent", tmp_path / "file"):
        with pytest.raises(InputError, match="there are no budget ledgers here"):
            ledgers_in(place)
    for place in (tmp_path / "file", tmp_path / "no" / "such"):
        with pytest.raises(InputError, match="cannot be created"):
            create_ledgers(place, terms(), network_name=NETWORK)
    board = MemoryBoard(terms())
    ledgers = [Ledger(tmp_path / f"x{h}", board) for h in HELPERS]
    for helper, ledger in zip(HELPERS, ledgers, strict=True):
        create_ledger(ledger, network_name=NETWORK, helper=helper)
    commit(ledgers[0], commitment())
    settle(ledgers[2], [replace(query("q1"), cap=5)])
    assert unsettled(ledgers) == ("q1",)
