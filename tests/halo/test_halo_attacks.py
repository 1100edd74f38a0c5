"""Upstream is semi-honest only: what one worker or two can do, and what shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from legions_cases import parameters_of
from shuffle_cases import SMALL, VECTORS, shuffled

from ipa.errors import ParameterError
from ipa.halo.attacks import (
    Corruption,
    HaloAttackReport,
    add_to_share,
    keep_records,
    read_registers,
    read_sketch,
    rogue_key,
    run_halo_attack,
)
from ipa.halo.elgamal import combined_key, random_scalar
from ipa.halo.encrypted_sketch import encrypt_sketch
from ipa.halo.groups import group_by_name
from ipa.halo.impressions import Impression
from ipa.halo.records import decode
from ipa.halo.share_shuffle import ShareShuffle
from ipa.halo.sketch import Register, Sketch, SketchParameters
from ipa.halo.specification import MeasurementSpecification
from ipa.halo.workload import generate_impressions
from ipa.network.interception import Transcript
from ipa.sharing.randomness import Randomness

WORKLOAD = generate_impressions(200, persons=60, publishers=2, seed=4)
POPULATION = [str(number) for number in range(1, 101)]
ASKED = MeasurementSpecification(max_frequency=3)


def share_shuffle_attack(worker: int, amounts: list[int]) -> HaloAttackReport:
    parameters = ShareShuffle(registers=100, providers=2, max_frequency=3)
    attack = Corruption(worker, "hmss/shuffled", add_to_share(parameters, amounts))
    return run_halo_attack(WORKLOAD, ASKED, "hmss", attack, seed=1, population=POPULATION)


@pytest.mark.parametrize("worker", [1, 2])
def test_one_worker_invents_reach_unnoticed(worker: int) -> None:
    """Three persons were reached; one is added to every register, whoever's it is."""
    parameters = ShareShuffle(registers=100, providers=1, max_frequency=3)
    attack = Corruption(worker, "hmss/shuffled", add_to_share(parameters, [1] * 100))
    seen = [Impression(person, "alpha", "c", "m", 0) for person in "123"]
    report = run_halo_attack(seen, ASKED, "hmss", attack, population=POPULATION)
    assert report.is_unnoticed and report.noticed == ""
    assert report.honest.frequency == (3, 0, 0)
    assert report.attacked is not None and report.attacked.frequency == (97, 3, 0)


@pytest.mark.parametrize("worker", [1, 2, 3])
@pytest.mark.parametrize("step", ["sum/*", "shuffle/pass/*", "open"])
def test_the_same_worker_is_noticed_where_messages_are_checked(worker: int, step: str) -> None:
    def add_one(payload: bytes) -> bytes:
        return bytes([payload[0] ^ 1]) + payload[1:]

    attack = Corruption(worker, f"hmss-malicious/{step}", add_one)
    report = run_halo_attack(WORKLOAD, ASKED, "hmss-malicious", attack, population=POPULATION)
    assert report.attacked is None and report.noticed
    assert not report.is_unnoticed
    assert report.detected_by and worker not in report.detected_by


def test_nothing_added_changes_nothing() -> None:
    report = share_shuffle_attack(1, [])
    assert not report.is_unnoticed and report.attacked == report.honest


def test_an_impossible_register_is_all_that_shows() -> None:
    report = share_shuffle_attack(2, [60] * 100)
    assert report.attacked is None
    assert report.noticed == "tally: a register holds an impossible frequency"
    assert report.detected_by == (3,)
    assert not report.is_unnoticed


@given(st.lists(st.integers(0, 4), max_size=30), st.integers(0, 2**32), st.booleans())
def test_a_worker_and_the_aggregator_read_every_register(
    frequencies: list[int], seed: int, reach_only: bool
) -> None:
    parameters = ShareShuffle(
        registers=len(frequencies), providers=1, max_frequency=0 if reach_only else 4
    )
    vector = [min(1, f) for f in frequencies] if reach_only else frequencies
    transcript = Transcript()
    shuffled([vector], parameters, seed, [transcript])
    read = read_registers(transcript, parameters)
    if reach_only:
        assert [value != 0 for value in read] == [value != 0 for value in vector]
    else:
        assert read == vector


def test_noise_does_not_keep_them_from_it() -> None:
    parameters = ShareShuffle(
        registers=5, providers=3, max_frequency=2, reach_noise=SMALL, frequency_noise=SMALL
    )
    transcript = Transcript()
    shuffled(VECTORS, parameters, 7, [transcript])
    assert read_registers(transcript, parameters) == [0, 3, 4, 0, 4]
    with pytest.raises(ParameterError, match="not one of a share shuffle"):
        read_registers(Transcript(), parameters)


@pytest.mark.parametrize("worker", [1, 2])
def test_a_legions_worker_loses_half_of_the_audience_unnoticed(worker: int) -> None:
    parameters = parameters_of([{}, {}], 3, 3)
    halve = keep_records(parameters, 3, lambda number: number % 2)
    attack = Corruption(worker, "llv2/round-1", halve)
    report = run_halo_attack(WORKLOAD, ASKED, "llv2", attack, seed=1, group="clear")
    assert report.is_unnoticed and report.attacked is not None
    assert report.attacked.reach < 0.8 * report.honest.reach


def test_a_legions_worker_doubles_frequencies_unnoticed() -> None:
    once = [Impression(person, "alpha", "c", "m", 0) for person in POPULATION]
    # Two publishers: a register may occur twice.
    once.append(Impression("1", "beta", "c", "m", 0))
    # A thousand million registers: no two of a hundred persons meet in one.
    parameters = parameters_of([{}, {}], 3, 3)
    attack = Corruption(1, "llv2/setup", keep_records(parameters, 3, lambda number: 2))
    sketch = SketchParameters(size=10**9)
    report = run_halo_attack(once, ASKED, "llv2", attack, seed=2, group="clear", sketch=sketch)
    assert report.honest.frequency == (99, 1, 0) and report.attacked is not None
    assert report.is_unnoticed
    assert report.attacked.frequency == (0, 99, 0)


def test_a_worker_that_chooses_its_key_last_reads_sketches_alone() -> None:
    group = group_by_name("p256")
    randomness = Randomness.from_seed(1, "rogue")
    others = [group.multiply_generator(random_scalar(group, randomness)) for _ in range(2)]
    mine = random_scalar(group, randomness)
    key = combined_key(group, [*others, rogue_key(group, others, mine)])
    sketch: Sketch = {4: Register(9, 2)}
    parameters = parameters_of([sketch], 3, 3, "p256")
    data = encrypt_sketch(sketch, key, parameters, randomness)
    records = decode(group, data, 3, "stored", 3)
    unit = group.hash_to_element("unit")
    plain = [group.hash_to_element("index 4"), group.hash_to_element("key 9")]
    assert read_sketch(group, records, mine) == [[*plain, group.multiply(2, unit)]]
