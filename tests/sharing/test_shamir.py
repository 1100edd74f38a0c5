"""Shamir shares made of replicated ones: their value at zero, their products, their redundancy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from malicious_cases import MaliciousSimulation
from strategies import SEEDS, examples

from ipa.errors import ParameterError
from ipa.parties import HELPERS
from ipa.protocols.verification.inner_product import to_shamir
from ipa.sharing.dealing import deal_elements
from ipa.sharing.randomness import Randomness
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo, Ring
from ipa.sharing.verification.binary_field import BinaryField
from ipa.sharing.verification.shamir import ShamirPoints, shamir_points

FIELDS: list[Ring] = [PRIME_FIELD, IntegersModulo(5), IntegersModulo(101), BinaryField(8)]
FIELDS += [BinaryField(64)]


@st.composite
def fields_with_points(draw: st.DrawFn) -> tuple[Ring, ShamirPoints]:
    field = draw(st.sampled_from(FIELDS))
    numbers = st.integers(1, field.size - 1)
    three = draw(st.lists(numbers, min_size=3, max_size=3, unique=True))
    return field, shamir_points(field, dict(zip(HELPERS, three, strict=True)))


def combined(field: Ring, factors: dict[int, int], shares: dict[int, int]) -> int:
    total = 0
    for helper in HELPERS:
        total = field.add(total, field.multiply(factors[helper], shares[helper]))
    return total


def shamir_shares(field: Ring, points: ShamirPoints, value: int, seed: int) -> dict[int, int]:
    pairs = deal_elements(field, [value], Randomness.from_seed(seed, f"shares of {value}"))
    return {helper: to_shamir(points, field, helper, *pair)[0] for helper, pair in pairs.items()}


@examples(100)
@given(fields_with_points(), SEEDS, st.data())
def test_values_and_products(
    case: tuple[Ring, ShamirPoints], seed: int, data: st.DataObject
) -> None:
    field, points = case
    x, y = (data.draw(st.integers(0, field.size - 1)) for _ in range(2))
    x_shares = shamir_shares(field, points, x, seed)
    y_shares = shamir_shares(field, points, y, seed + 1)
    assert combined(field, dict(points.at_zero), x_shares) == x
    assert combined(field, dict(points.leading), x_shares) == 0
    products = {helper: field.multiply(x_shares[helper], y_shares[helper]) for helper in HELPERS}
    assert combined(field, dict(points.at_zero), products) == field.multiply(x, y)


@examples(60)
@given(fields_with_points(), SEEDS, st.sampled_from(HELPERS), st.data())
def test_one_wrong_share_always_shows(
    case: tuple[Ring, ShamirPoints], seed: int, liar: int, data: st.DataObject
) -> None:
    field, points = case
    shares = shamir_shares(field, points, 3, seed)
    error = data.draw(st.integers(1, field.size - 1))
    shares[liar] = field.add(shares[liar], error)
    assert combined(field, dict(points.leading), shares) != 0


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_share_says_nothing_about_the_value(field: Ring) -> None:
    """The factors of a helper's own two shares are not zero, nor are the others' at its missing one."""
    points = shamir_points(field, {1: 1, 2: 2, 3: 3})
    for helper in HELPERS:
        assert points.own[helper] != 0
        assert points.right[helper] != 0
        assert points.at_zero[helper] != 0
        assert points.leading[helper] != 0


@pytest.mark.parametrize("three", [(1, 1, 2), (1, 2, 1), (2, 1, 1), (0, 1, 2), (1, 0, 2)])
def test_points_are_distinct_and_not_zero(three: tuple[int, int, int]) -> None:
    with pytest.raises(ParameterError, match=r"zero|no inverse"):
        shamir_points(PRIME_FIELD, dict(zip(HELPERS, three, strict=True)))
    with pytest.raises(ParameterError, match="zero has no inverse"):
        shamir_points(BinaryField(8), dict(zip(HELPERS, three, strict=True)))


def test_the_simulation_deals_what_shamir_takes() -> None:
    field, points = PRIME_FIELD, shamir_points(PRIME_FIELD, {1: 1, 2: 2, 3: 3})
    x = MaliciousSimulation(1).numbers(field, [12])
    pairs = {helper: x.shares_of(helper) for helper in HELPERS}
    shares = {h: to_shamir(points, field, h, *pair)[0] for h, pair in pairs.items()}
    assert combined(field, dict(points.at_zero), shares) == 12
