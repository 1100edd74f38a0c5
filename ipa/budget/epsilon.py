"""Epsilon as an exact number.

Epsilon is never a float: a thousand charges of the float 0.001 do not add up to 1. It is a
`fractions.Fraction` in memory, a whole number of millionths in the ledger and a decimal in text;
whatever is not a whole number of millionths is refused, not rounded (SPEC_NOTES: epsilon-unit).
"""

import re
import reprlib
from fractions import Fraction

from ipa.errors import ParameterError

MICRO_PER_EPSILON = 1_000_000
"""Epsilon is counted in units of 10^-6."""


MAX_EPSILON = 1_000_000
"""The largest epsilon; far above any that protects anybody, and its sums fit 64 bits."""


_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")


def exact_epsilon(value: str | int | Fraction) -> Fraction:
    """Epsilon as an exact number: above 0, at most MAX_EPSILON, a whole number of millionths.

    Text is a plain decimal such as "0.25": no sign, exponent or fraction bar. Floats are refused,
    because the float 0.1 is not one tenth.

    Raises: ParameterError for anything else.
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
