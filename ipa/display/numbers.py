"""Numbers as they are read: thousands apart, few digits."""

from decimal import Decimal
from fractions import Fraction


def count(number: int) -> str:
    """A whole number with its thousands apart."""
    return f"{number:,}"


def amount(number: Decimal | int) -> str:
    """An amount with all its digits, and its thousands apart."""
    return f"{number:,f}" if isinstance(number, Decimal) else count(number)


def seconds(number: float) -> str:
    """A time in seconds, to the millisecond."""
    return f"{number:,.3f}"


def decimal(number: Fraction | float | int) -> str:
    """A few digits of a number that need not be whole, or all before the point."""
    value = float(number)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def plural(number: int, what: str) -> str:
    """How many there are of something."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
