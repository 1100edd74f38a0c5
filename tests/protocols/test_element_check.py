"""The batch check of prime-field products, on its own: right ones pass, wrong ones do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from malicious_cases import MaliciousSimulation, element_errors, raised
from strategies import SEEDS, below, examples

from ipa.errors import VerificationError
from ipa.network.costs import cost_of
from ipa.network.product_log import CheckRules, ElementProducts
from ipa.parties import HELPERS
from ipa.protocols.circuits.multiplication import multiply_elements
from ipa.protocols.verification.element_check import check_element_products
from ipa.protocols.verification.inner_product import OPENED
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo
from ipa.sharing.verification.binary_field import BinaryField

LARGEST = PRIME_FIELD.modulus - 1
ELEMENTS = below(PRIME_FIELD.modulus)


@examples(50)
@given(
    st.lists(st.tuples(ELEMENTS, ELEMENTS, ELEMENTS), min_size=1, max_size=9), SEEDS, st.booleans()
)
def test_exactly_the_right_products_pass(
    rows: list[tuple[int, int, int]], seed: int, all_right: bool
) -> None:
    """The shares are consistent, and z is any number: accepted if and only if every z is x y."""
    x, y, z = (list(column) for column in zip(*rows, strict=True))
    products = [PRIME_FIELD.multiply(a, b) for a, b in zip(x, y, strict=True)]
    claimed = products if all_right else z
    simulation = MaliciousSimulation(seed)
    batch = ElementProducts(
        *(simulation.numbers(PRIME_FIELD, column) for column in (x, y, claimed))
    )
    error = raised(lambda: check_element_products(simulation.network, [batch]))
    assert (error is None) == (claimed == products)
    if error is not None:
        assert isinstance(error, VerificationError)
        assert error.detected_by == HELPERS


@pytest.mark.parametrize("count", [1, 2, 3, 64, 65, 66, 130])
@pytest.mark.parametrize("helper", HELPERS)
def test_an_error_at_any_position(count: int, helper: int) -> None:
    for position in {0, count // 2, count - 1}:
        attack = element_errors(helper, "multiply-numbers", [0] * position + [LARGEST])
        simulation = MaliciousSimulation(count, attack=attack)
        x = simulation.numbers(PRIME_FIELD, range(count))
        multiply_elements(simulation.network, x, x)
        assert isinstance(raised(simulation.finish), VerificationError)


@pytest.mark.parametrize("count", [1, 2, 3, 63, 64, 65, 128, 129])
def test_rounds_and_bytes(count: int) -> None:
    """Two coins' rounds at the start; three rounds per halving; five for what is opened."""
    simulation = MaliciousSimulation(1)
    x = simulation.numbers(PRIME_FIELD, [0] * count)
    multiply_elements(simulation.network, x, x)
    simulation.finish()
    halvings, length = 0, count
    while length > OPENED:
        halvings, length = halvings + 1, (length + 1) // 2
    cost = cost_of(simulation.network.costs, "check")
    assert cost.rounds == 2 + 3 * halvings + 5
    # A coin is two elements and two bytes, a halving two elements more; the end opens two vectors
    # and one more.
    elements = 2 + (2 + 2) * halvings + (2 + 2 + 4 * length + 2)
    assert cost.bytes_sent == 3 * (8 * elements + 2 * (halvings + 2))


def test_an_empty_batch_sends_nothing() -> None:
    simulation = MaliciousSimulation(1)
    x = simulation.numbers(PRIME_FIELD, [])
    check_element_products(simulation.network, [ElementProducts(x, x, x)])
    assert simulation.transcript.messages == []


def test_fields_are_checked_apart_and_binary_ones_too() -> None:
    field, other = BinaryField(64), IntegersModulo((1 << 80) - 65)
    for wrong in (None, "multiply-numbers", "multiply-numbers#2", "multiply-numbers#3"):
        attack = element_errors(1, wrong or "none", [1])
        simulation = MaliciousSimulation(3, attack=attack)
        for ring in (PRIME_FIELD, field, other):
            x = simulation.numbers(ring, [7, 1 << 60])
            multiply_elements(simulation.network, x, x)
        error = raised(simulation.finish)
        assert (error is None) == (wrong is None)


@pytest.mark.parametrize("modulus", [5, 7, 101])
def test_small_fields_work_where_they_are_allowed(modulus: int) -> None:
    simulation = MaliciousSimulation(1, CheckRules(smallest_prime_field=5))
    x = simulation.numbers(IntegersModulo(modulus), [1, 2, 3, 4])
    multiply_elements(simulation.network, x, x)
    simulation.finish()
