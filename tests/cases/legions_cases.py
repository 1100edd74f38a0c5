"""Liquid Legions computations over sketches in the clear, for tests."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ipa.halo.encrypted_sketch import encrypt_indexes, encrypt_sketch
from ipa.halo.groups import group_by_name
from ipa.halo.liquid_legions import LiquidLegions, LiquidLegionsNoise, WorkerKeys, generate_keys
from ipa.halo.llv2 import llv2
from ipa.halo.llv2_tuples import RegisterCount
from ipa.halo.network import WorkerNetwork, simulated_workers
from ipa.halo.noise import WorkerNoise
from ipa.halo.reach_only_llv2 import reach_only_llv2
from ipa.halo.sketch import Register, Sketch
from ipa.network.interception import Interceptor
from ipa.sharing.randomness import Randomness

X = Register(None, 1)
NOTHING = LiquidLegionsNoise()
SMALL = WorkerNoise(2, Fraction(1), Fraction(0), 2)
ALL_NOISE = LiquidLegionsNoise(SMALL, SMALL, SMALL, SMALL)

# The three sketches of upstream's test of LLv2.
UPSTREAM: list[Sketch] = [
    {
        1: Register(111, 6),
        2: Register(222, 3),
        3: Register(333, 1),
        4: Register(444, 3),
        5: X,
        6: Register(601, 2),
        7: X,
    },
    {3: Register(333, 2), 4: Register(444, 4), 6: Register(602, 2), 7: Register(777, 2)},
    {3: Register(333, 3), 4: Register(444, 5)},
]


def parameters_of(
    sketches: Sequence[Sketch],
    workers: int = 3,
    max_frequency: int = 10,
    group: str = "clear",
    noise: LiquidLegionsNoise = NOTHING,
) -> LiquidLegions:
    return LiquidLegions(
        group=group_by_name(group),
        workers=workers,
        publishers=len(sketches),
        max_frequency=max_frequency,
        noise=noise,
    )


def stored_at(
    sketches: Sequence[Sketch],
    keys: WorkerKeys,
    parameters: LiquidLegions,
    indexes: bool,
    seed: int,
) -> dict[int, list[bytes]]:
    """The encrypted sketches, dealt to the workers in turn."""
    group, randomness = parameters.group, Randomness.from_seed(seed, "publishers")
    encrypt: Any = encrypt_indexes if indexes else encrypt_sketch
    held: dict[int, list[bytes]] = {}
    for number, sketch in enumerate(sketches):
        data = encrypt(sketch, keys.combined(group), parameters, randomness)
        held.setdefault(1 + number % parameters.workers, []).append(data)
    return held


def counted(
    sketches: Sequence[Sketch],
    parameters: LiquidLegions,
    *,
    reach_only: bool = False,
    seed: int = 0,
    interceptors: Sequence[Interceptor] = (),
) -> tuple[RegisterCount, WorkerNetwork]:
    """The aggregator's count, and the network that made it."""
    network = simulated_workers(parameters.workers, seed, interceptors)
    keys = generate_keys(network, parameters.group)
    held = stored_at(sketches, keys, parameters, reach_only, seed)
    count = (reach_only_llv2 if reach_only else llv2)(network, held, keys, parameters)
    assert count is not None
    return count, network
