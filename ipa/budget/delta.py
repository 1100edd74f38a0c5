"""Delta as an exact number.

Like epsilon, delta is never a float. It is a `fractions.Fraction` in memory, a whole multiple of
10^-18 in the ledger and a decimal in text; whatever is not such a multiple is refused, not rounded
(SPEC_NOTES: epsilon-unit).
"""

import re
import reprlib
from fractions import Fraction

from ipa.errors import ParameterError

ATTO_PER_DELTA = 10**18
"""Delta is counted in units of 10^-18."""

MAX_DELTA = Fraction(1, 1_000)
"""The largest delta; far above any that protects anybody, and thousands of it fit 64 bits."""

DEFAULT_SITE_DELTA = Fraction(1, 10**6)
"""What a site has in an epoch, if nothing else is said."""

DEFAULT_SHARE_DELTA = Fraction(1, 10**7)
"""A report collector's share, if nothing else is said: a tenth of what a site has."""

_DECIMALS = 18
_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?(e-?[0-9]{1,2})?")


def exact_delta(value: str | int | Fraction) -> Fraction:
    """Delta as an exact number: from 0 to MAX_DELTA, a whole multiple of 10^-18.

    Text is a plain or scientific decimal such as "0.000001" or "1e-6": no sign in front and no
    fraction bar. Floats are refused, because the float 1e-6 is not one millionth.

    Raises: ParameterError for anything else.
    """
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise ParameterError(f"delta must be a decimal such as 1e-9, not {reprlib.repr(value)}")
    elif isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise ParameterError(
            "delta must be an exact number (decimal text, an int or a Fraction), "
            f"not a {type(value).__name__}"
        )
    delta = Fraction(value)
    if not 0 <= delta <= MAX_DELTA or ATTO_PER_DELTA % delta.denominator:
        raise ParameterError(
            f"delta must be from 0 to {delta_text(MAX_DELTA)}, in whole multiples of 1e-18"
        )
    return delta


def to_atto(delta: Fraction) -> int:
    """The exact delta as a whole number of units of 10^-18."""
    return int(delta * ATTO_PER_DELTA)


def from_atto(atto: int) -> Fraction:
    """The delta that is stored as a number of units of 10^-18."""
    return Fraction(atto, ATTO_PER_DELTA)


def delta_text(delta: Fraction) -> str:
    """An exact delta, or a sum of some, as the shortest decimal: 1/10^9 is "1e-9".

    The plain decimal is taken where the scientific one is no shorter: 0 is "0".
    """
    digits = str(to_atto(delta))
    whole, part = divmod(to_atto(delta), ATTO_PER_DELTA)
    plain = f"{whole}.{part:0{_DECIMALS}d}".rstrip("0").rstrip(".")
    fraction = digits[1:].rstrip("0")
    point = "." if fraction else ""
    scientific = f"{digits[0]}{point}{fraction}e{len(digits) - 1 - _DECIMALS}"
    return min(plain, scientific, key=len)
