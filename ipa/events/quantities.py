"""Amounts of money and points in time as the whole numbers that a query computes with.

A reader gives the number, or what is wrong with the value in words that never quote it. Nothing is
rounded but time, which is rounded down to a whole step, as a clock does.
"""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from numbers import Integral, Rational, Real
from typing import Any

from ipa.errors import ParameterError
from ipa.events.field_values import is_absent

_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_EXACT_FLOATS = 1 << 53
"""Below this every integer has a float of its own."""


def exact_decimal(name: str, value: object) -> Decimal:
    """A step or a limit that a caller gives, as a decimal above 0: text, an int or a Decimal.

    Raises: ParameterError for anything else. A float is refused: the float 0.01 is not one hundredth.
    """
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
        raise ParameterError(
            f"{name} must be a Decimal, an int or text such as '0.01', above 0, not {value!r:.40}"
        )
    return value


def whole_steps(value: object, step: Decimal) -> int | str:
    """How many steps an amount is, or what is wrong with it.

    A float stands for the decimal that it is shown as: the float 19.99 is 1999 steps of 0.01, and the
    float 0.1 + 0.2, which is shown as 0.30000000000000004, is refused as it is no whole number of them.
    """
    exact = _exact(value)
    if isinstance(exact, str):
        return exact
    steps = exact / Fraction(step)
    if steps.denominator != 1:
        places = max(0, -int(step.normalize().as_tuple().exponent))
        return f"must be a whole number of steps of {step}: round the column to {places} places"
    if steps < 0:
        return "must not be negative"
    return int(steps)


def _exact(value: object) -> Fraction | str:
    if is_absent(value):
        return "is missing"
    if isinstance(value, str):
        return Fraction(value) if _DECIMAL.fullmatch(value) else "must be a decimal, such as 19.99"
    if isinstance(value, Decimal):
        return Fraction(value) if value.is_finite() else "must be finite"
    if isinstance(value, bool) or not isinstance(value, Real):
        return "must be a number"
    if isinstance(value, Integral):
        return Fraction(int(value))
    if isinstance(value, Rational):
        return Fraction(value)
    if not isfinite(value):
        return "must be finite"
    if abs(float(value)) >= _EXACT_FLOATS:
        return "is a float so large that it may have been rounded: make it a Decimal"
    # What the number is shown as, in its own precision: NumPy's float32 has shorter decimals.
    return Fraction(str(value))


def steps_since(value: Any, start: datetime, step: timedelta) -> int | str:
    """How many whole steps after `start` a time is, or what is wrong with it.

    A time is a datetime or a date, which is its midnight, also of pandas or NumPy. Either both times
    have a time zone or none of them has.
    """
    if is_absent(value):
        return "is missing"
    if type(value).__name__ == "datetime64":
        value = value.astype("datetime64[us]").item()
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        return "must be a datetime: pandas.to_datetime, for one, makes it of text"
    has_zone = value.utcoffset() is not None
    if has_zone != (start.utcoffset() is not None):
        return f"has {'a' if has_zone else 'no'} time zone, and start has {'none' if has_zone else 'one'}"
    steps = int((value - start) // step)
    return steps if steps >= 0 else "is before start"
