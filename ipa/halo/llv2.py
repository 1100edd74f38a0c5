"""Liquid Legions v2: reach and frequency from encrypted sketches, by two or more workers.

Setup: every worker appends noise registers and shuffles. Round 1: indexes are decrypted and blinded
in turn, so that the aggregator can put equal ones together, and merges them under encryption.
Round 2: flags that say which merged registers count are decrypted. Round 3: for those that count, a
row of differences of which the first zero is the frequency. Security: semi-honest, up to n - 1 of n
workers. What each sees is in docs/halo.md.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from ipa.halo.elgamal import decrypt, random_scalar, rerandomise, scale
from ipa.halo.liquid_legions import LiquidLegions, WorkerKeys, around_the_ring, gather
from ipa.halo.llv2_tuples import (
    COUNTS,
    RegisterCount,
    count_registers,
    differences,
    merge_registers,
    noise_tuples,
    zeros,
)
from ipa.halo.network import Worker, WorkerNetwork
from ipa.halo.records import Record, sorted_records

REGISTER = 3
"""Ciphertexts of a register: index, key, count."""

_TUPLE = 4
"""Ciphertexts of a tuple: three flags, count."""


def llv2(
    network: WorkerNetwork,
    sketches: Mapping[int, Sequence[bytes]],
    keys: WorkerKeys,
    parameters: LiquidLegions,
) -> RegisterCount | None:
    """The whole protocol. `sketches` has the encrypted sketches that each local worker stores.

    Returns the counts, less the expected noise, where the aggregator is local.

    Cost: 1 + 3 n rounds for n workers.
    Reveals: to the aggregator how many indexes occur how often, how many merged registers are
        destroyed, and the histogram, all with noise; to the others the number of records.
    Raises: ChannelError.
    """
    group, columns = parameters.group, parameters.max_frequency - 1
    key, last = keys.combined(group), parameters.workers
    aggregator, secret = network.workers.get(last), keys.secrets.get(last, 0)
    with network.step("setup"):
        registers = gather(network, sketches, key, parameters, REGISTER)
    with network.step("round-1"):
        work = partial(blind_registers, keys=keys, parameters=parameters)
        registers = around_the_ring(network, registers, parameters, REGISTER, work)
    tuples: list[Record] = []
    if aggregator:
        tuples = merge_registers(registers, secret, key, parameters, aggregator)
        tuples = sorted_records(group, tuples + noise_tuples(aggregator, key, key, parameters))
    with network.step("round-2"):
        work = partial(decrypt_flags, keys=keys, parameters=parameters)
        tuples = around_the_ring(network, tuples, parameters, _TUPLE, work)
    rows: list[Record] = []
    if aggregator:
        flags = [zeros(record[:3], secret, parameters) for record in tuples]
        counts = [record[3] for record, zero in zip(tuples, flags, strict=True) if zero == COUNTS]
        rows = [differences(count, parameters, aggregator) for count in counts]
    if columns:  # with one frequency only, all that count have it
        with network.step("round-3"):
            work = partial(decrypt_rows, keys=keys, parameters=parameters)
            rows = around_the_ring(network, rows, parameters, columns, work)
    if not aggregator:
        return None
    return count_registers(flags, [zeros(row, secret, parameters) for row in rows], parameters)


def blind_registers(
    worker: Worker, records: list[Record], *, keys: WorkerKeys, parameters: LiquidLegions
) -> list[Record]:
    """Round 1: decrypt and blind the indexes by one exponent, rerandomise the rest, shuffle.

    Cost: 3 multiplications for the index, 2 encryptions of zero for the rest.
    """
    group, secret = parameters.group, keys.secrets[worker.number]
    key, exponent = keys.combined(group), random_scalar(group, worker.randomness)
    return sorted_records(
        group,
        (
            (
                scale(group, exponent, decrypt(group, secret, index)),
                *(rerandomise(group, key, part, worker.randomness) for part in rest),
            )
            for index, *rest in records
        ),
    )


def decrypt_flags(
    worker: Worker, records: list[Record], *, keys: WorkerKeys, parameters: LiquidLegions
) -> list[Record]:
    """Round 2: decrypt the flags and multiply each by a number of its own, append noise, shuffle.

    The factor keeps zeros and makes all else unknown, to the aggregator too, which may guess keys.

    Cost: 9 multiplications for the flags, an encryption of zero for the count.
    """
    group, secret, randomness = parameters.group, keys.secrets[worker.number], worker.randomness
    key, remaining = keys.combined(group), keys.combined(group, worker.number + 1)
    treated: list[Record] = []
    for *flags, count in records:
        opened = (decrypt(group, secret, flag) for flag in flags)
        scaled = [scale(group, random_scalar(group, randomness), flag) for flag in opened]
        treated.append((*scaled, rerandomise(group, key, count, randomness)))
    return sorted_records(group, treated + noise_tuples(worker, remaining, key, parameters))


def decrypt_rows(
    worker: Worker, records: list[Record], *, keys: WorkerKeys, parameters: LiquidLegions
) -> list[Record]:
    """Round 3: decrypt every difference.

    Cost: one multiplication each.
    """
    group, secret = parameters.group, keys.secrets[worker.number]
    return [tuple(decrypt(group, secret, part) for part in row) for row in records]
