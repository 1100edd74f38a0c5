"""Keys, networks, rotation, and their JSON."""

import json
from dataclasses import replace

import pytest
from certificate_cases import certificate_of_another_kind, fixed_certificate, service_network
from client_cases import fixed_network
from hypothesis import given
from hypothesis import strategies as st

from ipa.client.configuration import (
    HelperKeys,
    configuration_from_json,
    configuration_to_json,
    generate_configuration,
    helper_keys_from_json,
    helper_keys_to_json,
)
from ipa.client.keys import KemName, PrivateKey, PublicKey, ciphertext_overhead, generate_key
from ipa.client.rejection import Reason
from ipa.client.rotation import add_key, retire_key
from ipa.errors import ParameterError, ReportError

KEMS = pytest.mark.parametrize("kem", ["X25519", "MLKEM768-X25519"])


@KEMS
def test_sealed_bytes_open_under_their_key_and_info_only(kem: KemName) -> None:
    key, other = generate_key(1, kem), generate_key(1, kem)
    for plaintext in (b"", b"x", bytes(100)):
        sealed = key.public().seal(plaintext, b"info")
        assert len(sealed) == len(plaintext) + ciphertext_overhead(kem)
        assert key.open(sealed, b"info") == plaintext
        for wrong_key, data, info in (
            (other, sealed, b"info"),
            (key, sealed, b"inf"),
            (key, sealed[:-1], b"info"),
            (key, sealed + b"\0", b"info"),
            (key, bytes(len(sealed)), b"info"),
            (key, b"", b"info"),
        ):
            with pytest.raises(ReportError) as caught:
                wrong_key.open(data, info)
            assert caught.value.reason == Reason.CANNOT_DECRYPT


@KEMS
def test_private_keys_determine_public_keys_and_are_not_shown(kem: KemName) -> None:
    secret = bytes(range(32))
    key = PrivateKey(3, kem, secret)
    assert key.public() == PrivateKey(3, kem, secret).public()
    assert key.public() != PrivateKey(3, kem, bytes(32)).public()
    assert secret.hex() not in repr(key)
    assert repr(secret)[2:20] not in repr(HelperKeys("net.example", 1, (key,)))


def test_keys_out_of_range() -> None:
    good = generate_key(1).public()
    for change in ({"key_id": -1}, {"key_id": 1 << 16}, {"kem": "RSA"}, {"encoded": bytes(31)}):
        with pytest.raises(ParameterError):
            replace(good, **change)
    with pytest.raises(ParameterError, match="status"):
        replace(good, status="new")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="32 bytes"):
        PrivateKey(1, "X25519", bytes(31))


def test_a_public_key_that_is_no_key_is_refused() -> None:
    with pytest.raises(ReportError) as caught:
        PublicKey(1, "X25519", bytes(32)).seal(b"x", b"")
    assert caught.value.reason == Reason.UNKNOWN_KEY


def test_rotation() -> None:
    network, (own, _, _) = generate_configuration("net.example")
    old = network.encryption_key(1)
    network, own = add_key(network, own, "MLKEM768-X25519")
    new = network.encryption_key(1)
    assert (old.key_id, new.key_id, new.kem) == (1, 2, "MLKEM768-X25519")
    assert [key.public() for key in own.keys] == list(network.helpers[0])
    network, own = retire_key(network, own, 1, budget_closes=5, now=5)
    assert [key.key_id for key in own.keys] == [2]
    assert [key.status for key in network.helpers[0]] == ["retired", "active"]
    for missing in (1, 3):
        with pytest.raises(ParameterError, match="no active key"):
            retire_key(network, own, missing, budget_closes=5, now=5)
    with pytest.raises(ParameterError, match="no active key"):
        retire_key(network, own, 2, budget_closes=5, now=5)
    network, own = add_key(network, own)
    network, own = retire_key(network, own, 3, budget_closes=5, now=5)
    assert network.encryption_key(1) == new
    network, own = add_key(network, own)
    assert [key.key_id for key in own.keys] == [2, 4]
    with pytest.raises(ParameterError, match="belong to network"):
        add_key(network, replace(own, network_name="other.example"))


def test_a_key_is_kept_until_the_budget_of_its_last_epoch_closes() -> None:
    network, (own, _, _) = generate_configuration("net.example")
    network, own = add_key(network, own)
    for now, left in ((0, 1000), (999, 1)):
        with pytest.raises(ParameterError, match=f"key 1 of helper 1 must be kept for {left} more"):
            retire_key(network, own, 1, budget_closes=1000, now=now)
    for now in (1000, 2000):
        _, after = retire_key(network, own, 1, budget_closes=1000, now=now)
        assert [key.key_id for key in after.keys] == [2]
    _, after = retire_key(network, own, 1, budget_closes=1000, now=0, compromised=True)
    assert [key.key_id for key in after.keys] == [2]


def test_networks_that_make_no_sense() -> None:
    network, own = fixed_network()
    first, second, third = network.helpers
    for change in (
        {"name": ""},
        {"name": "two words"},
        {"match_key_bits": 0},
        {"match_key_bits": 257},
        {"match_key_bits": 64.0},
        {"sharing": "one-party"},
        {"helpers": (first, second)},
        {"helpers": (first, second, ())},
        {"helpers": (first, second, (*third, *third))},
        {"helpers": (first, second, (replace(third[0], status="retired"),))},
    ):
        with pytest.raises(ParameterError):
            replace(network, **change)
    for wrong in (
        {"helper": 0},
        {"helper": 4},
        {"keys": own[0].keys * 2},
        {"keys": ()},
        {"network_name": ""},
        {"match_key_bits": 0},
        {"match_key_bits": 257},
        {"sharing": "four-party"},
    ):
        with pytest.raises(ParameterError):
            replace(own[0], **wrong)


@KEMS
def test_json_round_trips(kem: KemName) -> None:
    network, own = generate_configuration("net.example", kem, 40, "two-party")
    assert (network.match_key_bits, network.sharing) == (40, "two-party")
    assert all((each.match_key_bits, each.sharing) == (40, "two-party") for each in own)
    network, first = add_key(network, own[0])
    network, first = retire_key(network, first, 1, budget_closes=5, now=5)
    assert configuration_from_json(configuration_to_json(network)) == network
    assert helper_keys_from_json(helper_keys_to_json(first)) == first
    secrets = [key.secret.hex() for key in first.keys]
    assert not any(secret in configuration_to_json(network) for secret in secrets)


def test_services_are_published_and_read() -> None:
    network = service_network()
    text = configuration_to_json(network)
    assert configuration_from_json(text) == network
    document = json.loads(text)
    assert list(document)[-2:] == ["services", "report_collectors"]
    assert [list(service) for service in document["services"]] == [["address", "certificate"]] * 3
    members = [list(collector) for collector in document["report_collectors"]]
    assert members == [["name", "certificate"]] * 2
    without, _ = fixed_network()
    document = json.loads(configuration_to_json(without))
    assert (document["services"], document["report_collectors"]) == ([], [])
    alone = replace(network, report_collectors=())
    assert configuration_from_json(configuration_to_json(alone)) == alone


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("services", {}, "services must be a list"),
        ("report_collectors", "", "report_collectors must be a list"),
        ("services", [], "report collectors are registered with services"),
        ("services", [{"address": "a:1"}] * 3, "'certificate' is missing"),
        ("report_collectors", [{"name": "a"}], "'certificate' is missing"),
        ("report_collectors", [{"certificate": ""}], "'name' is missing"),
        (
            "report_collectors",
            [{"name": "a", "certificate": certificate_of_another_kind()}],
            "of report collector 'a' must be one certificate",
        ),
        (
            "report_collectors",
            [{"name": "a", "certificate": fixed_certificate(2)}],
            "helper 2 and report collector 'a' have certificates of one key",
        ),
    ],
)
def test_services_that_make_no_sense_are_refused(member: str, value: object, said: str) -> None:
    document = json.loads(configuration_to_json(service_network()))
    with pytest.raises(ReportError, match=said) as raised:
        configuration_from_json(json.dumps(document | {member: value}))
    assert raised.value.reason == Reason.MALFORMED
    del document[member]
    with pytest.raises(ReportError, match=f"'{member}' is missing"):
        configuration_from_json(json.dumps(document))


@given(path=st.lists(st.integers(0, 6), max_size=5), value=st.sampled_from([None, 1, "x", [], {}]))
def test_json_with_one_value_wrong_raises_only_report_errors(
    path: list[int], value: object
) -> None:
    network, own = service_network(), fixed_network()[1]
    documents = (configuration_to_json(network), helper_keys_to_json(own[0]))
    for text, read in zip(documents, (configuration_from_json, helper_keys_from_json), strict=True):
        changed = json.dumps(_replaced(json.loads(text), path, value))
        try:
            document = read(changed)
        except ReportError as error:
            assert error.reason == Reason.MALFORMED
            assert own[0].keys[0].secret.hex() not in str(error)
        else:
            # A few values may be replaced by others that are as good: a name, an id, nobody to ask.
            assert document is not None
            assert value in (1, "x") or document == replace(network, report_collectors=())


def _replaced(node: object, path: list[int], value: object) -> object:
    if not path or not isinstance(node, (dict, list)) or not node:
        return value
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    key = keys[path[0] % len(keys)]
    node[key] = _replaced(node[key], path[1:], value)
    return node


@given(data=st.binary(max_size=50) | st.text(max_size=50))
def test_other_text_raises_only_report_errors(data: bytes | str) -> None:
    for read in (configuration_from_json, helper_keys_from_json):
        with pytest.raises(ReportError):
            read(data)
