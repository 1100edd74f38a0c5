"""Noise of whole measurements: of the right size, from the right parameters, paid for once."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from bucket_cases import grant, ledger_in
from halo_cases import WORKLOAD

from ipa.errors import BudgetError, ParameterError
from ipa.halo.impressions import Impression, Selection
from ipa.halo.measurement import run_measurement
from ipa.halo.noise import PrivacyParameters, gaussian_noise, worker_noise
from ipa.halo.oracle import reach
from ipa.halo.registers import SamplingInterval
from ipa.halo.sketch import SketchParameters
from ipa.halo.specification import MeasurementSpecification
from ipa.network.interception import Transcript
from ipa.noise.choice import choose_parameters


@pytest.mark.parametrize("protocol", ["hmss", "llv2", "reach-only-llv2", "direct"])
def test_noise_is_near_and_of_the_right_size(protocol: Any) -> None:
    one = [replace(item, publisher="alpha") for item in WORKLOAD]
    epsilon, delta = Fraction(1), Fraction(1, 100)
    asked = MeasurementSpecification(epsilon=epsilon, delta=delta)
    runs, workers = 30, {"hmss": 2, "direct": 1}.get(protocol, 3)
    if protocol == "llv2":
        asked = replace(asked, max_frequency=1)
        epsilon, delta = epsilon / 2, delta / 2
    sigma = sqrt(workers * gaussian_noise(PrivacyParameters(epsilon, delta), workers).variance)
    sketch = SketchParameters(2, 1_000_000)
    truth = reach(one)
    errors = [
        run_measurement(one, asked, protocol, group="clear", sketch=sketch, seed=run).reach - truth
        for run in range(runs)
    ]
    mean = sum(errors) / runs
    deviation = sqrt(sum((error - mean) ** 2 for error in errors) / (runs - 1))
    # hmss cannot show more than the population, which all were reached of; half the errors show.
    if protocol == "hmss":
        assert max(errors) == 0 and min(errors) < -sigma / 2
        return
    assert abs(mean) * sqrt(runs) / deviation < 2.58
    assert 0.67 <= deviation / sigma <= 1.35


def test_the_frequencies_are_noised_too() -> None:
    asked = MeasurementSpecification(max_frequency=3, epsilon=Fraction(1), delta=Fraction(1, 100))
    for protocol in ("hmss", "llv2", "hmss-malicious"):
        seen = {
            run_measurement(WORKLOAD, asked, protocol, group="clear", seed=run).frequency
            for run in range(4)
        }
        assert len(seen) == 4


def test_a_seed_makes_it_reproducible_and_no_seed_does_not() -> None:
    asked = MeasurementSpecification(max_frequency=3, epsilon=Fraction(1, 10))
    found = [run_measurement(WORKLOAD, asked, seed=seed).frequency for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
    assert len({run_measurement(WORKLOAD, asked).frequency for _ in range(5)}) > 1


def test_each_protocol_draws_what_the_specification_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of epsilon and delta for each of two statistics, all of it for one."""
    seen: list[tuple[PrivacyParameters | None, int, int]] = []

    def spy(
        privacy: PrivacyParameters | None, workers: int, sensitivity: int, mechanism: Any
    ) -> Any:
        seen.append((privacy, workers, sensitivity))
        return worker_noise(privacy, workers, sensitivity, mechanism)

    monkeypatch.setattr("ipa.halo.tasks.worker_noise", spy)
    whole = PrivacyParameters(Fraction(1), Fraction(1, 100))
    half = PrivacyParameters(Fraction(1, 2), Fraction(1, 200))
    both = MeasurementSpecification(max_frequency=2, epsilon=whole.epsilon, delta=whole.delta)
    alone = replace(both, max_frequency=None)
    few = WORKLOAD[:20]
    cases: list[tuple[Any, MeasurementSpecification, list[Any]]] = [
        ("hmss", both, [(half, 2, 1)]),
        ("hmss", alone, [(whole, 2, 1), (None, 2, 1)]),
        ("llv2", both, [(half, 3, 1), (whole, 3, 3), (whole, 3, 2), (half, 3, 2)]),
        ("reach-only-llv2", both, [(whole, 3, 1), (whole, 3, 3), (whole, 3, 2), (None, 3, 2)]),
    ]
    for protocol, asked, expected in cases:
        seen.clear()
        run_measurement(few, asked, protocol, group="clear")
        assert seen == expected, protocol


def test_the_ledger_is_charged_before_and_once(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path, grant())
    asked = MeasurementSpecification(
        selections=(Selection(days=(2, 3)),),
        epsilon=Fraction(3, 4),
        interval=SamplingInterval(Fraction(0), Fraction(1, 2)),
    )
    run_measurement(WORKLOAD, asked, ledger=ledger, name="first", consumer="shop")
    charge = ledger.charges()["first"]
    assert (charge.epsilon, charge.delta) == (Fraction(3, 4), asked.delta)
    assert Counter(b.day for b in charge.buckets) == {2: 150, 3: 150}
    assert {b.consumer for b in charge.buckets} == {"shop"}
    with pytest.raises(BudgetError, match="second asks for more epsilon than shop has left"):
        run_measurement(WORKLOAD, asked, ledger=ledger, name="second", consumer="shop")
    other_half = replace(asked, interval=SamplingInterval(Fraction(1, 2), Fraction(1, 2)))
    run_measurement(WORKLOAD, other_half, ledger=ledger, name="third", consumer="shop")
    assert list(ledger.charges()) == ["first", "third"]
    everything = MeasurementSpecification(epsilon=Fraction(1))
    run_measurement(WORKLOAD, everything, ledger=ledger, name="4", consumer="another")
    days = {item.day for item in WORKLOAD}
    assert {b.day for b in ledger.charges()["4"].buckets} == set(range(min(days), max(days) + 1))


def test_noise_cannot_overflow_a_sketch() -> None:
    """All twenty registers are active: in half of the runs noise shows more of them than there are."""
    asked = MeasurementSpecification(epsilon=Fraction(1))
    sketch = SketchParameters(2, 20)
    reaches = [
        run_measurement(
            WORKLOAD, asked, "reach-only-llv2", group="clear", sketch=sketch, seed=seed
        ).reach
        for seed in range(8)
    ]
    assert reaches.count(max(reaches)) > 1  # the most that can be told


def test_what_one_provider_counts_is_never_negative() -> None:
    alone = [Impression("1", "a", "c", "m", 0)]
    asked = MeasurementSpecification(max_frequency=2, epsilon=Fraction(1))
    results = [run_measurement(alone, asked, "direct", seed=seed) for seed in range(10)]
    assert {0} < {result.reach for result in results} and min(r.reach for r in results) == 0
    assert all(min(result.frequency or (0,)) >= 0 for result in results)


@pytest.mark.parametrize("delta", [Fraction(1, 10**9), Fraction(1, 10**6)])
@pytest.mark.parametrize(("most", "sensitivity"), [(20, 2), (3, 2), (1, 2), (None, 1)])
def test_the_malicious_secure_shuffle_has_noise_for_all_counts_that_a_person_moves(
    most: int | None, sensitivity: int, delta: Fraction
) -> None:
    """One person moves two counts of F + 1, or one where there is one, at the whole epsilon."""
    asked = MeasurementSpecification(max_frequency=most, epsilon=Fraction(1, 2), delta=delta)
    transcript = Transcript()
    run_measurement(WORKLOAD, asked, "hmss-malicious", interceptors=[transcript])
    noise = choose_parameters(Fraction(1, 2), sensitivity, (most or 0) + 1, delta)
    rows = len({item.person for item in WORKLOAD}) + 2 * noise.largest * ((most or 0) + 1)
    width = (most or 0).bit_length() + 1
    opened = [m for m in transcript.messages if m.step == "hmss-malicious/open"]
    assert {len(message.payload) for message in opened} == {width * -(-rows // 8)}


def test_delta_is_for_both_counts_that_a_person_moves() -> None:
    """Where one count could do with a digit less, two cannot; so the test above tells them apart."""
    one, two = (choose_parameters(Fraction(1, 2), 2, n, Fraction(1, 10**6)) for n in (1, 2))
    assert (one.digits, two.digits) == (6, 7)


@pytest.mark.parametrize(
    ("epsilon", "options", "said"),
    [
        (Fraction(65), {}, "epsilon must be from 1/1000000 to 64"),
        (Fraction(1, 10**6), {}, "take a larger epsilon"),
        (Fraction(1), {"mechanism": "gaussian"}, "has geometric noise only"),
        (Fraction(1), {"workers": 2}, "protocol hmss-malicious has three workers, not 2"),
    ],
)
def test_what_the_malicious_secure_shuffle_cannot_do_is_not_paid_for(
    epsilon: Fraction, options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    ledger = ledger_in(tmp_path, grant(100))
    asked = MeasurementSpecification(max_frequency=2, epsilon=epsilon)
    with pytest.raises(ParameterError, match=said):
        run_measurement(WORKLOAD, asked, "hmss-malicious", ledger=ledger, **options)
    assert not ledger.charges()
