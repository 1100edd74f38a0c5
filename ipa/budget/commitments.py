"""What a site commits to for an epoch, and the terms that it commits under (spec: Commitments)."""

from dataclasses import dataclass
from fractions import Fraction

from ipa.budget.epochs import EpochClock
from ipa.budget.epsilon import decimal_text, exact_epsilon
from ipa.errors import BudgetError, ParameterError
from ipa.names import MAX_EPOCH, check_identifier
from ipa.ranges import check_integer

MAX_NUMBER = (1 << 63) - 1
"""The largest row count a ledger's file can hold."""


@dataclass(frozen=True, kw_only=True)
class BudgetTerms:
    """What is the same for all sites and all networks: a site's epsilon in an epoch, and the clock.

    Raises: ParameterError for a malformed epsilon.
    """

    site_epsilon: Fraction
    clock: EpochClock

    def __post_init__(self) -> None:
        # A frozen dataclass is normalised here, so that equal terms compare equal.
        object.__setattr__(self, "site_epsilon", exact_epsilon(self.site_epsilon))


@dataclass(frozen=True, kw_only=True)
class CollectorShare:
    """What a site commits to for one of its report collectors in an epoch.

    That is the one helper party network and the one match key provider of its queries, and its
    part of the site's epsilon: the spec's epsilon_r.

    Raises: ParameterError for a malformed name or epsilon.
    """

    report_collector: str
    network_name: str
    match_key_provider: str
    epsilon: Fraction

    def __post_init__(self) -> None:
        for field in ("report_collector", "network_name", "match_key_provider"):
            check_identifier(field, getattr(self, field))
        # A frozen dataclass is normalised here, so that equal shares compare equal.
        object.__setattr__(self, "epsilon", exact_epsilon(self.epsilon))


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
    def total(self) -> Fraction:
        """The sum of all shares, which must not exceed the site's budget."""
        return sum((share.epsilon for share in self.shares), Fraction(0))

    def share_of(self, report_collector: str) -> CollectorShare | None:
        """The share of the collector, or None if it is not named."""
        named = (share for share in self.shares if share.report_collector == report_collector)
        return next(named, None)


def check_total(commitment: Commitment, site_epsilon: Fraction) -> None:
    """Check that the shares are together at most what a site has in an epoch.

    Raises: BudgetError if they exceed it.
    """
    if commitment.total > site_epsilon:
        raise BudgetError(
            f"site {commitment.site} commits epsilon {decimal_text(commitment.total)} for epoch "
            f"{commitment.epoch}, more than its budget of {decimal_text(site_epsilon)}"
        )
