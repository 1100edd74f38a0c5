"""What a query is asked to compute: public, agreed by all parties before any report is opened."""

from dataclasses import dataclass
from typing import Literal, get_args

from ipa.errors import ParameterError
from ipa.names import check_identifier
from ipa.ranges import check_integer

Capping = Literal["proportional", "truncate"]
Aggregate = Literal["sum", "count"]
Security = Literal["semi-honest", "malicious"]
Mechanism = Literal["none"]
Fanout = Literal["source", "trigger"]
ReportKind = Literal["source", "trigger"]

MAX_MATCH_KEY_BITS = 256
MAX_FIELD_BITS = 64
MAX_BREAKDOWNS = 1 << 20


def bits_for(largest: int) -> int:
    """The number of bits needed to hold every integer from 0 to `largest`."""
    return largest.bit_length()


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ParameterError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


@dataclass(frozen=True, kw_only=True)
class QueryParameters:
    """The public parameters of a query (spec: Differential Privacy, Secure Multi Party Computation).

    `breakdowns` is the number of breakdown keys, numbered from 0. `cap` bounds what one match key
    contributes to all sums together (the sensitivity). `security` says against what one corrupted helper
    may do: be curious (`semi-honest`) or anything at all (`malicious`). The widths, in bits, bound the
    fields of events.

    Raises: ParameterError where a value is out of range.
    """

    breakdowns: int
    cap: int
    capping: Capping = "proportional"
    aggregate: Aggregate = "sum"
    security: Security = "malicious"
    match_key_bits: int = 64
    attribution_constraint_id_bits: int = 16
    timestamp_bits: int = 32
    value_bits: int = 16

    def __post_init__(self) -> None:
        check_integer("breakdowns", self.breakdowns, 1, MAX_BREAKDOWNS)
        check_integer("cap", self.cap, 1, (1 << MAX_FIELD_BITS) - 1)
        check_integer("match_key_bits", self.match_key_bits, 1, MAX_MATCH_KEY_BITS)
        for name in ("attribution_constraint_id_bits", "timestamp_bits", "value_bits"):
            check_integer(name, getattr(self, name), 1, MAX_FIELD_BITS)
        _check_choice("capping", self.capping, get_args(Capping))
        _check_choice("aggregate", self.aggregate, get_args(Aggregate))
        _check_choice("security", self.security, get_args(Security))

    def to_bytes(self) -> bytes:
        """The parameters as the helpers compare them (SPEC_NOTES.md, What helpers agree on)."""
        choices = (
            get_args(Capping).index(self.capping),
            get_args(Aggregate).index(self.aggregate),
            get_args(Security).index(self.security),
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
        )

    @property
    def breakdown_key_bits(self) -> int:
        """Width of a breakdown key: enough for breakdowns - 1, and at least one bit."""
        return max(1, bits_for(self.breakdowns - 1))


@dataclass(frozen=True, kw_only=True)
class PrivacyTerms:
    """What a query is charged for and how its result is protected; the helpers agree on it.

    `query_id` is that of the ledger, empty where nothing is charged. `epsilon_millionths` is what is
    charged (SPEC_NOTES: epsilon-unit). `mechanism` is the noise that is added: none so far.

    Raises: ParameterError where a value is out of range.
    """

    query_id: str = ""
    epsilon_millionths: int = 0
    mechanism: Mechanism = "none"

    def __post_init__(self) -> None:
        if self.query_id:
            check_identifier("query_id", self.query_id)
        check_integer("epsilon_millionths", self.epsilon_millionths, 0, (1 << 64) - 1)
        _check_choice("mechanism", self.mechanism, get_args(Mechanism))

    def to_bytes(self) -> bytes:
        """The terms as the helpers compare them (SPEC_NOTES.md, What helpers agree on)."""
        query_id = self.query_id.encode()
        return (
            bytes([len(query_id)])
            + query_id
            + self.epsilon_millionths.to_bytes(8, "big")
            + bytes([get_args(Mechanism).index(self.mechanism)])
        )


NO_TERMS = PrivacyTerms()
"""Nothing is charged and no noise is added."""


def check_parameters_type(parameters: object) -> None:
    """Check that `parameters` are the parameters of a query, and no dictionary of them.

    Raises: ParameterError for anything else.
    """
    if not isinstance(parameters, QueryParameters):
        raise ParameterError(
            f"parameters must be QueryParameters, not {type(parameters).__name__}: "
            "QueryParameters(**dictionary) makes them from a dictionary"
        )
