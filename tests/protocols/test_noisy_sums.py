"""Noisy sums at their ends: the most negative, the most positive, and what the collector reads."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from noise_cases import parameters_of
from strategies import Simulation

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.noise.choice import noise_for
from ipa.parameters import Security
from ipa.parties import HELPERS
from ipa.protocols import noise as step
from ipa.protocols.circuits.constants import public_columns
from ipa.protocols.noise import add_noise
from ipa.protocols.primitives.abort import agree_to_release
from ipa.protocols.verification.product_check import check_products
from ipa.release import combine_at_collector, shares_for_collector
from ipa.sharing.bits import ones
from ipa.sharing.shared_bits import SharedBits


def coins_forced_to(first: int, second: int) -> Callable[..., SharedBits]:
    """In place of the comparison: every digit of G1 is `first`, of G2 `second`."""

    def forced(network: HelperPartyNetwork, limits: SharedBits, _: SharedBits) -> SharedBits:
        half = limits.rows // 2
        return public_columns(
            network, limits.rows, [first * ones(half) | second * ones(half) << half]
        )

    return forced


@pytest.mark.parametrize("bits", [1, 4, 7])
@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_the_most_negative_and_the_most_positive_sum(
    monkeypatch: pytest.MonkeyPatch, bits: int, security: Security
) -> None:
    parameters = parameters_of("laplace", 2, delta=Fraction(1, 4), security=security)
    noise = noise_for(parameters)
    assert noise is not None
    largest = (1 << bits) - 1
    for first, second, sign in ((1, 0, 1), (0, 1, -1)):
        monkeypatch.setattr(step, "greater_than", coins_forced_to(first, second))
        simulation = Simulation(1, security)
        network = simulation.network
        noisy = add_noise(network, simulation.bits([0, largest], bits), parameters)
        check_products(network)
        agree_to_release(network)
        released = combine_at_collector(shares_for_collector(network, noisy), 2, signed=True)
        assert released == [sign * noise.largest, largest + sign * noise.largest]


@pytest.mark.parametrize("width", [0, 1, 2, 7, 8, 64, 65])
def test_the_collector_reads_twos_complement(width: int) -> None:
    edges = {0, 1, ones(width) >> 1, (ones(width) >> 1) + 1, ones(width)}
    rows = sorted(row for row in edges if row <= ones(width))
    shared = Simulation(1).bits(rows, width)
    pairs = {helper: shared.shares_of(helper) for helper in HELPERS}
    half = 1 << width >> 1
    expected = [row - 2 * half if width and row >= half else row for row in rows]
    assert combine_at_collector(pairs, len(rows), signed=True) == expected
    assert combine_at_collector(pairs, len(rows)) == rows
    if width:
        assert min(expected) == -half
        assert max(expected) == half - 1


def test_noise_that_keeps_no_promise_is_refused_before_anything_is_sent() -> None:
    simulation = Simulation(1)
    wrong = parameters_of("laplace")
    object.__setattr__(wrong, "delta", Fraction(0))
    with pytest.raises(ParameterError, match="delta must be from"):
        add_noise(simulation.network, simulation.bits([0] * 3, 2), wrong)
    assert simulation.transcript.messages == []
