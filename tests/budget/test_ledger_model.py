"""The budget ledger against a plain model of its rules."""

from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
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
    charges,
    commit,
    commitments,
    during,
    moments,
    new_ledger,
    pay,
    terms,
)
from hypothesis import given
from hypothesis import strategies as st
from worker_processes import quick_directory

from ipa.budget.board import MemoryBoard
from ipa.budget.commitments import Commitment
from ipa.budget.composition import EpsilonDelta
from ipa.budget.ledger import remaining
from ipa.budget.ledger_directory import queries
from ipa.budget.transparency import QueryRecord
from ipa.errors import BudgetError


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
