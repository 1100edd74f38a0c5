"""Which buckets a measurement touches: all of what is sampled is paid for."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipa.errors import ParameterError
from ipa.halo.buckets import buckets_of
from ipa.halo.registers import SamplingInterval


@given(
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 59).map(lambda sixtieths: Fraction(sixtieths, 60)),
    st.integers(1, 60).map(lambda sixtieths: Fraction(sixtieths, 60)),
    st.sampled_from([1, 2, 3, 4, 5, 10, 12]),
)
def test_every_sampled_point_is_in_a_charged_slice(
    first: int, more: int, start: Fraction, width: Fraction, slices: int
) -> None:
    interval = SamplingInterval(start, width)
    buckets = buckets_of("shop", (first, first + more), interval, ["f", "m"], slices)
    charged = {bucket.slice for bucket in buckets}
    assert len(buckets) == (more + 1) * 2 * len(charged)
    points = {Fraction(n, 60) for n in range(60)}
    assert charged == {int(point * slices) for point in points if interval.contains(point)}


def test_a_wrapped_interval_touches_both_ends() -> None:
    wrapped = SamplingInterval(Fraction(9, 10), Fraction(2, 10))
    assert {b.slice for b in buckets_of("shop", (0, 0), wrapped, slices=10)} == {9, 0}
    with pytest.raises(ParameterError, match="the last day must be an integer of at least 2"):
        buckets_of("shop", (2, 1), wrapped)
    with pytest.raises(ParameterError, match="the first day must be an integer of at least 0"):
        buckets_of("shop", (-1, 1), wrapped)
    with pytest.raises(ParameterError, match="slices must be an integer of at least 1"):
        buckets_of("shop", (0, 0), wrapped, slices=0)


def test_days_without_end_are_refused() -> None:
    with pytest.raises(ParameterError, match="buckets must be an integer from 0 to 1000000"):
        buckets_of("shop", (0, 3333), SamplingInterval())
    assert len(buckets_of("shop", (0, 3332), SamplingInterval(), ["f", "m"], 1)) == 6666
    assert {b.people for b in buckets_of("shop", (0, 0), SamplingInterval())} == {"everyone"}
