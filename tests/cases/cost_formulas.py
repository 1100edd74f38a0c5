"""What circuits and steps cost, as their docstrings say, computed apart from them: rounds and AND gates."""

from ipa.parameters import bits_for
from ipa.protocols.circuits.bitonic_sort import bitonic_sort_gates
from ipa.protocols.circuits.comparison import first_difference_gates

Formula = tuple[int, int]
"""Rounds, and AND gates per row (or in all)."""


def log2(number: int) -> int:
    """ceil(log2 number), for numbers from 1."""
    return (number - 1).bit_length()


def addition(width: int) -> Formula:
    """One product per column but the last; then Sklansky's network over those columns."""
    m = width - 1
    if m < 1:
        return 0, 0
    gates, distance = m, 1
    while distance < m:
        upper = [j for j in range(m) if j & distance]
        gates += len(upper) + sum(j >= 2 * distance for j in upper)
        distance *= 2
    return 1 + log2(m), gates


def several(count: int, width: int) -> Formula:
    """Three numbers become two in a round until two are left, which are added."""
    rounds, gates = 0, 0
    while count > 2:
        rounds, gates, count = rounds + 1, gates + count // 3 * width, count - count // 3
    last = addition(width) if count == 2 else (0, 0)
    return rounds + last[0], gates + last[1]


def rows_summed(rows: int, numbers: int, digits: int, width: int) -> Formula:
    """As `several` over rows, whose width grows by a digit each time; gates in all."""
    rounds, gates, digits = 0, 0, min(digits, width)
    while rows > 2:
        gates += rows // 3 * digits * numbers
        rounds, rows, digits = rounds + 1, rows - rows // 3, min(width, digits + 1)
    last = addition(width) if rows == 2 else (0, 0)
    return rounds + last[0], gates + last[1] * numbers


def passes(rows: int, width: int) -> Formula:
    """A scan's passes: one round and w + 1 gates each, and an addition."""
    one = addition(width)
    return log2(rows) * (1 + one[0]), log2(rows) * (width + 1 + one[1])


def nearest(rows: int, width: int) -> Formula:
    """Two products to begin with, then a round and w + 2 gates for each pass."""
    return 2 + log2(rows), 1 + width + log2(rows) * (width + 2)


def division(quotient_bits: int, width: int) -> Formula:
    one = addition(width + 1)
    return quotient_bits * (1 + one[0]), quotient_bits * (width + one[1])


def sorting(rows: int, key_bits: int, width: int) -> Formula:
    k = log2(rows)
    return k * (k + 1) // 2 * (1 + log2(key_bits)), bitonic_sort_gates(rows, key_bits, width)


def attribution(rows: int, value_bits: int) -> Formula:
    """Links; per pass the flag, stop and credit taken, an addition; the mask of source rows."""
    rounds, gates, width, distance = 2, 1, value_bits, 1
    while distance < rows:
        wider = bits_for(min(rows, 2 * distance) * ((1 << value_bits) - 1))
        one = addition(wider)
        rounds, gates = rounds + 2 + one[0], gates + 1 + 1 + width + one[1]
        width, distance = wider, 2 * distance
    return rounds, gates + width


def plus(*formulas: Formula) -> Formula:
    return sum(rounds for rounds, _ in formulas), sum(gates for _, gates in formulas)


def capping(rows: int, width: int, cap: int, proportional: bool) -> Formula:
    if cap >= (1 << width) - 1:
        return 0, 0
    c, comparison = bits_for(cap), (log2(width + 1), first_difference_gates(width + 1))
    totals = passes(rows, width)
    if proportional:
        last = log2(rows), log2(rows) * (width + 1)
        product = several(cap.bit_count(), width + c)
        kept = plus((1, c), addition(c), (1, c))  # less the row before, or the credit as it is
        return plus(totals, last, product, division(c, width), comparison, kept)
    twice = comparison[0], 2 * comparison[1]  # the totals before and after a row in one go
    return plus(totals, addition(width), twice, (1, 2 * c), addition(c))


def one_hot(rows: int, breakdowns: int, key_bits: int, width: int, wide: int) -> Formula:
    routed, kept = 0, 1
    for level in reversed(range(key_bits)):
        routed, kept = routed + kept * width, min(2 * kept, -(-breakdowns // (1 << level)))
    rounds, gates = rows_summed(rows, breakdowns, width, wide)
    return key_bits + rounds, rows * routed + gates


def by_sorting(rows: int, breakdowns: int, key_bits: int, width: int, wide: int) -> Formula:
    total = 1 << log2(rows + breakdowns)
    scan, difference = passes(total, wide), addition(wide)
    return plus(
        sorting(total, key_bits + 1, key_bits + 1 + width),
        sorting(total, key_bits + 1, key_bits + 1 + wide),
        (scan[0], scan[1] * total),
        (difference[0], difference[1] * breakdowns),
    )


def times(rows: int, formula: Formula) -> Formula:
    """Gates per row become gates in all."""
    return formula[0], formula[1] * rows
