"""Sorting networks: each sorts as Python does, and refuses what it cannot sort."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS, Simulation, columns_of_numbers, examples

from ipa.errors import ParameterError
from ipa.protocols.circuits.bitonic_sort import bitonic_sort, bitonic_stages
from ipa.sharing.bits import ones
from ipa.sharing.dealing import reconstruct_for_testing

secret = reconstruct_for_testing


@pytest.mark.parametrize("depth", range(7))
@examples(12)
@given(st.data(), SEEDS, st.integers(1, 7), st.integers(0, 7))
def test_sorting(depth: int, data: st.DataObject, seed: int, key_bits: int, more: int) -> None:
    rows, width = 1 << depth, key_bits + more
    (values,) = data.draw(columns_of_numbers(rows, width))
    simulation = Simulation(seed)
    result = secret(bitonic_sort(simulation.network, simulation.bits(values, width), key_bits))
    assert sorted(result) == sorted(values)  # whole rows move
    keys = [value & ones(key_bits) for value in result]
    assert keys == sorted(keys)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_the_network_sorts_every_column_of_bits(depth: int) -> None:
    """A comparison network that sorts all inputs of zeros and ones sorts everything (Knuth)."""
    rows = 1 << depth
    for pattern in range(0, 1 << rows, 1 if depth < 4 else 641):
        bits = [pattern >> r & 1 for r in range(rows)]
        simulation = Simulation(1)
        assert secret(bitonic_sort(simulation.network, simulation.bits(bits, 1), 1)) == sorted(bits)


@pytest.mark.parametrize("rows", [1024, 4096])
def test_sorting_many_rows(rows: int) -> None:
    simulation = Simulation(rows)
    values = [simulation.randomness.random_bits(40) for _ in range(rows)]
    result = secret(bitonic_sort(simulation.network, simulation.bits(values, 40), 33))
    assert sorted(result) == sorted(values)
    assert [value % 2**33 for value in result] == sorted(value % 2**33 for value in values)


def test_the_stages_of_the_bitonic_network() -> None:
    assert list(bitonic_stages(3)) == [(1, 0), (2, 1), (2, 0), (3, 2), (3, 1), (3, 0)]
    assert list(bitonic_stages(0)) == []


@pytest.mark.parametrize("rows", [0, 3, 5, 6, 7, 9])
def test_sorting_takes_a_power_of_two_of_rows(rows: int) -> None:
    simulation = Simulation(1)
    with pytest.raises(ParameterError, match=f"power of two of rows, not {rows}"):
        bitonic_sort(simulation.network, simulation.bits([0] * rows, 3), 3)


@pytest.mark.parametrize("key_bits", [-1, 0, 4])
def test_sorting_takes_a_key_within_the_table(key_bits: int) -> None:
    simulation = Simulation(1)
    with pytest.raises(ParameterError, match="3 columns"):
        bitonic_sort(simulation.network, simulation.bits([0] * 4, 3), key_bits)
