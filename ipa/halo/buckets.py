"""A privacy budget per measurement consumer and bucket of people and time, in memory.

A bucket is a day, a group of people and a slice of the circle on which persons are sampled: disjoint
buckets hold disjoint data, so that each has a budget of its own. A charge takes epsilon and delta
from every bucket that a measurement touches, or from none. What is spent adds up (sequential
composition). A charge is never taken back, and a reference is charged once only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from ipa.errors import BudgetError
from ipa.halo.noise import PrivacyParameters
from ipa.halo.registers import SamplingInterval
from ipa.ranges import check_integer

DEFAULT_SLICES = 300
"""Into how many slices the circle of persons is cut: a measurement pays for each that it touches."""

EVERYONE = "everyone"
"""The group of all people, where no finer groups are told apart."""


@dataclass(frozen=True, order=True)
class Bucket:
    """What one consumer may learn about the people of a group and slice on one day."""

    consumer: str
    day: int
    group: str
    slice: int


@dataclass(frozen=True)
class Charge:
    """What a measurement costs, in each of its buckets."""

    buckets: frozenset[Bucket]
    epsilon: Fraction
    delta: Fraction


def buckets_of(
    consumer: str,
    days: tuple[int, int],
    interval: SamplingInterval,
    groups: Iterable[str] = (EVERYONE,),
    slices: int = DEFAULT_SLICES,
) -> frozenset[Bucket]:
    """Every bucket that a measurement of these days and this sampling interval touches.

    A slice that is only partly sampled is touched. An interval that wraps touches both ends.

    Raises: ParameterError for days that are no interval.
    """
    first, last = days
    check_integer("slices", slices, 1)
    check_integer("the first day", first, 0)
    check_integer("the last day", last, first)
    low, high = interval.start * slices, (interval.start + interval.width) * slices
    touched = {
        number % slices for number in range(int(low), -(-high.numerator // high.denominator))
    }
    return frozenset(
        Bucket(consumer, day, group, number)
        for day in range(first, last + 1)
        for group in groups
        for number in touched
    )


class BucketLedger:
    """What every bucket may spend, and who has spent what. Any number of consumers share it."""

    def __init__(self, granted: PrivacyParameters) -> None:
        self.granted = granted
        self._charges: dict[str, Charge] = {}
        self._spent: dict[Bucket, tuple[Fraction, Fraction]] = {}

    def charge(self, reference: str, charge: Charge) -> None:
        """Take the charge from all of its buckets.

        A reference that was charged before is refused, and not taken for paid: noise drawn again
        costs again.

        Raises: BudgetError, with nothing taken, when one of them has too little left.
        """
        if reference in self._charges:
            raise BudgetError(
                f"{reference} was charged already; another run needs another reference"
            )
        after = {}
        for bucket in charge.buckets:
            epsilon, delta = self.spent(bucket)
            epsilon, delta = epsilon + charge.epsilon, delta + charge.delta
            if epsilon > self.granted.epsilon or delta > self.granted.delta:
                raise BudgetError(
                    f"{reference} asks for more than {bucket.consumer} has left on day {bucket.day} "
                    f"for group {bucket.group}, slice {bucket.slice}"
                )
            after[bucket] = (epsilon, delta)
        self._spent.update(after)
        self._charges[reference] = charge

    def spent(self, bucket: Bucket) -> tuple[Fraction, Fraction]:
        """Epsilon and delta that the bucket has spent."""
        return self._spent.get(bucket, (Fraction(0), Fraction(0)))

    def charges(self) -> dict[str, Charge]:
        """Every charge by its reference, in the order of charging."""
        return dict(self._charges)
