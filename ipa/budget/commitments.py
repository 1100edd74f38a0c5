"""What a site commits to for an epoch (spec: Commitments)."""

from dataclasses import dataclass
from fractions import Fraction

from ipa.budget.epsilon import exact_epsilon
from ipa.errors import ParameterError
from ipa.names import MAX_EPOCH, check_identifier
from ipa.ranges import check_integer

MAX_NUMBER = (1 << 63) - 1
"""The largest row count the ledger's file can hold."""


@dataclass(frozen=True, kw_only=True)
class CollectorShare:
    """What a site allots to one of its report collectors for an epoch: the spec's epsilon_r.

    Raises: ParameterError for a malformed name or epsilon.
    """

    report_collector: str
    epsilon: Fraction

    def __post_init__(self) -> None:
        check_identifier("report_collector", self.report_collector)
        # A frozen dataclass is normalised here, so that equal shares compare equal.
        object.__setattr__(self, "epsilon", exact_epsilon(self.epsilon))


@dataclass(frozen=True, kw_only=True)
class Commitment:
    """A site's commitment for an epoch (spec: Commitments, Differential Privacy Budget Management).

    The spec leaves the mechanism open (SPEC_NOTES: commitment-mechanism).
    One helper party network, one match key provider, and a share of epsilon for each of its report
    collectors; a collector that is not named can ask nothing. The order of `shares` has no
    meaning and is normalised.

    Raises: ParameterError for a malformed name, epoch or epsilon, for no shares (the site could not
    ask anything until the next epoch), and for a collector named twice.
    """

    site: str
    epoch: int
    network_name: str
    match_key_provider: str
    shares: tuple[CollectorShare, ...]

    def __post_init__(self) -> None:
        for field in ("site", "network_name", "match_key_provider"):
            check_identifier(field, getattr(self, field))
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
