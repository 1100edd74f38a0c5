"""What a report collector asks a helper party beside its stream, in bytes and as text."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction

from ipa.client.encoding import encode_opaque, encode_string
from ipa.errors import ParameterError
from ipa.names import check_identifier
from ipa.parameters import MAX_MATCH_KEY_BITS, QueryParameters
from ipa.ranges import check_integer, fraction_from_text, integer_from_text

_LABEL = b"ipa v1 asked"
_COMPRESSED = "compressed_match_key_bits"
_FRACTIONS = ("epsilon", "delta")
_CHOICES = ("capping", "aggregate", "attribution", "mechanism", "sort", "security")

# Set by the helpers when they compress match keys, and never asked for.
_NOT_ASKED = "match_keys_can_collide"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One query, as one helper party was asked it; the others must have been asked the same.

    Raises: ParameterError for an ID or a submitter that is no name, or a width out of range.
    """

    query_id: str
    submitter: str
    parameters: QueryParameters
    compressed_match_key_bits: int | None = None

    def __post_init__(self) -> None:
        check_identifier("query_id", self.query_id)
        check_identifier("submitter", self.submitter)
        if self.compressed_match_key_bits is not None:
            check_integer(_COMPRESSED, self.compressed_match_key_bits, 1, MAX_MATCH_KEY_BITS)

    def digest(self) -> bytes:
        """What helper parties compare before they start: 32 bytes (SPEC_NOTES: services)."""
        return hashlib.sha256(
            _LABEL
            + encode_string(self.query_id)
            + encode_string(self.submitter)
            + encode_opaque(self.parameters.to_bytes())
            + (self.compressed_match_key_bits or 0).to_bytes(2, "big")
        ).digest()


def asked_to_text(asked: Asked) -> dict[str, str]:
    """The parameters by name, those that are None left out, for the query string of a request."""
    given = vars(asked.parameters) | {_COMPRESSED: asked.compressed_match_key_bits}
    return {
        name: str(value)
        for name, value in given.items()
        if value is not None and name != _NOT_ASKED
    }


def asked_from_text(query_id: str, submitter: str, given: Mapping[str, str]) -> Asked:
    """The inverse; parameters that are left out have their default.

    Raises: ParameterError that names the parameter: an unknown one, one that is missing, and what
        `QueryParameters` refuses.
    """
    known = {field.name for field in fields(QueryParameters)} - {_NOT_ASKED} | {_COMPRESSED}
    for name in given:
        if name not in known:
            raise ParameterError(f"there is no parameter {name!r:.40}")
    for name in ("breakdowns", "cap"):
        if name not in given:
            raise ParameterError(f"the parameter {name} is missing")
    values = {name: _value(name, text) for name, text in given.items()}
    compressed = values.pop(_COMPRESSED, None)
    return Asked(
        query_id=query_id,
        submitter=submitter,
        parameters=QueryParameters(**values),  # type: ignore[arg-type]
        compressed_match_key_bits=compressed,  # type: ignore[arg-type]
    )


def _value(name: str, text: str) -> int | str | Fraction:
    if name in _CHOICES:
        return text
    if name in _FRACTIONS:
        return fraction_from_text(name, text)
    return integer_from_text(name, text)
