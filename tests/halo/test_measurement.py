"""Whole measurements by every protocol, against the oracle, with and without noise."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from bucket_cases import grant, ledger_in
from halo_cases import ALL_PROTOCOLS, IMPRESSIONS, PERSONS, SELECTIONS, WORKLOAD
from hypothesis import given, settings
from hypothesis import strategies as st

from ipa.errors import EventError, ParameterError
from ipa.halo.impressions import Impression, Selection
from ipa.halo.kingdom import Kingdom
from ipa.halo.llv2_tuples import RegisterCount
from ipa.halo.measurement import apportion, data_providers, run_measurement
from ipa.halo.network import WorkerNetwork
from ipa.halo.oracle import frequency_histogram, reach
from ipa.halo.registers import SamplingInterval
from ipa.halo.share_shuffle import ShareShuffle, share_shuffle
from ipa.halo.sketch import SketchParameters
from ipa.halo.specification import MeasurementSpecification
from ipa.network.interception import Transcript

MANY: dict[str, Any] = {"no_noise": True, "group": "clear"}


@given(
    IMPRESSIONS,
    SELECTIONS,
    st.none() | st.integers(1, 4),
    st.sampled_from(ALL_PROTOCOLS),
    st.integers(0, 2**32),
)
@settings(max_examples=60)
def test_without_noise_the_result_is_the_oracle_s(
    impressions: list[Impression],
    selections: list[Selection],
    most: int | None,
    protocol: Any,
    seed: int,
) -> None:
    if protocol == "llv2" and most is None:
        most = 1
    asked = MeasurementSpecification(selections=tuple(selections), max_frequency=most)
    if not data_providers(impressions, selections):
        with pytest.raises(ParameterError, match="at least one data provider"):
            run_measurement(impressions, asked, protocol, seed=seed, **MANY)
        return
    # Of eight persons no two fall into one of a million registers, but once in 10,000 runs.
    sketch = SketchParameters(2, 1_000_000)
    result = run_measurement(impressions, asked, protocol, seed=seed, sketch=sketch, **MANY)
    assert result.reach == reach(impressions, selections)
    if most is None or protocol == "reach-only-llv2":
        assert result.frequency is None
    else:
        assert result.frequency == tuple(frequency_histogram(impressions, most, selections))


def test_direct_is_for_one_data_provider() -> None:
    only = [item for item in WORKLOAD if item.publisher == "publisher-2"]
    asked = MeasurementSpecification(max_frequency=4)
    result = run_measurement(only, asked, "direct", **MANY)
    assert result.frequency == tuple(frequency_histogram(only, 4))
    assert (result.reach, result.providers, result.costs) == (reach(only), ("publisher-2",), {})
    assert run_measurement(only, MeasurementSpecification(), "direct", **MANY).frequency is None
    with pytest.raises(ParameterError, match="direct is for one data provider, not 3"):
        run_measurement(WORKLOAD, asked, "direct", **MANY)
    one = Selection(publishers=frozenset(["publisher-2"]))
    asked = replace(asked, selections=(one,))
    assert run_measurement(WORKLOAD, asked, "direct", **MANY).reach == reach(only)


@pytest.mark.parametrize("protocol", ALL_PROTOCOLS)
@pytest.mark.parametrize("impressions", [[], WORKLOAD[:1]])
def test_empty_and_tiny(protocol: Any, impressions: list[Impression]) -> None:
    asked = MeasurementSpecification(max_frequency=3)
    result = run_measurement(impressions, asked, protocol, **MANY)
    assert result.reach == len(impressions)
    if protocol != "reach-only-llv2":
        assert result.frequency == (len(impressions), 0, 0)


@pytest.mark.parametrize("protocol", [*ALL_PROTOCOLS, "direct"])
def test_a_sampled_part_stands_for_the_whole(protocol: Any) -> None:
    one = [replace(item, publisher="alpha") for item in WORKLOAD]
    interval = SamplingInterval(Fraction(3, 4), Fraction(1, 2))
    asked = MeasurementSpecification(max_frequency=3, interval=interval)
    result = run_measurement(one, asked, protocol, seed=3, **MANY)
    persons = len({item.person for item in one})
    # Everybody was reached, so half of all persons stand for all of them, but for one.
    assert abs(result.reach - persons) <= 1
    if result.frequency is not None:
        assert sum(result.frequency) == result.reach
        twice = MeasurementSpecification(max_frequency=3)
        whole = run_measurement(one, twice, protocol, **MANY).frequency
        assert whole is not None
        assert all(abs(a - b) < 25 for a, b in zip(result.frequency, whole, strict=True))


def test_the_population_gives_the_registers() -> None:
    transcript = Transcript()
    asked = MeasurementSpecification(max_frequency=2)
    run_measurement(
        [Impression("1", "alpha", "c", "m", 0)],
        asked,
        population=PERSONS,
        interceptors=[transcript],
        **MANY,
    )
    assert [m[3] for m in transcript.shape() if m[0] == "hmss/shuffled"] == [8, 8]


def test_one_hash_key_samples_the_same_persons() -> None:
    half = SamplingInterval(Fraction(0), Fraction(1, 2))
    asked = MeasurementSpecification(max_frequency=5, interval=half)
    for protocol in ALL_PROTOCOLS[:2]:
        found = {
            run_measurement(WORKLOAD, asked, protocol, hash_key=b"one", **MANY).frequency
            for _ in range(3)
        }
        assert len(found) == 1
        other = run_measurement(WORKLOAD, asked, protocol, hash_key=b"two", **MANY).frequency
        assert other not in found


def test_the_result_is_what_the_consumer_could_open(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed: list[bytes] = []
    true = Kingdom.deliver

    def deliver(self: Any, name: str, data: bytes) -> Any:
        sealed.append(data)
        return true(self, name, data)

    monkeypatch.setattr(Kingdom, "deliver", deliver)
    result = run_measurement(WORKLOAD, MeasurementSpecification(max_frequency=2), **MANY)
    assert str(result.reach).encode() not in sealed[0] and b"reach" not in sealed[0]


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        (10, [1, 1], (5, 5)),
        (10, [1, 1, 1], (4, 3, 3)),
        (7, [2, 1, 0], (5, 2, 0)),
        (0, [3, 1], (0, 0)),
        (5, [0, 0], (0, 0)),
    ],
)
def test_apportionment(total: int, weights: list[int], expected: tuple[int, ...]) -> None:
    assert apportion(total, weights) == expected


@given(st.integers(0, 10**6), st.lists(st.integers(0, 1000), min_size=1, max_size=8))
def test_an_apportionment_sums_up_and_is_off_by_less_than_one(
    total: int, weights: list[int]
) -> None:
    shares = apportion(total, weights)
    if any(weights):
        assert sum(shares) == total
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share - Fraction(total * weight, sum(weights))) < 1


def test_what_cannot_be_is_refused_before_any_work(tmp_path: Path) -> None:
    asked = MeasurementSpecification(max_frequency=2)
    with pytest.raises(ParameterError, match="either an epsilon"):
        run_measurement(WORKLOAD, asked)
    with pytest.raises(ParameterError, match="either an epsilon"):
        run_measurement(WORKLOAD, replace(asked, epsilon=Fraction(1)), no_noise=True)
    ledger = ledger_in(tmp_path, grant())
    with pytest.raises(ParameterError, match="an exact result has no price"):
        run_measurement(WORKLOAD, asked, ledger=ledger, no_noise=True)
    with pytest.raises(ParameterError, match="llv2 measures frequencies"):
        run_measurement(WORKLOAD, MeasurementSpecification(), "llv2", **MANY)
    with pytest.raises(ParameterError, match="hmss has three workers, not 2"):
        run_measurement(WORKLOAD, asked, workers=2, **MANY)
    with pytest.raises(ParameterError, match="the protocol must be one of"):
        run_measurement(WORKLOAD, asked, "psi", **MANY)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="take more registers"):
        run_measurement(WORKLOAD, asked, "llv2", sketch=SketchParameters(2, 5), **MANY)
    with pytest.raises(EventError, match="row 1: day"):
        run_measurement([Impression("1", "a", "b", "c", -1)], asked, **MANY)
    for most in (0, 1001, True):
        with pytest.raises(ParameterError, match="max_frequency must be an integer from 1 to 1000"):
            MeasurementSpecification(max_frequency=most)
    with pytest.raises(ParameterError, match="epsilon must be from"):  # of which each half has half
        smallest = replace(asked, epsilon=Fraction(1, 10**9))
        run_measurement(WORKLOAD, smallest, ledger=ledger)
    assert not ledger.charges()
    with pytest.raises(ParameterError, match="at least one selection"):
        MeasurementSpecification(selections=())
    with pytest.raises(ParameterError, match="epsilon must be from"):
        MeasurementSpecification(epsilon=Fraction(0))


def test_what_cannot_be_is_refused_before_it_is_paid_for(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path, grant(5))
    asked = MeasurementSpecification(epsilon=Fraction(1))
    large = replace(asked, max_frequency=1000)
    many = [Impression("1", f"p{number}", "c", "m", 0) for number in range(70)]
    cases: list[tuple[Any, Any, Any, dict[str, Any], str]] = [
        (WORKLOAD, asked, "hmss", {"workers": 2}, "three workers"),
        (WORKLOAD, asked, "llv2", {}, "llv2 measures frequencies"),
        (WORKLOAD, asked, "llv2", {"group": "p384"}, "measures frequencies"),
        (WORKLOAD, asked, "reach-only-llv2", {"group": "p384"}, "the group must be"),
        (many, large, "hmss", {}, "frequencies up to 70000 need more than 16 bits"),
        (WORKLOAD, asked, "hmss", {"population": ["1"]}, "not in the population"),
        (WORKLOAD, asked, "hmss", {"seed": -1}, "seed"),
        (WORKLOAD, asked, "hmss", {"mechanism": "laplace"}, "the mechanism must be"),
    ]
    for impressions, specification, protocol, options, said in cases:
        with pytest.raises(ParameterError, match=said):
            run_measurement(impressions, specification, protocol, ledger=ledger, **options)
    assert ledger.charges() == {}


def test_two_workers_and_a_geometric_mechanism() -> None:
    asked = MeasurementSpecification(max_frequency=2)
    for workers in (2, 4):
        exact = run_measurement(WORKLOAD, asked, "llv2", workers=workers, seed=1, **MANY)
        assert abs(exact.reach - reach(WORKLOAD)) <= 2
    noised = replace(asked, epsilon=Fraction(2), delta=Fraction(1, 100))
    for protocol in ALL_PROTOCOLS:
        result = run_measurement(
            WORKLOAD,
            noised,
            protocol,
            group="clear",
            mechanism="geometric",
            seed=1,
        )
        assert abs(result.reach - reach(WORKLOAD)) < 60


def test_data_providers_take_turns_in_whom_they_send_the_short_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A seed is short and a vector long: each shuffling worker gets its part of both."""
    held: dict[int, list[str]] = {}

    def spy(network: WorkerNetwork, shares: Any, parameters: ShareShuffle) -> list[int] | None:
        held.update({worker: [type(x).__name__ for x in own] for worker, own in shares.items()})
        return share_shuffle(network, shares, parameters)

    monkeypatch.setattr("ipa.halo.protocols.share_shuffle", spy)
    seen = [Impression("1", name, "c", "m", 0) for name in "abc"]
    assert run_measurement(seen, MeasurementSpecification(), "hmss", no_noise=True).reach == 1
    vector, seed = "VectorShare", "SeedShare"
    assert held == {1: [vector, seed, vector], 2: [seed, vector, seed]}


def test_data_providers_take_turns_in_which_worker_stores_their_sketch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held: dict[int, int] = {}

    def spy(network: WorkerNetwork, stored: Any, keys: Any, parameters: Any) -> RegisterCount:
        held.update({worker: len(sketches) for worker, sketches in stored.items()})
        return RegisterCount(0, (0,))

    monkeypatch.setattr("ipa.halo.protocols.llv2", spy)
    seen = [Impression("1", name, "c", "m", 0) for name in "abcd"]
    run_measurement(seen, MeasurementSpecification(max_frequency=1), "llv2", **MANY)
    assert held == {1: 2, 2: 1, 3: 1}
