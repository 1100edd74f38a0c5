"""A share shuffle over vectors in the clear, for tests."""

from collections.abc import Sequence
from fractions import Fraction

from ipa.halo.network import WorkerNetwork, simulated_workers
from ipa.halo.noise import WorkerNoise
from ipa.halo.share_shuffle import FIRST, SECOND, Share, ShareShuffle, share_shuffle, share_vector
from ipa.network.interception import Interceptor
from ipa.sharing.randomness import Randomness

SMALL = WorkerNoise(3, Fraction(2), Fraction(0), 2)

VECTORS = [[0, 1, 2, 0, 1], [0, 2, 0, 0, 1], [0, 0, 2, 0, 2]]


def shares_of(
    vectors: Sequence[Sequence[int]], parameters: ShareShuffle, seed: int = 0
) -> dict[int, list[Share]]:
    """What the data providers send: the seed to the one shuffling worker or to the other, in turn."""
    randomness = Randomness.from_seed(seed, "providers")
    held: dict[int, list[Share]] = {FIRST: [], SECOND: []}
    for number, vector in enumerate(vectors):
        expanded, difference = share_vector(vector, parameters.modulus, randomness)
        with_seed = (FIRST, SECOND)[number % 2]
        held[with_seed].append(expanded)
        held[FIRST + SECOND - with_seed].append(difference)
    return held


def shuffled(
    vectors: Sequence[Sequence[int]],
    parameters: ShareShuffle,
    seed: int = 0,
    interceptors: Sequence[Interceptor] = (),
) -> tuple[list[int], WorkerNetwork]:
    """The aggregator's registers, and the network that made them."""
    network = simulated_workers(3, seed, interceptors)
    registers = share_shuffle(network, shares_of(vectors, parameters, seed), parameters)
    assert registers is not None
    return registers, network
