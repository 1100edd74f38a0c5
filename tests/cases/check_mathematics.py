"""What tests of the batch check's local mathematics compute with, and the check itself does not."""

from collections.abc import Sequence

from ipa.sharing.shared_elements import SharedElements
from ipa.sharing.verification.binary_field import BinaryField
from ipa.sharing.verification.sliced_vector import SlicedVector


def zero_vector(field: BinaryField, length: int) -> SlicedVector:
    """The zero vector."""
    return SlicedVector((0,) * field.degree, length)


def from_elements(field: BinaryField, elements: Sequence[int]) -> SlicedVector:
    """The vector of the given scalars."""
    columns = (
        sum((element >> k & 1) << c for c, element in enumerate(elements))
        for k in range(field.degree)
    )
    return SlicedVector(tuple(columns), len(elements))


def sum_of_products(field: BinaryField, left: Sequence[int], right: Sequence[int]) -> int:
    """The inner product of two equally long lists of scalars."""
    total = 0
    for a, b in zip(left, right, strict=True):
        total ^= field.multiply(a, b)
    return total


def extrapolation_weights(field: BinaryField, point: Sequence[int]) -> list[int]:
    """w_e(u) for e in {0, 1, inf}^l in the order of `extend`: sum_e w_e(u) P(e) = P(u).

    P is any polynomial of degree at most 2 in each variable, P(e) at inf being the coefficient
    of the square; w_0(t) = 1 + t, w_1(t) = t, w_inf(t) = t^2 + t.
    """
    return field.tensor([(1 ^ u, u, field.multiply(u, u) ^ u) for u in point])


def add_public(x: SharedElements, elements: Sequence[int]) -> SharedElements:
    """Element by element, plus a public element, which goes into share x1: what an error does."""
    add = x.ring.add
    shares = {}
    for helper in x.holders:
        own, right = x.shares_of(helper)
        shares[helper] = (
            list(map(add, own, elements)) if helper == 1 else own,
            list(map(add, right, elements)) if helper == 3 else right,
        )
    return SharedElements(x.network_name, x.ring, x.count, shares)
