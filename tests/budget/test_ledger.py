"""The budget ledger's rules, one by one and against a plain model."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from budget_cases import (
    ATTO,
    CLOCK,
    COLLECTORS,
    EPOCHS,
    MICRO,
    NETWORK,
    SITES,
    accepted,
    both,
    charges,
    commit,
    commitment,
    commitments,
    during,
    moments,
    new_ledger,
    pay,
    query,
    share,
    terms,
)
from hypothesis import given
from hypothesis import strategies as st
from worker_processes import quick_directory

from ipa.budget.board import MemoryBoard
from ipa.budget.commitments import Commitment
from ipa.budget.composition import EpsilonDelta
from ipa.budget.ledger import (
    Ledger,
    Receipt,
    ask,
    charge,
    create_ledger,
    find_receipt,
    record_outcome,
    remaining,
    settle,
)
from ipa.budget.ledger_directory import Budget, budgets, outcomes, queries
from ipa.budget.transparency import QueryRecord
from ipa.client.encoding import Reader
from ipa.client.encrypted_match_key import ReportContext
from ipa.errors import BudgetError, ParameterError


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with quick_directory() as directory:
        yield new_ledger(directory)


def left(ledger: Ledger, **changed: Any) -> Fraction:
    key: dict[str, Any] = {"site": "shop.example", "epoch": 7, "report_collector": "collector"}
    return remaining(ledger, **key | changed).epsilon


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


# Epochs


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


# In two steps, and settled


def test_what_was_not_asked_is_not_charged(ledger: Ledger) -> None:
    commit(ledger, commitment())
    with pytest.raises(BudgetError, match="was not asked"):
        charge(ledger, query("q1"))
    ask(ledger, query("q1"))
    for changed in (
        {"epsilon": "0.5"},
        {"delta": 0},
        {"cap": 99},
        {"rows": 999},
        {"breakdowns": 15},
    ):
        with pytest.raises(BudgetError, match="asked otherwise"):
            charge(ledger, query(**{"query_id": "q1"} | changed))
    assert left(ledger) == 1
    later = query("q1", charged_at=during(8))  # the helpers agree on a time after asking
    assert charge(ledger, later).remaining.epsilon == Fraction(3, 4)


def test_a_query_id_is_asked_once_also_when_it_was_not_charged(ledger: Ledger) -> None:
    commit(ledger, commitment())
    ask(ledger, query("q1"))
    with pytest.raises(BudgetError, match="was asked already; ask with a new id"):
        ask(ledger, query("q1"))
    assert left(ledger) == 1


def test_what_another_query_took_in_between_is_not_charged_again(ledger: Ledger) -> None:
    commit(ledger, commitment())
    for name in ("q1", "q2"):
        ask(ledger, query(name, "0.75"))
    charge(ledger, query("q1", "0.75"))
    with pytest.raises(BudgetError, match=r"has 0\.25 of 1 remaining"):
        charge(ledger, query("q2", "0.75"))


def test_a_settled_charge_counts_also_beyond_what_remains(ledger: Ledger) -> None:
    commit(ledger, commitment())
    pay(ledger, query("q1", "0.75"))
    settle(ledger, [query("q1", "0.75"), query("q2", "0.5"), query("q3", "0.1")])
    assert [q.query_id for q in queries(ledger)] == ["q1", "q2", "q3"]
    assert left(ledger) == 0
    receipt = find_receipt(ledger, "q2")
    assert receipt is not None and receipt.remaining.epsilon == 0
    with pytest.raises(BudgetError, match="has 0 of 1 remaining"):
        ask(ledger, query("q4", "0.000001"))


def test_a_settled_charge_keeps_to_the_commitment_and_the_clock(ledger: Ledger) -> None:
    commit(ledger, commitment())
    pay(ledger, query("q1"))
    for changed in (
        query("q2", report_collector="x"),
        query("q2", network_name="network-2"),
        query("q2", charged_at=during(9)),
        query("q1", "0.5"),
        query("q1", charged_at=during(8)),
    ):
        with pytest.raises(BudgetError):
            settle(ledger, [query("q0"), changed])
    assert queries(ledger) == (query("q1"),)


def test_a_query_that_was_settled_while_it_was_asked_is_charged_once(ledger: Ledger) -> None:
    commit(ledger, commitment())
    ask(ledger, query("q1", "0.75"))
    settle(ledger, [query("q1", "0.75")])
    assert charge(ledger, query("q1", "0.75")).remaining.epsilon == Fraction(1, 4)
    ask(ledger, query("q2"))
    settle(ledger, [query("q2"), query("q3", "0.000001")])
    with pytest.raises(BudgetError, match="otherwise, or too late"):
        charge(ledger, query("q2"))  # answered, it would be more than the budget
    assert len(queries(ledger)) == 3


def test_a_query_that_was_settled_at_another_time_is_not_charged(ledger: Ledger) -> None:
    commit(ledger, commitment())
    ask(ledger, query("q1"))
    settle(ledger, [query("q1", charged_at=during(8))])
    with pytest.raises(BudgetError, match="otherwise, or too late"):
        charge(ledger, query("q1"))


def test_the_end_of_a_query_is_recorded_once(ledger: Ledger) -> None:
    commit(ledger, commitment())
    pay(ledger, query("q1", rows=10))
    pay(ledger, query("q2", rows=10))
    for query_id, rows in (("q3", 1), ("q1", 11)):
        with pytest.raises(BudgetError):
            record_outcome(ledger, query_id, rows)
    record_outcome(ledger, "q1", 10)
    record_outcome(ledger, "q2", 0)
    with pytest.raises(BudgetError, match="its end is on record"):
        record_outcome(ledger, "q1", 10)
    assert outcomes(ledger) == {"q1": 10, "q2": 0}


def test_a_delta_that_another_query_took_in_between_is_not_charged_again(ledger: Ledger) -> None:
    commit(ledger, commitment())
    first, second = query("q1", delta="6e-8"), query("q2", delta="5e-8")
    ask(ledger, first)
    ask(ledger, second)
    charge(ledger, first)
    with pytest.raises(BudgetError, match=r"requests delta 5e-8, .* has 4e-8 of 1e-7 remaining"):
        charge(ledger, second)
    settle(ledger, [second])
    with pytest.raises(BudgetError, match="charged otherwise, or too late"):
        charge(ledger, second)
    found = find_receipt(ledger, "q2")
    assert found is not None and found.remaining == both("0.5", "0")
    (budget,) = (one for one in budgets(ledger, now=during(7)) if one.epoch == 7)
    assert budget.spent == both("0.5", "1.1e-7") and budget.remaining == both("0.5", "0")


def test_a_hundred_small_deltas_use_up_the_budget_exactly(ledger: Ledger) -> None:
    commit(ledger, commitment(share(delta=100 * ATTO)))
    for number in range(100):
        pay(ledger, query(f"q{number}", "0.000001", delta=ATTO))
    with pytest.raises(BudgetError, match=r"requests delta 1e-18, .* has 0 of 1e-16 remaining"):
        pay(ledger, query("more", "0.000001", delta=ATTO))


# Against a model


@dataclass
class Model:
    """The ledger's promises over plain dictionaries; each rule returns whether it is accepted."""

    commitments: dict[tuple[str, int], Commitment] = field(default_factory=dict)
    charged: dict[str, QueryRecord] = field(default_factory=dict)
    fixed: dict[str, int] = field(default_factory=dict)
    latest_commitment: int = 0
    latest_charge: int = 0

    def commit(self, new: Commitment, now: int) -> bool:
        if sum(s.epsilon for s in new.shares) > 10 * MICRO:
            return False
        if sum(s.delta for s in new.shares) > 9 * ATTO:
            return False
        if (new.site, new.epoch) in self.commitments:
            return self.commitments[new.site, new.epoch] == new
        if new.epoch <= self.fixed.get(new.site, -1):
            return False
        running = CLOCK.epoch_at(max(now, self.latest_commitment))
        carried = any(site == new.site and epoch < new.epoch for site, epoch in self.commitments)
        if new.epoch != running + 1 and (new.epoch != running or carried):
            return False
        self.commitments[new.site, new.epoch] = new
        self.latest_commitment = max(now, self.latest_commitment)
        return True

    def share(self, site: str, epoch: int, collector: str) -> Any:
        for earlier in range(epoch, -1, -1):
            if known := self.commitments.get((site, earlier)):
                return {s.report_collector: s for s in known.shares}.get(collector)
        return None

    def left(self, site: str, epoch: int, collector: str) -> tuple[Fraction, Fraction] | None:
        if (share := self.share(site, epoch, collector)) is None:
            return None
        key = (site, epoch, collector)
        paid = [q for q in self.charged.values() if (q.site, q.epoch, q.report_collector) == key]
        return (
            share.epsilon - sum(q.epsilon for q in paid),
            share.delta - sum(q.delta for q in paid),
        )

    def charge(self, new: QueryRecord) -> bool:
        def is_open(now: int) -> bool:
            return 0 <= CLOCK.epoch_at(now) - new.epoch <= 1

        share = self.share(new.site, new.epoch, new.report_collector)
        left = self.left(new.site, new.epoch, new.report_collector)
        if new.query_id in self.charged or not is_open(new.charged_at):
            return False
        if any(site == new.site and epoch <= new.epoch for site, epoch in self.commitments):
            self.fixed[new.site] = max(new.epoch, self.fixed.get(new.site, -1))
        if left is None or not is_open(max(new.charged_at, self.latest_charge)):
            return False
        if (share.network_name, share.match_key_provider) != (NETWORK, new.match_key_provider):
            return False
        if new.network_name != NETWORK or new.epsilon > left[0] or new.delta > left[1]:
            return False
        self.charged[new.query_id] = new
        self.latest_charge = max(new.charged_at, self.latest_charge)
        return True


Step = tuple[Commitment, int] | QueryRecord


def when(step: Step) -> int:
    return step.charged_at if isinstance(step, QueryRecord) else step[1]


steps = st.tuples(commitments, moments) | charges
soon = st.tuples(commitments, st.just(0)).map(lambda step: (step[0], during(step[0].epoch - 1)))


@given(st.lists(soon | charges, max_size=14).map(lambda steps: sorted(steps, key=when)))
def test_sequences_behave_like_the_model(steps: list[Step]) -> None:
    check_against_the_model(steps)


@given(st.lists(steps, max_size=14))
def test_sequences_in_any_order_behave_like_the_model(steps: list[Step]) -> None:
    check_against_the_model(steps)


def check_against_the_model(steps: list[Step]) -> None:
    model = Model()
    with quick_directory() as directory:
        ledger = new_ledger(directory, 10 * MICRO, board=MemoryBoard(terms(10 * MICRO, 9 * ATTO)))
        for step in steps:
            if isinstance(step, QueryRecord):
                assert accepted(partial(pay, ledger, step)) == model.charge(step)
            else:
                assert accepted(partial(commit, ledger, *step)) == model.commit(*step)
        assert queries(ledger) == tuple(model.charged.values())
        for site, epoch in [(site, epoch) for site in SITES for epoch in EPOCHS]:
            for collector in COLLECTORS:
                left = model.left(site, epoch, collector)
                if left is None:
                    with pytest.raises(BudgetError):
                        remaining(ledger, site=site, epoch=epoch, report_collector=collector)
                else:
                    assert EpsilonDelta(epsilon=left[0], delta=left[1]) == remaining(
                        ledger, site=site, epoch=epoch, report_collector=collector
                    )


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
