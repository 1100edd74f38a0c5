"""The budget ledger's rules, one by one."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from budget_cases import (
    ATTO,
    CLOCK,
    NETWORK,
    both,
    commit,
    commitment,
    new_ledger,
    pay,
    query,
    share,
    terms,
)
from ledger_cases import left
from worker_processes import quick_directory

from ipa.budget.board import MemoryBoard
from ipa.budget.ledger import Ledger, Receipt, ask, create_ledger, find_receipt, record_outcome
from ipa.budget.ledger_directory import queries
from ipa.client.encoding import Reader
from ipa.client.encrypted_match_key import ReportContext
from ipa.errors import BudgetError, ParameterError


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with quick_directory() as directory:
        yield new_ledger(directory)


def test_a_thousand_small_charges_use_up_the_budget_exactly(ledger: Ledger) -> None:
    commit(ledger, commitment(share(epsilon="0.1")))
    for i in range(100):
        pay(ledger, query(f"q{i}", "0.001"))
    assert left(ledger) == 0
    with pytest.raises(BudgetError):
        pay(ledger, query("last", "0.000001"))


def test_a_refusal_says_what_was_asked_and_what_is_left(ledger: Ledger) -> None:
    commit(ledger, commitment(share(epsilon="0.75")))
    assert pay(ledger, query("q1", "0.5")).remaining.epsilon == Fraction(1, 4)
    with pytest.raises(BudgetError) as refused:
        pay(ledger, query("q2", "0.3"))
    assert str(refused.value) == (
        "query q2 requests epsilon 0.3, but report collector collector of site shop.example has "
        "0.25 of 0.75 remaining in epoch 7"
    )
    assert pay(ledger, query("q2", "0.25")).remaining.epsilon == 0


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"site": "other.example"}, "site other.example has made no commitment for epoch 7"),
        ({"epoch": 6}, "site shop.example has made no commitment for epoch 6"),
        ({"report_collector": "x"}, "no budget to report collector x for epoch 7"),
        ({"match_key_provider": "x"}, "committed to match key provider provider.example .* not x"),
        ({"network_name": "network-2"}, "ledger of .* network-1, the query is for network-2"),
        ({"report_collector": "far"}, "helper party network network-2 for epoch 7, not network-1"),
        ({"charged_at": CLOCK.begins_at(7) - 1}, "epoch 7 has not begun"),
        ({"charged_at": CLOCK.closes_at(7)}, "epoch 7 is closed"),
    ],
)
def test_a_query_must_keep_to_the_commitment(
    ledger: Ledger, changed: dict[str, Any], problem: str
) -> None:
    far = share("far", "0.5", "network-2")
    commit(ledger, commitment(share(epsilon="0.5"), far))
    with pytest.raises(BudgetError, match=problem):
        pay(ledger, query("q", **changed))
    assert queries(ledger) == ()
    ask(ledger, query("q"))  # nothing of it was noted


def test_only_the_asking_site_pays(ledger: Ledger) -> None:
    """One service provider works for two sites: two report collectors in the spec's sense."""
    for site in ("shop.example", "news.example"):
        commit(ledger, commitment(site=site))
    pay(ledger, query("q1", "0.25", fanout="trigger", site="shop.example"))
    assert (left(ledger), left(ledger, site="news.example")) == (Fraction(3, 4), Fraction(1))
    pay(ledger, query("q2", "0.5", fanout="source", site="news.example"))
    assert (left(ledger), left(ledger, site="news.example")) == (Fraction(3, 4), Fraction(1, 2))


def test_a_query_id_is_charged_once_and_its_receipt_found_again(ledger: Ledger) -> None:
    commit(ledger, commitment())
    assert find_receipt(ledger, "q1") is None
    first = pay(ledger, query("q1"))
    assert first == Receipt(query=query("q1"), number=1, remaining=both("0.75", "9.9999e-8"))
    assert pay(ledger, query("q2")).number == 2
    for again in (query("q1"), query("q1", "0.000001", site="other.example")):
        with pytest.raises(BudgetError, match=r"query q1 was charged already \(number 1\)"):
            ask(ledger, again)
    assert find_receipt(ledger, "q1") == first
    assert left(ledger) == 0.5


def test_arguments_are_checked_before_the_file_is_opened(tmp_path: Path) -> None:
    absent = Ledger(tmp_path / "absent", MemoryBoard(terms()))
    for wrong in (
        lambda: left(absent, site=""),
        lambda: left(absent, epoch=1 << 63),
        lambda: left(absent, report_collector=""),
        lambda: find_receipt(absent, "\ud800"),
        lambda: record_outcome(absent, "", 1),
        lambda: record_outcome(absent, "q", -1),
        lambda: create_ledger(absent, network_name="", helper=1),
        lambda: create_ledger(absent, network_name="a", helper=0),
        lambda: create_ledger(absent, network_name="a", helper=4),
    ):
        with pytest.raises(ParameterError):
            wrong()
    assert not absent.path.exists()


def test_names_are_those_that_reports_can_have(ledger: Ledger) -> None:
    site = "\u00e9" * 127
    commit(ledger, commitment(site=site))
    pay(ledger, query(site=site))
    context = ReportContext(
        network_name=NETWORK,
        match_key_provider="provider.example",
        report_collector="collector",
        on_behalf_of=site,
        site=site,
        epoch=(1 << 32) - 1,
    )
    assert ReportContext.read(Reader(context.to_bytes(), "it")) == context
    for changed in ({"site": f"{site}\u00e9"}, {"site": "-a"}, {"site": "A"}, {"epoch": 1 << 32}):
        for make in (commitment, query, lambda **new: replace(context, **new)):
            with pytest.raises(ParameterError, match=r"^(site|epoch) must be"):
                make(**{"charged_at": 0} | changed if make is query else changed)


def test_a_hundred_small_deltas_use_up_the_budget_exactly(ledger: Ledger) -> None:
    commit(ledger, commitment(share(delta=100 * ATTO)))
    for number in range(100):
        pay(ledger, query(f"q{number}", "0.000001", delta=ATTO))
    with pytest.raises(BudgetError, match=r"requests delta 1e-18, .* has 0 of 1e-16 remaining"):
        pay(ledger, query("more", "0.000001", delta=ATTO))
