"""A helper that lies while three ledgers are charged: noticed, and nothing made up is charged."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from budget_cases import NETWORK, commit, commitment, during, pay, query, share, terms
from three_ledgers_cases import ids, together
from worker_processes import quick_directory

from ipa.attacks import Tampering
from ipa.budget import charging, ledger_directory
from ipa.budget.ledger import Ledger, ask, charges
from ipa.budget.ledger_directory import Ledgers, create_ledgers
from ipa.budget.transparency import QueryRecord
from ipa.errors import BudgetError, MisbehaviourError, VerificationError
from ipa.parties import HELPERS, left_of, right_of

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


@pytest.mark.parametrize("liar", HELPERS)
def test_no_helper_can_make_up_a_charge(liar: int, ledgers: Ledgers) -> None:
    pay(ledgers[liar - 1], query("made-up", "0.5"))
    with pytest.raises(VerificationError, match="a charge that nobody agreed to") as caught:
        together(ledgers, query("q1"))
    assert set(caught.value.detected_by) == set(HELPERS) - {liar}
    assert caught.value.step == "budget/settle"
    assert [known for number, known in enumerate(ids(ledgers), 1) if number != liar] == [[], []]


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
