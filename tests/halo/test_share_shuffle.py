"""The share shuffle: exact against the oracle, exact noise, nothing to see for a single worker."""

import threading
from collections import Counter
from fractions import Fraction
from math import sqrt

import pytest
from halo_cases import IMPRESSIONS, INTERVALS, PERSONS, PUBLISHERS
from hypothesis import given
from hypothesis import strategies as st
from shuffle_cases import SMALL, VECTORS, shares_of, shuffled

from ipa.errors import ChannelError, MismatchError, ParameterError
from ipa.halo.impressions import Impression, Selection, select
from ipa.halo.network import Worker, WorkerNetwork, simulated_workers, worker_channels
from ipa.halo.noise import PrivacyParameters, WorkerNoise, gaussian_noise
from ipa.halo.oracle import frequency_histogram
from ipa.halo.registers import SamplingInterval, frequency_vector, rank_population, sampled_persons
from ipa.halo.share_shuffle import (
    AGGREGATOR,
    FIRST,
    SECOND,
    ShareShuffle,
    Tally,
    VectorShare,
    noise_registers,
    share_shuffle,
    sum_of_shares,
    tally,
)
from ipa.network.channel import Message
from ipa.sharing.randomness import Randomness

KEY = b"vid"


@given(IMPRESSIONS, st.integers(1, 4), INTERVALS, st.integers(0, 2**32))
def test_without_noise_the_histogram_is_the_oracle_s(
    impressions: list[Impression], max_frequency: int, interval: SamplingInterval, seed: int
) -> None:
    ranks = rank_population(PERSONS, KEY)
    persons = sampled_persons(ranks, interval)
    vectors = [
        frequency_vector(
            select(impressions, [Selection(publishers=frozenset([name]))]),
            persons,
            max_frequency,
            ranks,
        )
        for name in PUBLISHERS
    ]
    parameters = ShareShuffle(registers=len(persons), providers=3, max_frequency=max_frequency)
    found = tally(shuffled(vectors, parameters, seed)[0], parameters)
    expected = frequency_histogram(impressions, max_frequency, among=persons)
    assert found == Tally(sum(expected), tuple(expected))
    only = ShareShuffle(registers=len(persons), providers=3, max_frequency=0)
    ones = [[min(1, value) for value in vector] for vector in vectors]
    assert tally(shuffled(ones, only, seed)[0], only) == Tally(sum(expected), ())


def test_upstream_s_vector_of_reach_and_frequency() -> None:
    parameters = ShareShuffle(registers=8, providers=2, max_frequency=2, modulus=8)
    first, second = [3, 4, 3, 6, 1, 7, 2, 0], [5, 4, 5, 2, 0, 3, 1, 4]
    registers = [(a + b) % 8 for a, b in zip(first, second, strict=True)]
    found = tally(registers, parameters)
    assert found == Tally(4, (1, 3))  # at width 1/2: reach 8, a quarter once, the rest more often
    held = [VectorShare(bytes(first)), VectorShare(bytes(8))]
    summed = sum_of_shares(held, parameters)
    assert summed == first
    network = simulated_workers(3, 5)
    shares = {FIRST: held, SECOND: [VectorShare(bytes(second)), VectorShare(bytes(8))]}
    seen = share_shuffle(network, shares, parameters)
    assert seen is not None and sorted(seen) == sorted(registers)


def test_upstream_s_vector_of_the_reach_only() -> None:
    parameters = ShareShuffle(registers=8, providers=2, max_frequency=0, modulus=7)
    shares = {
        FIRST: [VectorShare(bytes([2, 3, 2, 5, 1, 6, 2, 0])), VectorShare(bytes(8))],
        SECOND: [VectorShare(bytes([5, 4, 5, 2, 0, 3, 1, 4])), VectorShare(bytes(8))],
    }
    seen = share_shuffle(simulated_workers(3, 5), shares, parameters)
    assert seen is not None
    assert tally(seen, parameters).non_empty == 4


@given(st.integers(0, 2**32))
def test_what_was_drawn_subtracted_the_result_is_exact(seed: int) -> None:
    parameters = ShareShuffle(
        registers=5, providers=3, max_frequency=2, reach_noise=SMALL, frequency_noise=SMALL
    )
    registers, network = shuffled(VECTORS, parameters, seed)
    drawn = [network.workers[number].drawn for number in (FIRST, SECOND)]
    zeros = sum(noise["reach"][0] for noise in drawn)
    per_value = [
        sum(values) for values in zip(*(noise["frequency"] for noise in drawn), strict=True)
    ]
    assert len(per_value) == parameters.largest == 6
    noise = Counter({0: zeros, **dict(enumerate(per_value, start=1))})
    padding = 2 * parameters.noise_registers - noise.total()
    noise[parameters.modulus - 1] = padding
    assert Counter(registers) - noise == Counter([0, 3, 4, 0, 4])
    assert len(registers) == 5 + noise.total()
    only = ShareShuffle(registers=5, providers=3, max_frequency=0, reach_noise=SMALL)
    ones = [[min(1, value) for value in vector] for vector in VECTORS]
    registers, network = shuffled(ones, only, seed)
    total = sum(network.workers[number].drawn["reach"][0] for number in (FIRST, SECOND))
    assert sum(value != 0 for value in registers) - total == 3


def test_the_expected_noise_is_subtracted_and_the_rest_kept_in_range() -> None:
    parameters = ShareShuffle(
        registers=5, providers=1, max_frequency=3, reach_noise=SMALL, frequency_noise=SMALL
    )
    q = parameters.modulus
    assert tally([0] * 8 + [1] * 7 + [2] * 8 + [3, q - 1], parameters) == Tally(3, (1, 2, 0))
    assert tally([0] * 99, parameters) == Tally(0, (0, 0, 0))
    assert tally([1] * 99, parameters) == Tally(5, (5, 0, 0))
    assert tally([1] * 99 + [2] * 99, parameters) == Tally(5, (5, 5, 0))
    assert tally([0] * 6 + [1] * 6 + [2] * 7, parameters) == Tally(5, (0, 1, 4))
    only = ShareShuffle(registers=5, providers=1, max_frequency=0, reach_noise=SMALL)
    assert [tally([1] * n + [0] * 9, only).non_empty for n in (0, 6, 8, 99)] == [0, 0, 2, 5]


@pytest.mark.parametrize("max_frequency", [0, 3])
def test_the_noise_registers_have_one_number_whatever_is_drawn(max_frequency: int) -> None:
    parameters = ShareShuffle(
        registers=0,
        providers=2,
        max_frequency=max_frequency,
        reach_noise=SMALL,
        frequency_noise=SMALL if max_frequency else WorkerNoise(0, Fraction(0), Fraction(0), 1),
    )
    network = simulated_workers(3, 3)
    sizes = {len(noise_registers(network.workers[FIRST], parameters)) for _ in range(200)}
    assert sizes == {parameters.noise_registers} == {6 + 36 if max_frequency else 6}


def test_thirty_runs_fit_the_formula() -> None:
    """Reach of a sampled and noised measurement: unbiased, with the variance of the description."""
    universe, reached, width = 600, 240, Fraction(1, 2)
    noise = gaussian_noise(PrivacyParameters(Fraction(1), Fraction(1, 100)), 2)
    w = float(width)
    sigma = sqrt(2 * noise.variance)
    formula = sqrt(w * (1 - w) * (universe - reached) * reached / (universe - 1) + sigma**2) / w
    errors = []
    population = [str(number) for number in range(universe)]
    seen = [Impression(person, "alpha", "c", "m", 0) for person in population[:reached]]
    for run in range(30):
        ranks = rank_population(population, bytes([run]))
        persons = sampled_persons(ranks, SamplingInterval(Fraction(0), width))
        vector = frequency_vector(seen, persons, 1, ranks)
        parameters = ShareShuffle(
            registers=len(persons), providers=1, max_frequency=1, reach_noise=noise
        )
        found = tally(shuffled([vector], parameters, run)[0], parameters)
        errors.append(found.non_empty / w - reached)
    mean = sum(errors) / 30
    deviation = sqrt(sum((error - mean) ** 2 for error in errors) / 29)
    assert abs(mean) * sqrt(30) / deviation < 2.58
    assert 0.67 <= deviation / formula <= 1.35


def test_one_worker_per_thread_gives_the_same_registers() -> None:
    parameters = ShareShuffle(
        registers=5, providers=3, max_frequency=2, reach_noise=SMALL, frequency_noise=SMALL
    )
    held = shares_of(VECTORS, parameters, 9)
    found: dict[int, list[int] | None] = {}
    channels = worker_channels(3, timeout=20)

    def run(number: int) -> None:
        randomness = Randomness.from_seed(9, f"halo worker {number}")
        network = WorkerNetwork([Worker(number, channels[number], randomness)], 3)
        mine = {number: held[number]} if number in held else {}
        found[number] = share_shuffle(network, mine, parameters)

    threads = [threading.Thread(target=run, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {1: None, 2: None, 3: shuffled(VECTORS, parameters, 9)[0]}


def test_an_impossible_register_is_an_error() -> None:
    parameters = ShareShuffle(registers=5, providers=3, max_frequency=2)
    assert tally([0, 6, parameters.modulus - 1], parameters).non_empty == 4
    with pytest.raises(ChannelError, match="tally: a register holds an impossible frequency"):
        tally([0, 7], parameters)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: [], "no message from worker 1"),
        (lambda m: [Message(m.step, 1, m.receiver, m.payload + b"\0")], "49 bytes instead of 48"),
        (lambda m: [Message("other", 1, m.receiver, m.payload)], "of another step, other"),
        (lambda m: [Message("abort", 1, m.receiver, b"")], "worker 1 aborted"),
    ],
)
def test_a_wrong_message_is_an_error(change: object, said: str) -> None:
    assert callable(change)
    parameters = ShareShuffle(registers=5, providers=3, max_frequency=2)
    with pytest.raises(ChannelError, match=said):
        shuffled(VECTORS, parameters, 0, [lambda m: change(m) if m.sender == 1 else [m]])


def test_an_element_out_of_range_is_an_error() -> None:
    parameters = ShareShuffle(registers=5, providers=3, max_frequency=2)

    def out_of_range(message: Message) -> list[Message]:
        payload = b"\xff" * len(message.payload)
        changed = Message(message.step, message.sender, message.receiver, payload)
        return [changed if message.receiver == AGGREGATOR else message]

    with pytest.raises(ChannelError, match="shuffled: an element is not below the modulus 127"):
        shuffled(VECTORS, parameters, 0, [out_of_range])


def test_parameters_are_checked() -> None:
    with pytest.raises(ParameterError, match="registers must be an integer of at least 0"):
        ShareShuffle(registers=-1, providers=1, max_frequency=1)
    with pytest.raises(ParameterError, match="providers must be an integer of at least 1"):
        ShareShuffle(registers=1, providers=0, max_frequency=1)
    with pytest.raises(ParameterError, match="max_frequency must be an integer of at least 0"):
        ShareShuffle(registers=1, providers=1, max_frequency=-1)
    with pytest.raises(ParameterError, match="modulus must be an integer from 8 to 65535, not 7"):
        ShareShuffle(registers=1, providers=3, max_frequency=2, modulus=7)
    with pytest.raises(ParameterError, match="must be a prime"):
        ShareShuffle(registers=1, providers=3, max_frequency=0, modulus=8)
    parameters = ShareShuffle(registers=2, providers=1, max_frequency=1)
    with pytest.raises(ParameterError, match="1 shares are needed, not 2"):
        sum_of_shares([VectorShare(b"\0\0")] * 2, parameters)
    with pytest.raises(ParameterError, match="a share must have 2 registers"):
        sum_of_shares([VectorShare(b"\0")], parameters)


def test_networks_have_two_workers_or_more_and_show_nothing() -> None:
    with pytest.raises(ParameterError, match="at least two workers"):
        simulated_workers(1)
    network = simulated_workers(3, 1)
    assert repr(network) == "<WorkerNetwork of 3: local workers W1, W2, W3>"
    assert repr(network.workers[2]) == "<Worker W2>"
    held = shares_of(VECTORS, ShareShuffle(registers=5, providers=3, max_frequency=2))
    assert {repr(share) for share in held[FIRST]} == {"<SeedShare>", "<VectorShare of 5 bytes>"}


def test_a_step_s_seconds_are_not_its_parent_s_too(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("ipa.halo.network.perf_counter", lambda: clock[0])
    network = simulated_workers(3, 1)
    with network.step("outer"):
        clock[0] += 1
        with network.step("inner"):
            clock[0] += 10
        clock[0] += 100
    seconds = {step: cost.seconds for step, cost in network.costs.items()}
    assert seconds == {"outer": 101, "outer/inner": 10}


def test_costs_are_those_of_the_messages() -> None:
    parameters = ShareShuffle(registers=5, providers=3, max_frequency=2)
    _, network = shuffled(VECTORS, parameters)
    costs = {
        step: (cost.rounds, cost.messages, cost.bytes_sent) for step, cost in network.costs.items()
    }
    assert costs == {"seeds": (1, 2, 96), "shuffled": (1, 2, 10)}
    assert all(cost.seconds > 0 for cost in network.costs.values())


def test_a_network_of_another_size_is_refused() -> None:
    parameters = ShareShuffle(registers=5, providers=3, max_frequency=2)
    for size in (2, 4):
        with pytest.raises(MismatchError, match=f"for 3 workers, the network has {size}"):
            share_shuffle(simulated_workers(size, 1), shares_of(VECTORS, parameters), parameters)
