"""What both Liquid Legions protocols have in common: parameters, keys, sketches, noise, the ring.

Workers 1 to n - 1 stand in a ring with the last one, the aggregator. Each holds a summand of the
ElGamal key. In a ring round the aggregator sends records to worker 1, each worker works on all of
them and passes them on, and the last but one passes them back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ipa.errors import ChannelError, ParameterError
from ipa.halo.elgamal import combined_key, encrypt, random_scalar
from ipa.halo.group import Group
from ipa.halo.network import Worker, WorkerNetwork
from ipa.halo.noise import NO_NOISE, WorkerNoise, draw
from ipa.halo.records import Record, decode, encode, sorted_records
from ipa.ranges import check_integer

DESTROYED = "destroyed register"
BLIND_HISTOGRAM = "blind histogram noise"
UNIT = "unit"
PUBLISHER_NOISE = "publisher noise"
PADDING = "padding noise"

_UNIQUE_BYTES = 16


@dataclass(frozen=True)
class LiquidLegionsNoise:
    """What each worker draws: for the reach, publishers' sizes, blind histogram and frequencies."""

    reach: WorkerNoise = NO_NOISE
    publisher: WorkerNoise = NO_NOISE
    blind_histogram: WorkerNoise = NO_NOISE
    frequency: WorkerNoise = NO_NOISE


@dataclass(frozen=True, kw_only=True)
class LiquidLegions:
    """The public parameters of a computation over sketches of `publishers` data providers.

    Raises: ParameterError for a number out of range.
    """

    group: Group[Any]
    workers: int
    publishers: int
    max_frequency: int = 1
    noise: LiquidLegionsNoise = LiquidLegionsNoise()

    def __post_init__(self) -> None:
        for name, least in (("workers", 2), ("publishers", 1), ("max_frequency", 1)):
            check_integer(name, getattr(self, name), least)

    @property
    def noise_registers(self) -> int:
        """How many registers each worker appends in the setup, whatever it draws."""
        noise, many = self.noise, self.publishers
        return (
            2 * noise.publisher.offset
            + 2 * noise.reach.offset
            + noise.blind_histogram.offset * many * (many + 1)
        )

    @property
    def noise_tuples(self) -> int:
        """How many tuples each worker appends to hide the frequencies, whatever it draws."""
        return 2 * self.noise.frequency.offset * (self.max_frequency + 1)

    def record_bytes(self, ciphertexts: int) -> int:
        """The length of a record of so many ciphertexts."""
        return 2 * self.group.element_bytes * ciphertexts


@dataclass(frozen=True)
class WorkerKeys:
    """The local workers' secret summands of the ElGamal key, and all workers' public ones."""

    secrets: Mapping[int, int]
    publics: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"<WorkerKeys of {len(self.publics)} workers, {len(self.secrets)} of them local>"

    def combined(self, group: Group[Any], first: int = 1) -> Any:
        """The key that all workers from number `first` on must decrypt for together."""
        return combined_key(group, self.publics[first - 1 :])


def generate_keys(network: WorkerNetwork, group: Group[Any]) -> WorkerKeys:
    """Each worker draws its summand and sends its public part to all others.

    Security: semi-honest. A worker that waits for all other keys can choose its own so that it knows
    the combined key's secret.

    Cost: one round; one element from each worker to each other.
    Raises: ChannelError.
    """
    numbers = range(1, network.size + 1)
    secrets = {n: random_scalar(group, worker.randomness) for n, worker in network.workers.items()}
    own = {n: group.multiply_generator(secret) for n, secret in secrets.items()}
    links = [(a, b) for a in numbers for b in numbers if a != b]
    payloads = {(a, b): group.to_bytes(own[a]) for a, b in links if a in own}
    with network.step("keys"):
        received = network.transfer(links, payloads, group.element_bytes, 1)
        sent = {sender: data for (sender, _), data in received.items()}
        # A worker that is alone here has its own key from nobody else.
        publics = tuple(
            _element(group, sent[n], network.path) if n in sent else own[n] for n in numbers
        )
    return WorkerKeys(secrets, publics)


def noise_identifiers(
    worker: Worker, parameters: LiquidLegions, *, always: bool = False
) -> list[tuple[str, str]]:
    """The registers that a worker appends in the setup: the labels of their index and key.

    Distinct identifiers k times each for k = 1 to the number of publishers (they hide how many
    registers k publishers share), one identifier many times (publishers' sizes), identifiers of
    their own (the reach), and padding up to one fixed number. With `always` the second and the last
    kind occur at least once. Keys say to the aggregator what must not count: those of the blind
    histogram are subtracted, and padding has the same key, so that it cannot count even where it is
    no more than a publisher's registers (upstream gives it a random one).
    """
    noise, randomness = parameters.noise, worker.randomness

    def unique(kind: str) -> str:
        """An identifier that no register has."""
        return f"{kind} {randomness.random_bytes(_UNIQUE_BYTES).hex()}"

    many = parameters.publishers
    shared = [draw(noise.blind_histogram, randomness) for _ in range(many)]
    publisher, reach = (draw(kind, randomness) for kind in (noise.publisher, noise.reach))
    worker.drawn.update({"blind histogram": shared, "publisher": [publisher], "reach": [reach]})
    registers: list[tuple[str, str]] = []
    for times, identifiers in enumerate(shared, start=1):
        for _ in range(identifiers):
            registers += [(unique(BLIND_HISTOGRAM), BLIND_HISTOGRAM)] * times
    registers += [(PUBLISHER_NOISE, BLIND_HISTOGRAM)] * (publisher + always)
    registers += [(unique("reach noise"), DESTROYED) for _ in range(reach)]
    padding = parameters.noise_registers + 2 * always - len(registers)
    return registers + [(PADDING, BLIND_HISTOGRAM)] * padding


def gather(
    network: WorkerNetwork,
    sketches: Mapping[int, Sequence[bytes]],
    key: Any,
    parameters: LiquidLegions,
    width: int,
) -> list[Record]:
    """Setup: every worker appends its noise and shuffles; the aggregator gets all the registers.

    A register has `width` ciphertexts: index, key and count, or the index alone.

    Cost: one round.
    Raises: MismatchError for a network of another size.
    """
    network.check_size(parameters.workers)
    group, last = parameters.group, parameters.workers
    own: dict[int, list[Record]] = {}
    for number, worker in network.workers.items():
        own[number] = [
            record
            for sketch in sketches.get(number, ())
            for record in decode(group, sketch, width, network.path, number)
        ]
        for identifier, label in noise_identifiers(worker, parameters, always=width == 1):
            elements = map(group.hash_to_element, (identifier, label, label)[:width])
            own[number].append(
                tuple(encrypt(group, key, element, worker.randomness) for element in elements)
            )
    links = [(number, last) for number in range(1, last)]
    payloads = {
        (number, last): encode(group, sorted_records(group, records))
        for number, records in own.items()
    }
    received = network.transfer(links, payloads, parameters.record_bytes(width), None)
    if last not in network.workers:
        return []
    gathered = list(own[last])
    for link in links:
        gathered += decode(group, received[link], width, network.path, last)
    return sorted_records(group, gathered)


def around_the_ring(
    network: WorkerNetwork,
    records: list[Record],
    parameters: LiquidLegions,
    width: int,
    work: Callable[[Worker, list[Record]], list[Record]],
) -> list[Record]:
    """Every worker but the aggregator works on the records in turn; the aggregator has the last ones.

    `records` is the aggregator's, each of `width` ciphertexts; where it is not local the result
    means nothing.

    Cost: n rounds.
    Raises: ChannelError.
    """
    group, last = parameters.group, parameters.workers
    ring = [last, *range(1, last + 1)]
    for link in pairwise(ring):
        sender, receiver = link
        payloads = {link: encode(group, records)} if sender in network.workers else {}
        received = network.transfer([link], payloads, parameters.record_bytes(width), None)
        if receiver in network.workers:
            records = decode(group, received[link], width, network.path, receiver)
            if receiver != last:
                records = work(network.workers[receiver], records)
    return records


def _element(group: Group[Any], data: bytes, step: str) -> Any:
    try:
        return group.from_bytes(data)
    except ParameterError as error:
        raise ChannelError(step, str(error)) from error
