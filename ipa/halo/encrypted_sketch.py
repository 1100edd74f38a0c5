"""What a data provider makes of its sketch for Liquid Legions: encrypted registers in a random order."""

from typing import Any

from ipa.halo.elgamal import encrypt
from ipa.halo.liquid_legions import DESTROYED, UNIT, LiquidLegions
from ipa.halo.records import encode, sorted_records
from ipa.halo.sketch import Sketch
from ipa.sharing.randomness import Randomness


def encrypt_sketch(
    sketch: Sketch, key: Any, parameters: LiquidLegions, randomness: Randomness
) -> bytes:
    """What a data provider sends one worker: index, key and count of each active register.

    A destroyed register has the element of DESTROYED as key and count.

    Cost: three encryptions and two hashes to the group a register.
    Reveals: the number of active registers.
    """
    group = parameters.group
    unit, destroyed = (group.hash_to_element(label) for label in (UNIT, DESTROYED))
    records = []
    for index, register in sketch.items():
        element = count = destroyed
        if register.key is not None:
            element = group.hash_to_element(f"key {register.key}")
            count = group.multiply(min(register.count, parameters.max_frequency + 1), unit)
        plain = (group.hash_to_element(f"index {index}"), element, count)
        records.append(tuple(encrypt(group, key, part, randomness) for part in plain))
    return encode(group, sorted_records(group, records))


def encrypt_indexes(
    sketch: Sketch, key: Any, parameters: LiquidLegions, randomness: Randomness
) -> bytes:
    """What a data provider sends where only the reach is asked: the index of each active register."""
    group = parameters.group
    records = [
        (encrypt(group, key, group.hash_to_element(f"index {index}"), randomness),)
        for index in sketch
    ]
    return encode(group, sorted_records(group, records))
