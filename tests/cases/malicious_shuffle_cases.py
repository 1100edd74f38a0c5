"""A share shuffle that is malicious-secure over vectors in the clear, for tests."""

from collections.abc import Sequence
from fractions import Fraction

from malicious_cases import (
    MaliciousSimulation,
)

from ipa.attacks import Attack
from ipa.halo.malicious_share_shuffle import (
    MaliciousShareShuffle,
    malicious_share_shuffle,
)
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.interception import Interceptor
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.sharing.dealing import share_rows
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import SharedBits

SMALL = [[0, 1, 2], [0, 2, 1]]
VECTORS = [[0, 1, 2, 0, 3], [0, 2, 0, 0, 1], [0, 0, 3, 0, 2]]
NOISE = DigitwiseLaplace(epsilon=Fraction(1), sensitivity=2, digits=3, precision=12)
TINY = DigitwiseLaplace(epsilon=Fraction(2), sensitivity=2, digits=1, precision=2)


def parameters_for(
    vectors: Sequence[Sequence[int]], most: int, noise: DigitwiseLaplace | None = None
) -> MaliciousShareShuffle:
    return MaliciousShareShuffle(
        registers=len(vectors[0]), providers=len(vectors), max_frequency=most, noise=noise
    )


def dealt(
    network: HelperPartyNetwork,
    vectors: Sequence[Sequence[int]],
    parameters: MaliciousShareShuffle,
) -> list[SharedBits]:
    randomness = Randomness.from_seed(3, "providers")
    return [share_rows(network, vector, parameters.input_bits, randomness) for vector in vectors]


def opened_by(
    vectors: Sequence[Sequence[int]],
    parameters: MaliciousShareShuffle,
    seed: int = 1,
    interceptors: Sequence[Interceptor] = (),
    attack: Attack | None = None,
) -> tuple[list[int], MaliciousSimulation]:
    simulation = MaliciousSimulation(seed, interceptors=interceptors, attack=attack)
    tables = dealt(simulation.network, vectors, parameters)
    return malicious_share_shuffle(simulation.network, tables, parameters), simulation
