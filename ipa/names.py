"""What sites, parties, networks, epochs and queries are called: one rule for reports and ledger."""

import reprlib
import unicodedata
from typing import Protocol

from ipa.errors import ParameterError

MAX_NAME_BYTES = 255


class Named(Protocol):
    """A helper party network, as far as whoever only needs its name is concerned."""

    @property
    def name(self) -> str:
        """The name of the network in this run."""


def name_of(network: Named | str) -> str:
    """The name of a helper party network, from the network or from the name itself.

    Raises: ParameterError for anything else.
    """
    name = network if isinstance(network, str) else getattr(network, "name", None)
    if not isinstance(name, str):
        raise ParameterError(
            f"a helper party network or its name is wanted, not a {type(network).__name__}"
        )
    return name


MAX_EPOCH = (1 << 32) - 1
"""The last epoch: what encrypted match keys have room for."""


def check_identifier(field: str, value: object) -> None:
    """Check that `value` can name a site, a party, a network or a query.

    A name is 1 to 255 bytes of UTF-8. Every character is printable and none of them is a space. The
    first is a letter or digit, so that an exported table cannot be read as a spreadsheet formula. A
    name is in lower case and in Unicode normalization form C, so that it has one spelling and one
    budget. Names are compared byte for byte. Letters of two scripts can still look alike: which names
    are given out is for the registries of domains to rule, and for the helpers when they accept a
    commitment.

    Raises: ParameterError for anything else.
    """
    if not is_identifier(value):
        raise ParameterError(
            f"{field} must be 1 to {MAX_NAME_BYTES} bytes of printable lower-case text without "
            "spaces, in Unicode normalization form C, the first a letter or digit, "
            f"not {reprlib.repr(value)}"
        )


def is_identifier(value: object) -> bool:
    """Whether `check_identifier` accepts the value."""
    return (
        isinstance(value, str)
        and value.isprintable()  # no lone surrogates either: it can be encoded
        and " " not in value
        and 1 <= len(value.encode()) <= MAX_NAME_BYTES
        and value[0].isalnum()
        and value == value.lower()
        and unicodedata.is_normalized("NFC", value)
    )
