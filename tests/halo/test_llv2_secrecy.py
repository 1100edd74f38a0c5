"""What anybody sees of Liquid Legions v2: sizes, ciphertexts, blinded numbers."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from legions_cases import ALL_NOISE, UPSTREAM, X, counted, parameters_of, stored_at

from ipa.halo.elgamal import decrypt, encrypt, from_bytes
from ipa.halo.encrypted_sketch import encrypt_sketch
from ipa.halo.group import ClearGroup
from ipa.halo.liquid_legions import BLIND_HISTOGRAM, LiquidLegions, generate_keys
from ipa.halo.llv2 import blind_registers, decrypt_flags, llv2
from ipa.halo.llv2_tuples import differences, merge_registers
from ipa.halo.network import simulated_workers
from ipa.halo.reach_only_llv2 import blind_indexes
from ipa.halo.sketch import Register, Sketch
from ipa.network.interception import Transcript
from ipa.sharing.randomness import Randomness


def shape(sketches: list[Sketch], parameters: LiquidLegions, reach_only: bool) -> list[Any]:
    transcript = Transcript()
    counted(sketches, parameters, reach_only=reach_only, seed=4, interceptors=[transcript])
    return transcript.shape()


@pytest.mark.parametrize("reach_only", [False, True])
def test_the_transcript_s_shape_depends_on_public_sizes_alone(reach_only: bool) -> None:
    other: list[Sketch] = [
        {index + 50: Register(9, 1) for index in UPSTREAM[0]},
        {index + 50: Register(9, 8) for index in UPSTREAM[1]},
        {index + 50: Register(9, 1) for index in UPSTREAM[2]},
    ]
    parameters = parameters_of(UPSTREAM, 3, 4)
    first, second = (shape(sketches, parameters, reach_only) for sketches in (UPSTREAM, other))
    if reach_only:
        assert first == second
        steps = {step: size for step, _, _, size in first}
        assert steps == {"keys": 32, "setup": 64 * (4 + 2), "round-1": 64 * (13 + 6 + 1)}
    else:
        # What the aggregator counts is the result: how many rows there are is part of it.
        assert [m for m in first if m[0] != "round-3"] == [m for m in second if m[0] != "round-3"]
        steps = {step: size for step, _, _, size in first}
        assert steps == {
            "keys": 32,
            "setup": 192 * 4,
            "round-1": 192 * 13,
            "round-2": 256 * 7,
            "round-3": 192 * 4,
        }


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_without_one_key_nothing_in_the_transcript_decrypts(missing: int) -> None:
    sketches: list[Sketch] = [{1: Register(5, 2)}, {1: Register(5, 1), 2: X}]
    parameters = parameters_of(sketches, 3, 3, "p256")
    group = parameters.group
    transcript = Transcript()
    network = simulated_workers(3, 1, [transcript])
    keys = generate_keys(network, group)
    held = stored_at(sketches, keys, parameters, False, 1)
    llv2(network, held, keys, parameters)
    unit = group.hash_to_element("unit")
    plaintexts = [*map(group.hash_to_element, PLAINTEXTS), unit, group.multiply(2, unit)]
    known = {group.to_bytes(element) for element in plaintexts}
    sent = [m.payload for m in transcript.messages if m.step == "setup"] + held[1]
    for data in sent:
        for ciphertext in from_bytes(group, data):
            for number in {1, 2, 3} - {missing}:
                ciphertext = decrypt(group, keys.secrets[number], ciphertext)
            assert group.to_bytes(ciphertext[1]) not in known
            assert group.to_bytes(decrypt(group, keys.secrets[missing], ciphertext)[1]) in known


PLAINTEXTS = ["index 1", "index 2", "key 5", "destroyed register"]


def test_what_the_aggregator_opens_is_blinded_and_not_its_order() -> None:
    """In the clear group blinding is a product: nothing that is opened is a known element."""
    sketches: list[Sketch] = [{index: Register(index, 1 + index % 2) for index in range(30)}]
    parameters = parameters_of(sketches, 2, 3)
    group = parameters.group
    transcript = Transcript()
    network = simulated_workers(2, 1, [transcript])
    keys = generate_keys(network, group)
    llv2(network, stored_at(sketches, keys, parameters, False, 1), keys, parameters)
    known = {
        group.hash_to_element(f"{kind} {index}") for kind in ("index", "key") for index in range(30)
    }
    known.add(group.hash_to_element("destroyed register"))
    rounds = [m for m in transcript.messages if m.step.startswith("round")]
    back = {m.step: from_bytes(group, m.payload) for m in rounds if m.receiver == 2}
    indexes = [decrypt(group, keys.secrets[2], pair)[1] for pair in back["round-1"][::3]]
    assert len(set(indexes)) == 30 and not known & set(indexes)
    opened = [
        decrypt(group, keys.secrets[2], pair)[1]
        for at in (0, 1, 2)
        for pair in back["round-2"][at::4]
    ]
    assert opened.count(0) == 30 and len(set(opened)) == 61
    # A worker's records go on in another order and with other ciphertexts.
    sent = {m.step: from_bytes(group, m.payload) for m in rounds if m.receiver == 1}
    for step in ("round-1", "round-2"):
        assert not {p for pair in sent[step] for p in pair} & {
            p for pair in back[step] for p in pair
        }


def test_a_shuffle_moves_records_and_flags_are_scaled_apart() -> None:
    parameters = parameters_of([{}], 2, 2)
    group = parameters.group
    network = simulated_workers(2, 7)
    keys = generate_keys(network, group)
    source = Randomness.from_seed(1, "x")
    key = keys.combined(group)
    flags = tuple(encrypt(group, key, 5, source) for _ in range(3))
    records = [(*flags, encrypt(group, key, 1000 + n, source)) for n in range(40)]
    worked = decrypt_flags(network.workers[1], list(records), keys=keys, parameters=parameters)

    order = [plain(group, record[3], keys.secrets.values()) - 1000 for record in worked]
    assert sorted(order) == list(range(40)) and order != list(range(40))
    opened = [plain(group, flag, [keys.secrets[2]]) for record in worked for flag in record[:3]]
    assert len(set(opened)) == 120


def test_an_encrypted_sketch_is_sorted_and_of_three_ciphertexts_a_register() -> None:
    parameters = parameters_of(UPSTREAM)
    data = encrypt_sketch(UPSTREAM[0], 5, parameters, Randomness.from_seed(1, "s"))
    records = [data[at : at + 192] for at in range(0, len(data), 192)]
    assert len(data) == 7 * 192 and records == sorted(records)


def test_keys_are_not_shown() -> None:
    network = simulated_workers(2, 1)
    keys = generate_keys(network, ClearGroup())
    assert repr(keys) == "<WorkerKeys of 2 workers, 2 of them local>"
    assert len(set(keys.publics)) == 2


def plain(group: Any, ciphertext: Any, secrets: Iterable[int]) -> int:
    for secret in secrets:
        ciphertext = decrypt(group, secret, ciphertext)
    return int(ciphertext[1])


def test_round_1_moves_records_too() -> None:
    parameters = parameters_of([{}], 2, 2)
    group, source = parameters.group, Randomness.from_seed(1, "x")
    network = simulated_workers(2, 7)
    keys = generate_keys(network, group)
    key = keys.combined(group)
    records = [tuple(encrypt(group, key, 1000 + n, source) for _ in range(3)) for n in range(40)]
    worked = blind_registers(network.workers[1], list(records), keys=keys, parameters=parameters)
    order = [plain(group, record[1], keys.secrets.values()) - 1000 for record in worked]
    assert sorted(order) == list(range(40)) and order != list(range(40))
    network.workers[1].drawn["blind histogram"] = [2]
    excess = (encrypt(group, key, 0, source),)
    indexes = [(encrypt(group, key, 1000 + n, source),) for n in range(40)]
    first, *rest = blind_indexes(
        network.workers[1], [excess, *indexes], keys=keys, parameters=parameters
    )
    unit = group.hash_to_element("unit")
    assert plain(group, first[0], [keys.secrets[2]]) == group.multiply(2, unit)
    blinded = [plain(group, record[0], [keys.secrets[2]]) for record in rest]
    # One exponent for all: ratios to the first place's are those of the plaintexts.
    inverse = pow(1000, -1, group.order)
    factors = {value * inverse % group.order for value in blinded}
    exponent = next(
        f for f in factors if {f * (1000 + n) % group.order for n in range(40)} == set(blinded)
    )
    order = [value * pow(exponent, -1, group.order) % group.order - 1000 for value in blinded]
    assert sorted(order) == list(range(40)) and order != list(range(40))


def test_noise_is_sorted_in_among_the_registers() -> None:
    parameters = parameters_of([{}, {}], 3, 3, noise=ALL_NOISE)
    for reach_only, width in ((False, 3), (True, 1)):
        transcript = Transcript()
        counted([{1: X}, {1: X}], parameters, reach_only=reach_only, interceptors=[transcript])
        size = 64 * width
        setup = [m.payload for m in transcript.messages if m.step == "setup"]
        gathered = next(m.payload for m in transcript.messages if m.step == "round-1")
        if reach_only:
            gathered = gathered[size:]  # behind the excess
        for payload in (*setup, gathered):
            assert_sorted(payload, size)
        if not reach_only:
            tuples = next(m.payload for m in transcript.messages if m.step == "round-2")
            assert_sorted(tuples, 64 * 4)


def assert_sorted(payload: bytes, size: int) -> None:
    records = [payload[at : at + size] for at in range(0, len(payload), size)]
    assert len(records) > 20 and records == sorted(records)


def test_differences_have_factors_of_their_own() -> None:
    parameters = parameters_of([{}], 2, 5)
    group = parameters.group
    worker = simulated_workers(2, 1).workers[2]
    unit = group.hash_to_element("unit")
    # Under the key of the secret 0 everything is in the clear.
    row = [pair[1] for pair in differences((0, group.multiply(9, unit)), parameters, worker)]
    steps = {(a - b) % group.order for a, b in pairwise(row)}
    assert len(steps) == 3 and 0 not in row


def test_merged_flags_have_factors_of_their_own() -> None:
    parameters = parameters_of([{}, {}], 2, 2)
    group = parameters.group
    worker = simulated_workers(2, 1).workers[2]
    registers = [((0, 77), (0, 5), (0, 1)), ((0, 77), (0, 6), (0, 1)), ((0, 88), (0, 5), (0, 1))]
    first, second = merge_registers(registers, 0, group.identity, parameters, worker)
    same, destroyed, blind, count = (part[1] for part in first)
    constants = [group.hash_to_element(label) for label in ("destroyed register", BLIND_HISTOGRAM)]
    # Unlike keys: nothing is what it would be with a factor of 1, and the count is lost.
    assert same not in (0, 1) and count != 2
    for flag, constant in zip((destroyed, blind), constants, strict=True):
        assert flag not in (0, (constant + same - 5) % group.order)
    assert second[0][1] == 0 and second[3][1] == 1
    factors = {
        second[place][1] * pow(constant - 5, -1, group.order) % group.order
        for place, constant in enumerate(constants, start=1)
    }
    assert len(factors) == 2 and 1 not in factors
