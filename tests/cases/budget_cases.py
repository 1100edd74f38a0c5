"""Commitments and queries, fixed and drawn, that the tests of the budget share."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, get_args

from hypothesis import strategies as st

from ipa.budget.commitments import CollectorShare, Commitment
from ipa.budget.epsilon import exact_epsilon
from ipa.budget.transparency import QueryRecord
from ipa.errors import BudgetError
from ipa.parameters import Fanout

NETWORK = "network-1"
MICRO = Fraction(1, 1_000_000)


def share(report_collector: str = "collector", epsilon: str = "1") -> CollectorShare:
    return CollectorShare(report_collector=report_collector, epsilon=exact_epsilon(epsilon))


def commitment(*shares: CollectorShare, **changed: Any) -> Commitment:
    values: dict[str, Any] = {
        "site": "shop.example",
        "epoch": 7,
        "network_name": NETWORK,
        "match_key_provider": "provider.example",
        "shares": shares or (share(),),
    }
    return Commitment(**values | changed)


def query(query_id: Any = "q", epsilon: Any = "0.25", **changed: Any) -> QueryRecord:
    values: dict[str, Any] = {
        "query_id": query_id,
        "charged_at": 1_700_000_000,
        "network_name": NETWORK,
        "site": "shop.example",
        "report_collector": "collector",
        "epoch": 7,
        "match_key_provider": "provider.example",
        "fanout": "source",
        "epsilon": epsilon,
        "cap": 100,
        "rows": 1000,
        "breakdowns": 16,
    }
    return QueryRecord(**values | changed)


def accepted(change: Callable[[], object]) -> bool:
    """Whether the ledger's rules allowed it; a ledger that stayed locked is no answer."""
    try:
        change()
    except BudgetError as error:
        if "busy" in str(error):
            raise
        return False
    return True


SITES, EPOCHS, COLLECTORS = ("s", "t"), (0, 1), ("a", "b")
micro_epsilons = st.integers(1, 7).map(lambda micro: micro * MICRO)
commitments = st.builds(
    Commitment,
    site=st.sampled_from(SITES),
    epoch=st.sampled_from(EPOCHS),
    network_name=st.sampled_from([NETWORK] * 3 + ["network-2"]),
    match_key_provider=st.sampled_from("ppq"),
    shares=st.lists(
        st.builds(
            CollectorShare, report_collector=st.sampled_from(COLLECTORS), epsilon=micro_epsilons
        ),
        min_size=1,
        max_size=2,
        unique_by=lambda share: share.report_collector,
    ).map(tuple),
)
charges = st.builds(
    QueryRecord,
    query_id=st.integers(0, 12).map("q{}".format),
    charged_at=st.integers(0, 2_000_000_000),
    network_name=st.sampled_from([NETWORK] * 4 + ["network-2"]),
    site=st.sampled_from(SITES),
    report_collector=st.sampled_from(COLLECTORS),
    epoch=st.sampled_from(EPOCHS),
    match_key_provider=st.sampled_from("pppq"),
    fanout=st.sampled_from(get_args(Fanout)),
    epsilon=micro_epsilons,
    cap=st.integers(1, (1 << 64) - 1),
    rows=st.integers(0, (1 << 63) - 1),
    breakdowns=st.integers(1, 1 << 20),
)
