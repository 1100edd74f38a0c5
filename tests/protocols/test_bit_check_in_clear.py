"""The batch check of AND gates with three helpers' shares and no network: the kernels fit.

Every message of the protocol is replaced by adding the three helpers' values. This is a proof that
the mathematics is right, not a check anybody may rely on.
"""

import random
from functools import reduce
from operator import xor

from check_mathematics import extrapolation_weights, sum_of_products
from hypothesis import given, settings
from hypothesis import strategies as st

from ipa.sharing.verification.binary_field import BinaryField
from ipa.sharing.verification.column_hash import ColumnHash
from ipa.sharing.verification.extension import extended_products, finite_points, infinite_points
from ipa.sharing.verification.shamir import ShamirPoints, shamir_points
from ipa.sharing.verification.sliced_vector import (
    SlicedVector,
    add,
    combine,
    fold,
    halves,
    inner_product,
    multiply,
    product_sum,
    to_elements,
)

Blocks = list[int]
Group = tuple[Blocks, Blocks, Blocks]
HELPERS = range(3)


def share(blocks: Blocks, length: int, coins: random.Random) -> list[Blocks]:
    first, second = ([coins.getrandbits(length) for _ in blocks] for _ in range(2))
    return [first, second, [x ^ a ^ b for x, a, b in zip(blocks, first, second, strict=True)]]


def check_in_clear(
    field: BinaryField, groups: list[Group], length: int, coins: random.Random
) -> bool:
    """Whether the batch passes: z = x & y for the blocks of every group."""
    shared = [tuple(share(part, length, coins) for part in group) for group in groups]
    variables = len(groups[0][0]).bit_length() - 1
    column_hash = ColumnHash(field, coins.randbytes(16), length)
    gamma = coins.getrandbits(field.degree)

    # H(e), the groups by Horner's rule, so that the first one has the highest power of gamma
    values = [0] * 3**variables
    for x, y, z in shared:
        hashed = [0] * 3**variables
        for i in HELPERS:
            j = (i + 1) % 3
            pieces = extended_products((x[i], x[j]), [(y[i], y[j])], length)
            new = column_hash.sums(column for (columns,) in pieces for column in columns)
            at = (*finite_points(variables), *infinite_points(variables))
            for e, value in zip(at, column_hash.sums(z[i]) + new, strict=True):
                hashed[e] ^= value
        values = list(map(xor, field.scale_each(values, gamma), hashed))

    point = [coins.getrandbits(field.degree) for _ in range(variables)]
    claim = sum_of_products(field, extrapolation_weights(field, point), values)
    at_point = field.multilinear_weights(point)
    points = gf4_points(field)
    x_chunks: list[list[SlicedVector]] = [[], [], []]
    y_chunks: list[list[SlicedVector]] = [[], [], []]
    for position, (x, y, _) in enumerate(shared):
        power = field.power(gamma, len(groups) - 1 - position)
        for i in HELPERS:
            j = (i + 1) % 3
            both = field.scale_each(at_point, points.own[i + 1])
            both += field.scale_each(at_point, points.right[i + 1])
            scaled = field.scale_each(both, power)
            x_chunks[i].append(combine(field, x[i] + x[j], scaled, length))
            y_chunks[i].append(combine(field, y[i] + y[j], both, length))
    return check_inner_product(field, x_chunks, y_chunks, claim, column_hash, coins)


def check_inner_product(
    field: BinaryField,
    x: list[list[SlicedVector]],
    y: list[list[SlicedVector]],
    claim: int,
    column_hash: ColumnHash,
    coins: random.Random,
) -> bool:
    """Whether sum_c tau_c x_c y_c = claim, the helpers holding Shamir shares of x and y."""
    weighed = False
    while True:
        if len(x[0]) == 1 and not weighed:
            weighed = True
            x = [[multiply(field, chunks[0], column_hash.weights())] for chunks in x]
        if len(x[0]) == 1 and x[0][0].length == 1:
            break
        x_halves, y_halves = [halves(chunks) for chunks in x], [halves(chunks) for chunks in y]
        at_one = at_infinity = 0
        for (x0, x1), (y0, y1) in zip(x_halves, y_halves, strict=True):
            sums = list(zip(map(add, x0, x1), map(add, y0, y1), strict=True))
            pairs = list(zip(x1, y1, strict=True))
            at_one ^= weighted(field, pairs, column_hash, weighed)
            at_infinity ^= weighted(field, sums, column_hash, weighed)
        r = coins.getrandbits(field.degree)
        values = [claim ^ at_one, at_one, at_infinity]
        claim = sum_of_products(field, extrapolation_weights(field, [r]), values)
        x = [fold(field, *parts, r) for parts in x_halves]
        y = [fold(field, *parts, r) for parts in y_halves]
    x_last, y_last = (open_shamir(field, [to_elements(v[0])[0] for v in part]) for part in (x, y))
    return field.multiply(x_last, y_last) == claim


def weighted(
    field: BinaryField,
    pairs: list[tuple[SlicedVector, SlicedVector]],
    column_hash: ColumnHash,
    weighed: bool,
) -> int:
    if weighed:
        return inner_product(field, pairs)
    return column_hash.weighted_sum(product_sum(field, pairs))


def gf4_points(field: BinaryField) -> ShamirPoints:
    return shamir_points(field, {1: 1, 2: field.omega, 3: field.omega ^ 1})


def open_shamir(field: BinaryField, shares: list[int]) -> int:
    leading = gf4_points(field).leading
    assert sum_of_products(field, [leading[i + 1] for i in HELPERS], shares) == 0
    return reduce(xor, shares)


def random_groups(count: int, variables: int, length: int, coins: random.Random) -> list[Group]:
    groups = []
    for _ in range(count):
        x, y = ([coins.getrandbits(length) for _ in range(1 << variables)] for _ in range(2))
        groups.append((x, y, [a & b for a, b in zip(x, y, strict=True)]))
    return groups


SIZES = st.tuples(
    st.integers(1, 5),
    st.integers(0, 6),
    st.sampled_from([1, 2, 3, 127, 128, 129, 1000]) | st.integers(1, 40),
)


@settings(deadline=None, max_examples=60)
@given(SIZES, st.integers(0, 1 << 64))
def test_accepts_honest_batches_and_rejects_one_flipped_bit(
    sizes: tuple[int, int, int], seed: int
) -> None:
    coins = random.Random(seed)  # drawn coins would be shrunk to the few that let errors pass
    count, variables, length = sizes
    field = BinaryField(64)
    groups = random_groups(count, variables, length, coins)
    assert check_in_clear(field, groups, length, coins)
    # flip z; or x where y is 1, as any error in a product is one of the two
    x, y, z = groups[coins.randrange(count)]
    block, row = coins.randrange(len(x)), coins.randrange(length)
    if coins.random() < 0.5 and y[block] >> row & 1:
        x[block] ^= 1 << row
    else:
        z[block] ^= 1 << row
    assert not check_in_clear(field, groups, length, coins)


def test_equal_errors_in_two_groups_do_not_cancel() -> None:
    coins = random.Random(11)
    groups = random_groups(2, 1, 5, coins)
    for group in groups:
        group[2][0] ^= 1
    assert not check_in_clear(BinaryField(64), groups, 5, coins)


def test_undetected_cheating_is_as_rare_as_the_bound_in_a_small_field() -> None:
    # Bound (J + 1 + (G - 1) + 2 l + 2 rounds) / 2^8 with J = 1, G = 2, l = 1, three rounds.
    field, coins, runs = BinaryField(8), random.Random(5), 1000
    undetected = 0
    for _ in range(runs):
        groups = random_groups(2, 1, 3, coins)
        groups[1][2][0] ^= 4
        undetected += check_in_clear(field, groups, 3, coins)
    bound = (2 + 1 + 2 + 6) / 256
    assert 0 < undetected <= bound * runs


def test_large_batch() -> None:
    coins = random.Random(3)
    groups = random_groups(3, 6, 8192, coins)
    assert check_in_clear(BinaryField(64), groups, 8192, coins)
    groups[2][2][63] ^= 1 << 8191
    assert not check_in_clear(BinaryField(64), groups, 8192, coins)
