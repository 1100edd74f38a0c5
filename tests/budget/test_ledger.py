"""The budget ledger's rules, one by one and against a plain model."""

import tempfile
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from budget_cases import (
    COLLECTORS,
    EPOCHS,
    MICRO,
    NETWORK,
    SITES,
    accepted,
    charges,
    commitment,
    commitments,
    query,
    share,
)
from hypothesis import given
from hypothesis import strategies as st

from ipa.budget.commitments import Commitment
from ipa.budget.ledger import (
    Budget,
    Receipt,
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
from ipa.client.encoding import Reader
from ipa.client.encrypted_match_key import ReportContext
from ipa.errors import BudgetError, ParameterError


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "ledger"
    create_ledger(path, network_name=NETWORK, site_epsilon=Fraction(1))
    return path


def test_a_thousand_small_charges_use_up_the_budget_exactly(ledger: Path) -> None:
    commit(ledger, commitment(share(epsilon="0.1")))
    for i in range(100):
        charge(ledger, query(f"q{i}", "0.001"))
    assert remaining(ledger, site="shop.example", epoch=7, report_collector="collector") == 0
    with pytest.raises(BudgetError):
        charge(ledger, query("last", "0.000001"))


# Commitments


def test_shares_may_use_the_whole_budget_of_the_site_and_not_a_millionth_more(ledger: Path) -> None:
    commit(ledger, commitment(share("a", "0.4"), share("b", "0.6")))
    with pytest.raises(BudgetError, match=r"commits epsilon 1.000001 .* its budget of 1$"):
        commit(ledger, commitment(share("a", "0.4"), share("b", "0.600001"), epoch=8))
    assert committed(ledger, site="shop.example", epoch=8) is None


def test_a_commitment_is_kept_within_the_epoch_and_free_in_the_next(ledger: Path) -> None:
    first = commitment(share("b", "0.5"), share("a", "0.5"))
    commit(ledger, first)
    commit(ledger, commitment(share("a", "0.5"), share("b", "0.5")))
    for changed in (
        commitment(share("a", "0.5")),
        commitment(share("a", "0.5"), share("b", "0.499999")),
        replace(first, network_name="network-2"),
        replace(first, match_key_provider="another.example"),
    ):
        with pytest.raises(BudgetError, match="cannot change"):
            commit(ledger, changed)
        commit(ledger, replace(changed, epoch=8 + budgets(ledger)[-1].epoch))
    assert committed(ledger, site="shop.example", epoch=7) == first


# Charging


def test_a_refusal_says_what_was_asked_and_what_is_left(ledger: Path) -> None:
    commit(ledger, commitment(share(epsilon="0.75")))
    assert charge(ledger, query("q1", "0.5")).remaining == Fraction(1, 4)
    with pytest.raises(BudgetError) as refused:
        charge(ledger, query("q2", "0.3"))
    assert str(refused.value) == (
        "query q2 requests epsilon 0.3, but report collector collector of site shop.example has "
        "0.25 of 0.75 remaining in epoch 7"
    )
    assert charge(ledger, query("q2", "0.25")).remaining == 0


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"site": "other.example"}, "site other.example has made no commitment for epoch 7"),
        ({"epoch": 8}, "site shop.example has made no commitment for epoch 8"),
        ({"report_collector": "x"}, "no budget to report collector x for epoch 7"),
        ({"match_key_provider": "x"}, "committed to match key provider provider.example .* uses x"),
        ({"network_name": "network-2"}, "ledger of .* network-1, the query is for network-2"),
        ({"site": "far.example"}, "committed to helper party network network-2 .* is network-1"),
    ],
)
def test_a_query_must_keep_to_the_commitment(
    ledger: Path, changed: dict[str, Any], problem: str
) -> None:
    commit(ledger, commitment())
    commit(ledger, commitment(site="far.example", network_name="network-2"))
    with pytest.raises(BudgetError, match=problem):
        charge(ledger, query("q", **changed))
    assert queries(ledger) == ()


def test_only_the_asking_site_pays(ledger: Path) -> None:
    """One service provider works for two sites: two report collectors in the spec's sense."""
    for site in ("shop.example", "news.example"):
        commit(ledger, commitment(site=site))

    def left(site: str) -> Fraction:
        return remaining(ledger, site=site, epoch=7, report_collector="collector")

    charge(ledger, query("q1", "0.25", fanout="trigger", site="shop.example"))
    assert (left("shop.example"), left("news.example")) == (Fraction(3, 4), Fraction(1))
    charge(ledger, query("q2", "0.5", fanout="source", site="news.example"))
    assert (left("shop.example"), left("news.example")) == (Fraction(3, 4), Fraction(1, 2))


def test_a_query_id_is_charged_once_and_its_receipt_found_again(ledger: Path) -> None:
    commit(ledger, commitment())
    assert find_receipt(ledger, "q1") is None
    first = charge(ledger, query("q1"))
    assert first == Receipt(query=query("q1"), number=1, remaining=Fraction(3, 4))
    assert charge(ledger, query("q2")).number == 2
    for again in (query("q1"), query("q1", "0.000001", site="other.example")):
        with pytest.raises(BudgetError, match=r"query q1 was charged already \(number 1\)"):
            charge(ledger, again)
    assert find_receipt(ledger, "q1") == first
    assert remaining(ledger, site="shop.example", epoch=7, report_collector="collector") == 0.5


def test_arguments_are_checked_before_the_file_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "absent"
    for ask in (
        lambda: committed(path, site="", epoch=0),
        lambda: committed(path, site="\ud800", epoch=0),
        lambda: committed(path, site="a", epoch=1 << 63),
        lambda: remaining(path, site="a", epoch=1 << 63, report_collector="b"),
        lambda: remaining(path, site="a", epoch=0, report_collector=""),
        lambda: find_receipt(path, "\ud800"),
        lambda: create_ledger(path, network_name="", site_epsilon=Fraction(1)),
        lambda: create_ledger(path, network_name="a", site_epsilon=Fraction(0)),
    ):
        with pytest.raises(ParameterError):
            ask()
    assert not path.exists()


def test_names_and_epochs_are_those_that_reports_can_have(ledger: Path) -> None:
    site, last = "\u00e9" * 127, (1 << 32) - 1
    commit(ledger, commitment(site=site, epoch=last))
    charge(ledger, query(site=site, epoch=last))
    context = ReportContext(
        network_name=NETWORK,
        match_key_provider="provider.example",
        report_collector="collector",
        on_behalf_of=site,
        site=site,
        epoch=last,
    )
    assert ReportContext.read(Reader(context.to_bytes(), "it")) == context
    for changed in ({"site": f"{site}\u00e9"}, {"site": "-a"}, {"site": "A"}, {"epoch": last + 1}):
        for make in (commitment, query, lambda **new: replace(context, **new)):
            with pytest.raises(ParameterError, match=r"^(site|epoch) must be"):
                make(**changed)


# Against a model


@dataclass
class Model:
    """The ledger's promises over plain dictionaries; each rule returns whether it is accepted."""

    commitments: dict[tuple[str, int], Commitment] = field(default_factory=dict)
    charged: dict[str, QueryRecord] = field(default_factory=dict)

    def commit(self, new: Commitment) -> bool:
        if sum(s.epsilon for s in new.shares) > 10 * MICRO:
            return False
        return self.commitments.setdefault((new.site, new.epoch), new) == new

    def left(self, site: str, epoch: int, collector: str) -> Fraction | None:
        known = self.commitments.get((site, epoch))
        granted = {s.report_collector: s.epsilon for s in known.shares} if known else {}
        if collector not in granted:
            return None
        spent = [
            q.epsilon
            for q in self.charged.values()
            if (q.site, q.epoch, q.report_collector) == (site, epoch, collector)
        ]
        return granted[collector] - sum(spent)

    def charge(self, new: QueryRecord) -> bool:
        known = self.commitments.get((new.site, new.epoch))
        left = self.left(new.site, new.epoch, new.report_collector)
        if new.query_id in self.charged or known is None or left is None:
            return False
        if (known.network_name, known.match_key_provider) != (NETWORK, new.match_key_provider):
            return False
        if new.network_name != NETWORK or new.epsilon > left:
            return False
        self.charged[new.query_id] = new
        return True


@given(st.lists(commitments | charges, max_size=14).map(lambda steps: sorted(steps, key=is_charge)))
def test_sequences_behave_like_the_model(steps: list[Commitment | QueryRecord]) -> None:
    check_against_the_model(steps)


@given(st.lists(commitments | charges, max_size=14))
def test_sequences_in_any_order_behave_like_the_model(
    steps: list[Commitment | QueryRecord],
) -> None:
    check_against_the_model(steps)


def is_charge(step: Commitment | QueryRecord) -> bool:
    """Commitments first, so that more charges have something to spend."""
    return isinstance(step, QueryRecord)


def check_against_the_model(steps: list[Commitment | QueryRecord]) -> None:
    model = Model()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "ledger")
        create_ledger(path, network_name=NETWORK, site_epsilon=10 * MICRO)
        for step in steps:
            if isinstance(step, Commitment):
                assert accepted(partial(commit, path, step)) == model.commit(step)
            else:
                assert accepted(partial(charge, path, step)) == model.charge(step)
        assert queries(path) == tuple(model.charged.values())
        shown = {(b.site, b.epoch, b.report_collector): b.remaining for b in budgets(path)}
        for site, epoch in [(site, epoch) for site in SITES for epoch in EPOCHS]:
            assert committed(path, site=site, epoch=epoch) == model.commitments.get((site, epoch))
            for collector in COLLECTORS:
                left = model.left(site, epoch, collector)
                assert shown.get((site, epoch, collector)) == left


def test_budgets_are_listed_by_epoch_site_and_collector(ledger: Path) -> None:
    assert budgets(ledger) == ()
    commit(ledger, commitment(share("b", "0.5"), share("a", "0.25")))
    commit(ledger, commitment(site="a.example"))
    commit(ledger, commitment(epoch=2))
    charge(ledger, query("q", "0.125", report_collector="b"))
    assert budgets(ledger) == tuple(
        Budget(
            site=site,
            epoch=epoch,
            report_collector=collector,
            granted=Fraction(granted),
            spent=Fraction(spent),
        )
        for site, epoch, collector, granted, spent in (
            ("shop.example", 2, "collector", "1", 0),
            ("a.example", 7, "collector", "1", 0),
            ("shop.example", 7, "a", "1/4", 0),
            ("shop.example", 7, "b", "1/2", "1/8"),
        )
    )
    with pytest.raises(BudgetError, match="no budget to report collector c for epoch 7"):
        remaining(ledger, site="shop.example", epoch=7, report_collector="c")
