"""What a site commits to for an epoch, and the terms that it commits under (spec: Commitments)."""

from dataclasses import dataclass
from fractions import Fraction

from ipa.budget.composition import EpsilonDelta, composed, exceeded
from ipa.budget.delta import DEFAULT_SHARE_DELTA, DEFAULT_SITE_DELTA, exact_delta
from ipa.budget.epochs import EpochClock
from ipa.budget.epsilon import exact_epsilon
from ipa.display.records import record_html
from ipa.errors import BudgetError, ParameterError
from ipa.names import MAX_EPOCH, check_identifier
from ipa.ranges import check_integer

MAX_NUMBER = (1 << 63) - 1
"""The largest row count a ledger's file can hold."""


@dataclass(frozen=True, kw_only=True)
class BudgetTerms:
    """What is the same for all sites and all networks: a site's budget in an epoch, and the clock.

    The budget is an epsilon and a delta, and queries use them up by basic composition: their epsilons
    add up, and so do their deltas (SPEC_NOTES: epsilon-unit). Delta is 10^-6 by default.

    Raises: ParameterError for a malformed epsilon or delta.
    """

    site_epsilon: Fraction
    site_delta: Fraction = DEFAULT_SITE_DELTA
    clock: EpochClock

    _repr_html_ = record_html

    def __post_init__(self) -> None:
        # A frozen dataclass is normalised here, so that equal terms compare equal.
        object.__setattr__(self, "site_epsilon", exact_epsilon(self.site_epsilon))
        object.__setattr__(self, "site_delta", exact_delta(self.site_delta))

    @property
    def site_budget(self) -> EpsilonDelta:
        """What a site has in an epoch."""
        return EpsilonDelta(epsilon=self.site_epsilon, delta=self.site_delta)


@dataclass(frozen=True, kw_only=True)
class CollectorShare:
    """What a site commits to for one of its report collectors in an epoch.

    That is the one helper party network and the one match key provider of its queries, and its
    part of the site's budget: the spec's epsilon_r, and a delta. Delta is 10^-7 by default, enough
    for a hundred queries of the default delta; ten such shares are a site's default delta. With a
    delta of 0 the collector can only ask queries whose noise needs none.

    Raises: ParameterError for a malformed name, epsilon or delta.
    """

    report_collector: str
    network_name: str
    match_key_provider: str
    epsilon: Fraction
    delta: Fraction = DEFAULT_SHARE_DELTA

    def __post_init__(self) -> None:
        for field in ("report_collector", "network_name", "match_key_provider"):
            check_identifier(field, getattr(self, field))
        # A frozen dataclass is normalised here, so that equal shares compare equal.
        object.__setattr__(self, "epsilon", exact_epsilon(self.epsilon))
        object.__setattr__(self, "delta", exact_delta(self.delta))

    @property
    def budget(self) -> EpsilonDelta:
        """What the collector's queries may spend."""
        return EpsilonDelta(epsilon=self.epsilon, delta=self.delta)


@dataclass(frozen=True, kw_only=True)
class Commitment:
    """A site's commitment for an epoch (spec: Commitments, Differential Privacy Budget Management).

    The spec leaves the mechanism open (SPEC_NOTES: commitment-mechanism). There is a share for each
    report collector of the site; a collector that is not named can ask nothing. The order of
    `shares` has no meaning and is normalised.

    Raises: ParameterError for a malformed site or epoch, for no shares (the site could not ask
    anything until the next epoch), and for a collector named twice.
    """

    site: str
    epoch: int
    shares: tuple[CollectorShare, ...]

    def __post_init__(self) -> None:
        check_identifier("site", self.site)
        check_integer("epoch", self.epoch, 0, MAX_EPOCH)
        collectors = [share.report_collector for share in self.shares]
        if not collectors:
            raise ParameterError("a commitment must name at least one report collector")
        if len(set(collectors)) < len(collectors):
            raise ParameterError("a commitment must name each report collector once")
        ordered = tuple(sorted(self.shares, key=lambda share: share.report_collector))
        object.__setattr__(self, "shares", ordered)  # normalised, so that repeats compare equal

    @property
    def total(self) -> EpsilonDelta:
        """The sum of all shares, which must not exceed the site's budget."""
        return composed(share.budget for share in self.shares)

    def share_of(self, report_collector: str) -> CollectorShare | None:
        """The share of the collector, or None if it is not named."""
        named = (share for share in self.shares if share.report_collector == report_collector)
        return next(named, None)


def check_total(commitment: Commitment, site_budget: EpsilonDelta) -> None:
    """Check that the shares are together at most what a site has in an epoch, of epsilon and of delta.

    Raises: BudgetError, which names the one that they exceed.
    """
    if name := exceeded(commitment.total, site_budget):
        raise BudgetError(
            f"site {commitment.site} commits {name} {commitment.total.texts()[name]} for epoch "
            f"{commitment.epoch}, more than its budget of {site_budget.texts()[name]}"
        )
