"""Errors that no message shows: they are in the helper's own shares too, or in the check itself."""

import pytest
from attack_cases import STEPS, assert_aborted, attacked
from malicious_cases import (
    SEED,
    MaliciousSimulation,
    column_errors,
    element_errors,
    raised,
    share_errors,
)

from ipa.errors import VerificationError
from ipa.parties import HELPERS
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.sharing.rings import PRIME_FIELD

HALVES = sorted({step for step in STEPS if step.startswith("check") and "/halve" in step})


# Errors a message cannot show: they are in the helper's own shares too


@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize(
    "columns",
    [
        [1, 1],  # the same row of two columns: the errors sum to zero
        [3],  # two rows of a column
        [1, 2, 3],
        [1, 1, 1, 1],  # the same error in every product of one operand x
        [0, 0, 0, 8],
        [15, 15, 15, 15],
    ],
)
@pytest.mark.parametrize("one_column", [False, True])
def test_errors_that_cancel(helper: int, columns: list[int], one_column: bool) -> None:
    attack = column_errors(helper, "multiply", columns)
    simulation = MaliciousSimulation(SEED, attack=attack)
    x = simulation.bits([1, 0, 1, 0], 1) if one_column else simulation.bits([5, 6, 0, 15], 4)
    multiply(simulation.network, x, simulation.bits([7, 0, 9, 15], 4))
    error = raised(simulation.finish)
    assert isinstance(error, VerificationError)
    assert error.step == "check/bits/last"


@pytest.mark.parametrize("helper", HELPERS)
def test_errors_that_cancel_over_two_multiplications(helper: int) -> None:
    """Each step has the same error in the same place: their XOR is zero."""
    attack = column_errors(helper, "multiply*", [1])
    simulation = MaliciousSimulation(SEED, attack=attack)
    x, y = simulation.bits([1, 1, 0], 1), simulation.bits([1, 0, 1], 1)
    products = multiply(simulation.network, x, y), multiply(simulation.network, y, x)
    assert len(products) == 2
    error = raised(simulation.finish)
    assert error is not None
    assert error.step == "check/bits/last"


@pytest.mark.parametrize("helper", HELPERS)
def test_errors_within_the_check_itself(helper: int) -> None:
    """An honest batch, but a helper that errs in the check: the other two do not accept it."""
    assert len(HALVES) >= 3
    attacks = [element_errors(helper, "check/bits/values", [0, 0, 1])]
    for step in HALVES:
        if step.endswith("products"):
            attacks += [element_errors(helper, step, [1]), element_errors(helper, step, [0, 1])]
    attacks += [
        element_errors(helper, "check/bits/last/products", errors) for errors in ([7], [0, 7])
    ]
    attacks += [
        share_errors(helper, "check/bits/last/mask", own, right)
        for own in ([1], [0, 1], [0])
        for right in ([1], [0, 1])
    ]
    for attack in attacks:
        assert_aborted(attacked(attack))


@pytest.mark.parametrize("halving", ["halve", "halve#2", "halve#5"])
def test_errors_in_a_halving_of_a_larger_batch(halving: str) -> None:
    for errors in ([1], [0, 1]):
        attack = element_errors(2, f"check/bits/{halving}/products", errors)
        simulation = MaliciousSimulation(SEED, attack=attack)
        x = simulation.bits([5] * 3000, 40)
        multiply(simulation.network, x, x)
        assert isinstance(raised(simulation.finish), VerificationError)


@pytest.mark.parametrize("helper", HELPERS)
def test_errors_in_products_of_numbers(helper: int) -> None:
    """One error, two that sum to zero, and errors in the check of an honest batch."""
    largest = PRIME_FIELD.modulus - 1
    for pattern, errors in (
        ("multiply-numbers", [1]),
        ("multiply-numbers", [0, 0, 5]),
        ("multiply-numbers", [1, largest]),
        ("multiply-numbers", [0, 1, largest]),  # every product has a weight of its own
        ("multiply-numbers", [1, 0, largest]),
        ("check/numbers/halve/products", [1]),
        ("check/numbers/halve/products", [0, 1]),
        ("check/numbers/last/products", [1, largest]),
    ):
        simulation = MaliciousSimulation(SEED, attack=element_errors(helper, pattern, errors))
        # More than are opened at the end, so that there is a halving.
        x, y = (simulation.numbers(PRIME_FIELD, 30 * v) for v in ([1, 2, 3], [5, 0, largest]))
        multiply_elements(simulation.network, x, y)
        error = raised(simulation.finish)
        assert error is not None, (pattern, errors)
        assert error.step == "check/numbers/last"
