"""What a site commits to for an epoch, and epsilon as an exact number.

Epsilon is never a float: a thousand charges of the float 0.001 do not add up to 1. It is a
`fractions.Fraction` in memory, a whole number of millionths in the ledger and a decimal in text;
whatever is not a whole number of millionths is refused, not rounded (SPEC_NOTES: epsilon-unit).
"""

import re
import reprlib
from dataclasses import dataclass
from fractions import Fraction

from ipa.errors import ParameterError
from ipa.names import MAX_EPOCH, check_identifier

MICRO_PER_EPSILON = 1_000_000
"""Epsilon is counted in units of 10^-6."""

MAX_EPSILON = 1_000_000
"""The largest epsilon; far above any that protects anybody, and its sums fit 64 bits."""

MAX_NUMBER = (1 << 63) - 1
"""The largest row count the ledger's file can hold."""

_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")


def exact_epsilon(value: str | int | Fraction) -> Fraction:
    """Epsilon as an exact number: above 0, at most MAX_EPSILON, a whole number of millionths.

    Text is a plain decimal such as "0.25": no sign, exponent or fraction bar. Floats are refused,
    because the float 0.1 is not one tenth. Raises ParameterError.
    """
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise ParameterError(
                f"epsilon must be a plain decimal such as 0.25, not {reprlib.repr(value)}"
            )
    elif isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise ParameterError(
            "epsilon must be an exact number (decimal text, an int or a Fraction), "
            f"not a {type(value).__name__}"
        )
    epsilon = Fraction(value)
    if not 0 < epsilon <= MAX_EPSILON or MICRO_PER_EPSILON % epsilon.denominator:
        raise ParameterError(
            f"epsilon must be above 0, at most {MAX_EPSILON}, and have at most 6 decimals"
        )
    return epsilon


def to_micro(epsilon: Fraction) -> int:
    """The exact epsilon as a whole number of millionths."""
    return int(epsilon * MICRO_PER_EPSILON)


def decimal_text(epsilon: Fraction) -> str:
    """An exact epsilon, or what is left of one, as the shortest decimal: 1/2 is "0.5"."""
    whole, micro = divmod(to_micro(epsilon), MICRO_PER_EPSILON)
    return f"{whole}.{micro:06d}".rstrip("0").rstrip(".")


def check_number(field: str, number: object, low: int, high: int) -> None:
    """Raise ParameterError unless `number` is an integer from `low` to `high`."""
    if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
        raise ParameterError(f"{field} must be an integer from {low} to {high}")


@dataclass(frozen=True, kw_only=True)
class CollectorShare:
    """What a site allots to one of its report collectors for an epoch: the spec's epsilon_r."""

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
    meaning and is normalised. Raises ParameterError for a malformed name, epoch or epsilon, for no
    shares (the site could not ask anything until the next epoch), and for a collector named twice.
    """

    site: str
    epoch: int
    network: str
    match_key_provider: str
    shares: tuple[CollectorShare, ...]

    def __post_init__(self) -> None:
        for field in ("site", "network", "match_key_provider"):
            check_identifier(field, getattr(self, field))
        check_number("epoch", self.epoch, 0, MAX_EPOCH)
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
