"""The vectors of the malicious-secure share shuffle: runs with all keys and shares, and changed ones.

`write_halo_vectors.py` writes what `malicious_share_shuffle_vectors` makes, and the suite runs it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from hashlib import sha256
from typing import Any

from malicious_shuffle_cases import NOISE, SMALL, TINY, VECTORS, dealt, parameters_for

from ipa.errors import MisbehaviourError
from ipa.halo.malicious_share_shuffle import (
    MaliciousShareShuffle,
    malicious_share_shuffle,
    noise_registers,
    tally_opened,
)
from ipa.network.channel import Message, in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import Interceptor, Transcript, intercepted
from ipa.network.simulation import pairwise_keys
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.parties import HELPERS, right_of
from ipa.sharing.dealing import reconstruct_for_testing
from ipa.sharing.prss import Prss, ReproducibleKey
from ipa.sharing.shared_bits import SharedBits

NAME = "vectors"

CHANGED_STEPS = [
    ("hmss-malicious/input-check", 1),
    ("hmss-malicious/sum/add/multiply", 2),
    ("hmss-malicious/noise-registers/compare/multiply", 3),
    ("check/bits/values", 1),
    ("check/bits/halve/products", 2),
    ("hmss-malicious/shuffle/pass/first", 1),
    ("hmss-malicious/shuffle/pass/last", 3),
    ("hmss-malicious/open", 2),
    ("hmss-malicious/agreement/verdict", 3),
]


def network_of(keys: Sequence[bytes], interceptors: Iterable[Interceptor]) -> HelperPartyNetwork:
    """Three workers with the pairwise keys that are given, the first of worker 1 and so on."""
    channels = intercepted(in_memory_channels(), interceptors)
    known = dict(zip(HELPERS, map(ReproducibleKey, keys), strict=True))
    parties = [
        HelperParty(helper, Prss(known[helper], known[right_of(helper)]), channels[helper])
        for helper in HELPERS
    ]
    return HelperPartyNetwork(NAME, parties, security="malicious")


def parameters_from(said: dict[str, Any]) -> MaliciousShareShuffle:
    noise = said["noise"]
    if noise is not None:
        noise = DigitwiseLaplace(**{**noise, "epsilon": Fraction(noise["epsilon"])})
    return MaliciousShareShuffle(**{**said, "noise": noise})


def as_object(parameters: MaliciousShareShuffle) -> dict[str, Any]:
    noise = parameters.noise and {
        "epsilon": str(parameters.noise.epsilon),
        "sensitivity": parameters.noise.sensitivity,
        "digits": parameters.noise.digits,
        "precision": parameters.noise.precision,
    }
    return {
        "registers": parameters.registers,
        "providers": parameters.providers,
        "max_frequency": parameters.max_frequency,
        "noise": noise,
    }


def column_hex(column: int, rows: int) -> str:
    return column.to_bytes(-(-rows // 8), "little").hex()


def parts_of(table: SharedBits) -> list[list[str]]:
    """The three parts whose sum is the table, part i the first of worker i's pair."""
    return [
        [column_hex(column, table.rows) for column in table.shares_of(helper)[0]]
        for helper in HELPERS
    ]


def table_of(parts: Sequence[Sequence[str]], rows: int) -> SharedBits:
    columns = {
        helper: [int.from_bytes(bytes.fromhex(column), "little") for column in part]
        for helper, part in zip(HELPERS, parts, strict=True)
    }
    pairs = {helper: (columns[helper], columns[right_of(helper)]) for helper in HELPERS}
    return SharedBits(NAME, rows, len(parts[0]), pairs)


def digests(messages: Iterable[Message]) -> dict[str, str]:
    """Of each step, SHA-256 over sender, receiver (a byte each) and payload of its messages."""
    sent: dict[str, list[tuple[int, int, bytes]]] = defaultdict(list)
    for message in messages:
        sent[message.step].append((message.sender, message.receiver, message.payload))
    return {
        step: sha256(b"".join(bytes([a, b]) + data for a, b, data in sorted(parts))).hexdigest()
        for step, parts in sent.items()
    }


def run(
    case: dict[str, Any], interceptors: Sequence[Interceptor] = (), flip: tuple[int, int] = (0, 0)
) -> tuple[list[int], list[Message]]:
    """The opened registers of a case and its messages; `flip` inverts worker, provider's copy."""
    transcript = Transcript()
    keys = [bytes.fromhex(key) for key in case["keys"]]
    network = network_of(keys, [*interceptors, transcript])
    parameters = parameters_from(case["parameters"])
    tables = [table_of(parts, parameters.registers) for parts in case["shares"]]
    worker, provider = flip
    if worker:
        table = tables[provider]
        shares = {helper: table.shares_of(helper) for helper in HELPERS}
        own, right = shares[worker]
        shares[worker] = ([own[0] ^ 1, *own[1:]], right)
        tables[provider] = SharedBits(NAME, table.rows, table.width, shares)
    return malicious_share_shuffle(network, tables, parameters), transcript.messages


def case_of(
    name: str, vectors: Sequence[Sequence[int]], parameters: MaliciousShareShuffle
) -> dict[str, Any]:
    keys = [own for own, _ in pairwise_keys(5).values()]
    case: dict[str, Any] = {
        "name": name,
        "parameters": as_object(parameters),
        "keys": [key.hex() for key in keys],
        "vectors": vectors,
        "shares": [parts_of(table) for table in dealt(network_of(keys, ()), vectors, parameters)],
    }
    opened, messages = run(case)
    return case | {
        "noise_registers": noise_rows(keys, parameters),
        "messages": digests(messages),
        "opened": opened,
        "tally": asdict(tally_opened(opened, parameters)),
    }


def noise_rows(keys: Sequence[bytes], parameters: MaliciousShareShuffle) -> list[int]:
    """The noise registers before the shuffle, in the clear: a run of that step alone, of one name."""
    if parameters.noise is None:
        return []
    network = network_of(keys, ())
    with network.step("hmss-malicious"):
        return reconstruct_for_testing(noise_registers(network, parameters, parameters.noise))


def flip_in(step: str, sender: int) -> Interceptor:
    """The lowest bit of the first byte of the sender's first message in the step is inverted."""
    done: list[Message] = []

    def intercept(message: Message) -> Iterable[Message]:
        if done or (message.step, message.sender) != (step, sender):
            return (message,)
        done.append(message)
        payload = bytes([message.payload[0] ^ 1]) + message.payload[1:]
        return (replace(message, payload=payload),)

    return intercept


def stage_of(case: dict[str, Any], negative: dict[str, Any]) -> str | None:
    """The step in which a changed run is stopped; None if it is not."""
    step, worker = negative["step"], negative["worker"]
    try:
        if step is None:
            run(case, flip=(worker, negative["provider"]))
        else:
            run(case, [flip_in(step, worker)])
    except MisbehaviourError as error:
        return error.step
    return None


def negatives(case: dict[str, Any]) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = [
        {"step": None, "worker": worker, "provider": provider}
        for worker, provider in ((1, 0), (2, 1), (3, 0))
    ]
    for step, worker in CHANGED_STEPS:
        changes.append({"step": step, "worker": worker, "provider": None})
    return [change | {"stage": stage_of(case, change)} for change in changes]


def malicious_share_shuffle_vectors() -> dict[str, Any]:
    ones = [[min(1, value) for value in vector] for vector in VECTORS]
    small = case_of("reach and frequency with noise", SMALL, parameters_for(SMALL, 2, TINY))
    return {
        "description": "Whole runs in a network of this name: the pairwise keys k_1, k_2, k_3 (worker i "
        "has k_i and k_(i+1)), each provider's table as three parts of columns, row 0 the lowest bit; "
        "the noise registers before the shuffle, a digest of each step's messages, what is opened. "
        "Negative cases change the first case: a bit of a provider's share at one of its two workers, or of "
        "the first message of a worker in a step; `stage` is the step that stops the run.",
        "network_name": NAME,
        "cases": [
            small,
            case_of("without noise", VECTORS, parameters_for(VECTORS, 3)),
            case_of("reach only with noise", ones, parameters_for(ones, 0, NOISE)),
            case_of("no registers", [[], []], parameters_for([[], []], 2)),
        ],
        "negative": negatives(small),
    }
