"""The vectors of the malicious-secure share shuffle: the library does what they say, and refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from malicious_vectors import CHANGED_STEPS, digests, noise_rows, parameters_from, run, stage_of

from ipa.halo.malicious_share_shuffle import tally_opened

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "halo" / "malicious_share_shuffle.json").read_text()
)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_a_run_says_what_the_vector_says(case: dict[str, Any]) -> None:
    parameters = parameters_from(case["parameters"])
    opened, messages = run(case)
    assert opened == case["opened"]
    assert digests(messages) == case["messages"]
    found = tally_opened(opened, parameters)
    assert (found.non_empty, list(found.histogram)) == tuple(case["tally"].values())
    keys = [bytes.fromhex(key) for key in case["keys"]]
    assert noise_rows(keys, parameters) == case["noise_registers"]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_what_is_opened_are_the_sums_and_the_noise(case: dict[str, Any]) -> None:
    """Computed here by hand: a frequency and above it a one, and the noise registers as they are."""
    most = case["parameters"]["max_frequency"]
    sums = [sum(values) for values in zip(*case["vectors"], strict=True)]
    if most:
        registers = [min(most, value) + (1 << most.bit_length()) for value in sums]
    else:
        registers = [min(1, value) for value in sums]
    assert sorted(case["opened"]) == sorted(registers + case["noise_registers"])


@pytest.mark.parametrize("negative", VECTORS["negative"])
def test_a_changed_run_stops_where_it_should(negative: dict[str, Any]) -> None:
    assert stage_of(VECTORS["cases"][0], negative) == negative["stage"]


def test_the_negative_vectors_change_every_part() -> None:
    changed = [(each["step"], each["worker"]) for each in VECTORS["negative"]]
    assert changed == [(None, worker) for worker in (1, 2, 3)] + CHANGED_STEPS
