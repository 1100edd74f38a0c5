"""Circuits: each equals Python's arithmetic, for any width and any number of rows."""

import pytest
from cost_formulas import rows_are_many_from
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    MANY,
    RINGS,
    ROWS,
    SEEDS,
    WIDTHS,
    Simulation,
    below,
    columns_of_numbers,
    examples,
)

from ipa.errors import MismatchError, ParameterError
from ipa.protocols.circuits.addition import (
    MANY_ROWS,
    add,
    multiply_by_constant,
    subtract,
    sum_of,
    sum_rows,
)
from ipa.protocols.circuits.comparison import bit_at_first_difference, exceeds, greater_than
from ipa.protocols.circuits.constants import public_columns, public_number, zero_extend
from ipa.protocols.circuits.conversion import bits_from_elements, elements_from_bits
from ipa.protocols.circuits.division import divide, divide_with_remainder
from ipa.protocols.circuits.equality import all_ones, equal
from ipa.protocols.circuits.multiplexer import choose
from ipa.protocols.circuits.scan import (
    last_of_group,
    running_totals,
)
from ipa.sharing.bits import ones
from ipa.sharing.dealing import reconstruct_for_testing
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo

secret = reconstruct_for_testing
NARROW = st.integers(1, 12)


@examples(80)
@given(st.data(), SEEDS, ROWS, WIDTHS | st.just(0))
def test_comparison(data: st.DataObject, seed: int, rows: int, width: int) -> None:
    a, b = data.draw(columns_of_numbers(rows, width, width))
    b = [p if data.draw(st.booleans()) else q for p, q in zip(a, b, strict=True)]
    simulation = Simulation(seed)
    network, x, y = simulation.network, simulation.bits(a, width), simulation.bits(b, width)
    pairs = list(zip(a, b, strict=True))
    assert secret(greater_than(network, x, y)) == [p > q for p, q in pairs]
    if width:
        assert secret(equal(network, x, y)) == [p == q for p, q in pairs]
        assert secret(all_ones(network, x)) == [p == ones(width) for p in a]
        assert secret(bit_at_first_difference(network, x, y)) == [
            p & 1 if p == q else p > q for p, q in pairs
        ]


def test_comparison_of_every_pair_of_small_numbers() -> None:
    for width in range(1, 6):
        pairs = [(p, q) for p in range(1 << width) for q in range(1 << width)]
        simulation = Simulation(width)
        x, y = (simulation.bits([pair[k] for pair in pairs], width) for k in (0, 1))
        assert secret(greater_than(simulation.network, x, y)) == [p > q for p, q in pairs]


@examples(80)
@given(st.data(), SEEDS, ROWS, WIDTHS, MANY)
def test_addition(data: st.DataObject, seed: int, rows: int, width: int, many: int) -> None:
    a, b, carry = data.draw(columns_of_numbers(rows, width, width, 1))
    simulation = Simulation(seed)
    network, x, y = simulation.network, simulation.bits(a, width), simulation.bits(b, width)
    pairs = list(zip(a, b, strict=True))
    with rows_are_many_from(many):
        assert secret(add(network, x, y)) == [(p + q) % 2**width for p, q in pairs]
        assert secret(subtract(network, x, y)) == [(p - q) % 2**width for p, q in pairs]
        total = add(network, x, y, simulation.bits(carry, 1))
        assert secret(total) == [
            (p + q + c) % 2**width for (p, q), c in zip(pairs, carry, strict=True)
        ]


@pytest.mark.parametrize("many", [1, 1 << 20])
def test_addition_of_every_pair_of_small_numbers(many: int) -> None:
    for width in range(1, 6):
        pairs = [(p, q) for p in range(1 << width) for q in range(1 << width)]
        simulation = Simulation(width)
        x, y = (simulation.bits([pair[k] for pair in pairs], width) for k in (0, 1))
        for carry in (0, 1):
            carries = public_number(simulation.network, len(pairs), carry, 1)
            with rows_are_many_from(many):
                total = add(simulation.network, x, y, carries)
            assert secret(total) == [(p + q + carry) % 2**width for p, q in pairs]


def test_a_number_of_rows_from_which_gates_count_more_than_rounds() -> None:
    """The carries of many rows go from column to column."""
    for rows in (MANY_ROWS - 1, MANY_ROWS):
        simulation = Simulation(1)
        x = simulation.bits([(1 << 30) - 1] * rows, 31)
        assert secret(add(simulation.network, x, x)) == [(1 << 31) - 2] * rows
        assert (simulation.cost.rounds == 30) == (rows == MANY_ROWS)


def test_a_public_limit_of_every_small_number() -> None:
    for width in range(1, 6):
        for limit in range(40):
            simulation = Simulation(limit)
            x = simulation.bits(list(range(1 << width)), width)
            over = exceeds(simulation.network, x, limit)
            assert secret(over) == [value > limit for value in range(1 << width)]


@examples(60)
@given(st.data(), SEEDS, ROWS, st.lists(NARROW, min_size=1, max_size=8), NARROW)
def test_sum_of_several(
    data: st.DataObject, seed: int, rows: int, widths: list[int], width: int
) -> None:
    lists = data.draw(columns_of_numbers(rows, *widths))
    simulation = Simulation(seed)
    summands = [simulation.bits(v, w) for v, w in zip(lists, widths, strict=True)]
    total = sum_of(simulation.network, summands, width)
    assert total.width == width
    assert secret(total) == [sum(row) % 2**width for row in zip(*lists, strict=True)]


@examples(80)
@given(st.data(), SEEDS, ROWS, st.integers(1, 4), st.integers(1, 7), NARROW)
def test_sums_over_rows(
    data: st.DataObject, seed: int, rows: int, numbers: int, digits: int, width: int
) -> None:
    lists = data.draw(columns_of_numbers(rows, *[digits] * numbers))
    values = [
        sum((row[g] >> k & 1) << k * numbers + g for k in range(digits) for g in range(numbers))
        for row in zip(*lists, strict=True)
    ]
    simulation = Simulation(seed)
    x = simulation.bits(values, digits * numbers)
    total = sum_rows(simulation.network, x, numbers, width)
    assert (total.rows, total.width) == (numbers, width)
    assert secret(total) == [sum(values) % 2**width for values in lists]


@examples(80)
@given(
    st.data(),
    SEEDS,
    ROWS,
    NARROW,
    st.sampled_from([0, 1, 2, 3]) | st.integers(0, 2**20) | st.just(2**64 - 1),
    st.integers(1, 30),
)
def test_multiplying_by_a_constant(
    data: st.DataObject, seed: int, rows: int, bits: int, factor: int, width: int
) -> None:
    """Widths below the input's, and below the shift of the factor's ones, included."""
    (values,) = data.draw(columns_of_numbers(rows, bits))
    simulation = Simulation(seed)
    product = multiply_by_constant(simulation.network, simulation.bits(values, bits), factor, width)
    assert product.width == width
    assert secret(product) == [value * factor % 2**width for value in values]


@examples(60)
@given(st.data(), SEEDS, ROWS, WIDTHS)
def test_choosing(data: st.DataObject, seed: int, rows: int, width: int) -> None:
    bit, a, b = data.draw(columns_of_numbers(rows, 1, width, width))
    simulation = Simulation(seed)
    chosen = choose(
        simulation.network,
        simulation.bits(bit, 1),
        simulation.bits(a, width),
        simulation.bits(b, width),
    )
    assert secret(chosen) == [p if c else q for c, p, q in zip(bit, a, b, strict=True)]


@examples(60)
@given(st.data(), SEEDS, ROWS, WIDTHS, st.integers(0, 5))
def test_constants(data: st.DataObject, seed: int, rows: int, width: int, more: int) -> None:
    number = data.draw(below(1 << width))
    (values,) = data.draw(columns_of_numbers(rows, width))
    simulation = Simulation(seed)
    network = simulation.network
    assert secret(public_number(network, rows, number, width)) == [number] * rows
    columns = [ones(rows), 0]
    assert secret(public_columns(network, rows, columns)) == [1] * rows
    wider = zero_extend(network, simulation.bits(values, width), width + more)
    assert wider.width == width + more
    assert secret(wider) == values
    assert simulation.transcript.messages == []


@examples(60)
@given(st.data(), SEEDS, ROWS, NARROW, NARROW, st.integers(1, 12))
def test_division(
    data: st.DataObject,
    seed: int,
    rows: int,
    quotient_bits: int,
    divisor_bits: int,
    numerator_bits: int,
) -> None:
    """Any numerator and divisor; where the quotient is too large anything may come out."""
    numerators, divisors = data.draw(columns_of_numbers(rows, numerator_bits, divisor_bits))
    simulation = Simulation(seed)
    quotient = divide(
        simulation.network,
        simulation.bits(numerators, numerator_bits),
        simulation.bits(divisors, divisor_bits),
        quotient_bits,
    )
    assert quotient.width == quotient_bits
    for got, p, q in zip(secret(quotient), numerators, divisors, strict=True):
        if q and p // q < 1 << quotient_bits:
            assert got == p // q


@pytest.mark.parametrize("many", [1, 1 << 20])
def test_division_of_every_pair_of_small_numbers(many: int) -> None:
    pairs = [(p, q) for p in range(64) for q in range(1, 16)]
    simulation = Simulation(1)
    network = simulation.network
    x, y = simulation.bits([p for p, _ in pairs], 6), simulation.bits([q for _, q in pairs], 4)
    with rows_are_many_from(many):
        assert secret(divide(network, x, y, 6)) == [p // q for p, q in pairs]
        quotient, rest = divide_with_remainder(network, x, y, 6)
    assert secret(quotient) == [p // q for p, q in pairs]
    assert (secret(rest), rest.width) == ([p % q for p, q in pairs], 4)


@examples(60)
@given(st.data(), SEEDS, RINGS, st.sampled_from([0, 1, 2, 3, 9]))
def test_additive_to_xor(data: st.DataObject, seed: int, ring: IntegersModulo, count: int) -> None:
    values = data.draw(st.lists(below(ring.modulus), min_size=count, max_size=count))
    simulation = Simulation(seed)
    bits = bits_from_elements(simulation.network, simulation.numbers(ring, values))
    assert (bits.rows, bits.width) == (count, (ring.modulus - 1).bit_length())
    assert secret(bits) == values


@examples(60)
@given(st.data(), SEEDS, RINGS, st.sampled_from([0, 1, 2, 3, 9]), st.integers(1, 20))
def test_xor_to_additive(
    data: st.DataObject, seed: int, ring: IntegersModulo, rows: int, width: int
) -> None:
    (values,) = data.draw(columns_of_numbers(rows, width))
    simulation = Simulation(seed)
    numbers = elements_from_bits(simulation.network, simulation.bits(values, width), ring)
    assert (numbers.count, numbers.ring) == (rows, ring)
    assert secret(numbers) == [value % ring.modulus for value in values]


def test_circuits_refuse_widths_and_rows_that_differ() -> None:
    simulation = Simulation(1)
    network, x = simulation.network, simulation.bits([0] * 4, 3)
    for other in (simulation.bits([0] * 4, 2), simulation.bits([0] * 5, 3)):
        for circuit in (add, subtract, greater_than, equal, bit_at_first_difference):
            with pytest.raises(MismatchError, match="differ"):
                circuit(network, x, other)
        with pytest.raises(MismatchError, match="differ"):
            choose(network, x[0], x, other)
    for same in (simulation.bits([0] * 5, 1), Simulation(2).bits([0] * 4, 1)):
        with pytest.raises(MismatchError, match="differ"):
            running_totals(network, same, x)
        with pytest.raises(MismatchError, match="differ"):
            last_of_group(network, same, x)
    assert simulation.transcript.messages == []


def test_circuits_refuse_what_does_not_fit() -> None:
    simulation = Simulation(1)
    network, x = simulation.network, simulation.bits([0] * 4, 3)
    with pytest.raises(ParameterError, match="3 bits do not fit 2"):
        zero_extend(network, x, 2)
    for number in (8, -1):
        with pytest.raises(ParameterError, match=f"{number} does not fit 3 bits"):
            public_number(network, 4, number, 3)
    with pytest.raises(ParameterError, match="must not be negative"):
        multiply_by_constant(network, x, -1, 3)


def test_bits_of_a_ring_without_a_modulus_are_refused() -> None:
    class Other:
        name = "another ring"

        def __getattr__(self, name: str) -> object:
            return getattr(PRIME_FIELD, name)

    numbers = Simulation(1).numbers(Other(), [1])  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="no conversion to bits from another ring"):
        bits_from_elements(Simulation(1).network, numbers)
