"""The one check of numbers from outside: sizes, widths, epochs, counts, shares, epsilons."""

import re
from fractions import Fraction

from ipa.errors import ParameterError

_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,40})?(e-[0-9]{1,2})?")
_FRACTION = re.compile(r"[0-9]{1,40}/0*[1-9][0-9]{0,39}")
_INTEGER = re.compile(r"[0-9]{1,20}")


def is_integer(value: object, low: int, high: int | None = None) -> bool:
    """Whether `value` is an integer from `low` to `high`, or at least `low`.

    A bool is no integer here, although Python says it is one.
    """
    return type(value) is int and low <= value and (high is None or value <= high)


def check_integer(name: str, value: object, low: int, high: int | None = None) -> None:
    """Check that a public value is an integer from `low` to `high`, or at least `low`.

    Raises: ParameterError, which names the value, its range and what it was instead.
    """
    if not is_integer(value, low, high):
        raise ParameterError(f"{name} must be {integer_range(low, high)}, not {_shown(value)}")


def check_secret_integer(name: str, value: object, low: int, high: int | None = None) -> None:
    """The same for a value that must not be quoted.

    Raises: ParameterError, which names the value and its range.
    """
    if not is_integer(value, low, high):
        raise ParameterError(f"{name} must be {integer_range(low, high)}")


def _shown(value: object) -> str:
    """The value in few characters; Python refuses to print an integer of thousands of digits."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"one of {value.bit_length()} bits"
    shown = str(value) if isinstance(value, Fraction) else repr(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."


def integer_range(low: int, high: int | None = None) -> str:
    """The range in words; a large bound is shown as the power of two that it is."""
    if high is None:
        return f"an integer of at least {low}"
    is_power = high >= 1 << 32 and high & (high + 1) == 0
    return f"an integer from {low} to {f'2**{high.bit_length()} - 1' if is_power else high}"


def exact_fraction(name: str, value: object, low: Fraction, high: int) -> Fraction:
    """`value` as a fraction from `low` to `high`.

    A float is refused: the float 0.1 is not one tenth, and a promise must say what it means.

    Raises: ParameterError for anything but an int or a Fraction in the range.
    """
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise ParameterError(f"{name} must be an int or a Fraction, not {_shown(value)}")
    if not low <= value <= high:
        raise ParameterError(f"{name} must be from {low} to {high}, not {_shown(value)}")
    return Fraction(value)


def fraction_from_text(name: str, text: str) -> Fraction:
    """The exact number that a decimal stands for, such as 0.1 for one tenth, or a fraction as 1/3.

    Raises: ParameterError, which names the value, for anything else; whatever divides by zero, too.
    """
    if not (_DECIMAL.fullmatch(text) or _FRACTION.fullmatch(text)):
        raise ParameterError(
            f"{name} must be a decimal such as 0.5 or 1e-9, or a fraction such as 1/2, "
            f"not {_shown(text)}"
        )
    return Fraction(text)


def integer_from_text(name: str, text: str) -> int:
    """The integer that up to 20 decimal digits stand for.

    Raises: ParameterError, which names the value, for anything else.
    """
    if not _INTEGER.fullmatch(text):
        raise ParameterError(f"{name} must be decimal digits, not {_shown(text)}")
    return int(text)
