"""Ranks of a population and the interval that a measurement samples."""

from fractions import Fraction

import pytest
from halo_cases import INTERVALS, PERSONS
from hypothesis import given
from hypothesis import strategies as st

from ipa.errors import InputError, ParameterError
from ipa.halo.impressions import Impression
from ipa.halo.registers import SamplingInterval, frequency_vector, rank_population

KEY = b"vid"


@given(st.integers(0, 30), INTERVALS)
def test_an_interval_samples_each_rank_by_its_point(size: int, interval: SamplingInterval) -> None:
    ranks = interval.ranks(size)
    assert sorted(ranks) == [r for r in range(size) if interval.contains(Fraction(r, size))]
    assert len(set(ranks)) == len(ranks)


def test_an_interval_may_wrap() -> None:
    assert SamplingInterval(Fraction(3, 4), Fraction(1, 2)).ranks(8) == [6, 7, 0, 1]
    assert SamplingInterval(Fraction(1, 8), Fraction(1, 4)).ranks(8) == [1, 2]
    for start, width in ((Fraction(1), Fraction(1)), (Fraction(0), Fraction(0))):
        with pytest.raises(ParameterError, match="0 <= start < 1 and 0 < width <= 1"):
            SamplingInterval(start, width)
    with pytest.raises(
        ParameterError, match="start of a sampling interval must be an int or a Fraction"
    ):
        SamplingInterval(0.5, Fraction(1))  # type: ignore[arg-type]


def test_ranks_are_a_keyed_permutation() -> None:
    ranks = rank_population(PERSONS, KEY)
    assert sorted(ranks.values()) == list(range(len(PERSONS)))
    assert ranks == rank_population(reversed(PERSONS), KEY)
    assert ranks != rank_population(PERSONS, b"other")
    with pytest.raises(ParameterError, match="each person once"):
        rank_population(["1", "1"], KEY)
    with pytest.raises(InputError, match="not in the population"):
        frequency_vector([Impression("99", "a", "b", "c", 0)], PERSONS, 3, ranks)
