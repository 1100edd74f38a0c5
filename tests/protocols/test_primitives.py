"""Primitives: multiplying, opening and re-sharing bits and numbers; what they refuse."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import RINGS, ROWS, SEEDS, WIDTHS, Simulation, below, columns_of_numbers, examples

from ipa.errors import ChannelError, MismatchError, VerificationError
from ipa.network.channel import Message
from ipa.network.costs import cost_of
from ipa.network.simulation import simulated_network
from ipa.parties import HELPERS, left_of, right_of
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.protocols.primitives.opening import open_bits, open_elements
from ipa.protocols.primitives.resharing import reshare_columns, reshare_elements
from ipa.sharing.bits import columns_from_rows, ones
from ipa.sharing.dealing import (
    reconstruct_columns_for_testing,
    reconstruct_for_testing,
    share_elements,
    share_rows,
)
from ipa.sharing.randomness import Randomness
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo

secret = reconstruct_for_testing


@examples(80)
@given(st.data(), SEEDS, ROWS, WIDTHS)
def test_multiply_is_and(data: st.DataObject, seed: int, rows: int, width: int) -> None:
    a, b = data.draw(columns_of_numbers(rows, width, width))
    simulation = Simulation(seed)
    z = multiply(simulation.network, simulation.bits(a, width), simulation.bits(b, width))
    assert (z.rows, z.width) == (rows, width)
    assert secret(z) == [p & q for p, q in zip(a, b, strict=True)]


@examples(80)
@given(st.data(), SEEDS, ROWS, WIDTHS)
def test_one_column_multiplies_every_column(
    data: st.DataObject, seed: int, rows: int, width: int
) -> None:
    bit, b = data.draw(columns_of_numbers(rows, 1, width))
    simulation = Simulation(seed)
    z = multiply(simulation.network, simulation.bits(bit, 1), simulation.bits(b, width))
    assert (z.rows, z.width) == (rows, width)
    assert secret(z) == [p * q for p, q in zip(bit, b, strict=True)]


@examples(80)
@given(st.data(), SEEDS, st.integers(0, 9), RINGS)
def test_products_of_numbers(
    data: st.DataObject, seed: int, count: int, ring: IntegersModulo
) -> None:
    numbers = st.lists(below(ring.modulus), min_size=count, max_size=count)
    a, b = data.draw(numbers), data.draw(numbers)
    simulation = Simulation(seed)
    z = multiply_elements(
        simulation.network, simulation.numbers(ring, a), simulation.numbers(ring, b)
    )
    assert (z.count, z.ring) == (count, ring)
    assert secret(z) == [p * q % ring.modulus for p, q in zip(a, b, strict=True)]


@examples(60)
@given(st.data(), SEEDS, ROWS, st.integers(1, 5))
def test_products_with_factors_named(data: st.DataObject, seed: int, rows: int, width: int) -> None:
    """Column j of y is multiplied by the column of x that is named for it."""
    factors = data.draw(st.lists(st.integers(0, width - 1), max_size=8))
    (a,), (b,) = (data.draw(columns_of_numbers(rows, w)) for w in (width, len(factors)))
    simulation = Simulation(seed)
    x, y = simulation.bits(a, width), simulation.bits(b, len(factors))
    z = multiply(simulation.network, x, y, factors)
    assert (z.rows, z.width) == (rows, len(factors))
    plain_x, plain_y = columns_from_rows(a, width), columns_from_rows(b, len(factors))
    assert reconstruct_columns_for_testing(z) == [
        plain_x[factor] & column for factor, column in zip(factors, plain_y, strict=True)
    ]
    assert cost_of(simulation.network.costs).and_gates == rows * len(factors)


@pytest.mark.parametrize("factors", [[0], [0, 1, 1], [0, 3], [-1, 0]])
def test_every_column_needs_a_factor(factors: list[int]) -> None:
    simulation = Simulation(1)
    x, y = simulation.bits([1, 2], 3), simulation.bits([1, 2], 2)
    with pytest.raises(MismatchError, match="2 columns do not have each a factor among 3"):
        multiply(simulation.network, x, y, factors)
    assert simulation.network.costs == {}


@examples(80)
@given(st.data(), SEEDS, ROWS, WIDTHS)
def test_opening_bits(data: st.DataObject, seed: int, rows: int, width: int) -> None:
    (values,) = data.draw(columns_of_numbers(rows, width))
    simulation = Simulation(seed)
    opened = open_bits(simulation.network, simulation.bits(values, width))
    assert opened == columns_from_rows(values, width)


@examples(60)
@given(st.data(), SEEDS, RINGS)
def test_opening_numbers(data: st.DataObject, seed: int, ring: IntegersModulo) -> None:
    values = data.draw(st.lists(below(ring.modulus), max_size=9))
    simulation = Simulation(seed)
    assert open_elements(simulation.network, simulation.numbers(ring, values)) == values


@examples(60)
@given(st.data(), SEEDS, ROWS, st.integers(0, 9))
def test_resharing_bits(data: st.DataObject, seed: int, rows: int, width: int) -> None:
    column = st.integers(0, ones(rows))
    summands = {h: data.draw(st.lists(column, min_size=width, max_size=width)) for h in HELPERS}
    simulation = Simulation(seed)
    with simulation.network.step("reshare"):
        shared = reshare_columns(simulation.network, summands, width, rows)
    for helper in HELPERS:
        assert shared.shares_of(helper) == (summands[helper], summands[right_of(helper)])
    assert (shared.rows, shared.width) == (rows, width)


@examples(60)
@given(st.data(), SEEDS, RINGS, st.integers(0, 9))
def test_resharing_numbers(
    data: st.DataObject, seed: int, ring: IntegersModulo, count: int
) -> None:
    numbers = st.lists(below(ring.modulus), min_size=count, max_size=count)
    summands = {helper: data.draw(numbers) for helper in HELPERS}
    simulation = Simulation(seed)
    with simulation.network.step("reshare"):
        shared = reshare_elements(simulation.network, ring, summands, count)
    for helper in HELPERS:
        assert shared.shares_of(helper) == (summands[helper], summands[right_of(helper)])


def test_the_same_product_taken_twice_is_masked_afresh() -> None:
    """Else a neighbour could subtract two messages and see what changed between two products."""
    simulation = Simulation(1)
    x, y = simulation.bits([0] * 64, 2), simulation.numbers(PRIME_FIELD, [0] * 4)
    for _ in range(2):
        multiply(simulation.network, x, x)
        multiply_elements(simulation.network, y, y)
    payloads = [message.payload for message in simulation.transcript.messages]
    assert len(set(payloads)) == len(payloads) == 12


def test_thousands_of_rows() -> None:
    simulation = Simulation(1)
    a = simulation.randomness.random_bits(5003)
    b = simulation.randomness.random_bits(5003)
    x, y = (simulation.bits([v >> r & 1 for r in range(5003)], 1) for v in (a, b))
    assert open_bits(simulation.network, multiply(simulation.network, x, y)) == [a & b]


BITS = Simulation(1).bits([0] * 4, 3)
NUMBERS = Simulation(1).numbers(PRIME_FIELD, [0] * 4)


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (Simulation(1).bits([0] * 4, 2), "widths differ"),
        (Simulation(1).bits([0] * 4, 1), "widths differ"),  # only the first may be one column
        (Simulation(1).bits([0] * 5, 3), "row counts differ"),
        (Simulation(2).bits([0] * 4, 3), "networks differ"),
        (NUMBERS, "expected SharedBits"),
    ],
)
def test_multiply_refuses_bits_that_do_not_go_together(other: Any, problem: str) -> None:
    simulation = Simulation(1)
    with pytest.raises(MismatchError, match=problem):
        multiply(simulation.network, BITS, other)
    if problem == "widths differ" and other.width == 2:  # one column may be the first
        with pytest.raises(MismatchError, match=problem):
            multiply(simulation.network, other, BITS)
    assert simulation.transcript.messages == []


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (Simulation(1).numbers(PRIME_FIELD, [0] * 3), "lengths differ"),
        (Simulation(1).numbers(IntegersModulo(7), [0] * 4), "fields differ"),
        (Simulation(2).numbers(PRIME_FIELD, [0] * 4), "networks differ"),
        (BITS, "expected SharedElements"),
    ],
)
def test_multiply_numbers_refuses_what_does_not_go_together(other: Any, problem: str) -> None:
    simulation = Simulation(1)
    with pytest.raises(MismatchError, match=problem):
        multiply_elements(simulation.network, NUMBERS, other)
    assert simulation.transcript.messages == []


def test_values_of_another_network_are_refused() -> None:
    network = simulated_network(2)
    for run in (
        lambda: multiply(network, BITS, BITS),
        lambda: multiply_elements(network, NUMBERS, NUMBERS),
        lambda: open_bits(network, BITS),
        lambda: open_elements(network, NUMBERS),
    ):
        with pytest.raises(MismatchError, match="networks differ: simulation-1 and simulation-2"):
            run()


def flip(
    step: str, sender: int, receiver: int, change: Callable[[bytes], bytes]
) -> Callable[[Message], Iterable[Message]]:
    def intercept(message: Message) -> Iterable[Message]:
        if (message.step, message.sender, message.receiver) != (step, sender, receiver):
            return [message]
        return [Message(step, sender, receiver, change(message.payload))]

    return intercept


@given(SEEDS, st.sampled_from(HELPERS), st.booleans(), st.integers(0, 7), st.booleans())
def test_an_opening_with_one_changed_copy_is_noticed(
    seed: int, liar: int, to_left: bool, bit: int, numbers: bool
) -> None:
    victim = left_of(liar) if to_left else right_of(liar)
    interceptor = flip("open", liar, victim, lambda p: bytes([p[0] ^ 1 << bit]) + p[1:])
    network = simulated_network(seed, [interceptor])
    randomness = Randomness.from_seed(seed, "client shares")
    with pytest.raises(VerificationError, match="two copies") as error:
        if numbers:
            ring = IntegersModulo(1 << 16)
            open_elements(network, share_elements(network.name, ring, [7], randomness))
        else:
            open_bits(network, share_rows(network.name, [1] * 8, 3, randomness))
    assert (error.value.step, error.value.detected_by) == ("open", (victim,))


@given(SEEDS, st.sampled_from(HELPERS), st.integers(0, 7))
def test_padding_bits_that_are_set_are_noticed(seed: int, liar: int, rows: int) -> None:
    interceptor = flip("multiply", liar, left_of(liar), lambda p: p[:-1] + bytes([p[-1] | 0x80]))
    network = simulated_network(seed, [interceptor])
    x = share_rows(network.name, [1] * rows, 2, Randomness.from_seed(seed, "client shares"))
    with pytest.raises(ChannelError, match="padding bits are set") as error:
        multiply(network, x, x)
    assert (error.value.step, error.value.detected_by) == ("multiply", (left_of(liar),))


@given(SEEDS, st.sampled_from(HELPERS))
def test_a_number_that_is_no_element_is_noticed(seed: int, liar: int) -> None:
    ring = IntegersModulo(251)
    interceptor = flip("multiply-numbers", liar, left_of(liar), lambda p: p[:-1] + b"\xfb")
    network = simulated_network(seed, [interceptor])
    x = share_elements(network.name, ring, [1, 2], Randomness.from_seed(seed, "client shares"))
    with pytest.raises(ChannelError, match="not an element of Z/251") as error:
        multiply_elements(network, x, x)
    assert (error.value.step, error.value.detected_by) == ("multiply-numbers", (left_of(liar),))
