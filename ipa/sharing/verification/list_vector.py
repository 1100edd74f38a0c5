"""Vectors over a prime field as plain lists: the local part of the batch check of its products."""

from collections.abc import Sequence

from ipa.sharing.rings import Ring


def inner_product(field: Ring, a: Sequence[int], b: Sequence[int]) -> int:
    """sum_c a_c b_c."""
    total = 0
    for left, right in zip(a, b, strict=True):
        total = field.add(total, field.multiply(left, right))
    return total


def halves(vector: Sequence[int]) -> tuple[list[int], list[int]]:
    """The lower and the upper half by index; the upper half is padded with a zero when odd."""
    half = (len(vector) + 1) // 2
    low, high = list(vector[:half]), list(vector[half:])
    return low, high + [0] * (half - len(high))


def fold(field: Ring, low: Sequence[int], high: Sequence[int], point: int) -> list[int]:
    """The multilinear extension along the halved variable at `point`: low + point (high - low)."""
    return [
        field.add(a, field.multiply(point, field.subtract(b, a)))
        for a, b in zip(low, high, strict=True)
    ]
