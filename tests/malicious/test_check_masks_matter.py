"""The masks of the check, its random triple among them, are needed: without them it shows secrets."""

from typing import Any

import pytest
from malicious_cases import SEED, MaliciousSimulation

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parties import HELPERS
from ipa.protocols.circuits.constants import public_number
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.protocols.verification import inner_product as compression
from ipa.protocols.verification.inner_product import OPENED
from ipa.sharing.rings import PRIME_FIELD
from ipa.sharing.shared_elements import SharedElements

Patch = pytest.MonkeyPatch


def opened_in_the_end(secret: int, seeds: range) -> list[tuple[int, ...]]:
    """What the check of secret AND secret opens of its vectors, for several networks."""
    opened: list[tuple[int, ...]] = []
    with pytest.MonkeyPatch.context() as patch:
        really = compression._open_shamir

        def recording(network, points, field, shares):  # type: ignore[no-untyped-def]
            result = really(network, points, field, shares)
            opened.append(tuple(result))
            return result

        patch.setattr(compression, "_open_shamir", recording)
        for seed in seeds:
            simulation = MaliciousSimulation(seed)
            x = simulation.bits([secret] * 5, 1)
            multiply(simulation.network, x, x)
            simulation.finish()
    return opened


def test_without_the_random_vectors_the_check_shows_secrets(monkeypatch: Patch) -> None:
    seeds = range(20)
    for secret in (0, 1):
        opened = opened_in_the_end(secret, seeds)
        values = [value for vectors in opened for value in vectors]
        assert len(set(values)) == len(values) == 2 * OPENED * len(seeds)
    real = compression._random_shamir_shares

    def no_mask(network: HelperPartyNetwork, *rest: Any) -> dict[int, list[int]]:
        return {helper: [0] * len(shares) for helper, shares in real(network, *rest).items()}

    monkeypatch.setattr(compression, "_random_shamir_shares", no_mask)
    zeros = (0,) * (2 * OPENED)
    assert set(opened_in_the_end(0, seeds)) == {zeros}
    assert zeros not in opened_in_the_end(1, seeds)


def test_what_the_check_re_shares_is_masked() -> None:
    """All shares of the operands are zero, and so is every product; what is sent is not."""
    simulation = MaliciousSimulation(SEED)
    zero = public_number(simulation.network, 1000, 0, 1)
    multiply(simulation.network, zero, zero)
    numbers = SharedElements(
        simulation.network.name, PRIME_FIELD, 3, {helper: ([0] * 3, [0] * 3) for helper in HELPERS}
    )
    multiply_elements(simulation.network, numbers, numbers)
    simulation.finish()
    masked = [
        message.payload
        for message in simulation.transcript.messages
        if message.step.endswith(("multiply", "multiply-numbers", "values", "products"))
    ]
    assert len(masked) > 15
    assert len(set(masked)) == len(masked)
    for payload in masked:
        assert payload.count(0) < len(payload) / 2
