"""Commitments, ledgers and queries, fixed and drawn, that the tests of the budget share."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from hypothesis import strategies as st

from ipa.budget.board import CommitmentBoard, FileBoard
from ipa.budget.commitments import BudgetTerms, CollectorShare, Commitment
from ipa.budget.composition import EpsilonDelta
from ipa.budget.delta import DEFAULT_SHARE_DELTA, DEFAULT_SITE_DELTA, exact_delta
from ipa.budget.epochs import EpochClock
from ipa.budget.epsilon import exact_epsilon
from ipa.budget.ledger import Ledger, Receipt, ask, charge, create_ledger
from ipa.budget.transparency import QueryRecord
from ipa.errors import BudgetError
from ipa.parameters import Fanout, Mechanism

NETWORK, PROVIDER = "network-1", "provider.example"
MICRO = Fraction(1, 1_000_000)
ATTO = Fraction(1, 10**18)
NOW = 1_700_000_000
CLOCK = EpochClock(start=NOW - 7_500, seconds=1_000, open_epochs=1)
"""It is the middle of epoch 7, and the budget of epoch 6 is open too."""


def during(epoch: int) -> int:
    """A moment in the middle of the epoch."""
    return CLOCK.start + 1_000 * epoch + 500


def terms(
    site_epsilon: Fraction = Fraction(1), site_delta: Fraction = DEFAULT_SITE_DELTA
) -> BudgetTerms:
    return BudgetTerms(site_epsilon=site_epsilon, site_delta=site_delta, clock=CLOCK)


def both(epsilon: str, delta: str) -> EpsilonDelta:
    return EpsilonDelta(epsilon=Fraction(epsilon), delta=Fraction(delta))


def new_ledger(
    directory: Path,
    site_epsilon: Fraction = Fraction(1),
    *,
    board: CommitmentBoard | None = None,
    network_name: str = NETWORK,
    helper: int = 1,
    name: str = "ledger",
) -> Ledger:
    """A ledger in the directory, with a board of its own unless one is given."""
    if board is None:
        board = FileBoard.create(directory / "board", terms(site_epsilon))
    ledger = Ledger(directory / name, board)
    create_ledger(ledger, network_name=network_name, helper=helper)
    return ledger


def commit(ledger: Ledger, new: Commitment, now: int | None = None) -> None:
    """Commit for the epoch, in it unless a time is given."""
    ledger.board.commit(new, now=during(new.epoch) if now is None else now)


def pay(ledger: Ledger, new: QueryRecord) -> Receipt:
    """What a helper does that is sure of the others."""
    ask(ledger, new)
    return charge(ledger, new)


def share(
    report_collector: str = "collector",
    epsilon: str = "1",
    network_name: str = NETWORK,
    match_key_provider: str = PROVIDER,
    delta: str | Fraction = DEFAULT_SHARE_DELTA,
) -> CollectorShare:
    return CollectorShare(
        report_collector=report_collector,
        network_name=network_name,
        match_key_provider=match_key_provider,
        epsilon=exact_epsilon(epsilon),
        delta=exact_delta(delta),
    )


def commitment(*shares: CollectorShare, **changed: Any) -> Commitment:
    values: dict[str, Any] = {"site": "shop.example", "epoch": 7, "shares": shares or (share(),)}
    return Commitment(**values | changed)


def query(query_id: Any = "q", epsilon: Any = "0.25", **changed: Any) -> QueryRecord:
    """A query, charged in the middle of its epoch."""
    values: dict[str, Any] = {
        "query_id": query_id,
        "charged_at": during(changed.get("epoch", 7)),
        "network_name": NETWORK,
        "site": "shop.example",
        "report_collector": "collector",
        "epoch": 7,
        "match_key_provider": PROVIDER,
        "fanout": "source",
        "epsilon": epsilon,
        "delta": "1e-12",
        "mechanism": "laplace",
        "cap": 100,
        "rows": 1000,
        "breakdowns": 16,
    }
    return QueryRecord(**values | changed)


def accepted(change: Callable[[], object]) -> bool:
    """Whether the rules allowed it; a file that stayed locked is no answer."""
    try:
        change()
    except BudgetError as error:
        if "busy" in str(error):
            raise
        return False
    return True


SITES, EPOCHS, COLLECTORS = ("s", "t"), (0, 1, 2, 3), ("a", "b")
micro_epsilons = st.integers(1, 7).map(lambda micro: micro * MICRO)
atto_deltas = st.integers(0, 7).map(lambda atto: atto * ATTO)
moments = st.sampled_from(EPOCHS).map(during)
commitments = st.builds(
    Commitment,
    site=st.sampled_from(SITES),
    epoch=st.sampled_from(EPOCHS),
    shares=st.lists(
        st.builds(
            CollectorShare,
            report_collector=st.sampled_from(COLLECTORS),
            network_name=st.sampled_from([NETWORK] * 3 + ["network-2"]),
            match_key_provider=st.sampled_from("ppq"),
            epsilon=micro_epsilons,
            delta=atto_deltas,
        ),
        min_size=1,
        max_size=2,
        unique_by=lambda share: share.report_collector,
    ).map(tuple),
)
charges = st.builds(
    QueryRecord,
    query_id=st.integers(0, 12).map("q{}".format),
    charged_at=moments,
    network_name=st.sampled_from([NETWORK] * 4 + ["network-2"]),
    site=st.sampled_from(SITES),
    report_collector=st.sampled_from(COLLECTORS),
    epoch=st.sampled_from(EPOCHS),
    match_key_provider=st.sampled_from("pppq"),
    fanout=st.sampled_from(get_args(Fanout)),
    epsilon=micro_epsilons,
    delta=atto_deltas,
    mechanism=st.sampled_from(get_args(Mechanism)),
    cap=st.integers(1, (1 << 64) - 1),
    rows=st.integers(0, (1 << 63) - 1),
    breakdowns=st.integers(1, 1 << 20),
)
