"""What shares refuse: uses as a public value, comparison, operands that do not go together."""

from collections.abc import Callable
from operator import contains, eq, ge, gt, index, le, lt, ne
from typing import Any

import pytest
from hypothesis import given
from strategies import SEEDS, Simulation

from ipa.errors import MismatchError, SecrecyError
from ipa.sharing.dealing import only_helper
from ipa.sharing.joining import join_columns, join_rows
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo
from ipa.sharing.shared_elements import SharedElements, join_elements

USES: dict[str, Callable[[Any], object]] = {
    "bool": bool,
    "int": int,
    "float": float,
    "index": index,
    "hash": hash,
    "iter": iter,
    "len": len,
    "list": list,
    "range": range,
    "in": lambda x: contains(x, 1),
    "as an index": lambda x: [0, 1][x],
    "in a set": lambda x: {x},
    "if": lambda x: 1 if x else 0,
}
SHARES = [Simulation(1).bits([1], 1), Simulation(1).numbers(PRIME_FIELD, [1])]


@pytest.mark.parametrize("use", USES)
def test_a_share_is_not_a_public_value(use: str) -> None:
    for share in SHARES:
        with pytest.raises(SecrecyError, match="reconstruct_for_testing"):
            USES[use](share)


@pytest.mark.parametrize("compare", [eq, ne, lt, le, gt, ge])
def test_a_share_does_not_compare(compare: Callable[[Any, Any], object]) -> None:
    for share in SHARES:
        for other in (share, 0, 1):
            with pytest.raises(SecrecyError):
                compare(share, other)
            with pytest.raises(SecrecyError):
                compare(other, share)


@given(SEEDS)
def test_repr_is_the_same_whatever_the_secret(seed: int) -> None:
    simulation = Simulation(seed)
    for value in (0, 5):
        bits = simulation.bits([value] * 2, 3)
        assert repr(bits) == "<SharedBits: 2 rows x 3 bits, shares of H1, H2, H3>"
        assert str(only_helper(bits, 2)) == "<SharedBits: 2 rows x 3 bits, shares of H2>"
        numbers = simulation.numbers(IntegersModulo(8), [value] * 2)
        assert repr(numbers) == "<SharedElements: 2 elements of Z/2^3, shares of H1, H2, H3>"


BITS = Simulation(1).bits([0] * 4, 3)
NUMBERS = Simulation(1).numbers(PRIME_FIELD, [0] * 4)
OTHER_BITS = {
    "width": Simulation(1).bits([0] * 4, 2),
    "row": Simulation(1).bits([0] * 5, 3),
    "network": Simulation(2).bits([0] * 4, 3),
    "SharedElements": NUMBERS,
}
OTHER_NUMBERS = {
    "length": Simulation(1).numbers(PRIME_FIELD, [0] * 5),
    "field": Simulation(1).numbers(IntegersModulo(2**61), [0] * 4),
    "network": Simulation(2).numbers(PRIME_FIELD, [0] * 4),
    "SharedBits": BITS,
}


@pytest.mark.parametrize("problem", OTHER_BITS)
def test_bits_that_do_not_go_together(problem: str) -> None:
    other: Any = OTHER_BITS[problem]
    with pytest.raises(MismatchError, match=problem):
        BITS ^ other
    if problem != "width":
        with pytest.raises(MismatchError, match=problem):
            join_columns(BITS, other)
        with pytest.raises(MismatchError, match=problem):
            BITS.with_columns([0, 1, 2], other)
    if problem in ("width", "network"):
        with pytest.raises(MismatchError, match="one network and one width"):
            join_rows(BITS, other)


@pytest.mark.parametrize("problem", OTHER_NUMBERS)
def test_numbers_that_do_not_go_together(problem: str) -> None:
    other: Any = OTHER_NUMBERS[problem]
    for combine in (SharedElements.__add__, SharedElements.__sub__):
        with pytest.raises(MismatchError, match=problem):
            combine(NUMBERS, other)
    if problem in ("field", "network"):
        with pytest.raises(MismatchError, match="one network and one field"):
            join_elements(NUMBERS, other)


@pytest.mark.parametrize("columns", [[0, 0], [0] * 4, [0, 0, 16], [-1, 0, 0]])
def test_public_columns_must_fit(columns: list[int]) -> None:
    for combine in (BITS.xor_public, BITS.and_public):
        with pytest.raises(MismatchError):
            combine(columns)


def test_public_numbers_must_fit() -> None:
    with pytest.raises(MismatchError, match="lengths differ"):
        NUMBERS.scale([1])
