"""What circuits and steps cost, as their docstrings say, computed apart from them: rounds and AND gates."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ipa.parameters import bits_for
from ipa.protocols.circuits import addition as addition_circuit
from ipa.protocols.circuits.bitonic_sort import bitonic_sort_gates
from ipa.protocols.circuits.comparison import first_difference_gates

Formula = tuple[int, int]
"""Rounds, and AND gates per row (or in all)."""


@contextmanager
def rows_are_many_from(rows: int) -> Iterator[None]:
    """As if so many rows were many: the circuits that take many rows on as few as tests have."""
    before = addition_circuit.MANY_ROWS
    addition_circuit.MANY_ROWS = rows
    try:
        yield
    finally:
        addition_circuit.MANY_ROWS = before


def are_many(rows: int) -> bool:
    """Whether fewer gates are worth more rounds."""
    return rows >= addition_circuit.MANY_ROWS


def log2(number: int) -> int:
    """ceil(log2 number), for numbers from 1."""
    return (number - 1).bit_length()


def addition(width: int, rows: int = 0) -> Formula:
    """One product per column but the last; with few rows then Sklansky's network over those columns."""
    m = width - 1
    if m < 1:
        return 0, 0
    if are_many(rows):
        return m, m
    gates, distance = m, 1
    while distance < m:
        upper = [j for j in range(m) if j & distance]
        gates += len(upper) + sum(j >= 2 * distance for j in upper)
        distance *= 2
    return 1 + log2(m), gates


def several(count: int, width: int, rows: int = 0) -> Formula:
    """Three numbers become two in a round until two are left, which are added."""
    rounds, gates = 0, 0
    while count > 2:
        rounds, gates, count = rounds + 1, gates + count // 3 * width, count - count // 3
    last = addition(width, rows) if count == 2 else (0, 0)
    return rounds + last[0], gates + last[1]


def rows_summed(rows: int, numbers: int, digits: int, width: int) -> Formula:
    """As `several` over rows, whose width grows by a digit each time; gates in all."""
    rounds, gates, digits = 0, 0, min(digits, width)
    while rows > 2:
        gates += rows // 3 * digits * numbers
        rounds, rows, digits = rounds + 1, rows - rows // 3, min(width, digits + 1)
    last = addition(width, numbers) if rows == 2 else (0, 0)
    return rounds + last[0], gates + last[1] * numbers


def scan(rows: int, most: int, widths: list[int], taking: Callable[[int, int], Formula]) -> Formula:
    """Few rows in passes, many in pairs; gates in all.

    `widths` are those of a row's value before the first pass, before the second, and so on, up to that of
    the result; `taking` of rows and a width is what it takes to take in a neighbour's value, per row.
    """
    if most < 2:
        return 0, 0
    own, *wider = widths
    final = widths[-1]
    if not are_many(rows):
        one, rest = taking(rows, wider[0]), scan(rows, (most + 1) // 2, wider, taking)
        return 1 + one[0] + rest[0], rows * (own + 1 + one[1]) + rest[1]
    pairs, groups = (rows + 1) // 2, (most + 1) // 2
    joining, spreading = taking(pairs, wider[0]), taking(pairs, final)
    joined = (1 + joining[0], pairs * (own + (groups > 1) + joining[1]))
    of_pairs = final if groups > 1 else wider[0]
    spread = (1 + spreading[0], pairs * (of_pairs + spreading[1]))
    return plus(joined, scan(pairs, groups, wider, taking), spread)


def totals(rows: int, most: int, bits: int, width: int) -> Formula:
    """Running totals of values of some bits, in numbers of some width; gates in all."""
    widths = [min(width, bits + k) for k in range(1 + log2(max(1, most)))]
    return scan(rows, most, widths, lambda rows, wide: addition(wide, rows))


def saturating(rows: int, most: int, width: int, limit_bits: int) -> Formula:
    """The bits above are one; in each step so are two such bits and the carry."""
    above = width - limit_bits

    def taking(rows: int, wide: int) -> Formula:
        return plus(addition(wide, rows), (2, 2))

    steps = scan(rows, most, [limit_bits + 1] * (1 + log2(max(1, most))), taking)
    return plus((log2(above), rows * (above - 1)), steps)


def copies(rows: int, most: int, width: int) -> Formula:
    """A copy is taken in without more gates."""
    return scan(rows, most, [width] * (1 + log2(max(1, most))), lambda rows, wide: (0, 0))


def nearest(rows: int, width: int) -> Formula:
    """Two products to begin with, then copies of the value and of whether there is one."""
    return plus((2, rows * (1 + width)), copies(rows, rows, width + 1))


def division(quotient_bits: int, width: int, rows: int = 0) -> Formula:
    one = addition(width + 1, rows)
    return quotient_bits * one[0], quotient_bits * one[1]


def remainder(width: int, rows: int = 0) -> Formula:
    """The divisor once more where the remainder is negative."""
    return plus((1, width), addition(width, rows))


def excess(width: int, limit: int) -> Formula:
    """The bits above the limit's, or a comparison with its bits above the lowest zero."""
    top = limit.bit_length()
    ignored = (limit ^ (limit + 1)).bit_length() - 1
    if limit >= (1 << width) - 1:
        return 0, 0
    above = width - top
    if ignored == top:
        return log2(above), above - 1
    below = top - ignored
    return log2(below) + log2(above + 1), first_difference_gates(below) + above


def sorting(rows: int, key_bits: int, width: int) -> Formula:
    k = log2(rows)
    return k * (k + 1) // 2 * (1 + log2(key_bits)), bitonic_sort_gates(rows, key_bits, width)


def attribution(rows: int, value_bits: int, most: int | None = None) -> Formula:
    """Links, totals, and the mask of source rows."""
    most = rows if most is None else min(rows, most)
    width = bits_for(most * ((1 << value_bits) - 1))
    return plus((2, rows * (1 + width)), totals(rows, most, value_bits, width))


def plus(*formulas: Formula) -> Formula:
    return sum(rounds for rounds, _ in formulas), sum(gates for _, gates in formulas)


def capping(rows: int, most: int, width: int, cap: int, proportional: bool) -> Formula:
    if cap >= (1 << width) - 1:
        return 0, 0
    c = bits_for(cap)
    growth = plus((1, c), addition(c, rows), (1, c))  # less the row before, and the choice
    if not proportional:
        narrow = min(width, c + 1)
        scanned = totals(rows, most, width, width)
        if width > c + 1:
            scanned = saturating(rows, most, width, c)
        return plus(scanned, times(rows, plus(excess(narrow, cap), growth)))
    product = several(cap.bit_count(), width + c, rows)
    each = plus(product, division(c, width, rows), excess(width, cap), growth)
    return plus(totals(rows, most, width, width), copies(rows, most, width), times(rows, each))


def one_hot(rows: int, breakdowns: int, key_bits: int, width: int, wide: int) -> Formula:
    routed, kept = 0, 1
    for level in reversed(range(key_bits)):
        routed, kept = routed + kept * width, min(2 * kept, -(-breakdowns // (1 << level)))
    rounds, gates = rows_summed(rows, breakdowns, width, wide)
    return key_bits + rounds, rows * routed + gates


def by_sorting(rows: int, breakdowns: int, key_bits: int, width: int, wide: int) -> Formula:
    total = 1 << log2(rows + breakdowns)
    difference = addition(wide, breakdowns)
    return plus(
        sorting(total, key_bits + 1, key_bits + 1 + width),
        sorting(total, key_bits + 1, key_bits + 1 + wide),
        totals(total, total, width, wide),
        (difference[0], difference[1] * breakdowns),
    )


def times(rows: int, formula: Formula) -> Formula:
    """Gates per row become gates in all."""
    return formula[0], formula[1] * rows
