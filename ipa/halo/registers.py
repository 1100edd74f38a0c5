"""Registers of a population: which person has which, and which of them a measurement samples."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b

from ipa.errors import InputError, ParameterError
from ipa.halo.impressions import Impression
from ipa.ranges import exact_fraction


@dataclass(frozen=True)
class SamplingInterval:
    """The part [start, start + width) of the circle of length 1 that a measurement samples.

    Raises: ParameterError unless both are exact, 0 <= start < 1 and 0 < width <= 1.
    """

    start: Fraction = Fraction(0)
    width: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        for name in ("start", "width"):
            exact_fraction(f"{name} of a sampling interval", getattr(self, name), Fraction(0), 1)
        if self.start == 1 or not self.width:
            raise ParameterError("a sampling interval needs 0 <= start < 1 and 0 < width <= 1")

    def contains(self, point: Fraction) -> bool:
        """Whether a point of [0, 1) is sampled; the interval may wrap around 1."""
        return (point - self.start) % 1 < self.width

    def ranks(self, size: int) -> list[int]:
        """The ranks r of 0 to size - 1 with r / size sampled, in the order of the circle."""
        first, end = (_ceiling(at * size) for at in (self.start, self.start + self.width))
        return [rank % size for rank in range(first, end)]


WHOLE = SamplingInterval()


def rank_population(population: Iterable[str], key: bytes) -> dict[str, int]:
    """Each person's rank, from 0, by a hash under `key` that all data providers share.

    Ties cannot occur in practice (256-bit hashes) and are broken by the name. `key` has at most 64
    bytes.

    Raises: ParameterError for a person named twice.
    """
    persons = list(population)
    hashed = sorted((blake2b(p.encode(), key=key, digest_size=32).digest(), p) for p in persons)
    ranks = {person: rank for rank, (_, person) in enumerate(hashed)}
    if len(ranks) < len(persons):
        raise ParameterError("a population must name each person once")
    return ranks


def sampled_persons(ranks: Mapping[str, int], interval: SamplingInterval) -> list[str]:
    """The persons whose ranks the interval samples, in the order of their registers."""
    by_rank = sorted(ranks, key=ranks.__getitem__)
    return [by_rank[rank] for rank in interval.ranks(len(ranks))]


def frequency_vector(
    impressions: Iterable[Impression],
    registers: Sequence[str],
    max_frequency: int,
    ranks: Mapping[str, int],
) -> list[int]:
    """How often one data provider reached the person of each register, at most `max_frequency`.

    Raises: InputError for a person who is not in the population.
    """
    times = Counter(impression.person for impression in impressions)
    if any(person not in ranks for person in times):
        raise InputError("an impression's person is not in the population")
    return [min(times[person], max_frequency) for person in registers]


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
