"""What a field of an event may be given as: text of a file, a notebook's objects, a data frame's cells.

A data frame makes floats of integers where a column has gaps, and has integers and gaps of its own
types. They are told by what they do, so that no data frame library is needed here. A reader gives the
integer, or what is wrong with the value in words that never quote it.
"""

from datetime import date
from numbers import Integral, Rational, Real

from ipa.parameters import MAX_MATCH_KEY_BITS
from ipa.ranges import is_integer

TOO_LARGE = 1 << MAX_MATCH_KEY_BITS
"""What text of more digits than any field has stands for."""

_MAX_DIGITS = len(str(TOO_LARGE))
_MISSING_TYPES = ("NAType", "NaTType")
_DATES = ("Timestamp", "datetime64")
_EXACT_FLOATS = {2: 1 << 11, 4: 1 << 24, 8: 1 << 53}
"""By bytes of a float: below this every integer has a float of its own."""
_UNITS = (
    (10**11, 10**14, "milliseconds"),
    (10**14, 10**17, "microseconds"),
    (10**17, 1 << 63, "nanoseconds"),
)


def is_absent(value: object) -> bool:
    """Whether a value stands for none: None, "", NaN, or a data frame's NA and NaT."""
    if value is None or type(value).__name__ in _MISSING_TYPES:
        return True
    if isinstance(value, str):
        return value == ""
    if isinstance(value, Real) or type(value).__name__ in _DATES:
        return bool(value != value)  # only NaN, and the NaT of NumPy, differ from themselves
    return False


def integer_from_object(value: object) -> int | str:
    """The integer from 0 that an object stands for, or what is wrong with it.

    Integers are `int`, those of NumPy, and floats without a fraction, as long as a float is sure to be
    the integer that was meant.
    """
    expected = "must be an int from 0"
    if is_absent(value) or isinstance(value, bool):
        return expected
    if isinstance(value, date) or type(value).__name__ in _DATES:
        return f"{expected}: seconds since 1970, not a date"
    if isinstance(value, Integral):
        integer = int(value)
    elif isinstance(value, Real) and not isinstance(value, Rational):
        number = float(value)
        if not number.is_integer():
            return expected
        integer = int(number)
        size = getattr(getattr(value, "dtype", None), "itemsize", 8)
        if integer >= _EXACT_FLOATS.get(size, 1 << 53):
            return f"{expected}: a float this large may have been rounded, so make it an integer"
    else:
        return expected
    return integer if integer >= 0 else expected


def integer_from_text(value: object) -> int | str:
    """The integer that decimal digits stand for, or what is wrong with the text."""
    # isdigit alone takes other scripts' digits; int alone takes signs, blanks and underscores, and
    # refuses thousands of digits in its own way, after quadratic work.
    if not (isinstance(value, str) and value.isdigit() and value.isascii()):
        return "must be a decimal integer from 0, digits only"
    digits = value.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MAX_DIGITS else TOO_LARGE


def range_problem(field: str, value: object, largest: int) -> str:
    """What is wrong with a value that is no integer from 0 to `largest`.

    A time in a smaller unit than seconds is recognised by its size: as seconds it would be thousands of
    years from now.
    """
    shown = str(largest) if largest < 1 << 32 else f"2**{largest.bit_length()} - 1"
    problem = f"must be an integer from 0 to {shown}"
    if field == "timestamp" and is_integer(value, largest + 1):
        for low, high, unit in _UNITS:
            if is_integer(value, low, high - 1):
                return f"{problem}: these look like {unit} since 1970, and timestamps are seconds"
    return problem
