"""A privacy budget per consumer and bucket: what is sampled is paid for, all or nothing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipa.errors import BudgetError, ParameterError
from ipa.halo.buckets import Bucket, BucketLedger, Charge, buckets_of
from ipa.halo.noise import PrivacyParameters
from ipa.halo.registers import SamplingInterval

HALF = Fraction(1, 2)
TINY = Fraction(1, 10**6)
NOTHING = (Fraction(0), Fraction(0))
ONE_DAY = buckets_of("shop", (3, 3), SamplingInterval(), slices=1)


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


def test_a_charge_is_all_or_nothing() -> None:
    ledger = BucketLedger(PrivacyParameters(Fraction(1), Fraction(1, 1000)))
    days = {day: buckets_of("shop", (day, day), SamplingInterval(), slices=2) for day in range(3)}
    ledger.charge("first", Charge(days[1], Fraction(3, 4), TINY))
    both = days[0] | days[1] | days[2]
    with pytest.raises(BudgetError, match="second asks for more than shop has left on day 1"):
        ledger.charge("second", Charge(both, HALF, TINY))
    assert all(ledger.spent(bucket) == NOTHING for bucket in days[0] | days[2])
    assert all(ledger.spent(bucket) == (Fraction(3, 4), TINY) for bucket in days[1])
    assert list(ledger.charges()) == ["first"]
    ledger.charge("third", Charge(both, Fraction(1, 4), TINY))
    assert all(ledger.spent(bucket)[0] == 1 for bucket in days[1])


def test_delta_is_a_budget_too_and_a_reference_is_charged_once() -> None:
    ledger = BucketLedger(PrivacyParameters(Fraction(1), TINY))
    with pytest.raises(BudgetError, match="more than shop has left"):
        ledger.charge("a", Charge(ONE_DAY, TINY, 2 * TINY))
    ledger.charge("a", Charge(ONE_DAY, TINY, TINY / 2))
    with pytest.raises(BudgetError, match="a was charged already"):
        ledger.charge("a", Charge(ONE_DAY, TINY, TINY / 2))
    assert ledger.spent(next(iter(ONE_DAY))) == (TINY, TINY / 2)
    other = Bucket("other", 3, "everyone", 0)
    assert ledger.spent(other) == NOTHING
