"""What anybody sees of the share shuffle: uniform shares, a shuffled multiset, public sizes."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shuffle_cases import SMALL, VECTORS, shares_of, shuffled

from ipa.halo.noise import WorkerNoise
from ipa.halo.share_shuffle import AGGREGATOR, FIRST, SECOND, SeedShare, ShareShuffle, sum_of_shares
from ipa.network.interception import Transcript


@given(st.permutations(range(5)), st.integers(0, 2**32))
def test_the_transcript_s_shape_depends_on_public_sizes_alone(order: list[int], seed: int) -> None:
    parameters = ShareShuffle(
        registers=5, providers=3, max_frequency=2, reach_noise=SMALL, frequency_noise=SMALL
    )
    shapes = []
    for vectors in (
        VECTORS,
        [[v[i] for i in order] for v in VECTORS],
        [[0] * 5] * 3,
        [[2] * 5] * 3,
    ):
        transcript = Transcript()
        shuffled(vectors, parameters, seed, [transcript])
        shapes.append(transcript.shape())
    assert all(shape == shapes[0] for shape in shapes)
    size = 5 + 2 * (2 * 3 + 2 * 3 * 6)
    assert shapes[0] == [
        ("seeds", 1, 2, 48),
        ("seeds", 2, 1, 48),
        ("shuffled", 1, 3, size),
        ("shuffled", 2, 3, size),
    ]


@pytest.mark.parametrize("value", [0, 2])
@pytest.mark.parametrize("worker", [FIRST, SECOND])
def test_a_shuffling_worker_s_share_is_uniform(value: int, worker: int) -> None:
    parameters = ShareShuffle(registers=4000, providers=2, max_frequency=2, modulus=7)
    held = shares_of([[value] * 4000] * 2, parameters, seed=1)
    for share in held[worker]:
        one = ShareShuffle(registers=4000, providers=1, max_frequency=2, modulus=7)
        counts = Counter(sum_of_shares([share], one))
        assert sum((counts[k] - 4000 / 7) ** 2 / (4000 / 7) for k in range(7)) < 22.5


def test_what_the_aggregator_has_of_one_worker_is_uniform_and_of_both_unordered() -> None:
    parameters = ShareShuffle(registers=3000, providers=1, max_frequency=2, modulus=7)
    transcript = Transcript()
    registers, _ = shuffled([[0, 1, 2] * 1000], parameters, 4, [transcript])
    for message in transcript.messages:
        if message.receiver == AGGREGATOR:
            counts = Counter(message.payload)
            assert sum((counts[k] - 3000 / 7) ** 2 / (3000 / 7) for k in range(7)) < 22.5
    assert Counter(registers) == {0: 1000, 1: 1000, 2: 1000}
    first_third = Counter(registers[:1000])
    assert all(abs(first_third[value] - 333) < 60 for value in (0, 1, 2))


def test_a_reach_only_register_shows_nothing_but_whether_it_is_zero() -> None:
    parameters = ShareShuffle(registers=6000, providers=3, max_frequency=0, modulus=7)
    for value in (1, 3):
        vectors = [[1 if provider < value else 0] * 6000 for provider in range(3)]
        counts = Counter(shuffled(vectors, parameters, 8)[0])
        assert counts[0] == 0
        assert sum((counts[k] - 1000) ** 2 / 1000 for k in range(1, 7)) < 20.5


def test_no_seed_is_used_for_two_things() -> None:
    """With nothing but zeros and no noise, equal masks would show as equal or zero messages."""
    parameters = ShareShuffle(registers=64, providers=1, max_frequency=2, reach_noise=SMALL)
    transcript = Transcript()
    shuffled([[0] * 64], parameters, 1, [transcript])
    payloads = [message.payload for message in transcript.messages]
    assert len(set(payloads)) == 4
    transcript_of_another_run = Transcript()
    shuffled([[0] * 64], parameters, 2, [transcript_of_another_run])
    assert not {m.payload for m in transcript_of_another_run.messages} & set(payloads)


def test_noise_is_masked_from_who_has_one_share() -> None:
    noise = WorkerNoise(250, Fraction(1), Fraction(0), 2)
    parameters = ShareShuffle(
        registers=0,
        providers=1,
        max_frequency=2,
        reach_noise=noise,
        frequency_noise=noise,
        modulus=7,
    )
    transcript = Transcript()
    shuffled([[]], parameters, 6, [transcript])
    size = 2 * parameters.noise_registers
    for message in transcript.messages:
        if message.receiver == AGGREGATOR:
            counts = Counter(message.payload)
            assert len(message.payload) == size == 3000
            assert sum((counts[k] - size / 7) ** 2 / (size / 7) for k in range(7)) < 22.5


def test_every_run_shuffles_anew() -> None:
    parameters = ShareShuffle(registers=50, providers=1, max_frequency=2)
    marked = [[1, *[0] * 49]]
    places = {shuffled(marked, parameters, seed)[0].index(1) for seed in range(30)}
    assert len(places) > 15


def test_every_provider_draws_a_seed_of_its_own() -> None:
    parameters = ShareShuffle(registers=3, providers=4, max_frequency=2)
    vectors = [[0, 0, 0]] * 4
    drawn = [
        share
        for run in range(2)
        for shares in shares_of(vectors, parameters, run).values()
        for share in shares
    ]
    seeds = {share.seed for share in drawn if isinstance(share, SeedShare)}
    assert len(seeds) == 8
