"""The committed vectors: they fit their schema, the library reproduces them, and they are current."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from json_schema import check
from write_halo_vectors import FILES

from ipa.errors import ChannelError, ParameterError
from ipa.halo.elgamal import combined_key, decrypt, scale
from ipa.halo.estimator import estimate, estimate_upstream
from ipa.halo.groups import group_by_name
from ipa.halo.network import Worker, WorkerNetwork, simulated_workers
from ipa.halo.noise import PrivacyParameters, WorkerNoise, gaussian_noise, geometric_noise
from ipa.halo.reporting import rising
from ipa.halo.ring_vectors import Keystream, modulus_for, shuffle
from ipa.halo.set_expressions import parse_expression, region_weights, union_weights
from ipa.halo.share_shuffle import (
    FIRST,
    SECOND,
    SeedShare,
    Share,
    ShareShuffle,
    VectorShare,
    share_shuffle,
    sum_of_shares,
    tally,
)
from ipa.halo.sketch import Register, SketchParameters, fingerprint, merge, register_index
from ipa.network.interception import Transcript
from ipa.sharing.randomness import Randomness

FOLDER = Path(__file__).parents[1] / "vectors" / "halo"
SCHEMA = json.loads((FOLDER / "schema.json").read_text())["$defs"]
VECTORS = {name: json.loads((FOLDER / f"{name}.json").read_text()) for name in FILES}


@pytest.mark.parametrize("name", FILES)
def test_each_file_fits_its_schema_and_is_what_the_script_writes(name: str) -> None:
    check(SCHEMA[name], VECTORS[name], name, SCHEMA)
    assert set(VECTORS[name]) == set(SCHEMA[name]["required"])
    assert json.loads(json.dumps(FILES[name]())) == VECTORS[name]
    assert {path.stem for path in FOLDER.glob("*.json")} == {*FILES, "schema"}


def test_the_schema_refuses() -> None:
    for wrong in ({}, {"description": "x", "cases": []}, {"description": 5, "cases": [{}]}):
        with pytest.raises(AssertionError):
            check(SCHEMA["noise"], wrong, "noise", SCHEMA)


@pytest.mark.parametrize("case", VECTORS["noise"]["cases"])
def test_noise(case: dict[str, Any]) -> None:
    privacy = PrivacyParameters(Fraction(case["epsilon"]), Fraction(case["delta"]))
    gaussian = gaussian_noise(privacy, case["workers"], case["sensitivity"])
    assert (gaussian.offset, str(gaussian.variance)) == tuple(case["gaussian"].values())
    geometric = geometric_noise(privacy, case["workers"], case["sensitivity"])
    assert geometric.offset == case["geometric"]["offset"]


def parameters_of(case: dict[str, Any]) -> ShareShuffle:
    asked = case["parameters"]
    reach, frequency = (
        WorkerNoise(asked[f"{name}_offset"], Fraction(0), Fraction(0), 2)
        for name in ("reach", "frequency")
    )
    names = ("registers", "providers", "max_frequency", "modulus")
    return ShareShuffle(
        **{name: asked[name] for name in names}, reach_noise=reach, frequency_noise=frequency
    )


def share_of(share: dict[str, str]) -> Share:
    if "seed" in share:
        return SeedShare(bytes.fromhex(share["seed"]))
    return VectorShare(bytes.fromhex(share["vector"]))


class Replay(Randomness):
    """The seed of a vector, once."""

    def __init__(self, seed: str) -> None:
        super().__init__()
        self.seeds = [bytes.fromhex(seed)]

    def random_bytes(self, count: int) -> bytes:
        seed = self.seeds.pop()
        assert len(seed) == count
        return seed


@pytest.mark.parametrize("case", VECTORS["share_shuffle"]["cases"], ids=lambda case: case["name"])
def test_share_shuffle(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = parameters_of(case)
    transcript = Transcript()
    workers = simulated_workers(3, 0, [transcript]).workers
    own = {number: case["workers"][number - 1] for number in (FIRST, SECOND)}
    network = WorkerNetwork(
        [
            Worker(number, worker.channel, Replay(own[number]["seed"] if number in own else ""))
            for number, worker in workers.items()
        ],
        3,
    )
    monkeypatch.setattr(
        "ipa.halo.share_shuffle.noise_registers",
        lambda worker, parameters: own[worker.number]["noise_registers"],
    )
    shares = {number: [share_of(share) for share in own[number]["shares"]] for number in own}
    summed = [sum_of_shares(shares[number], parameters) for number in (FIRST, SECOND)]
    plain = [sum(values) for values in zip(*case["vectors"], strict=True)]
    assert [(a + b) % parameters.modulus for a, b in zip(*summed, strict=True)] == plain
    assert share_shuffle(network, shares, parameters) == case["registers"]
    sent = {m.sender: m.payload.hex() for m in transcript.messages if m.step == "shuffled"}
    assert sent == {number: own[number]["shuffled"] for number in own}
    found = tally(case["registers"], parameters)
    assert [found.non_empty, list(found.histogram)] == list(case["tally"].values())


def test_expansions_shuffles_and_moduli() -> None:
    vectors = VECTORS["share_shuffle"]
    seed = bytes.fromhex(vectors["seed"])
    for case in vectors["expansions"]:
        stream = Keystream(seed)
        assert stream.elements(6, case["modulus"]) == case["elements"]
        assert stream.elements(6, case["modulus"], nonzero=True) == case["nonzero"]
    for case in vectors["shuffles"]:
        assert shuffle(range(case["size"]), seed) == case["order"]
    assert [[largest, modulus_for(largest)] for largest, _ in vectors["moduli"]] == vectors[
        "moduli"
    ]


def run_shares(case: dict[str, Any]) -> Any:
    """The aggregator's part of one provider's shares, as they are."""
    shares = [bytes.fromhex(share) for share in case["shares"]]
    parameters = ShareShuffle(
        registers=len(shares[0]),
        providers=2,
        max_frequency=case["max_frequency"],
        modulus=case["modulus"],
    )
    zero = VectorShare(bytes(len(shares[0])))
    held = {n: [VectorShare(share), zero] for n, share in zip((FIRST, SECOND), shares, strict=True)}
    registers = share_shuffle(simulated_workers(3, 1), held, parameters)
    assert registers is not None
    return tally(registers, parameters)


@pytest.mark.parametrize("case", VECTORS["share_shuffle"]["upstream"])
def test_upstream_s_shares(case: dict[str, Any]) -> None:
    found = run_shares(case)
    assert (found.non_empty, list(found.histogram)) == (case["non_empty"], case["histogram"])


@pytest.mark.parametrize("case", VECTORS["share_shuffle"]["negative"])
def test_negative_shares_fail_at_their_stage(case: dict[str, Any]) -> None:
    if case["stage"] is None:
        run_shares(case)
        return
    error = ParameterError if case["stage"] == "element" else ChannelError
    said = "not below the modulus" if case["stage"] == "element" else "impossible frequency"
    with pytest.raises(error, match=said):
        run_shares(case)


def test_fingerprints_indexes_and_estimates() -> None:
    vectors = VECTORS["liquid_legions"]
    for case in vectors["fingerprints"]:
        found = fingerprint(case["person"], case["purpose"], bytes.fromhex(case["key"]))
        assert f"{found:016x}" == case["fingerprint"]
    for case in vectors["indexes"]:
        parameters = SketchParameters(case["decay"], case["size"])
        assert register_index(int(case["fingerprint"], 16), parameters) == case["index"]
    for case in vectors["estimates"]:
        parameters = SketchParameters(case["decay"], case["size"])
        assert estimate(case["active"], parameters) == pytest.approx(
            case["exact"], rel=1e-5, abs=1e-5
        )
        assert estimate_upstream(case["active"], parameters) == case["upstream"]


@pytest.mark.parametrize("name", ["p256", "p256-python"])
def test_elements_and_elgamal(name: str) -> None:
    vectors, group = VECTORS["liquid_legions"], group_by_name(name)
    for case in vectors["elements"]:
        assert group.to_bytes(group.hash_to_element(case["label"])).hex() == case["element"]
    case = vectors["elgamal"]
    secrets = [int(secret, 16) for secret in case["secrets"]]
    publics = [group.multiply_generator(secret) for secret in secrets]
    assert [group.to_bytes(public).hex() for public in publics] == case["publics"]
    key = combined_key(group, publics)
    assert group.to_bytes(key).hex() == case["combined"]
    plaintext = group.from_bytes(bytes.fromhex(case["plaintext"]))
    r, k = int(case["randomness"], 16), int(case["scalar"], 16)
    pair = (group.multiply_generator(r), group.add(plaintext, group.multiply(r, key)))
    assert [group.to_bytes(element).hex() for element in pair] == case["ciphertext"]
    blinded = scale(group, k, pair)
    for secret in secrets:
        pair, blinded = (decrypt(group, secret, ciphertext) for ciphertext in (pair, blinded))
    assert pair[1] == plaintext
    assert group.to_bytes(blinded[1]).hex() == case["scaled_plaintext"]


def test_sketches() -> None:
    vectors = VECTORS["liquid_legions"]
    sketches = [
        {index: Register(key, count) for index, key, count in sketch}
        for sketch in vectors["sketches"]
    ]
    merged = {index: Register(key, count) for index, key, count in vectors["merged"]}
    assert merge(sketches) == merged
    for run in vectors["runs"]:
        assert run["active"] == len(merged)
        assert sum(run["histogram"]) == sum(
            register.key is not None for register in merged.values()
        )


def test_reports() -> None:
    vectors = VECTORS["reports"]
    for case in vectors["cases"]:
        weights = union_weights(parse_expression(case["text"]), case["sets"])
        assert [list(item) for item in weights.items()] == case["weights"]
    for case in vectors["regions"]:
        weights = region_weights(case["region"], case["sets"])
        assert [list(item) for item in weights.items()] == case["weights"]
    for text in vectors["negative"]:
        with pytest.raises(ParameterError):
            parse_expression(text)
    for case in vectors["series"]:
        assert rising(case["measured"]) == case["corrected"]
