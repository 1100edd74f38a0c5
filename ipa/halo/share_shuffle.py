"""Honest majority share shuffle: reach and frequency by two shuffling workers and an aggregator.

Data providers split each register's frequency between workers 1 and 2 modulo q. These append noise,
shuffle alike, and hand the aggregator their shares, who sees the registers in an order that means
nothing. Security: semi-honest, one worker of three. Either shuffling worker together with the
aggregator reads everything, and any one worker can change the result unnoticed
(ipa.halo.attacks shows both).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from ipa.errors import ChannelError, ParameterError
from ipa.halo.network import Worker, WorkerNetwork
from ipa.halo.noise import NO_NOISE, WorkerNoise, draw
from ipa.halo.ring_vectors import (
    LARGEST_MODULUS,
    SEED_BYTES,
    Keystream,
    add,
    element_bytes,
    from_bytes,
    is_prime,
    modulus_for,
    multiply,
    shuffle,
    subtract,
    to_bytes,
)
from ipa.ranges import check_integer
from ipa.sharing.randomness import Randomness

FIRST, SECOND, AGGREGATOR = 1, 2, 3
SHUFFLERS = (FIRST, SECOND)


@dataclass(frozen=True, kw_only=True)
class ShareShuffle:
    """The public parameters: `registers` a vector, frequencies up to `max_frequency` a provider.

    With `max_frequency` 0 only the reach is measured: a provider's value is then 0 or 1.
    `modulus` is by default the smallest allowed.

    Raises: ParameterError for a number out of range, or a modulus that does not suit.
    """

    registers: int
    providers: int
    max_frequency: int
    reach_noise: WorkerNoise = NO_NOISE
    frequency_noise: WorkerNoise = NO_NOISE
    modulus: int = 0

    def __post_init__(self) -> None:
        for name, least in (("registers", 0), ("providers", 1), ("max_frequency", 0)):
            check_integer(name, getattr(self, name), least)
        least = self.largest + (1 if self.reach_only else 2)  # beside a sentinel
        if not self.modulus:
            object.__setattr__(self, "modulus", modulus_for(self.largest))
        check_integer("modulus", self.modulus, least, LARGEST_MODULUS)
        if self.reach_only and not is_prime(self.modulus):
            raise ParameterError("to measure the reach only, the modulus must be a prime")

    @property
    def reach_only(self) -> bool:
        """Whether frequencies are left out."""
        return not self.max_frequency

    @property
    def largest(self) -> int:
        """The most that the values of all providers add up to in one register."""
        return max(1, self.max_frequency) * self.providers

    @property
    def noise_registers(self) -> int:
        """How many registers each shuffling worker appends, whatever it draws."""
        return 2 * (self.reach_noise.offset + self.frequency_noise.offset * self.largest)


@dataclass(frozen=True)
class SeedShare:
    """A provider's share as a seed that expands to it."""

    seed: bytes

    def __repr__(self) -> str:
        return "<SeedShare>"


@dataclass(frozen=True)
class VectorShare:
    """A provider's share as the vector itself, in bytes."""

    vector: bytes

    def __repr__(self) -> str:
        return f"<VectorShare of {len(self.vector)} bytes>"


Share = SeedShare | VectorShare


@dataclass(frozen=True)
class Tally:
    """Registers that are not 0, and how many hold 1, 2, ..., F or more; all without the noise expected."""

    non_empty: int
    histogram: tuple[int, ...]


def share_vector(
    vector: Sequence[int], modulus: int, randomness: Randomness
) -> tuple[SeedShare, VectorShare]:
    """What a data provider sends: the seed to one shuffling worker, the difference to the other."""
    seed = randomness.random_bytes(SEED_BYTES)
    mask = Keystream(seed).elements(len(vector), modulus)
    return SeedShare(seed), VectorShare(to_bytes(subtract(vector, mask, modulus), modulus))


def share_shuffle(
    network: WorkerNetwork, shares: Mapping[int, Sequence[Share]], parameters: ShareShuffle
) -> list[int] | None:
    """The whole protocol. `shares` has, for each local shuffling worker, one share per provider.

    Returns the aggregator's registers, shuffled and with noise, where the aggregator is local.

    Cost: two rounds; a shuffling worker sends 48 bytes and its n + 2 L elements.
    Reveals: to the aggregator the multiset of registers and noise; to a shuffling worker nothing.
    Raises: ParameterError for shares that do not fit, ChannelError.
    """
    network.check_size(AGGREGATOR)
    modulus = parameters.modulus
    local = [worker for number, worker in network.workers.items() if number in SHUFFLERS]
    own = {worker.number: worker.randomness.random_bytes(SEED_BYTES) for worker in local}
    with network.step("seeds"):
        exchange = [(FIRST, SECOND), (SECOND, FIRST)]
        seeds = network.transfer(
            exchange, {link: own[link[0]] for link in exchange if link[0] in own}, SEED_BYTES, 1
        )
    registers: dict[tuple[int, int], bytes] = {}
    for worker in local:
        me, other = worker.number, FIRST + SECOND - worker.number
        common = Keystream(_xor(own[me], seeds[other, me]))
        share = sum_of_shares(shares[me], parameters)
        if parameters.reach_only:  # what is not 0 becomes a random number that is not 0
            blinds = common.elements(parameters.registers, modulus, nonzero=True)
            share = multiply(share, blinds, modulus)
        share += _noise_share(worker, common, parameters)
        mixed = shuffle(share, common.random_bytes(SEED_BYTES))
        registers[me, AGGREGATOR] = to_bytes(mixed, modulus)
    with network.step("shuffled"):
        to_aggregator = [(FIRST, AGGREGATOR), (SECOND, AGGREGATOR)]
        count = parameters.registers + 2 * parameters.noise_registers
        received = network.transfer(to_aggregator, registers, element_bytes(modulus), count)
        if AGGREGATOR not in network.workers:
            return None
        first, second = (_elements(received[link], modulus, network.path) for link in to_aggregator)
    return add(first, second, modulus)


def sum_of_shares(shares: Sequence[Share], parameters: ShareShuffle) -> list[int]:
    """A worker's share of the sum over all providers.

    Raises: ParameterError for shares of another number or size.
    """
    count, modulus = parameters.registers, parameters.modulus
    if len(shares) != parameters.providers:
        raise ParameterError(f"{parameters.providers} shares are needed, not {len(shares)}")
    expanded = [
        Keystream(share.seed).elements(count, modulus)
        if isinstance(share, SeedShare)
        else from_bytes(share.vector, modulus)
        for share in shares
    ]
    if any(len(vector) != count for vector in expanded):
        raise ParameterError(f"a share must have {count} registers")
    return reduce(lambda a, b: add(a, b, modulus), expanded)


def tally(registers: Sequence[int], parameters: ShareShuffle, step: str = "tally") -> Tally:
    """What the aggregator counts, the expected noise subtracted and the rest kept within range.

    Raises: ChannelError when a register holds what no honest worker can have made.
    """
    size = parameters.registers
    expected = len(SHUFFLERS) * parameters.reach_noise.offset
    counts = Counter(registers)
    if parameters.reach_only:
        return Tally(_within(len(registers) - counts[0] - expected, size), ())
    sentinel = parameters.modulus - 1
    if any(value > parameters.largest and value != sentinel for value in counts):
        raise ChannelError(step, "a register holds an impossible frequency", [AGGREGATOR])
    non_empty = _within(size - counts[0] + expected, size)
    per_frequency = len(SHUFFLERS) * parameters.frequency_noise.offset
    histogram = [
        _within(counts[frequency] - per_frequency, size)
        for frequency in range(1, parameters.max_frequency)
    ]
    return Tally(non_empty, (*histogram, max(0, non_empty - sum(histogram))))


def noise_registers(worker: Worker, parameters: ShareShuffle) -> list[int]:
    """The registers that one worker appends, in the clear: `noise_registers` of them.

    Reach and frequency: so many of each value as are drawn, the rest the sentinel q - 1, which the
    aggregator does not count. Reach only: numbers that are not 0, the rest 0.
    """
    modulus, count = parameters.modulus, parameters.noise_registers
    reach = draw(parameters.reach_noise, worker.randomness)
    worker.drawn["reach"] = [reach]
    if parameters.reach_only:
        drawn = [1 + worker.randomness.random_below(modulus - 1) for _ in range(reach)]
        return drawn + [0] * (count - reach)
    worker.drawn["frequency"] = [
        draw(parameters.frequency_noise, worker.randomness) for _ in range(parameters.largest)
    ]
    drawn = [0] * reach
    for frequency, times in enumerate(worker.drawn["frequency"], start=1):
        drawn += [frequency] * times
    return drawn + [modulus - 1] * (count - len(drawn))


def _noise_share(worker: Worker, common: Keystream, parameters: ShareShuffle) -> list[int]:
    """A worker's share of both workers' noise: its own less a common mask, the other's mask."""
    count, modulus = parameters.noise_registers, parameters.modulus
    masks = [common.elements(count, modulus) for _ in SHUFFLERS]
    own = SHUFFLERS.index(worker.number)
    masks[own] = subtract(noise_registers(worker, parameters), masks[own], modulus)
    return masks[0] + masks[1]


def _elements(payload: bytes, modulus: int, step: str) -> list[int]:
    try:
        return from_bytes(payload, modulus)
    except ParameterError as error:
        raise ChannelError(step, str(error), [AGGREGATOR]) from error


def _within(number: int, most: int) -> int:
    return max(0, min(most, number))


def _xor(first: bytes, second: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(first, second, strict=True))
