"""The inputs of the vectors of `client/`, by step: taken from the vectors of encrypted match keys."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from client_cases import HOME, small_world
from vector_runs import Named

from ipa.conformance.client_steps import context_to_json, query_to_json
from ipa.conformance.json_values import Json

ENCRYPTED = json.loads(
    (Path(__file__).parents[1] / "vectors" / "encrypted_match_keys.json").read_text()
)
"""HPKE draws its own randomness, so ciphertexts are those of a file that stays."""

CONTEXT = context_to_json(HOME)
OTHER = CONTEXT | {"report_collector": "delegate.example", "site": "shoes.example", "epoch": 258}
NONCES = [bytes(range(16)).hex(), bytes(range(16, 32)).hex()]
WIDTHS = {
    "attribution_constraint_id_bits": 9,
    "timestamp_bits": 30,
    "breakdown_key_bits": 5,
    "value_bits": 11,
}


def match_key_info() -> Named:
    given: Json = {
        "context": OTHER,
        "helper": 2,
        "key_id": 513,
        "match_key_bits": 20,
        "sharing": "three-party",
    }

    def wrong(**names: Any) -> Json:
        """In a context that cannot be."""
        return given | {"context": OTHER | names}

    return [
        ("three-party", given),
        ("two-party", given | {"sharing": "two-party", "match_key_bits": 256}),
        ("an app, in letters of both cases", wrong(site="app:com.example.App")),
        ("an empty name", wrong(site="")),
        ("a space in a name", wrong(match_key_provider="log in")),
        ("a name in capitals", wrong(report_collector="News.example")),
        ("a name of 256 bytes", wrong(on_behalf_of="x" * 256)),
        ("an epoch of 33 bits", wrong(epoch=2**32)),
        ("a negative epoch", wrong(epoch=-1)),
    ]


def match_key_plaintext() -> Named:
    given = {"shares": [0xABCDE, 0x12345], "nonces": NONCES, "match_key_bits": 20}
    largest = [str(2**256 - 1), 1]
    return [
        ("two shares, each before its nonce", given),
        ("one share", given | {"shares": [5], "nonces": NONCES[:1]}),
        ("shares of 256 bits", given | {"shares": largest, "match_key_bits": 256}),
        ("a share of 21 bits", given | {"shares": [1 << 20, 0]}),
        ("a negative share", given | {"shares": [0, -1]}),
        ("a nonce too few", given | {"nonces": NONCES[:1]}),
        ("a share too few", given | {"shares": [1]}),
    ]


def _good() -> bytes:
    return bytes.fromhex(ENCRYPTED["cases"][0]["bytes"])


def parse_match_key() -> Named:
    good = _good()
    broken = [case for case in ENCRYPTED["negative"] if case["stage"] == "parse"]
    (on_behalf_of_another,) = (
        case for case in ENCRYPTED["negative"] if case["name"] == "for another site"
    )
    return [
        ("three ciphertexts", {"bytes": good.hex()}),
        ("two ciphertexts", {"bytes": ENCRYPTED["cases"][2]["bytes"]}),
        ("on behalf of another site", {"bytes": on_behalf_of_another["bytes"]}),
        *((case["name"], {"bytes": case["bytes"]}) for case in broken),
    ]


def open_match_key() -> Named:
    def given(data: bytes, helper: int, width: int = 20, key_id: int = 1) -> Json:
        """With the private key of a helper."""
        key = {"kem": "X25519", "private_key": bytes([16 + helper] * 32).hex()}
        return {
            "bytes": data.hex(),
            "helper": helper,
            "key_id": key_id,
            "match_key_bits": width,
        } | key

    two_party = bytes.fromhex(ENCRYPTED["cases"][2]["bytes"])
    opened = [case for case in ENCRYPTED["negative"] if case["stage"] == "open"]
    return [
        *((f"by helper {helper}", given(_good(), helper)) for helper in (1, 3)),
        ("two-party, by helper 2", given(two_party, 2)),
        ("two-party, by helper 3, which is sent nothing", given(two_party, 3)),
        ("for another width", given(_good(), 1, width=21)),
        ("with a key of another id", given(_good(), 1, key_id=2)),
        ("helper 2's ciphertext with helper 1's key", given(_good(), 1) | {"helper": 2}),
        *((case["name"], given(bytes.fromhex(case["bytes"]), 1)) for case in opened),
    ]


def data_info() -> Named:
    query = query_to_json(small_world("packed").query)
    per_field = query_to_json(small_world("per-field").query)
    given: Json = {
        "query": query,
        "helper": 3,
        "kind": "source",
        "part": 0,
        "key_id": 258,
        "match_key_ciphertext": "00010203",
    }
    foreign = query["context"] | {"site": "shoes.example"}
    third = {"query": per_field, "part": 2, "kind": "trigger"}
    return [
        ("packed", given),
        (
            "the third ciphertext of a trigger, per field",
            given | third,
        ),
        ("a second ciphertext where there is one", given | {"part": 1}),
        ("a fourth ciphertext", given | {"query": per_field, "part": 3}),
        ("another site than the one that asks", given | {"query": query | {"context": foreign}}),
        ("an unknown fanout", given | {"query": query | {"fanout": "both"}}),
        ("a match key of no bits", given | {"query": query | {"match_key_bits": 0}}),
    ]


def data_plaintext() -> Named:
    given: Json = {"widths": WIDTHS, "kind": "source", "shares": [[511, 2**30 - 1, 31], [0, 1, 2]]}
    wide = {"widths": dict.fromkeys(WIDTHS, 64), "kind": "trigger"}
    return [
        ("a source: 44 bits in six bytes", given),
        ("a trigger's one share", given | {"kind": "trigger", "shares": [[1, 2, 2047]]}),
        ("fields of 64 bits", wide | {"shares": [[str(2**64 - 1), 0, str(2**63)]]}),
        ("a breakdown key of six bits", given | {"shares": [[0, 0, 32]]}),
        ("a timestamp of 31 bits", given | {"shares": [[0, 2**30, 0]]}),
        ("a negative constraint ID", given | {"shares": [[-1, 0, 0]]}),
        ("a width of 65 bits", given | {"widths": WIDTHS | {"value_bits": 65}}),
    ]


CLIENT_INPUTS: dict[str, tuple[str, Callable[[], Named]]] = {
    "match-key-info": ("HPKE's info of a match key's ciphertext.", match_key_info),
    "match-key-plaintext": ("What is sealed of a match key for one helper.", match_key_plaintext),
    "parse-match-key": ("An encrypted match key, taken apart.", parse_match_key),
    "open-match-key": ("A helper's shares and nonces of an encrypted match key.", open_match_key),
    "data-info": ("HPKE's info of a ciphertext of the report collector.", data_info),
    "data-plaintext": ("What is sealed of a report's fields for one helper.", data_plaintext),
}
