"""What noise may be asked for: the ranges of its parameters beside those of a query.

The ranges go together: `tests/noise/test_choice.py` shows that for every corner of them digits and
precision exist that keep the promise.
"""

from ipa.parameters import MAX_FIELD_BITS

MAX_CAP = (1 << MAX_FIELD_BITS) - 1
"""The largest cap of a query."""

MAX_SENSITIVITY = 2 * MAX_CAP
"""The largest sensitivity: that of replacing one person by another, see `ipa.noise.accounting`."""

MAX_DIGITS = 96
"""The most binary digits of a geometric variable."""

MAX_PRECISION = 256
"""The most random bits behind one digit."""
