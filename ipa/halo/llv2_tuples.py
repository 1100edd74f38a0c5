"""Tuples (A, B, C, count) of Liquid Legions v2: what equal registers are merged into, encrypted.

A is zero when all keys of a group are equal, B when the group is destroyed from the start, C when it
is noise of the blind histogram. So a group counts for the frequencies just when its zeros are
(True, False, False).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ipa.halo.elgamal import (
    Ciphertext,
    add,
    decrypt,
    encrypt,
    random_scalar,
    scale,
    subtract,
    trivial,
)
from ipa.halo.liquid_legions import BLIND_HISTOGRAM, DESTROYED, UNIT, LiquidLegions
from ipa.halo.network import Worker
from ipa.halo.noise import draw
from ipa.halo.records import Record
from ipa.sharing.randomness import Randomness

Zeros = tuple[bool, ...]
"""Which of a record's plaintexts are the identity."""

COUNTS: Zeros = (True, False, False)
"""The zeros among the flags of a tuple that counts for the frequencies."""


@dataclass(frozen=True)
class RegisterCount:
    """Active registers, and how many of those not destroyed have frequency 1, ..., F or more."""

    active: int
    histogram: tuple[int, ...] = ()


def merge_registers(
    registers: Sequence[Record], secret: int, key: Any, parameters: LiquidLegions, worker: Worker
) -> list[Record]:
    """The aggregator's merge: one tuple for each index that occurs, and not too often.

    The last layer of the indexes is decrypted with `secret`; what is left is blinded by all other
    workers. An index that occurs more often than there are publishers is noise and left out.

    Cost: 7 multiplications a tuple and an encryption of zero, one more a further register.
    """
    group = parameters.group
    groups: dict[bytes, list[Record]] = {}
    for index, *rest in registers:
        blinded = decrypt(group, secret, index)[1]
        groups.setdefault(group.to_bytes(blinded), []).append(tuple(rest))
    return [
        _merge(members, key, parameters, worker.randomness)
        for members in groups.values()
        if len(members) <= parameters.publishers
    ]


def _merge(
    members: Sequence[Record], key: Any, parameters: LiquidLegions, randomness: Randomness
) -> Record:
    """(A, B, C, count) of registers with one index, each a (key, count).

    With K_i the keys, C_i the counts and every r random: A = Enc(0) + sum of r_i (K_i - K_0),
    B = r (destroyed + A - K_0), C = r (blind histogram + A - K_0), count = sum of C_i + r A.
    """
    group = parameters.group
    first_key, count = members[0]
    same = encrypt(group, key, group.identity, randomness)
    for other_key, other_count in members[1:]:
        difference = subtract(group, other_key, first_key)
        same = add(group, same, scale(group, random_scalar(group, randomness), difference))
        count = add(group, count, other_count)
    flags = [same]
    for label in (DESTROYED, BLIND_HISTOGRAM):
        constant = trivial(group, group.hash_to_element(label))
        difference = subtract(group, add(group, constant, same), first_key)
        flags.append(scale(group, random_scalar(group, randomness), difference))
    garbled = add(group, count, scale(group, random_scalar(group, randomness), same))
    return (*flags, garbled)


def noise_tuples(
    worker: Worker, flag_key: Any, count_key: Any, parameters: LiquidLegions
) -> list[Record]:
    """The tuples one worker appends to hide the frequencies: always the same number.

    So many of each frequency as are drawn, so many with unlike keys as are drawn, and the rest like
    destroyed registers: there the reach's noise hides how many there are. The flags are encrypted
    for the workers that still have to decrypt them, the counts for all.
    """
    group, randomness = parameters.group, worker.randomness
    if not parameters.noise_tuples:
        return []
    times = [draw(parameters.noise.frequency, randomness) for _ in range(parameters.max_frequency)]
    unlike = draw(parameters.noise.frequency, randomness)
    worker.drawn.update({"frequency": times, "unlike": [unlike]})
    padding = parameters.noise_tuples - sum(times) - unlike
    unit = group.hash_to_element(UNIT)
    kinds: list[tuple[Zeros, Any]] = [((False, False, False), None)] * unlike
    kinds += [((True, True, False), None)] * padding
    for frequency, number in enumerate(times, start=1):
        kinds += [(COUNTS, group.multiply(frequency, unit))] * number

    def nonzero() -> Any:
        """A random multiple of the generator."""
        return group.multiply_generator(random_scalar(group, randomness))

    return [
        (
            *(
                encrypt(group, flag_key, group.identity if zero else nonzero(), randomness)
                for zero in flags
            ),
            encrypt(group, count_key, nonzero() if count is None else count, randomness),
        )
        for flags, count in kinds
    ]


def differences(count: Ciphertext[Any], parameters: LiquidLegions, worker: Worker) -> Record:
    """r_i (count - i) for i = 1 to F - 1: the i-th is zero just when the frequency is i.

    Each has its own r, or their differences would tell the frequency beyond F.
    """
    group = parameters.group
    unit = trivial(group, group.hash_to_element(UNIT))
    row = []
    for _ in range(parameters.max_frequency - 1):
        count = subtract(group, count, unit)
        row.append(scale(group, random_scalar(group, worker.randomness), count))
    return tuple(row)


def zeros(record: Sequence[Ciphertext[Any]], secret: int, parameters: LiquidLegions) -> Zeros:
    """Which plaintexts are zero, to the worker whose layer is the last."""
    group = parameters.group
    return tuple(decrypt(group, secret, part)[1] == group.identity for part in record)


def count_registers(
    flags: Sequence[Zeros], rows: Sequence[Zeros], parameters: LiquidLegions
) -> RegisterCount:
    """What the zeros say, less the noise that is expected of all workers.

    `flags` has the zeros of each tuple, `rows` of each tuple's differences where it counts.
    """
    most = parameters.max_frequency
    expected = parameters.noise.reach.offset + parameters.noise_tuples
    blind = sum(zero[2] for zero in flags)
    active = len(flags) - blind - parameters.workers * expected
    seen = Counter(row.index(True) + 1 if any(row) else most for row in rows)
    per_frequency = parameters.workers * parameters.noise.frequency.offset
    histogram = tuple(max(0, seen[f] - per_frequency) for f in range(1, most + 1))
    return RegisterCount(max(0, active), histogram)
