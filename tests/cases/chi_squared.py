"""Whether draws fit a distribution."""

from collections import Counter
from collections.abc import Callable
from math import sqrt


def fits(drawn: list[int], mass: Callable[[int], float], low: int, high: int) -> bool:
    """Chi-squared over the values low to high, the rest in one cell, at about 1 in 1,000."""
    total = sum(mass(k) for k in range(-2000, 2001))
    cells = [mass(k) / total for k in range(low, high + 1)]
    cells.append(1 - sum(cells))
    counts = Counter(drawn)
    seen = [counts[k] for k in range(low, high + 1)]
    seen.append(len(drawn) - sum(seen))
    assert all(len(drawn) * cell > 5 for cell in cells[:-1])
    kept = [(s, len(drawn) * c) for s, c in zip(seen, cells, strict=True) if len(drawn) * c > 5]
    statistic = sum((s - e) ** 2 / e for s, e in kept)
    freedom = len(kept) - 1
    # Wilson and Hilferty's approximation of the quantile.
    return statistic < freedom * (1 - 2 / (9 * freedom) + 3.09 * sqrt(2 / (9 * freedom))) ** 3
