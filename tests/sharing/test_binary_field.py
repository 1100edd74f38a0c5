"""GF(2^d) scalars against schoolbook polynomial arithmetic, and the interpolation weights."""

from functools import reduce
from itertools import product

import pytest
from check_mathematics import extrapolation_weights, sum_of_products
from hypothesis import given
from hypothesis import strategies as st

from ipa.errors import ParameterError
from ipa.sharing.verification.binary_field import MODULI, BinaryField

FIELDS = {degree: BinaryField(degree) for degree in MODULI}
DEGREES = sorted(FIELDS)


@st.composite
def field_and_elements(
    draw: st.DrawFn, smallest: int = 0, largest: int = 6
) -> tuple[BinaryField, list[int]]:
    field = FIELDS[draw(st.sampled_from(DEGREES))]
    element = st.integers(0, field.order - 1)
    return field, draw(st.lists(element, min_size=smallest, max_size=largest))


def schoolbook_product(field: BinaryField, a: int, b: int) -> int:
    result = 0
    for k in reversed(range(field.degree)):
        result <<= 1
        if result >> field.degree:
            result ^= field.modulus
        if b >> k & 1:
            result ^= a
    return result


@given(field_and_elements(smallest=3, largest=3))
def test_multiplication_is_the_schoolbook_one_and_a_ring_product(
    case: tuple[BinaryField, list[int]],
) -> None:
    field, (a, b, c) = case
    assert field.multiply(a, b) == schoolbook_product(field, a, b) == field.multiply(b, a)
    assert field.multiply(a, field.multiply(b, c)) == field.multiply(field.multiply(a, b), c)
    left = field.multiply(a, field.add(b, c))
    assert left == field.add(field.multiply(a, b), field.multiply(a, c))
    assert field.multiply(a, 1) == a and field.multiply(a, 0) == 0


def test_a_product_pinned_by_the_modulus() -> None:
    assert FIELDS[64].multiply(1 << 63, 2) == 0x1B  # x^64 = x^4 + x^3 + x + 1
    assert FIELDS[8].multiply(0x53, 0xCA) == 1  # FIPS 197's example field


@pytest.mark.parametrize("degree", DEGREES)
def test_the_modulus_is_irreducible(degree: int) -> None:
    # Rabin's test; every degree is a power of two, so 2 is the only prime to try. A common factor
    # with x^(2^(d/2)) - x would make that difference a zero divisor.
    field = FIELDS[degree]
    power = 2
    for step in range(1, degree + 1):
        power = field.multiply(power, power)
        if step == degree // 2:
            difference = power ^ 2
    assert power == 2
    assert field.multiply(difference, field.inverse(difference)) == 1


@given(field_and_elements(smallest=1, largest=1), st.integers(0, 40))
def test_powers_and_inverses(case: tuple[BinaryField, list[int]], exponent: int) -> None:
    field, (a,) = case
    expected = 1
    for _ in range(exponent):
        expected = field.multiply(expected, a)
    assert field.power(a, exponent) == expected
    if a:
        assert field.multiply(a, field.inverse(a)) == 1


@pytest.mark.parametrize("degree", DEGREES)
def test_omega_has_order_three(degree: int) -> None:
    field = FIELDS[degree]
    assert field.omega not in (0, 1)
    assert field.power(field.omega, 2) ^ field.omega ^ 1 == 0


@given(field_and_elements(smallest=1, largest=20))
def test_scaling_many_values_at_once(case: tuple[BinaryField, list[int]]) -> None:
    field, (constant, *values) = case
    assert field.scale_each(values, constant) == [field.multiply(constant, v) for v in values]


@given(field_and_elements(), st.data())
def test_sum_of_products(case: tuple[BinaryField, list[int]], data: st.DataObject) -> None:
    field, left = case
    element = st.integers(0, field.order - 1)
    right = data.draw(st.lists(element, min_size=len(left), max_size=len(left)))
    expected = 0
    for a, b in zip(left, right, strict=True):
        expected ^= schoolbook_product(field, a, b)
    assert sum_of_products(field, left, right) == expected


@given(field_and_elements(smallest=1, largest=1))
def test_encoding_is_little_endian_and_of_fixed_length(
    case: tuple[BinaryField, list[int]],
) -> None:
    field, (a,) = case
    data = field.to_bytes(a)
    assert len(data) == field.degree // 8 and data[0] == a & 255
    assert int.from_bytes(data, "little") == a


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(ParameterError, match="8, 16, 64"):
        BinaryField(32)
    with pytest.raises(ParameterError, match="no inverse"):
        FIELDS[8].inverse(0)


def test_fields_are_equal_by_degree() -> None:
    assert BinaryField(8) == FIELDS[8] != FIELDS[16]
    assert len({BinaryField(8), FIELDS[8], FIELDS[16]}) == 2


@given(field_and_elements(largest=5), st.data())
def test_multilinear_weights_interpolate(
    case: tuple[BinaryField, list[int]], data: st.DataObject
) -> None:
    # A random multilinear polynomial, as coefficients of monomials, evaluated both ways.
    field, point = case
    element = st.integers(0, field.order - 1)
    size = 1 << len(point)
    coefficients = data.draw(st.lists(element, min_size=size, max_size=size))

    def value(at: list[int]) -> int:
        total = 0
        for monomial, coefficient in enumerate(coefficients):
            for b, coordinate in enumerate(at):
                if monomial >> b & 1:
                    coefficient = field.multiply(coefficient, coordinate)
            total ^= coefficient
        return total

    values = [value([s >> b & 1 for b in range(len(point))]) for s in range(size)]
    assert sum_of_products(field, field.multilinear_weights(point), values) == value(point)


@given(field_and_elements(largest=3), st.data())
def test_extrapolation_weights_reproduce_quadratic_polynomials(
    case: tuple[BinaryField, list[int]], data: st.DataObject
) -> None:
    field, point = case
    variables = len(point)
    element = st.integers(0, field.order - 1)
    # exponents[0] belongs to the last variable, so the list is in the order of `extend`
    exponents = list(product(range(3), repeat=variables))
    coefficients = dict(
        zip(
            exponents,
            data.draw(
                st.lists(element, min_size=3**variables, max_size=3**variables),
            ),
            strict=True,
        )
    )

    def value(at: tuple[int, ...]) -> int:
        """The value with the digit 2 meaning infinity: only the squares of that variable count."""
        total = 0
        for exponent, coefficient in coefficients.items():
            for digit, e in zip(at, exponent, strict=True):
                if (digit == 0 and e > 0) or (digit == 2 and e < 2):
                    coefficient = 0
            total ^= coefficient
        return total

    expected = 0
    for exponent, coefficient in coefficients.items():
        for coordinate, e in zip(reversed(point), exponent, strict=True):
            coefficient = field.multiply(coefficient, field.power(coordinate, e))
        expected ^= coefficient
    weights = extrapolation_weights(field, point)
    assert sum_of_products(field, weights, [value(at) for at in exponents]) == expected


@given(field_and_elements(largest=3), st.data())
def test_interpolation_is_what_the_extrapolation_weights_say(
    case: tuple[BinaryField, list[int]], data: st.DataObject
) -> None:
    field, point = case
    size = 3 ** len(point)
    element = st.integers(0, field.order - 1)
    values = data.draw(st.lists(element, min_size=size, max_size=size))
    expected = sum_of_products(field, extrapolation_weights(field, point), values)
    assert field.interpolate(values, point) == expected


@given(st.sampled_from(sorted(FIELDS)), st.integers(0, 9), st.integers(0, 3), st.data())
def test_powers_and_polynomials_with_lists_as_coefficients(
    degree: int, count: int, width: int, data: st.DataObject
) -> None:
    field = FIELDS[degree]
    element = st.integers(0, field.order - 1)
    point = data.draw(element)
    size = 1 << count // 2
    powers = field.powers(point, size)
    assert powers == [field.power(point, exponent) for exponent in range(size)]
    coefficients = [
        data.draw(st.lists(element, min_size=width, max_size=width)) for _ in range(count + 1)
    ]
    powers = [field.power(point, exponent) for exponent in range(count + 1)]
    assert field.evaluate(coefficients, point) == [
        sum_of_products(field, powers, list(column)) for column in zip(*coefficients, strict=True)
    ]


@given(st.sampled_from(sorted(FIELDS)), st.lists(st.integers(1, 5), max_size=3), st.data())
def test_a_tensor_is_all_products_the_first_factor_fastest(
    degree: int, sizes: list[int], data: st.DataObject
) -> None:
    field = FIELDS[degree]
    element = st.integers(0, field.order - 1)
    factors = [data.draw(st.lists(element, min_size=n, max_size=n)) for n in sizes]
    expected = [
        reduce(field.multiply, chosen, 1) for chosen in product(*(f for f in reversed(factors)))
    ]
    assert field.tensor(factors) == expected


@given(st.sampled_from(sorted(MODULI)), st.data())
def test_multiples_are_those_by_the_powers_of_x(degree: int, data: st.DataObject) -> None:
    field = BinaryField(degree)
    a = data.draw(st.integers(0, field.order - 1))
    assert field.multiples(a) == [field.multiply(a, 1 << k) for k in range(degree)]
