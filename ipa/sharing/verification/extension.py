"""Multilinear extension to {0, 1, inf}^l: the local part of the batch check before its coin u.

Goyal, Song and Zhu (ePrint 2020/134) put the products of a batch on a polynomial and extrapolate
to points outside the batch. Over GF(2) there are only the points 0, 1 and infinity, so we take one
variable for each bit of the block number: 2^l blocks lie on {0, 1}^l, and a product of two
multilinear polynomials is given by its values on {0, 1, inf}^l. Karatsuba's multiplication is the
same extension over the coefficients of the factors (see `sliced_vector`).
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import compress, islice
from operator import and_, xor

from ipa.errors import MismatchError

Pair = tuple[Sequence[int], Sequence[int]]

_PIECE_BITS = 1 << 18
"""Bits of blocks whose extension is made breadth first: larger, and it outgrows the cache."""


def extend(blocks: Sequence[int]) -> list[int]:
    """The 3^l values on {0, 1, inf}^l of the multilinear extension of 2^l columns of bits.

    Bit b of a block's number is variable b. The value at e stands at index sum_b e_b 3^b, inf
    counting as the digit 2; the value at inf is the coefficient of the variable, x_1 + x_0.
    3^l - 2^l XORs.

    Raises: MismatchError when the number of blocks is not a power of two.
    """
    if len(blocks) & (len(blocks) - 1) or not blocks:
        raise MismatchError(f"the number of blocks must be a power of two, not {len(blocks)}")
    values = list(blocks)
    for _ in range(len(blocks).bit_length() - 1):
        # The variable that runs fastest becomes the digit that runs slowest; after all l turns
        # variable l-1 is the slowest digit.
        at_zero, at_one = values[::2], values[1::2]
        values = [*at_zero, *at_one, *map(xor, at_zero, at_one)]
    return values


def extend_in_pieces(operands: Sequence[Sequence[int]], length: int) -> Iterator[list[list[int]]]:
    """The extensions of several operands side by side, in consecutive pieces of `extend`'s order.

    The variables at the top are expanded depth first, so that what is worked on stays in the
    processor's cache and in memory already allocated: half the time of `extend` on long columns.
    Columns have `length` bits.
    """
    if len(operands[0]) * length <= _PIECE_BITS or len(operands[0]) == 1:
        yield [extend(blocks) for blocks in operands]
        return
    half = len(operands[0]) // 2
    yield from extend_in_pieces([blocks[:half] for blocks in operands], length)
    yield from extend_in_pieces([blocks[half:] for blocks in operands], length)
    yield from extend_in_pieces([list(map(xor, b[:half], b[half:])) for b in operands], length)


@cache
def finite_points(variables: int) -> tuple[int, ...]:
    """Where the 2^l blocks stand among the 3^l values: index sum_b s_b 3^b for s = 0 .. 2^l - 1."""
    points = [0]
    for b in range(variables):
        points = [*points, *(p + 3**b for p in points)]
    return tuple(points)


@cache
def infinite_points(variables: int) -> tuple[int, ...]:
    """The indices with inf in some variable, ascending: the 3^l - 2^l values that are new."""
    return tuple(compress(range(3**variables), _at_infinity(variables)))


def extended_products(x: Pair, ys: Sequence[Pair], length: int) -> Iterator[list[Iterator[int]]]:
    """A helper's additive shares of X(e) Y(e) at the `infinite_points`, each a column of bits.

    `x` and each of `ys` are a helper's replicated shares, first and second component, of 2^l blocks
    of `length` bits each; X is a factor of every Y. One list after another holds, for each Y, the
    columns of the next few points: all of them take (3/2)^l times the space of the blocks, so they
    are made one by one.
    The local product share is x0 (y0 + y1) + x1 y0 (Araki et al. 2016) without a zero share: it
    depends on secrets and must be masked before it is sent.
    """
    operands = [*x]
    for own, right in ys:
        operands += [own, list(map(xor, own, right))]
    infinite = iter(_at_infinity(len(x[0]).bit_length() - 1))
    for x0, x1, *rest in extend_in_pieces(operands, length):
        wanted = list(islice(infinite, len(x0)))
        yield [
            compress(map(xor, map(and_, x0, y01), map(and_, x1, y0)), wanted)
            for y0, y01 in zip(rest[::2], rest[1::2], strict=True)
        ]


@cache
def _at_infinity(variables: int) -> tuple[bool, ...]:
    finite = set(finite_points(variables))
    return tuple(e not in finite for e in range(3**variables))
