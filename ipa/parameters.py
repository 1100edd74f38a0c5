"""What a query is asked to compute: public, agreed by all parties before any report is opened."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from ipa.display.parameters import parameters_html
from ipa.errors import ParameterError
from ipa.ranges import check_integer, exact_fraction

Capping = Literal["proportional", "truncate"]
Aggregate = Literal["sum", "count"]
Attribution = Literal["last-touch", "first-touch", "equal-credit"]
Security = Literal["semi-honest", "malicious"]
Mechanism = Literal["laplace", "laplace-per-helper"]
Sort = Literal["bitonic", "shuffle"]
Fanout = Literal["source", "trigger"]
ReportKind = Literal["source", "trigger"]

MAX_MATCH_KEY_BITS = 256
MAX_FIELD_BITS = 64
MAX_BREAKDOWNS = 1 << 20

MAX_REPORT_BOUND = 1 << 32
"""The largest bound on the reports of a match key that can be asked for."""

MIN_EPSILON = Fraction(1, 10**6)
"""The smallest epsilon: the unit in which budgets are counted (SPEC_NOTES: epsilon-unit)."""

MAX_EPSILON = 64
"""The largest epsilon of one query; a likelihood ratio of e^64 protects nobody."""

MIN_DELTA = Fraction(1, 1 << 128)
"""The smallest delta that may be asked for."""

DEFAULT_DELTA = Fraction(1, 10**9)
"""The delta of a query that names none."""


def bits_for(largest: int) -> int:
    """The number of bits needed to hold every integer from 0 to `largest`."""
    return largest.bit_length()


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ParameterError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def _check_report_bound(most: int, attribution: Attribution) -> None:
    name = "max_reports_per_match_key"
    check_integer(name, most, 1, MAX_REPORT_BOUND)
    if most.bit_count() != 1:
        raise ParameterError(f"{name} must be a power of two, not {most}")
    if attribution != "last-touch":
        raise ParameterError(f"{name} is for last-touch attribution alone, not for {attribution}")


@dataclass(frozen=True, kw_only=True)
class QueryParameters:
    """The public parameters of a query (spec: Differential Privacy, Secure Multi Party Computation).

    `breakdowns` is the number of breakdown keys, numbered from 0. `cap` bounds what one match key
    contributes to all sums together (the sensitivity). `security` says against what one corrupted helper
    may do: be curious (`semi-honest`) or anything at all (`malicious`). The widths, in bits, bound the
    fields of events. `attribution` says which of the sources before a trigger get its value, and
    `attribution_window`, in the unit of timestamps, how much earlier they may be; None is no limit
    (SPEC_NOTES: other-attributions). Of a match key at most `max_reports_per_match_key` reports take part,
    a power of two; None is no limit (SPEC_NOTES: report-bound). `sort` is how rows are put in order: by
    shuffling them and opening comparisons, or by the specification's network, of several times the
    gates, in which nothing is opened (SPEC_NOTES: revealed-order). So with semi-honest security only the
    network keeps a helper that deviates from learning anything while it computes.

    The sums get noise that makes them (`epsilon`, `delta`)-differentially private, by `mechanism`;
    without epsilon they are exact. `match_keys_can_collide` says that match keys were hashed, so that
    two people may share one cap.

    Raises: ParameterError where a value is out of range.
    """

    breakdowns: int
    cap: int
    capping: Capping = "proportional"
    aggregate: Aggregate = "sum"
    attribution: Attribution = "last-touch"
    attribution_window: int | None = None
    max_reports_per_match_key: int | None = None
    epsilon: Fraction | int | None = None
    delta: Fraction = DEFAULT_DELTA
    mechanism: Mechanism = "laplace"
    sort: Sort = "shuffle"
    match_keys_can_collide: bool = False
    security: Security = "malicious"
    match_key_bits: int = 64
    attribution_constraint_id_bits: int = 16
    timestamp_bits: int = 32
    value_bits: int = 16

    _repr_html_ = parameters_html

    def __post_init__(self) -> None:
        check_integer("breakdowns", self.breakdowns, 1, MAX_BREAKDOWNS)
        check_integer("cap", self.cap, 1, (1 << MAX_FIELD_BITS) - 1)
        check_integer("match_key_bits", self.match_key_bits, 1, MAX_MATCH_KEY_BITS)
        for name in ("attribution_constraint_id_bits", "timestamp_bits", "value_bits"):
            check_integer(name, getattr(self, name), 1, MAX_FIELD_BITS)
        _check_choice("capping", self.capping, get_args(Capping))
        _check_choice("aggregate", self.aggregate, get_args(Aggregate))
        _check_choice("mechanism", self.mechanism, get_args(Mechanism))
        _check_choice("sort", self.sort, get_args(Sort))
        if self.epsilon is not None:
            epsilon = exact_fraction("epsilon", self.epsilon, MIN_EPSILON, MAX_EPSILON)
            object.__setattr__(self, "epsilon", epsilon)  # normalised: an int becomes a Fraction
        delta = exact_fraction("delta", self.delta, MIN_DELTA, 1)
        object.__setattr__(self, "delta", delta)
        _check_choice("attribution", self.attribution, get_args(Attribution))
        if self.attribution_window is not None:
            check_integer("attribution_window", self.attribution_window, 1, self.latest_time)
        if self.max_reports_per_match_key is not None:
            _check_report_bound(self.max_reports_per_match_key, self.attribution)
        _check_choice("security", self.security, get_args(Security))

    @property
    def sensitivity(self) -> int:
        """By how much one person can change all sums together (SPEC_NOTES: neighbours).

        Two people whose match keys collide share one cap. Without one of them the other may have it
        all, so up to the cap moves away and up to the cap comes in.
        """
        return 2 * self.cap if self.match_keys_can_collide else self.cap

    @property
    def latest_time(self) -> int:
        """The largest timestamp that the width allows."""
        return (1 << self.timestamp_bits) - 1

    def to_bytes(self) -> bytes:
        """The parameters as the helpers compare them (SPEC_NOTES.md, What helpers agree on)."""
        choices = (
            get_args(Capping).index(self.capping),
            get_args(Aggregate).index(self.aggregate),
            get_args(Security).index(self.security),
            get_args(Attribution).index(self.attribution),
            get_args(Mechanism).index(self.mechanism),
            get_args(Sort).index(self.sort),
            int(self.match_keys_can_collide),
        )
        widths = (
            self.attribution_constraint_id_bits,
            self.timestamp_bits,
            self.value_bits,
        )
        return (
            self.breakdowns.to_bytes(4, "big")
            + self.cap.to_bytes(8, "big")
            + bytes(choices)
            + self.match_key_bits.to_bytes(2, "big")
            + bytes(widths)
            + (self.attribution_window or 0).to_bytes(8, "big")
            + (self.max_reports_per_match_key or 0).to_bytes(8, "big")
            + _fraction_to_bytes(Fraction(self.epsilon or 0))
            + _fraction_to_bytes(self.delta)
        )

    @property
    def breakdown_key_bits(self) -> int:
        """Width of a breakdown key: enough for breakdowns - 1, and at least one bit."""
        return max(1, bits_for(self.breakdowns - 1))


def _fraction_to_bytes(value: Fraction) -> bytes:
    """Numerator and denominator in lowest terms, each behind its length in bytes as u16."""
    parts = (
        number.to_bytes((number.bit_length() + 7) // 8, "big")
        for number in (value.numerator, value.denominator)
    )
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def check_parameters_type(parameters: object) -> None:
    """Check that `parameters` are the parameters of a query, and no dictionary of them.

    Raises: ParameterError for anything else.
    """
    if not isinstance(parameters, QueryParameters):
        raise ParameterError(
            f"parameters must be QueryParameters, not {type(parameters).__name__}: "
            "QueryParameters(**dictionary) makes them from a dictionary"
        )
