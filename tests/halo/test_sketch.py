"""Liquid Legions sketches in the clear, and how many persons their registers stand for."""

import random
from math import exp, sqrt

import pytest
from halo_cases import IMPRESSIONS, PUBLISHERS
from hypothesis import given
from hypothesis import strategies as st

from ipa.errors import ParameterError
from ipa.halo.estimator import (
    estimate,
    estimate_upstream,
    estimator_deviation,
    expected_active,
    exponential_integral,
)
from ipa.halo.impressions import Impression
from ipa.halo.oracle import frequency_histogram
from ipa.halo.sketch import (
    Register,
    SketchParameters,
    fingerprint,
    insert,
    merge,
    register_index,
    sketch_histogram,
    sketch_of,
)

TESTING = SketchParameters(12, 100_000)
PRODUCTION = SketchParameters(5.6, 1_000_000)
KEY = b"legions"

REGISTER = st.builds(Register, st.none() | st.integers(1, 3), st.integers(1, 4))
SKETCH = st.dictionaries(st.integers(0, 5), REGISTER, max_size=5)


def test_upstream_s_vector_of_the_index() -> None:
    assert register_index(5 * 10**18, SketchParameters(2, 10_000)) == 1335


def test_indexes_stay_within_the_sketch_and_fall_exponentially() -> None:
    parameters = SketchParameters(3, 10)
    top = (1 << 64) - 1
    assert [register_index(f, parameters) for f in (0, top, top - 1024)] == [0, 9, 9]
    rng = random.Random(1)
    counts = [0] * 10
    for _ in range(20_000):
        counts[register_index(rng.getrandbits(64), parameters)] += 1
    shares = [exp(-0.3 * i) * (1 - exp(-0.3)) / (1 - exp(-3)) for i in range(10)]
    statistic = sum(
        (c - 20_000 * s) ** 2 / (20_000 * s) for c, s in zip(counts, shares, strict=True)
    )
    assert statistic < 27.9


@given(SKETCH, SKETCH, SKETCH)
def test_merging_is_a_union(
    a: dict[int, Register], b: dict[int, Register], c: dict[int, Register]
) -> None:
    assert merge([a, b]) == merge([b, a])
    assert merge([merge([a, b]), c]) == merge([a, merge([b, c])]) == merge([a, b, c])
    assert merge([a]) == a and merge([]) == {}
    for index, register in merge([a, b, c]).items():
        parts = [sketch[index] for sketch in (a, b, c) if index in sketch]
        assert register.count == sum(part.count for part in parts)
        assert register.key == (parts[0].key if len({part.key for part in parts}) == 1 else None)


@given(IMPRESSIONS)
def test_merged_sketches_of_publishers_are_the_sketch_of_all(impressions: list[Impression]) -> None:
    parts = [
        sketch_of([i for i in impressions if i.publisher == name], TESTING, KEY)
        for name in PUBLISHERS
    ]
    assert merge(parts) == sketch_of(impressions, TESTING, KEY)
    # Eight persons collide once in about 60,000 keys; not under this one.
    assert sketch_histogram(merge(parts), 3) == tuple(frequency_histogram(impressions, 3))


def test_registers_are_destroyed_by_a_second_key_for_good() -> None:
    sketch: dict[int, Register] = {}
    for key, count in ((5, 2), (5, 1), (6, 1), (5, 1)):
        insert(sketch, 0, Register(key, count))
    assert sketch == {0: Register(None, 5)}
    insert(sketch, 1, Register(7, 9))
    assert sketch_histogram(sketch, 4) == (0, 0, 0, 1)
    assert fingerprint("1", "index", KEY) != fingerprint("1", "key", KEY)
    assert fingerprint("1", "key", KEY) != fingerprint("1", "key", b"other")


@pytest.mark.parametrize(("active", "reach"), [(7, 16), (30, 64), (0, 2)])
def test_upstream_s_estimates(active: int, reach: int) -> None:
    assert estimate_upstream(active, TESTING, 0.5) == reach


def test_upstream_gives_1_where_nothing_is_active() -> None:
    assert estimate_upstream(0, TESTING) == 1
    assert estimate(0, TESTING) == pytest.approx(0, abs=1e-9)


def test_the_exact_estimates() -> None:
    assert round(estimate(7, TESTING) / 0.5, 1) == 14.0
    assert round(estimate(30, TESTING) / 0.5, 2) == 60.05


@given(st.floats(0.5, 1e7), st.sampled_from([TESTING, PRODUCTION, SketchParameters(2, 1000)]))
def test_the_estimate_inverts_the_expectation(persons: float, parameters: SketchParameters) -> None:
    active = expected_active(persons, parameters)
    if active < 0.999 * parameters.size:
        assert estimate(active, parameters) == pytest.approx(persons, rel=1e-5, abs=1e-6)


def test_the_expectation_is_the_sum_over_registers() -> None:
    for parameters in (SketchParameters(2, 500), SketchParameters(12, 2000)):
        # The formula integrates over places; the sum takes each register's middle.
        a, m = parameters.decay, parameters.size
        scale = a / m / (1 - exp(-a))
        middles = [scale * exp(-a * (i + 0.5) / m) for i in range(m)]
        for persons in (1, 100, 5000):
            direct = sum(1 - exp(-persons * p) for p in middles)
            assert expected_active(persons, parameters) == pytest.approx(direct, rel=1e-4)


@pytest.mark.parametrize(
    ("x", "value"),
    [
        (1e-8, 17.8434651),
        (0.5, 0.5597736),
        (1.0, 0.2193839),
        (1.0000001, 0.2193839),
        (2.0, 0.0489005),
        (10.0, 4.15697e-06),
        (800.0, 0.0),
    ],
)
def test_the_exponential_integral(x: float, value: float) -> None:
    assert exponential_integral(x) == pytest.approx(value, rel=1e-6)


def test_the_accuracy_is_that_of_the_description() -> None:
    assert round(100 * estimator_deviation(1e4, PRODUCTION), 2) == 0.12
    assert round(100 * estimator_deviation(1e7, PRODUCTION), 2) == 0.21


def test_thirty_sketches_fit_the_formula() -> None:
    parameters, persons = SketchParameters(4, 3000), 2500
    estimates = []
    for run in range(30):
        key = bytes([run])
        indexes = {
            register_index(fingerprint(str(person), "index", key), parameters)
            for person in range(persons)
        }
        estimates.append(estimate(len(indexes), parameters))
    mean = sum(estimates) / 30
    deviation = sqrt(sum((value - mean) ** 2 for value in estimates) / 29)
    assert abs(mean - persons) * sqrt(30) / deviation < 2.58
    assert 0.67 <= deviation / (persons * estimator_deviation(persons, parameters)) <= 1.35


def test_parameters_are_checked() -> None:
    for decay in (1, 0, 101):
        with pytest.raises(ParameterError, match="decay must be above 1"):
            SketchParameters(decay, 10)
    with pytest.raises(
        ParameterError, match="registers of a sketch must be an integer from 1 to 4294967296"
    ):
        SketchParameters(2, 0)
    for active in (10, -1):
        for estimator in (estimate, estimate_upstream):
            with pytest.raises(ParameterError, match="take more registers"):
                estimator(active, SketchParameters(2, 10))
