"""Which buckets of a privacy budget a measurement touches.

A bucket is a day, a group of people and a slice of the circle on which persons are sampled: disjoint
buckets hold disjoint data, so that each has a budget of its own, which is kept in
`ipa.budget.bucket_ledger`.
"""

from collections.abc import Iterable

from ipa.budget.bucket_ledger import Bucket
from ipa.halo.registers import SamplingInterval
from ipa.ranges import check_integer

DEFAULT_SLICES = 300
"""Into how many slices the circle of persons is cut: a measurement pays for each that it touches."""

EVERYONE = "everyone"
"""All people as one group, where no finer ones are told apart."""

MAX_BUCKETS = 1_000_000
"""A measurement that touches more is refused: it would ask for the days of years."""


def buckets_of(
    consumer: str,
    days: tuple[int, int],
    interval: SamplingInterval,
    people: Iterable[str] = (EVERYONE,),
    slices: int = DEFAULT_SLICES,
) -> frozenset[Bucket]:
    """Every bucket that a measurement of these days and this sampling interval touches.

    A slice that is only partly sampled is touched. An interval that wraps touches both ends.

    `people` are the groups that are asked about.

    Raises: ParameterError for days that are no interval, or too many buckets.
    """
    first, last = days
    check_integer("slices", slices, 1)
    check_integer("the first day", first, 0)
    check_integer("the last day", last, first)
    low, high = interval.start * slices, (interval.start + interval.width) * slices
    touched = {
        number % slices for number in range(int(low), -(-high.numerator // high.denominator))
    }
    groups = tuple(people)
    check_integer("buckets", (last - first + 1) * len(groups) * len(touched), 0, MAX_BUCKETS)
    return frozenset(
        Bucket(consumer, day, group, number)
        for day in range(first, last + 1)
        for group in groups
        for number in touched
    )
