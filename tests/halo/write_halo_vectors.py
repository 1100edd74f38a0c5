"""Writes tests/vectors/halo/*.json anew, but for the schema.

    PYTHONPATH=tests/cases python tests/halo/write_halo_vectors.py

Everything random is in the files. Numbers that may be large are hexadecimal text, fractions are text.
"""

import json
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from legions_cases import UPSTREAM, counted, parameters_of
from malicious_vectors import malicious_share_shuffle_vectors
from shuffle_cases import SMALL, VECTORS, shares_of, shuffled

from ipa.halo.elgamal import combined_key, random_scalar
from ipa.halo.estimator import estimate, estimate_upstream
from ipa.halo.groups import group_by_name
from ipa.halo.network import simulated_workers
from ipa.halo.noise import PrivacyParameters, gaussian_noise, geometric_noise
from ipa.halo.reporting import rising
from ipa.halo.ring_vectors import SEED_BYTES, Keystream, modulus_for, shuffle
from ipa.halo.set_expressions import names_of, parse_expression, region_weights, union_weights
from ipa.halo.share_shuffle import (
    FIRST,
    SECOND,
    SeedShare,
    Share,
    ShareShuffle,
    noise_registers,
    tally,
)
from ipa.halo.sketch import SketchParameters, fingerprint, merge, register_index, sketch_histogram
from ipa.network.interception import Transcript
from ipa.sharing.randomness import Randomness

VECTORS_FOLDER = Path(__file__).parents[1] / "vectors" / "halo"
SEED = bytes(range(SEED_BYTES))


def noise() -> dict[str, Any]:
    asked = [
        (Fraction(1, 2), Fraction(1, 10**9), 2, 1),
        (Fraction(1, 10), Fraction(1, 10**6), 1, 1),
        (Fraction(1), Fraction(1, 10**5), 3, 2),
        (Fraction(5), Fraction(1, 10**6), 2, 1),
        (Fraction(30), Fraction(1, 1000), 4, 3),
    ]
    cases = []
    for epsilon, delta, workers, sensitivity in asked:
        privacy = PrivacyParameters(epsilon, delta)
        gaussian = gaussian_noise(privacy, workers, sensitivity)
        cases.append(
            {
                "epsilon": str(epsilon),
                "delta": str(delta),
                "workers": workers,
                "sensitivity": sensitivity,
                "gaussian": {"offset": gaussian.offset, "variance": str(gaussian.variance)},
                "geometric": {"offset": geometric_noise(privacy, workers, sensitivity).offset},
            }
        )
    return {"description": "What each worker draws: offset + Z, |Z| <= offset.", "cases": cases}


def share_as_object(share: Share) -> dict[str, str]:
    if isinstance(share, SeedShare):
        return {"seed": share.seed.hex()}
    return {"vector": share.vector.hex()}


def shuffle_case(name: str, vectors: list[list[int]], parameters: ShareShuffle) -> dict[str, Any]:
    transcript = Transcript()
    registers, _ = shuffled(vectors, parameters, 5, [transcript])
    sent = {(message.step, message.sender): message.payload for message in transcript.messages}
    held = shares_of(vectors, parameters, 5)
    # The same workers draw again, from the same seeds: what they appended, in the clear.
    workers = simulated_workers(3, 5).workers
    appended = {}
    for number in (FIRST, SECOND):
        workers[number].randomness.random_bytes(SEED_BYTES)
        appended[number] = noise_registers(workers[number], parameters)
    return {
        "name": name,
        "parameters": {
            "registers": parameters.registers,
            "providers": parameters.providers,
            "max_frequency": parameters.max_frequency,
            "modulus": parameters.modulus,
            "reach_offset": parameters.reach_noise.offset,
            "frequency_offset": parameters.frequency_noise.offset,
        },
        "vectors": vectors,
        "workers": [
            {
                "shares": [share_as_object(share) for share in held[number]],
                "seed": sent["seeds", number].hex(),
                "noise_registers": appended[number],
                "shuffled": sent["shuffled", number].hex(),
            }
            for number in (FIRST, SECOND)
        ],
        "registers": registers,
        "tally": asdict(tally(registers, parameters)),
    }


def share_shuffle() -> dict[str, Any]:
    small = ShareShuffle(
        registers=5, providers=3, max_frequency=2, reach_noise=SMALL, frequency_noise=SMALL
    )
    only = ShareShuffle(registers=5, providers=3, max_frequency=0, reach_noise=SMALL)
    ones = [[min(1, value) for value in vector] for vector in VECTORS]
    wide = ShareShuffle(registers=5, providers=3, max_frequency=100)
    expansions = []
    for modulus in (7, 8, 127, 257, 1009):
        stream = Keystream(SEED)
        drawn = stream.elements(6, modulus)
        nonzero = stream.elements(6, modulus, nonzero=True)
        expansions.append({"modulus": modulus, "elements": drawn, "nonzero": nonzero})
    return {
        "description": "Seeds expanded (six elements, then six that are not 0, of one stream); shuffles; "
        "whole runs with all that was drawn. Negative cases are aggregators' views: stage `element` "
        "refuses a share's bytes, stage `tally` their sum.",
        "seed": SEED.hex(),
        "expansions": expansions,
        "shuffles": [
            {"size": size, "order": shuffle(range(size), SEED)} for size in (0, 1, 2, 7, 12)
        ],
        "moduli": [[largest, modulus_for(largest)] for largest in (1, 125, 126, 250, 1000)],
        "cases": [
            shuffle_case("reach and frequency with noise", VECTORS, small),
            shuffle_case("reach only with noise", ones, only),
            shuffle_case("elements of two bytes", VECTORS, wide),
            shuffle_case("no registers", [[], [], []], replace(wide, registers=0)),
        ],
        "upstream": [
            {"modulus": 8, "max_frequency": 2, "shares": ["0304030601070200", "0504050200030104"]}
            | {"non_empty": 4, "histogram": [1, 3]},
            {"modulus": 7, "max_frequency": 0, "shares": ["0203020501060200", "0504050200030104"]}
            | {"non_empty": 4, "histogram": []},
        ],
        "negative": [
            {"stage": "element", "modulus": 127, "max_frequency": 2, "shares": ["00ff", "0000"]},
            {"stage": "element", "modulus": 7, "max_frequency": 0, "shares": ["0007", "0000"]},
            {"stage": "tally", "modulus": 127, "max_frequency": 2, "shares": ["0005", "0002"]},
            {"stage": "tally", "modulus": 127, "max_frequency": 2, "shares": ["007d", "0000"]},
            {"stage": None, "modulus": 127, "max_frequency": 2, "shares": ["007d", "0001"]},
        ],
    }


def elgamal() -> dict[str, Any]:
    group = group_by_name("p256")
    randomness = Randomness.from_seed(1, "vectors")
    secrets = [random_scalar(group, randomness) for _ in range(3)]
    publics = [group.multiply_generator(secret) for secret in secrets]
    key = combined_key(group, publics)
    message, r, k = (
        group.hash_to_element("index 5"),
        *(random_scalar(group, randomness) for _ in "rk"),
    )
    pair = (group.multiply_generator(r), group.add(message, group.multiply(r, key)))
    return {
        "secrets": [f"{secret:064x}" for secret in secrets],
        "publics": [group.to_bytes(public).hex() for public in publics],
        "combined": group.to_bytes(key).hex(),
        "plaintext": group.to_bytes(message).hex(),
        "randomness": f"{r:064x}",
        "ciphertext": [group.to_bytes(element).hex() for element in pair],
        "scalar": f"{k:064x}",
        "scaled_plaintext": group.to_bytes(group.multiply(k, message)).hex(),
    }


def liquid_legions() -> dict[str, Any]:
    group = group_by_name("p256")
    testing = SketchParameters(12, 100_000)
    labels = ["", "unit", "index 5", "key 18446744073709551615", "destroyed register"]
    runs = []
    for workers, most in ((2, 3), (3, 10)):
        count, _ = counted(UPSTREAM, parameters_of(UPSTREAM, workers, most))
        runs.append({"workers": workers, "max_frequency": most, **asdict(count)})
    return {
        "description": "Fingerprints and register indexes; P-256 elements as x and y; an ElGamal "
        "ciphertext under three keys, decrypted one after another, and blinded by `scalar`; sketches "
        "merged (key null: destroyed) and what the protocols count of them.",
        "fingerprints": [
            {"person": person, "purpose": purpose, "key": "0102", "fingerprint": number}
            for person in ("1", "zoë")
            for purpose in ("index", "key")
            for number in [f"{fingerprint(person, purpose, bytes([1, 2])):016x}"]
        ],
        "indexes": [
            {"decay": decay, "size": size, "fingerprint": f"{value:016x}"}
            | {"index": register_index(value, SketchParameters(decay, size))}
            for decay, size in ((2, 10_000), (12, 100_000), (5.6, 1_000_000))
            for value in (0, 5 * 10**18, (1 << 63) + 12345, (1 << 64) - 1)
        ],
        "elements": [
            {"label": label, "element": group.to_bytes(group.hash_to_element(label)).hex()}
            for label in labels
        ],
        "elgamal": elgamal(),
        "sketches": [
            [[index, register.key, register.count] for index, register in sketch.items()]
            for sketch in UPSTREAM
        ],
        "merged": [
            [index, register.key, register.count] for index, register in merge(UPSTREAM).items()
        ],
        "histogram": list(sketch_histogram(merge(UPSTREAM), 10)),
        "runs": runs,
        "estimates": [
            {"decay": 12, "size": 100_000, "active": active}
            | {"exact": round(estimate(active, testing), 6)}
            | {"upstream": estimate_upstream(active, testing)}
            for active in (0, 1, 7, 30, 1000, 50_000)
        ],
    }


def reports() -> dict[str, Any]:
    texts = [
        "a",
        "a | b",
        "a & b",
        "a - b",
        "(a | b) - c",
        "a & b & c",
        "(a - b) | (b - a)",
        "a - a",
    ]
    cases = []
    for text in texts:
        expression = parse_expression(text)
        names = names_of(expression)
        weights = [[union, weight] for union, weight in union_weights(expression, names).items()]
        cases.append({"text": text, "sets": names, "weights": weights})
    return {
        "description": "Set expressions as weights of unions (bit i for the i-th set), regions of the Venn "
        "diagram likewise, texts that are no expression, and cumulative series corrected.",
        "cases": cases,
        "regions": [
            {
                "sets": 3,
                "region": region,
                "weights": [[u, w] for u, w in region_weights(region, 3).items()],
            }
            for region in range(1, 8)
        ],
        "negative": ["", "a |", "a b", "(a", "a)", '"a'],
        "series": [
            {"measured": series, "corrected": rising(series)}
            for series in ([], [3, 1, 2], [1, 2, 3], [9, 1, 1, 1], [5, 4, 9, 8])
        ],
    }


FILES = {
    "noise": noise,
    "share_shuffle": share_shuffle,
    "malicious_share_shuffle": malicious_share_shuffle_vectors,
    "liquid_legions": liquid_legions,
    "reports": reports,
}


def main() -> None:
    for name, make in FILES.items():
        (VECTORS_FOLDER / f"{name}.json").write_text(json.dumps(make(), indent=1) + "\n")


if __name__ == "__main__":
    main()
