"""Writes tests/vectors/*.json anew (all but the RFC's): python tests/client/write_vectors.py.

HPKE's randomness is the library's own, so ciphertexts differ each time; all else is fixed.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from broken_stream_cases import broken_reports, broken_streams
from certificate_cases import broken_configurations, certificates_of, service_network
from client_cases import (
    EVENTS,
    HOME,
    MATCH_KEY_BITS,
    SEED,
    World,
    context_to_json,
    decrypt_reports,
    fixed_network,
    small_world,
)
from linear_hash_cases import compress_match_key_share, random_matrix

from ipa.certificates import key_of, read_certificate
from ipa.client.configuration import HelperKeys, configuration_to_json, helper_keys_to_json
from ipa.client.encrypted_match_key import encrypt_match_key, open_match_key
from ipa.client.fanout_query import Form
from ipa.client.keys import KemName
from ipa.client.report_format import info_prefix
from ipa.client.services import split_address
from ipa.client.shares import Sharing, shares_held
from ipa.intake.report_decryption import GenericReportShares
from ipa.sharing.additive import share_additive
from ipa.sharing.randomness import Randomness
from ipa.sharing.xor import share_xor

VECTORS = Path(__file__).parents[1] / "vectors"


def sharing() -> dict[str, Any]:
    seeds: list[int | bytes] = [0, 1, 2**128, b"", b"\x01"]
    streams = []
    for seed in seeds:
        randomness = Randomness.from_seed(seed, "vectors")
        name = {"seed_bytes": seed.hex()} if isinstance(seed, bytes) else {"seed": seed}
        drawn = {
            "bytes_20": randomness.random_bytes(20).hex(),
            "bits_13": randomness.random_bits(13),
        }
        streams.append(
            {**name, "label": "vectors", **drawn, "below_1000": randomness.random_below(1000)}
        )
    xor = [
        {"value": value, "width": width, "seed": SEED, "label": "xor"}
        | {"shares": share_xor(value, width, Randomness.from_seed(SEED, "xor"))}
        for value, width in ((0, 1), (1, 1), (0xABCDE, 20), (2**64 - 1, 64))
    ]
    additive = [
        {"value": value, "modulus": modulus, "seed": SEED, "label": "additive"}
        | {"shares": share_additive(value, modulus, Randomness.from_seed(SEED, "additive"))}
        for value, modulus in ((0, 2), (5, 7), (1000, 1 << 32), (2**61 - 2, 2**61 - 1))
    ]
    matrix = random_matrix(20, 9, Randomness.from_seed(SEED, "matrix"))
    hashes = [[x, compress_match_key_share(x, matrix)] for x in (0, 1, 0x80000, 0xABCDE, 0xFFFFF)]
    return {
        "description": "Seeded randomness, client sharing, match key compression. In order: 20 bytes, "
        "13 bits, a number below 1000 are drawn from one stream.",
        "randomness": streams,
        "xor": xor,
        "additive": additive,
        "compression": {**asdict(matrix), "hashes": hashes},
    }


def encrypted_match_keys() -> dict[str, Any]:
    kinds: tuple[tuple[KemName, Sharing], ...] = (
        ("X25519", "three-party"),
        ("MLKEM768-X25519", "three-party"),
        ("X25519", "two-party"),
    )
    cases = []
    for kem, sharing in kinds:
        network, own = fixed_network(kem=kem, sharing=sharing)
        device = Randomness.from_seed(SEED, "device")
        encrypted = encrypt_match_key(0xABCDE, HOME, network, device)
        helpers = []
        for keys, sealed in zip(own, encrypted.sealed, strict=False):
            context_info = HOME.info(keys.helper, sealed.key_id, MATCH_KEY_BITS, sharing)
            pair, nonces = open_match_key(
                keys.keys[0],
                context_info,
                sealed.ciphertext,
                MATCH_KEY_BITS,
                shares_held(sharing, keys.helper),
            )
            plaintext = keys.keys[0].open(sealed.ciphertext, context_info)
            helpers.append(
                {"info": context_info.hex(), "shares": pair}
                | {"nonces": [nonce.hex() for nonce in nonces], "plaintext": plaintext.hex()}
            )
        cases.append(
            {
                "network": json.loads(configuration_to_json(network)),
                "helper_keys": [json.loads(helper_keys_to_json(keys)) for keys in own],
                "context": context_to_json(HOME),
                "match_key": 0xABCDE,
                "seed": SEED,
                "label": "device",
                "helpers": helpers,
                "bytes": encrypted.to_bytes().hex(),
            }
        )
    return {
        "description": "Encrypted match keys: each helper's plaintext and info exactly, bytes to parse "
        "and open. In stage parse the bytes are refused, in stage open they parse but helper 1's "
        "ciphertext does not open in the context given by the bytes.",
        "cases": cases,
        "negative": _negative_match_keys(bytes.fromhex(cases[0]["bytes"])),
    }


def _negative_match_keys(good: bytes) -> list[dict[str, str]]:
    changed = [
        ("version 1", "parse", "unsupported version", b"\1" + good[1:]),
        ("no bytes", "parse", "malformed", b""),
        ("one byte short", "parse", "malformed", good[:-1]),
        ("one byte more", "parse", "malformed", good + b"\0"),
        ("empty name", "parse", "malformed", good[:1] + b"\0" + good[2:]),
        ("another epoch", "open", "cannot be decrypted", _edit(good, b"\0\0\0\7", b"\0\0\0\6")),
        ("another site", "open", "cannot be decrypted", _place(good, 3)),
        ("another provider", "open", "cannot be decrypted", _edit(good, b"login", b"logic")),
        ("another network", "open", "cannot be decrypted", _edit(good, b"net.", b"ten.")),
        ("four shares", "parse", "malformed", _edit(good, b"\0\0\0\7\3", b"\0\0\0\7\4")),
        ("for another site", "open", "cannot be decrypted", _place(good, 2)),
        ("another collector", "open", "cannot be decrypted", _edit(good, b"search", b"sxarch")),
    ]
    return [
        {"name": name, "stage": stage, "reason": reason, "bytes": data.hex()}
        for name, stage, reason, data in changed
    ]


def _edit(data: bytes, old: bytes, new: bytes) -> bytes:
    return data.replace(old, new, 1)


def _place(data: bytes, number: int) -> bytes:
    """The name `search` changed where it stands for the second or third time."""
    place = -1
    for _ in range(number):
        place = data.index(b"search", place + 1)
    return data[:place] + b"sxarch" + data[place + 6 :]


def query_case(world: World) -> dict[str, Any]:
    """A small world's query, and the stream of each helper with what it opens to."""
    return {
        "network": json.loads(configuration_to_json(world.network)),
        "helper_keys": [json.loads(helper_keys_to_json(keys)) for keys in world.helper_keys],
        "query": asdict(world.query) | {"context": context_to_json(HOME)},
        "helpers": [helper_stream(world, keys) for keys in world.helper_keys],
    }


def helper_stream(world: World, keys: HelperKeys) -> dict[str, Any]:
    rows = [
        {
            "is_trigger": row.is_trigger,
            "match_key": row.match_key,
            "nonces": [nonce.hex() for nonce in row.nonces],
            "attributes": row.attributes,
        }
        for row in decrypt_reports(world.stream(keys.helper), keys)
        if isinstance(row, GenericReportShares)
    ]
    return {
        "key_fingerprint": keys.keys[0].public().fingerprint.hex(),
        "first_info_prefix": info_prefix(world.query, keys.helper, "source", 0, 1).hex(),
        "rows": rows,
        "bytes": world.streams[keys.helper - 1].hex(),
    }


def query_streams() -> dict[str, Any]:
    kinds: tuple[tuple[Form, Sharing], ...] = (
        ("packed", "three-party"),
        ("per-field", "three-party"),
        ("packed", "two-party"),
        ("per-field", "two-party"),
    )
    return {
        "description": "Query streams of one source fanout query, to parse and open, three-party and "
        "two-party (helper 3's have no ciphertexts); negative streams "
        "for helper 1 of the first case say which stage must fail: the stream, or single reports (by "
        "row, null where the report must be accepted with the shares of the first case).",
        "events": [
            {"match_key": match_key, "context": context_to_json(context), "data": asdict(data)}
            for match_key, context, data in EVENTS
        ],
        "cases": [query_case(small_world(form, sharing=sharing)) for form, sharing in kinds],
        "negative": [
            {"name": case.name, "stage": case.stage, "reasons": case.reasons}
            | {"bytes": case.stream.hex()}
            for case in broken_streams() + broken_reports()
        ],
    }


def network_configurations() -> dict[str, Any]:
    network = service_network()
    cases = [
        {
            "network": json.loads(configuration_to_json(each)),
            "places": [split_address(service.address) for service in each.services],
            "certified_keys": [
                key_of(read_certificate("it", certificate)).public_bytes_raw().hex()
                for certificate in certificates_of(each)
            ],
        }
        for each in (
            fixed_network()[0],
            fixed_network(kem="MLKEM768-X25519", sharing="two-party")[0],
            replace(network, report_collectors=()),
            network,
        )
    ]
    return {
        "description": "Published configurations. Of those with services: host and port of helpers 1, 2, "
        "3, and the Ed25519 key in each certificate, helpers first. Those under negative are the last "
        "one changed, and are refused as malformed.",
        "cases": cases,
        "negative": [
            {"name": name, "network": changed}
            for name, changed in broken_configurations(cases[-1]["network"])
        ],
    }


WRITERS = {
    "client_sharing": sharing,
    "encrypted_match_keys": encrypted_match_keys,
    "query_streams": query_streams,
    "network_configurations": network_configurations,
}


def main() -> None:
    for name, vectors in WRITERS.items():
        (VECTORS / f"{name}.json").write_text(json.dumps(vectors(), indent=1) + "\n")


if __name__ == "__main__":
    main()
