"""Operators that every helper computes alone, and those that would take messages."""

from collections.abc import Callable
from operator import add, and_, eq, lt, mul, or_, sub, xor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import RINGS, ROWS, SEEDS, WIDTHS, Simulation, below, columns_of_numbers

import ipa.protocols
from ipa.errors import MismatchError, ParameterError, SecrecyError
from ipa.sharing.dealing import only_helper
from ipa.sharing.dealing import reconstruct_for_testing as secret
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo
from ipa.sharing.shared_elements import SharedElements

BITWISE = [xor, and_, or_]


@pytest.mark.parametrize("operator", BITWISE)
@given(st.data(), SEEDS, ROWS, WIDTHS)
def test_bits_with_public_numbers(
    operator: Callable[[Any, Any], Any], data: st.DataObject, seed: int, rows: int, width: int
) -> None:
    values, public = data.draw(columns_of_numbers(rows, width, width))
    one = data.draw(below(1 << width))
    shared = Simulation(seed).bits(values, width)
    expected = [operator(a, b) for a, b in zip(values, public, strict=True)]
    assert secret(operator(shared, public)) == expected
    assert secret(operator(tuple(public), shared)) == expected
    assert secret(operator(shared, one)) == [operator(value, one) for value in values]
    assert secret(operator(one, shared)) == [operator(value, one) for value in values]


@pytest.mark.parametrize("helper", [1, 2, 3])
def test_each_helper_computes_its_part_alone(helper: int) -> None:
    simulation = Simulation(1)
    shared, numbers = simulation.bits([1, 2, 3], 4), simulation.numbers(PRIME_FIELD, [1, 2, 3])
    alone = only_helper(shared, helper)
    for operator in BITWISE:
        together = operator(shared, [5, 6, 7]).shares_of(helper)
        assert operator(alone, [5, 6, 7]).shares_of(helper) == together
    mine = SharedElements("run", PRIME_FIELD, 3, {helper: numbers.shares_of(helper)})
    assert (mine * 3 + 1 - [1, 2, 3]).shares_of(helper) == (numbers * 3 + 1 - [1, 2, 3]).shares_of(
        helper
    )


@given(st.data(), SEEDS, RINGS, st.integers(0, 5))
def test_numbers_with_public_numbers(
    data: st.DataObject, seed: int, ring: IntegersModulo, count: int
) -> None:
    lists = st.lists(below(ring.modulus), min_size=count, max_size=count)
    values, public, one = data.draw(lists), data.draw(lists), data.draw(below(ring.modulus))
    shared = Simulation(seed).numbers(ring, values)
    for operator in (add, sub, mul):
        for other in (public, one):
            others = other if isinstance(other, list) else [other] * count
            pairs = list(zip(values, others, strict=True))
            right = [operator(a, b) % ring.modulus for a, b in pairs]
            left = [operator(b, a) % ring.modulus for a, b in pairs]
            assert secret(operator(shared, other)) == right
            assert secret(operator(other, shared)) == left
    assert secret(-shared) == [-value % ring.modulus for value in values]


SIMULATION = Simulation(1)
BITS = SIMULATION.bits([1, 2, 3], 3)
NUMBERS = SIMULATION.numbers(PRIME_FIELD, [1, 2, 3])


@pytest.mark.parametrize(
    ("operator", "value", "protocol"),
    [
        (and_, BITS, "multiply"),
        (or_, BITS, "multiply"),
        (add, BITS, "add"),
        (sub, BITS, "subtract"),
        (mul, BITS, "multiply_integers"),
        (mul, NUMBERS, "multiply_elements"),
        (lt, BITS, "greater_than"),
        (eq, BITS, "equal"),
    ],
)
def test_what_takes_messages_names_the_protocol(
    operator: Callable[[Any, Any], Any], value: Any, protocol: str
) -> None:
    with pytest.raises(SecrecyError, match=rf"\b{protocol}\(network, x, y\)"):
        operator(value, value)
    assert protocol in ipa.protocols.__all__


def test_adding_a_public_number_to_bits_takes_messages_too() -> None:
    bits: Any = BITS
    uses: list[Callable[[], object]] = [
        lambda: bits + 1,
        lambda: 1 + bits,
        lambda: 1 - bits,
        lambda: 2 * bits,
    ]
    for use in uses:
        with pytest.raises(SecrecyError, match="takes messages between the helpers"):
            use()


@pytest.mark.parametrize("operator", BITWISE)
def test_public_operands_that_do_not_go_with_bits(operator: Callable[[Any, Any], Any]) -> None:
    for wrong in (8, -1):
        with pytest.raises(ParameterError, match="a public operand must be an integer from 0 to 7"):
            operator(BITS, wrong)
    with pytest.raises(ParameterError, match=r"^row 1: must be from 0 to"):
        operator(BITS, [1, 8, 1])
    with pytest.raises(MismatchError, match="row counts differ: 3 and 2"):
        operator(BITS, [1, 1])
    other: Any
    for other in (1.0, "101", None, NUMBERS):
        with pytest.raises(MismatchError, match=f"not {type(other).__name__}"):
            operator(BITS, other)


def test_public_operands_that_do_not_go_with_numbers() -> None:
    for operator in (add, sub, mul):
        for wrong in (PRIME_FIELD.modulus, -1, [1, 2, -1], [0, 1.0, 2]):
            with pytest.raises(ParameterError, match=r"^row \d: not an element of Z/"):
                operator(NUMBERS, wrong)
        with pytest.raises(MismatchError, match="lengths differ: 3 and 2"):
            operator(NUMBERS, [1, 2])
    other: Any
    for other in (1.0, "101", BITS):
        with pytest.raises(MismatchError, match=f"not {type(other).__name__}"):
            NUMBERS * other


def test_an_array_on_the_left_leaves_the_operator_to_the_shared_value() -> None:
    for shared in (BITS, NUMBERS):
        assert shared.__array_ufunc__ is None
