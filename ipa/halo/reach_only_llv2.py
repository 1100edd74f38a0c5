"""Reach-only Liquid Legions v2: how many registers are active in any of the encrypted sketches.

Only indexes are sent. They go round the ring once, are decrypted and blinded, and the aggregator
counts distinct ones. Noise identifiers count as well, so the workers add up under encryption how
many of the blind histogram's there are. Security: semi-honest, up to n - 1 of n workers.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ipa.errors import ChannelError
from ipa.halo.elgamal import add, decrypt, encrypt, random_scalar, scale
from ipa.halo.liquid_legions import UNIT, LiquidLegions, WorkerKeys, around_the_ring, gather
from ipa.halo.llv2_tuples import RegisterCount
from ipa.halo.network import Worker, WorkerNetwork
from ipa.halo.records import Record, sorted_records

INDEX = 1
"""Ciphertexts of a register: its index."""

_FIXED_IDENTIFIERS = 2
"""The one of publisher noise and the one of padding, which every worker appends at least once."""


def reach_only_llv2(
    network: WorkerNetwork,
    sketches: Mapping[int, Sequence[bytes]],
    keys: WorkerKeys,
    parameters: LiquidLegions,
) -> RegisterCount | None:
    """The whole protocol. `sketches` has the encrypted indexes that each local worker stores.

    Returns the number of active registers, less the expected noise, where the aggregator is local.

    Cost: 1 + n rounds for n workers; a register costs each worker 3 multiplications.
    Reveals: to the aggregator how many indexes occur how often, with noise; to the others the number of
        registers.
    Raises: ChannelError.
    """
    group, last = parameters.group, parameters.workers
    aggregator, key = network.workers.get(last), keys.combined(group)
    with network.step("setup"):
        registers = gather(network, sketches, key, parameters, INDEX)
    if aggregator:
        registers = [(excess_of(aggregator, key, parameters),), *registers]
    with network.step("round-1"):
        work = partial(blind_indexes, keys=keys, parameters=parameters)
        records = around_the_ring(network, registers, parameters, INDEX, work)
    if not aggregator:
        return None
    secret = keys.secrets[last]
    (excess,), *blinded = _with_excess(records, "round-1", last)
    distinct = {group.to_bytes(decrypt(group, secret, index)[1]) for (index,) in blinded}
    noise = multiple_of_unit(decrypt(group, secret, excess)[1], parameters, "round-1")
    noise += _FIXED_IDENTIFIERS + parameters.workers * parameters.noise.reach.offset
    return RegisterCount(max(0, len(distinct) - noise))


def _with_excess(records: list[Record], step: str, receiver: int) -> list[Record]:
    if not records:
        raise ChannelError(step, "the record of the excess is missing", [receiver])
    return records


def excess_of(worker: Worker, key: Any, parameters: LiquidLegions) -> Any:
    """How many identifiers the worker drew for the blind histogram, encrypted as so many units."""
    group = parameters.group
    units = group.multiply(sum(worker.drawn["blind histogram"]), group.hash_to_element(UNIT))
    return encrypt(group, key, units, worker.randomness)


def blind_indexes(
    worker: Worker, records: list[Record], *, keys: WorkerKeys, parameters: LiquidLegions
) -> list[Record]:
    """Decrypt and blind the indexes by one exponent and shuffle; the first record is the excess.

    The worker adds its own excess, encrypted for itself and those after it, and decrypts its layer.
    """
    group, secret = parameters.group, keys.secrets[worker.number]
    exponent = random_scalar(group, worker.randomness)
    (excess,), *registers = _with_excess(records, "round-1", worker.number)
    remaining = keys.combined(group, worker.number)
    excess = add(group, excess, excess_of(worker, remaining, parameters))
    blinded = [(scale(group, exponent, decrypt(group, secret, index)),) for (index,) in registers]
    return [(decrypt(group, secret, excess),), *sorted_records(group, blinded)]


def multiple_of_unit(element: Any, parameters: LiquidLegions, step: str) -> int:
    """How many units the element is; all workers' noise together bounds it.

    Raises: ChannelError.
    """
    group = parameters.group
    unit, multiple = group.hash_to_element(UNIT), group.identity
    offset = parameters.noise.blind_histogram.offset
    for number in range(2 * offset * parameters.publishers * parameters.workers + 1):
        if multiple == element:
            return number
        multiple = group.add(multiple, unit)
    raise ChannelError(step, "the sum of the workers' excess is impossible", [parameters.workers])
