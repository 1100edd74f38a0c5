"""Strategies for impressions, selections and set expressions, and small workloads, for Halo's tests."""

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from ipa.halo.impressions import Impression, Selection
from ipa.halo.registers import SamplingInterval
from ipa.halo.set_expressions import Operation, SetExpression
from ipa.halo.workload import generate_impressions

PERSONS = [str(number) for number in range(1, 9)]
PUBLISHERS = ["alpha", "beta", "tv"]
CAMPAIGNS = ["spring", "summer"]
MEDIA = ["video", "tv"]
LAST_DAY = 9

IMPRESSION = st.builds(
    Impression,
    person=st.sampled_from(PERSONS),
    publisher=st.sampled_from(PUBLISHERS),
    campaign=st.sampled_from(CAMPAIGNS),
    medium=st.sampled_from(MEDIA),
    day=st.integers(0, LAST_DAY),
)
IMPRESSIONS = st.lists(IMPRESSION, max_size=40)


def some(names: list[str]) -> st.SearchStrategy[frozenset[str] | None]:
    return st.none() | st.frozensets(st.sampled_from(names))


DAYS = st.tuples(st.integers(0, LAST_DAY), st.integers(0, LAST_DAY)).map(
    lambda pair: (min(pair), max(pair))
)
SELECTION = st.builds(
    Selection,
    publishers=some(PUBLISHERS),
    campaigns=some(CAMPAIGNS),
    media=some(MEDIA),
    days=st.none() | DAYS,
)
SELECTIONS = st.lists(SELECTION, min_size=1, max_size=3)


def expressions(names: list[str]) -> st.SearchStrategy[SetExpression]:
    return st.recursive(
        st.sampled_from(names),
        lambda inner: st.builds(Operation, st.sampled_from(["|", "&", "-"]), inner, inner),
        max_leaves=6,
    )


STARTS = st.fractions(0, Fraction(99, 100), max_denominator=100)
WIDTHS = st.just(Fraction(1)) | st.fractions(Fraction(1, 100), 1, max_denominator=100)
INTERVALS = st.builds(SamplingInterval, STARTS, WIDTHS)

ALL_PROTOCOLS: list[Any] = ["hmss", "llv2", "reach-only-llv2", "hmss-malicious"]
WORKLOAD = generate_impressions(600, persons=150, publishers=3, seed=2)
