"""The share shuffle against one malicious worker: exact without noise, and what noise it has."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import sqrt

import pytest
from chi_squared import fits
from hypothesis import given
from hypothesis import strategies as st
from malicious_cases import (
    MaliciousSimulation,
)
from malicious_shuffle_cases import NOISE, SMALL, TINY, dealt, opened_by, parameters_for

from ipa.errors import ParameterError
from ipa.halo import malicious_share_shuffle as module
from ipa.halo.malicious_share_shuffle import (
    MaliciousShareShuffle,
    malicious_share_shuffle,
    noise_registers,
    tally_opened,
)
from ipa.halo.share_shuffle import Tally
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.simulation import simulated_network
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.protocols.circuits.constants import public_columns
from ipa.sharing.bits import columns_from_rows
from ipa.sharing.dealing import reconstruct_for_testing
from ipa.sharing.shared_bits import SharedBits


def truth(vectors: Sequence[Sequence[int]], most: int) -> Tally:
    sums = [sum(values) for values in zip(*vectors, strict=True)]
    counts = Counter(min(most, value) for value in sums)
    reached = sum(value > 0 for value in sums)
    return Tally(reached, tuple(counts[frequency] for frequency in range(1, most + 1)))


@given(
    st.integers(0, 9).flatmap(
        lambda most: st.tuples(
            st.just(most),
            st.integers(0, 12).flatmap(
                lambda rows: st.lists(
                    st.lists(
                        # All that fits the bits of a table, above the maximum too.
                        st.integers(0, (1 << max(1, most.bit_length())) - 1),
                        min_size=rows,
                        max_size=rows,
                    ),
                    min_size=1,
                    max_size=6,
                )
            ),
        )
    ),
    st.integers(0, 2**32),
)
def test_without_noise_the_counts_are_exact(drawn: tuple[int, list[list[int]]], seed: int) -> None:
    most, vectors = drawn
    parameters = parameters_for(vectors, most)
    opened, simulation = opened_by(vectors, parameters, seed)
    assert len(opened) == parameters.registers
    assert tally_opened(opened, parameters) == truth(vectors, most)
    assert simulation.log.gates_made == simulation.log.gates_checked


@pytest.mark.parametrize(("most", "providers"), [(4, 3), (8, 9), (1, 5)])
def test_a_sum_of_all_that_fits_the_bits_does_not_wrap(most: int, providers: int) -> None:
    """A provider may put more than the maximum into its bits; the sum is then above it, not small."""
    vectors = [[(1 << most.bit_length()) - 1, 0]] * providers
    parameters = parameters_for(vectors, most)
    assert tally_opened(opened_by(vectors, parameters)[0], parameters) == truth(vectors, most)


def test_the_registers_are_opened_in_an_order_that_changes() -> None:
    vectors = [list(range(16))]
    parameters = parameters_for(vectors, 15)
    orders = [opened_by(vectors, parameters, seed)[0] for seed in range(3)]
    assert all(sorted(order) == list(range(16, 32)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    assert sorted(orders[0]) != orders[0]


@pytest.mark.parametrize("most", [0, 1, 3])
def test_the_noise_registers_that_count_look_like_persons_and_the_rest_is_nothing(
    most: int,
) -> None:
    parameters = parameters_for([[0]], most, NOISE)
    for seed in range(5):
        network = simulated_network(seed, security="malicious")
        rows = reconstruct_for_testing(noise_registers(network, parameters, NOISE))
        assert len(rows) == parameters.noise_registers == 14 * (most + 1)
        each = [rows[14 * kind : 14 * kind + 14] for kind in range(most + 1)]
        counted = 1 << most.bit_length()
        for kind, registers in enumerate(each):
            number = registers.count(counted + kind)
            assert registers == [counted + kind] * number + [0] * (14 - number)


def test_the_number_that_counts_has_exactly_the_distribution_of_the_noise() -> None:
    parameters = MaliciousShareShuffle(registers=0, providers=1, max_frequency=4095, noise=NOISE)
    network = simulated_network(5, security="malicious")
    rows = reconstruct_for_testing(noise_registers(network, parameters, NOISE))
    drawn = [
        sum(row > 0 for row in rows[start : start + 14]) - NOISE.largest
        for start in range(0, len(rows), 14)
    ]
    masses = dict(zip(range(-7, 8), NOISE.masses, strict=True))
    scale = float(NOISE.denominator)
    assert fits(drawn, lambda x: masses.get(x, 0) / scale, -4, 4)
    assert not fits([x + 1 for x in drawn], lambda x: masses.get(x, 0) / scale, -4, 4)


def test_what_was_drawn_subtracted_the_counts_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise put in by hand comes out, and the offset does not."""

    def chosen(
        network: HelperPartyNetwork, count: int, width: int, noise: DigitwiseLaplace
    ) -> SharedBits:
        values = [number % (1 << width) for number in numbers]
        assert len(values) == count
        return public_columns(network, count, columns_from_rows(values, width))

    monkeypatch.setattr(module, "laplace_noise", chosen)
    vectors = [[number % 7 for number in range(90)], [number % 5 for number in range(90)]]
    honest = truth(vectors, 7)
    numbers = [-2, 3, -2, 7, -7, 0, 1, 2]
    parameters = parameters_for(vectors, 7, NOISE)
    found = tally_opened(opened_by(vectors, parameters)[0], parameters)
    histogram = [a + b for a, b in zip(honest.histogram, numbers[1:], strict=True)][:-1]
    assert found.non_empty == honest.non_empty + 2
    assert found.histogram == (*histogram, found.non_empty - sum(histogram))
    for number in (-7, 0, 4):
        numbers = [number]
        ones = [[number % 3 == 0 for number in range(90)]]
        only = parameters_for(ones, 0, NOISE)
        assert tally_opened(opened_by(ones, only)[0], only) == Tally(30 + number, ())


def test_counts_are_kept_within_range() -> None:
    parameters = parameters_for([[0] * 5], 3, TINY)
    assert tally_opened([4] * 9, parameters) == Tally(0, (0, 0, 0))
    assert tally_opened([5] * 9 + [6] * 9, parameters) == Tally(5, (5, 5, 0))
    assert tally_opened([4] * 3 + [5] * 2 + [6] * 3 + [7] + [0] * 9, parameters) == Tally(
        3, (1, 2, 0)
    )
    only = parameters_for([[0] * 5], 0, TINY)
    assert [tally_opened([1] * n, only).non_empty for n in (0, 1, 3, 9)] == [0, 0, 2, 5]


def test_thirty_runs_have_the_deviation_of_the_noise() -> None:
    ones = [[number < 60 for number in range(120)]]
    parameters = parameters_for(ones, 0, NOISE)
    errors = [
        tally_opened(opened_by(ones, parameters, seed)[0], parameters).non_empty - 60
        for seed in range(30)
    ]
    mean = sum(errors) / 30
    deviation = sqrt(sum((error - mean) ** 2 for error in errors) / 29)
    assert abs(mean) * sqrt(30) / deviation < 2.58
    assert 0.67 <= deviation / NOISE.standard_deviation <= 1.35


def test_what_does_not_fit_is_refused_before_anything_is_sent() -> None:
    simulation = MaliciousSimulation(1)
    parameters = parameters_for(SMALL, 2)
    tables = dealt(simulation.network, SMALL, parameters)
    semi_honest = simulated_network(1)
    with pytest.raises(ParameterError, match="must be malicious-secure"):
        malicious_share_shuffle(semi_honest, dealt(semi_honest, SMALL, parameters), parameters)
    with pytest.raises(ParameterError, match="2 tables are needed, not 1"):
        malicious_share_shuffle(simulation.network, tables[:1], parameters)
    with pytest.raises(ParameterError, match="a table must have 4 registers of 2 bits"):
        malicious_share_shuffle(simulation.network, tables, replace(parameters, registers=4))
    with pytest.raises(ParameterError, match="a table must have 3 registers of 3 bits"):
        malicious_share_shuffle(simulation.network, tables, replace(parameters, max_frequency=4))
    assert simulation.transcript.messages == []
    with pytest.raises(ParameterError, match="registers must be an integer of at least 0"):
        replace(parameters, registers=-1)
    with pytest.raises(ParameterError, match="providers must be an integer of at least 1"):
        replace(parameters, providers=0)
    with pytest.raises(ParameterError, match="max_frequency must be an integer of at least 0"):
        replace(parameters, max_frequency=-1)
    many = DigitwiseLaplace(epsilon=Fraction(1, 1000), sensitivity=2, digits=21, precision=12)
    with pytest.raises(ParameterError, match="noise registers are more than 4194304"):
        replace(parameters, noise=many)


def test_other_parameters_are_other_bytes() -> None:
    parameters = parameters_for(SMALL, 2, TINY)
    others = [
        replace(parameters, registers=4),
        replace(parameters, providers=3),
        replace(parameters, max_frequency=3),
        replace(parameters, noise=None),
        replace(parameters, noise=replace(TINY, precision=3)),
    ]
    assert len({each.to_bytes() for each in [parameters, *others]}) == 6
