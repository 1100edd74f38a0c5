"""Three ledgers, one for each helper: charged together, and settled when they differ."""

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from budget_cases import (
    CLOCK,
    NETWORK,
    both,
    commit,
    commitment,
    during,
    pay,
    query,
    share,
    terms,
)
from worker_processes import FORK_WARNING, kills_at_every_statement, quick_directory, start

from ipa.attacks import Tampering
from ipa.budget import charging, ledger_directory
from ipa.budget.board import MemoryBoard
from ipa.budget.charging import charge_together
from ipa.budget.ledger import (
    Ledger,
    ask,
    charge,
    charges,
    create_ledger,
    find_receipt,
    remaining,
    settle,
    was_asked,
)
from ipa.budget.ledger_directory import Ledgers, budgets, create_ledgers, ledgers_in, unsettled
from ipa.budget.transparency import QueryRecord
from ipa.errors import (
    BudgetError,
    InputError,
    IpaError,
    MisbehaviourError,
    MismatchError,
    VerificationError,
)
from ipa.network.channel import in_memory_channels
from ipa.network.costs import cost_of
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import Interceptor, Transcript
from ipa.network.simulation import pairwise_keys, simulated_network
from ipa.parties import HELPERS, left_of, right_of
from ipa.sharing.prss import Prss

pytestmark = pytest.mark.filterwarnings(FORK_WARNING)

STEPS = [
    f"budget/{part}/{round}"
    for part in ("compare", "verdict", "charged")
    for round in ("broadcast", "echo")
]


@pytest.fixture
def ledgers() -> Iterator[Ledgers]:
    """The ledgers of a network in which the site has given its collector all of its epsilon of 1."""
    with quick_directory() as directory:
        made = create_ledgers(directory / "l", terms(), network_name=NETWORK)
        commit(made[0], commitment())
        yield made


def together(
    ledgers: Ledgers,
    asked: QueryRecord | Mapping[int, QueryRecord],
    *interceptors: Interceptor,
) -> dict[int, Any]:
    """Charge in lockstep; one query for all helpers, or one for each."""
    each = dict.fromkeys(HELPERS, asked) if isinstance(asked, QueryRecord) else asked
    network = simulated_network(interceptors=interceptors)
    return dict(charge_together(network, dict(zip(HELPERS, ledgers, strict=True)), each))


def left(ledger: Ledger) -> Fraction:
    key = {"site": "shop.example", "report_collector": "collector"}
    return remaining(ledger, **key, epoch=7).epsilon


def ids(ledgers: Ledgers) -> list[list[str]]:
    return [
        [q.query_id for q in charges(ledger, site=q0.site, epoch=7, report_collector="collector")]
        for ledger in ledgers
        for q0 in [query()]
    ]


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


# Settled


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


# A helper that lies


@pytest.mark.parametrize("liar", HELPERS)
def test_no_helper_can_make_up_a_charge(liar: int, ledgers: Ledgers) -> None:
    pay(ledgers[liar - 1], query("made-up", "0.5"))
    with pytest.raises(VerificationError, match="a charge that nobody agreed to") as caught:
        together(ledgers, query("q1"))
    assert set(caught.value.detected_by) == set(HELPERS) - {liar}
    assert caught.value.step == "budget/settle"
    assert [known for number, known in enumerate(ids(ledgers), 1) if number != liar] == [[], []]


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


def test_a_charge_to_another_budget_is_not_taken_over(
    ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Helper 3 claims, as a charge to this budget, one to another that all were asked for."""
    commit(ledgers[0], commitment(share("a"), site="a.example"))
    other = query("q1", site="a.example", report_collector="a")
    for ledger in ledgers:
        ask(ledger, other)

    def claim(ledger: Ledger, **budget: Any) -> tuple[QueryRecord, ...]:
        return (other,) if ledger is ledgers[2] else charges(ledger, **budget)

    monkeypatch.setattr("ipa.budget.charging.charges", claim)
    with pytest.raises(VerificationError, match="nobody agreed to"):
        together(ledgers, query("q2"))
    assert ledger_directory.queries(*ledgers) == ()


def test_a_list_that_is_not_the_same_to_both_is_noticed(ledgers: Ledgers) -> None:
    pay(ledgers[0], query("q1"))
    pay(ledgers[1], query("q1"))
    for bit in (0, 40, 8 * 80):
        for receiver in (None, 3):
            lie = Tampering(1, "budget/settle/broadcast", "flip", receiver=receiver, bit=bit)
            with pytest.raises(VerificationError):
                together(ledgers, query("q2"), lie)
    assert ids(ledgers) == [["q1"], ["q1"], []]


@pytest.mark.parametrize(
    ("announced", "problem"),
    [
        ({"list_digest": bytes(32)}, "a helper sent no list of charges"),
        ({"list_bytes": 90}, "a helper sent no list of charges"),
        ({"list_bytes": 1_001}, "more charges than there can be"),
        ({"list_bytes": (1 << 32) - 1}, "more charges than there can be"),
    ],
)
def test_a_list_must_be_the_one_that_was_announced(
    announced: dict[str, Any], problem: str, ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Helper 1 tells both the same, and not what it sends then. Nobody waits for gigabytes."""
    pay(ledgers[0], query("q1"))
    pay(ledgers[1], query("q1"))

    def view(asked: QueryRecord, known: bytes) -> Any:
        lies = announced if asked.charged_at == during(7) + 1 else {}
        return replace(honest(asked, known), **lies)

    honest = charging._view
    monkeypatch.setattr(charging, "_view", view)
    monkeypatch.setattr(charging, "MAX_LIST_BYTES", 1_000)
    asked = dict.fromkeys(HELPERS, query("q2")) | {1: query("q2", charged_at=during(7) + 1)}
    with pytest.raises(VerificationError, match=problem):
        together(ledgers, asked)
    assert ids(ledgers) == [["q1"], ["q1"], []]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("change", ["flip", "drop", "truncate", "extend", "replay", "delay"])
def test_a_message_that_is_changed_ends_the_charge(
    step: str, change: Any, ledgers: Ledgers
) -> None:
    for liar in HELPERS:
        for receiver in (None, left_of(liar), right_of(liar)):
            tampering = Tampering(liar, step, change, receiver=receiver, bit=5)
            name = f"q{liar}{receiver or ''}"
            try:
                together(ledgers, query(name, "0.000001"), tampering)
            except (MisbehaviourError, BudgetError):
                pass
            else:
                assert change == "replay", "only a copy of the last message goes unnoticed"
            assert tampering.tampered
    together(ledgers, query("end", "0.000001"))
    assert len({tuple(known) for known in ids(ledgers)}) == 1


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


# Kills


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


# In a directory


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
