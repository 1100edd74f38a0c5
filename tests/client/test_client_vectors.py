"""The committed vectors: encodings exactly, ciphertexts by opening them, refusals by their stage."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from certificate_cases import certificates_of
from client_cases import context_from_json, decrypt_reports, split_attributes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate
from linear_hash_cases import CompressionMatrix, compress_match_key_share, random_matrix

from ipa.client.configuration import (
    HelperKeys,
    NetworkConfiguration,
    configuration_from_json,
    configuration_to_json,
    helper_keys_from_json,
)
from ipa.client.encrypted_match_key import (
    EncryptedMatchKey,
    decode_match_key,
    encode_match_key,
    encrypt_match_key,
    open_match_key,
)
from ipa.client.fanout_query import FanoutQuery, FieldWidths, read_query_stream, write_query_stream
from ipa.client.keys import PrivateKey
from ipa.client.report_format import info_prefix
from ipa.client.services import split_address
from ipa.errors import ReportError
from ipa.intake.report_decryption import GenericReportShares
from ipa.sharing.additive import combine_additive, share_additive
from ipa.sharing.randomness import Randomness
from ipa.sharing.xor import combine_xor, share_xor

VECTORS = Path(__file__).parents[1] / "vectors"
_PROSE = ("description", "source")


def load(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


def network_of(document: Any) -> tuple[NetworkConfiguration, list[HelperKeys]]:
    network = configuration_from_json(json.dumps(document["network"]))
    return network, [helper_keys_from_json(json.dumps(keys)) for keys in document["helper_keys"]]


def test_hpke_agrees_with_rfc_9180() -> None:
    """RFC 9180 A.1.1, as far as one-shot HPKE without AAD goes.

    The RFC's ciphertexts have AAD, which the library's HPKE does not take. AES-GCM under the RFC's
    key and nonce reproduces the RFC's ciphertext with its AAD, so re-encrypting its plaintext under
    them without AAD gives what an RFC 9180 sender would have sent without AAD. That it opens checks
    decapsulation, the key schedule and the use of info against the RFC.
    """
    vector = {
        name: bytes.fromhex(text)
        for name, text in load("hpke_rfc9180_a1").items()
        if name not in _PROSE
    }
    aead, nonce, plaintext = AESGCM(vector["key"]), vector["base_nonce"], vector["pt"]
    assert aead.encrypt(nonce, plaintext, vector["aad"]) == vector["ct"]
    key = PrivateKey(1, "X25519", vector["skRm"])
    assert key.public().encoded == vector["pkRm"]
    ciphertext = vector["enc"] + aead.encrypt(nonce, plaintext, None)
    assert key.open(ciphertext, vector["info"]) == plaintext
    for wrong, info in ((ciphertext, b""), (vector["enc"] + vector["ct"], vector["info"])):
        with pytest.raises(ReportError):
            key.open(wrong, info)


def test_seeded_randomness() -> None:
    for vector in load("client_sharing")["randomness"]:
        seed = vector["seed"] if "seed" in vector else bytes.fromhex(vector["seed_bytes"])
        randomness = Randomness.from_seed(seed, vector["label"])
        assert randomness.random_bytes(20).hex() == vector["bytes_20"]
        assert randomness.random_bits(13) == vector["bits_13"]
        assert randomness.random_below(1000) == vector["below_1000"]


def test_sharing() -> None:
    vectors = load("client_sharing")
    for vector in vectors["xor"]:
        randomness = Randomness.from_seed(vector["seed"], vector["label"])
        shares = share_xor(vector["value"], vector["width"], randomness)
        assert list(shares) == vector["shares"]
        assert combine_xor(shares, vector["width"]) == vector["value"]
    for vector in vectors["additive"]:
        randomness = Randomness.from_seed(vector["seed"], vector["label"])
        shares = share_additive(vector["value"], vector["modulus"], randomness)
        assert list(shares) == vector["shares"]
        assert combine_additive(shares, vector["modulus"]) == vector["value"]


def test_compression() -> None:
    vector = load("client_sharing")["compression"]
    images = tuple(vector["images"])
    matrix = CompressionMatrix(vector["input_bits"], vector["output_bits"], images)
    assert random_matrix(20, 9, Randomness.from_seed(2026, "matrix")) == matrix
    for match_key, digest in vector["hashes"]:
        assert compress_match_key_share(match_key, matrix) == digest


def expected_shares(
    match_key: int, network: NetworkConfiguration, randomness: Randomness
) -> tuple[dict[int, tuple[int, ...]], dict[int, tuple[bytes, ...]]]:
    """Each helper's shares and nonces, written out for either sharing."""
    width = network.match_key_bits
    if network.sharing == "two-party":
        first = randomness.random_bits(width)
        nonce = randomness.random_bytes(16)
        return {1: (first,), 2: (match_key ^ first,)}, {1: (nonce,), 2: (nonce,)}
    one, two, three = share_xor(match_key, width, randomness)
    first_nonce, second_nonce, third_nonce = (randomness.random_bytes(16) for _ in range(3))
    return (
        {1: (one, two), 2: (two, three), 3: (three, one)},
        {
            1: (first_nonce, second_nonce),
            2: (second_nonce, third_nonce),
            3: (third_nonce, first_nonce),
        },
    )


@pytest.mark.parametrize("number", [0, 1, 2])
def test_encrypted_match_key(number: int) -> None:
    case = load("encrypted_match_keys")["cases"][number]
    network, own = network_of(case)
    data = bytes.fromhex(case["bytes"])
    encrypted = EncryptedMatchKey.from_bytes(data)
    assert encrypted.to_bytes() == data
    assert encrypted.context == context_from_json(case["context"])
    width = network.match_key_bits
    randomness = Randomness.from_seed(case["seed"], case["label"])
    held, nonces_held = expected_shares(case["match_key"], network, randomness)
    randomness = Randomness.from_seed(case["seed"], case["label"])
    again = encrypt_match_key(case["match_key"], encrypted.context, network, randomness)
    holders = own[: len(case["helpers"])]
    assert (
        len(encrypted.sealed) == len(holders) == {"three-party": 3, "two-party": 2}[network.sharing]
    )
    for keys, sealed, vector in zip(holders, encrypted.sealed, case["helpers"], strict=True):
        info = encrypted.context.info(keys.helper, sealed.key_id, width, network.sharing)
        assert info.hex() == vector["info"]
        pair = held[keys.helper]
        assert list(pair) == vector["shares"]
        own_nonces = nonces_held[keys.helper]
        assert [nonce.hex() for nonce in own_nonces] == vector["nonces"]
        assert encode_match_key(pair, own_nonces, width).hex() == vector["plaintext"]
        assert decode_match_key(bytes.fromhex(vector["plaintext"]), width, len(pair)) == (
            pair,
            own_nonces,
        )
        for each in (sealed, again.sealed[keys.helper - 1]):
            opened = open_match_key(keys.keys[0], info, each.ciphertext, width, len(pair))
            assert opened == (pair, own_nonces)
        assert network.helpers[keys.helper - 1] == (keys.keys[0].public(),)


def test_negative_encrypted_match_keys() -> None:
    vectors = load("encrypted_match_keys")
    network, own = network_of(vectors["cases"][0])
    for case in vectors["negative"]:
        data = bytes.fromhex(case["bytes"])
        if case["stage"] == "parse":
            with pytest.raises(ReportError) as caught:
                EncryptedMatchKey.from_bytes(data)
        else:
            encrypted = EncryptedMatchKey.from_bytes(data)
            info = encrypted.context.info(1, 1, network.match_key_bits, network.sharing)
            ciphertext = encrypted.sealed[0].ciphertext
            with pytest.raises(ReportError) as caught:
                open_match_key(own[0].keys[0], info, ciphertext, network.match_key_bits, 2)
        assert caught.value.reason == case["reason"], case["name"]


def query_of(document: Any) -> FanoutQuery:
    return FanoutQuery(
        **document
        | {
            "context": context_from_json(document["context"]),
            "widths": FieldWidths(**document["widths"]),
        }
    )


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_query_streams(number: int) -> None:
    vectors = load("query_streams")
    case = vectors["cases"][number]
    _, own = network_of(case)
    query = query_of(case["query"])
    opened = []
    for keys, vector in zip(own, case["helpers"], strict=True):
        data = bytes.fromhex(vector["bytes"])
        stream = read_query_stream(data)
        assert stream.query == query
        assert write_query_stream(stream) == data
        assert stream.key_fingerprint.hex() == vector["key_fingerprint"]
        assert stream.key_fingerprint == keys.keys[0].public().fingerprint
        prefix = info_prefix(query, keys.helper, "source", 0, 1)
        assert prefix.hex() == vector["first_info_prefix"]
        rows = decrypt_reports(stream, keys)
        opened.append(rows)
        assert rows == [expected_row(row) for row in vector["rows"]]
        assert list(stream.contexts) == list(
            dict.fromkeys(context_from_json(event["context"]) for event in vectors["events"])
        )
    for event, *held in zip(vectors["events"], *opened, strict=True):
        shares = [row for row in held if isinstance(row, GenericReportShares)]
        firsts = [row for row in shares if row.match_key]
        assert len(shares) == 3 and len(firsts) == (3 if number < 2 else 2)
        assert combine_xor(tuple(s.match_key[0] for s in firsts), 20) == event["match_key"]
        combined = combine_xor(tuple(s.attributes[0] for s in firsts), 55)
        data = event["data"]
        fields = split_attributes(combined, query.widths)
        assert fields == (
            data["attribution_constraint_id"],
            data["timestamp"],
            data.get("breakdown_key", 0),
            data.get("trigger_value", 0),
        )


def expected_row(row: Any) -> GenericReportShares:
    nonces = tuple(map(bytes.fromhex, row["nonces"]))
    return GenericReportShares(
        row["is_trigger"], tuple(row["match_key"]), nonces, tuple(row["attributes"])
    )


def test_network_configurations() -> None:
    vectors = load("network_configurations")
    for case in vectors["cases"]:
        network = configuration_from_json(json.dumps(case["network"]))
        assert json.loads(configuration_to_json(network)) == case["network"]
        places = [list(split_address(service.address)) for service in network.services]
        assert places == case["places"]
        parsed = [load_pem_x509_certificate(each.encode()) for each in certificates_of(network)]
        keys = [
            each.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex() for each in parsed
        ]
        assert keys == case["certified_keys"]
    assert len(vectors["negative"]) > 20
    for case in vectors["negative"]:
        with pytest.raises(ReportError) as caught:
            configuration_from_json(json.dumps(case["network"]))
        assert caught.value.reason == "malformed", case["name"]


@pytest.mark.parametrize(
    "name",
    ["client_sharing", "encrypted_match_keys", "query_streams", "network_configurations"],
)
def test_the_writer_writes_what_is_committed(name: str) -> None:
    """All but what holds ciphertexts, which are new each time."""
    path = Path(__file__).with_name("write_vectors.py")
    writers = runpy.run_path(str(path))["WRITERS"]
    written = json.loads(json.dumps(writers[name]()))
    assert without_ciphertexts(written) == without_ciphertexts(load(name))


def without_ciphertexts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_ciphertexts(part) for key, part in value.items() if key != "bytes"}
    return [without_ciphertexts(part) for part in value] if isinstance(value, list) else value


def test_negative_query_streams() -> None:
    vectors = load("query_streams")
    _, own = network_of(vectors["cases"][0])
    good = [expected_row(row) for row in vectors["cases"][0]["helpers"][0]["rows"]]
    assert len(vectors["negative"]) > 30
    for case in vectors["negative"]:
        data = bytes.fromhex(case["bytes"])
        if case["stage"] == "stream":
            with pytest.raises(ReportError) as caught:
                decrypt_reports(read_query_stream(data), own[0])
            assert caught.value.reason == case["reasons"][0], case["name"]
            continue
        results = decrypt_reports(read_query_stream(data), own[0])
        for result, reason, before in zip(results, case["reasons"], good, strict=True):
            if isinstance(result, ReportError):
                assert result.reason == reason, case["name"]
            else:
                assert reason is None, case["name"]
                assert result == before, case["name"]
