"""Short vectors over a binary field as lists of elements: the end of the batch check's halvings.

A bit-sliced vector (`ipa.sharing.verification.sliced_vector`) costs some thousand Python operations
for a product, however short it is. A short one is faster as a list, with the bits of an element a byte
apart: the product of two such integers counts in each byte how often a power of x occurs, 64 times at
most, and the lowest bit of the count is the coefficient. The counts of several products may be added
by XOR, since only their lowest bits matter.
"""

from collections.abc import Sequence

from ipa.sharing.verification.binary_field import BinaryField

_BITS = int.from_bytes(
    b"\x01" * 127, "big"
)  # a product of two elements has 2 * 64 - 1 coefficients
_DIGITS = int.from_bytes(b"0" * 127, "big")


def add(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """a + b, which is also a - b."""
    return [left ^ right for left, right in zip(a, b, strict=True)]


def inner_product(field: BinaryField, a: Sequence[int], b: Sequence[int]) -> int:
    """sum_c a_c b_c."""
    counts = 0
    for left, right in zip(a, b, strict=True):
        counts ^= _apart(left) * _apart(right)
    digits = (counts & _BITS | _DIGITS).to_bytes(127, "big")
    return field.reduce(int(digits, 2))


def fold(field: BinaryField, low: Sequence[int], high: Sequence[int], point: int) -> list[int]:
    """The multilinear extension along the halved variable at `point`: low + point (low + high)."""
    return add(low, field.scale_each(add(low, high), point))


def _apart(element: int) -> int:
    """The bits of an element, a byte apart."""
    return int.from_bytes(f"{element:b}".encode(), "big") & _BITS
