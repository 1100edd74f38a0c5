"""Liquid Legions v2, both kinds: exact against merged sketches in the clear, and secret."""

import threading
from dataclasses import replace
from fractions import Fraction
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from legions_cases import ALL_NOISE, SMALL, UPSTREAM, counted, parameters_of, stored_at

from ipa.errors import ChannelError, MismatchError, ParameterError
from ipa.halo.elgamal import decrypt
from ipa.halo.encrypted_sketch import encrypt_sketch
from ipa.halo.estimator import estimate_upstream
from ipa.halo.group import ClearGroup
from ipa.halo.liquid_legions import (
    BLIND_HISTOGRAM,
    PADDING,
    PUBLISHER_NOISE,
    LiquidLegionsNoise,
    generate_keys,
    noise_identifiers,
)
from ipa.halo.llv2 import llv2
from ipa.halo.llv2_tuples import RegisterCount, count_registers, differences, noise_tuples, zeros
from ipa.halo.network import Worker, WorkerNetwork, simulated_workers, worker_channels
from ipa.halo.noise import WorkerNoise
from ipa.halo.reach_only_llv2 import multiple_of_unit, reach_only_llv2
from ipa.halo.records import decode
from ipa.halo.sketch import Register, Sketch, SketchParameters, merge, sketch_histogram
from ipa.network.channel import Message
from ipa.sharing.randomness import Randomness

TESTING = SketchParameters(12, 100_000)
REGISTER = st.builds(Register, st.none() | st.integers(1, 2), st.integers(1, 7))
SKETCHES: st.SearchStrategy[list[Sketch]] = st.lists(
    st.dictionaries(st.integers(0, 4), REGISTER, max_size=5), min_size=1, max_size=4
)


@given(SKETCHES, st.integers(2, 4), st.integers(1, 5), st.integers(0, 2**32))
@settings(max_examples=40)
def test_without_noise_the_count_is_the_merged_sketch_s(
    sketches: list[Sketch], workers: int, max_frequency: int, seed: int
) -> None:
    parameters = parameters_of(sketches, workers, max_frequency)
    merged = merge(sketches)
    expected = RegisterCount(len(merged), sketch_histogram(merged, max_frequency))
    assert counted(sketches, parameters, seed=seed)[0] == expected
    assert counted(sketches, parameters, reach_only=True, seed=seed)[0] == RegisterCount(
        len(merged)
    )


def test_upstream_s_vector() -> None:
    parameters = parameters_of(UPSTREAM)
    count, _ = counted(UPSTREAM, parameters)
    assert count.active == 7
    assert [(f, n) for f, n in enumerate(count.histogram, 1) if n] == [(3, 1), (6, 2), (10, 1)]
    assert estimate_upstream(count.active, TESTING, 0.5) == 16
    only, _ = counted(UPSTREAM, parameters, reach_only=True)
    assert estimate_upstream(only.active, TESTING, 0.5) == 16


def test_on_the_curve_with_noise() -> None:
    small: list[Sketch] = [{1: Register(5, 2), 2: Register(6, 1)}, {2: Register(7, 1)}]
    one = replace(SMALL, offset=1)
    noise = LiquidLegionsNoise(one, one, one, one)
    parameters = parameters_of(small, 2, 2, "p256", noise)
    for reach_only in (False, True):
        count, network = counted(small, parameters, reach_only=reach_only, seed=3)
        drawn = [worker.drawn for worker in network.workers.values()]
        assert count.active - sum(d["reach"][0] - 1 for d in drawn) == 2


@given(st.integers(0, 2**32), st.booleans())
@settings(max_examples=25)
def test_what_was_drawn_subtracted_the_count_is_exact(seed: int, geometric: bool) -> None:
    kind = WorkerNoise(4, Fraction(2), Fraction(int(geometric)), 3)
    parameters = parameters_of(UPSTREAM, 3, 4, noise=LiquidLegionsNoise(*[kind] * 4))
    count, network = counted(UPSTREAM, parameters, seed=seed)
    drawn = [worker.drawn for worker in network.workers.values()]
    extra = sum(d["reach"][0] for d in drawn) - 3 * 4
    assert count.active == max(0, 7 + extra)
    expected = sketch_histogram(merge(UPSTREAM), 4)
    noise = [sum(d["frequency"][f] for d in drawn) - 3 * 4 for f in range(4)]
    assert count.histogram == tuple(max(0, n + z) for n, z in zip(expected, noise, strict=True))
    only, network = counted(UPSTREAM, parameters, reach_only=True, seed=seed)
    extra = sum(w.drawn["reach"][0] for w in network.workers.values()) - 3 * 4
    assert only.active == max(0, 7 + extra)


def test_an_index_that_occurs_more_often_than_there_are_publishers_is_noise() -> None:
    """A third copy of a sketch of two publishers: whatever it is, it is no third publisher."""
    sketch: Sketch = {1: Register(5, 1), 2: Register(6, 1)}
    two = parameters_of([sketch] * 2)
    assert counted([sketch] * 2, two)[0].active == 2
    assert counted([sketch] * 3, two)[0] == RegisterCount(0, (0,) * 10)


@pytest.mark.parametrize(("count", "units"), [(1, 1), (3, 3), (4, 4), (5, 4), (900, 4)])
def test_a_count_is_encrypted_up_to_one_above_the_maximum(count: int, units: int) -> None:
    group, randomness = ClearGroup(), Randomness.from_seed(1, "sketch")
    sketch: Sketch = {1: Register(5, count)}
    data = encrypt_sketch(
        sketch, group.multiply_generator(7), parameters_of([sketch], 2, 3), randomness
    )
    ((_, _, encrypted),) = decode(group, data, 3, "stored", 1)
    unit = group.hash_to_element("unit")
    assert decrypt(group, 7, encrypted)[1] == group.multiply(units, unit)


def test_a_stored_sketch_that_is_cut_is_an_error() -> None:
    network = simulated_workers(3, 1)
    parameters = parameters_of(UPSTREAM)
    keys = generate_keys(network, parameters.group)
    with network.step("llv2"), pytest.raises(ChannelError, match="128 bytes are no records"):
        llv2(network, {1: [bytes(128)]}, keys, parameters)


def test_thirty_noised_runs_fit_the_formula() -> None:
    kind = WorkerNoise(8, Fraction(4), Fraction(0), 2)
    sketch: Sketch = {index: Register(index, 1) for index in range(60)}
    parameters = parameters_of([sketch], 2, 1, noise=LiquidLegionsNoise(reach=kind))
    errors = [
        counted([sketch], parameters, reach_only=True, seed=run)[0].active - 60 for run in range(30)
    ]
    mean = sum(errors) / 30
    deviation = sqrt(sum((error - mean) ** 2 for error in errors) / 29)
    assert abs(mean) * sqrt(30) / deviation < 2.58
    assert 0.67 <= deviation / sqrt(2 * kind.variance) <= 1.35


@pytest.mark.parametrize("always", [False, True])
def test_the_setup_s_noise_is_one_number_of_registers_of_these_kinds(always: bool) -> None:
    parameters = parameters_of(UPSTREAM, noise=ALL_NOISE)
    assert parameters.noise_registers == 4 + 4 + 2 * 3 * 4
    for seed in range(20):
        worker = simulated_workers(3, seed).workers[1]
        registers = noise_identifiers(worker, parameters, always=always)
        assert len(registers) == parameters.noise_registers + 2 * always
        times: dict[str, int] = {}
        for identifier, key in registers:
            times[identifier] = times.get(identifier, 0) + 1
            assert (key == "destroyed register") == identifier.startswith("reach noise")
        publisher = times.pop(PUBLISHER_NOISE, 0)
        assert publisher == worker.drawn["publisher"][0] + always
        assert times.pop(PADDING, 0) >= always
        reach = [name for name in times if name.startswith("reach noise")]
        assert len(reach) == worker.drawn["reach"][0]
        assert all(times[name] == 1 for name in reach)
        shared = [n for name, n in times.items() if name.startswith(BLIND_HISTOGRAM)]
        assert [shared.count(k) for k in (1, 2, 3)] == worker.drawn["blind histogram"]
        assert len(shared) + len(reach) == len(times)


def test_the_noise_tuples_are_one_number_of_these_kinds() -> None:
    group = ClearGroup()
    parameters = parameters_of(UPSTREAM, 2, 3, noise=ALL_NOISE)
    for seed in range(20):
        worker = simulated_workers(2, seed).workers[1]
        # Under a public key of 0, which is that of the secret 0, everything is in the clear.
        tuples = noise_tuples(worker, group.identity, group.identity, parameters)
        assert len(tuples) == parameters.noise_tuples == 4 * 4
        found = [zeros(record[:3], 0, parameters) for record in tuples]
        unlike = worker.drawn["unlike"][0]
        assert found.count((False, False, False)) == unlike
        counting = sum(worker.drawn["frequency"])
        assert found.count((True, False, False)) == counting
        assert found.count((True, True, False)) == 16 - counting - unlike
        rows = [
            zeros(differences(record[3], parameters, worker), 0, parameters)
            for record, zero in zip(tuples, found, strict=True)
            if zero == (True, False, False)
        ]
        times = [rows.count((True, False)), rows.count((False, True)), rows.count((False, False))]
        assert times == worker.drawn["frequency"]


def test_counting_subtracts_what_is_expected_of_all_workers() -> None:
    noise = LiquidLegionsNoise(reach=SMALL, frequency=replace(SMALL, offset=1))
    parameters = parameters_of(UPSTREAM, 3, 2, noise=noise)
    flags = [(True, False, False)] * 30 + [(True, True, False)] * 5 + [(True, False, True)] * 4
    rows = [(True,)] * 20 + [(False,)] * 10
    assert count_registers(flags, rows, parameters) == RegisterCount(35 - 3 * (2 + 6), (17, 7))
    assert count_registers([], [], parameters) == RegisterCount(0, (0, 0))
    assert count_registers(flags[:3], rows[:3], parameters) == RegisterCount(0, (0, 0))


@pytest.mark.parametrize("reach_only", [False, True])
def test_one_worker_per_thread_gives_the_same_count(reach_only: bool) -> None:
    parameters = parameters_of(UPSTREAM, 3, 4, noise=ALL_NOISE)
    channels = worker_channels(3, timeout=20)
    simulated, _ = counted(UPSTREAM, parameters, reach_only=reach_only, seed=6)
    all_keys = generate_keys(simulated_workers(3, 6), parameters.group)
    held = stored_at(UPSTREAM, all_keys, parameters, reach_only, 6)
    found: dict[int, RegisterCount | None] = {}

    def run(number: int) -> None:
        randomness = Randomness.from_seed(6, f"halo worker {number}")
        network = WorkerNetwork([Worker(number, channels[number], randomness)], 3)
        keys = generate_keys(network, parameters.group)
        assert keys.publics == all_keys.publics and set(keys.secrets) == {number}
        protocol = reach_only_llv2 if reach_only else llv2
        found[number] = protocol(network, {number: held.get(number, [])}, keys, parameters)

    threads = [threading.Thread(target=run, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {1: None, 2: None, 3: simulated}


@pytest.mark.parametrize(
    ("step", "payload", "said"),
    [
        ("setup", b"\0" * 64, "64 bytes, not records of 192"),
        ("setup", b"\xff" * 192, "bytes are no element of the clear group"),
        ("keys", b"\xff" * 32, "bytes are no element"),
        ("keys", b"", "0 bytes instead of 32"),
    ],
)
def test_a_wrong_message_is_an_error(step: str, payload: bytes, said: str) -> None:
    def change(message: Message) -> list[Message]:
        wrong = message.sender == 2 and message.step == step
        return [replace(message, payload=payload) if wrong else message]

    with pytest.raises(ChannelError, match=said):
        counted(UPSTREAM, parameters_of(UPSTREAM), interceptors=[change])


@pytest.mark.parametrize("receiver", [1, 3])
def test_a_missing_excess_is_an_error(receiver: int) -> None:
    def empty(message: Message) -> list[Message]:
        wrong = message.step == "round-1" and message.receiver == receiver
        return [replace(message, payload=b"") if wrong else message]

    with pytest.raises(ChannelError, match="the record of the excess is missing"):
        counted(UPSTREAM, parameters_of(UPSTREAM), reach_only=True, interceptors=[empty])


def test_an_impossible_excess_is_an_error() -> None:
    parameters = parameters_of(UPSTREAM, 2, noise=ALL_NOISE)
    group = parameters.group
    unit = group.hash_to_element("unit")
    assert multiple_of_unit(group.multiply(24, unit), parameters, "s") == 24
    with pytest.raises(ChannelError, match="s: the sum of the workers' excess is impossible"):
        multiple_of_unit(group.multiply(25, unit), parameters, "s")


@pytest.mark.parametrize("name", ["workers", "publishers", "max_frequency"])
def test_parameters_are_checked(name: str) -> None:
    with pytest.raises(ParameterError, match=f"{name} must be an integer of at least"):
        replace(parameters_of(UPSTREAM), **{name: 0})  # type: ignore[arg-type]


def test_rounds_are_those_of_the_docstrings() -> None:
    for workers in (2, 3):
        for reach_only, rounds in ((False, 1 + 3 * workers), (True, 1 + workers)):
            _, network = counted(UPSTREAM, parameters_of(UPSTREAM, workers), reach_only=reach_only)
            taken = sum(cost.rounds for step, cost in network.costs.items() if step != "keys")
            assert taken == rounds


def test_a_network_of_another_size_is_refused() -> None:
    parameters = parameters_of(UPSTREAM, 3)
    network = simulated_workers(2, 1)
    keys = generate_keys(network, parameters.group)
    for protocol in (llv2, reach_only_llv2):
        with pytest.raises(MismatchError, match="for 3 workers, the network has 2"):
            protocol(network, {}, keys, parameters)
