"""What noise may be asked for: the ranges of its public parameters, and their checks.

The ranges go together: `tests/noise/test_choice.py` shows that for every corner of them digits and
precision exist that keep the promise.
"""

from fractions import Fraction

from ipa.errors import ParameterError
from ipa.parameters import MAX_FIELD_BITS

MIN_EPSILON = Fraction(1, 10**6)
"""The smallest epsilon: the unit in which budgets are counted (SPEC_NOTES: epsilon-unit)."""

MAX_EPSILON = 64
"""The largest epsilon of one query; a likelihood ratio of e^64 protects nobody."""

MAX_CAP = (1 << MAX_FIELD_BITS) - 1
"""The largest cap of a query."""

MAX_SENSITIVITY = 2 * MAX_CAP
"""The largest sensitivity: that of replacing one person by another, see `ipa.noise.accounting`."""

MAX_DIGITS = 96
"""The most binary digits of a geometric variable."""

MAX_PRECISION = 256
"""The most random bits behind one digit."""

MIN_DELTA = Fraction(1, 1 << 128)
"""The smallest delta that may be asked for."""


def check_integer(name: str, value: object, low: int, high: int) -> None:
    """Raise ParameterError unless `value` is an integer from `low` to `high`."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ParameterError(f"{name} must be an integer from {low} to {high}, not {value!r}")


def exact_fraction(name: str, value: object, low: Fraction, high: int) -> Fraction:
    """`value` as a fraction from `low` to `high`.

    A float is refused: the float 0.1 is not one tenth, and a promise must say what it means.

    Raises: ParameterError for anything but an int or a Fraction in the range.
    """
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise ParameterError(f"{name} must be an int or a Fraction, not {value!r}")
    if not low <= value <= high:
        raise ParameterError(f"{name} must be from {low} to {high}, not {value}")
    return Fraction(value)
