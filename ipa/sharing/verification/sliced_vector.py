"""Vectors over a binary field, bit-sliced: the local part of the batch check after its coin u.

A vector of K = GF(2^d) of length C is d columns, ints of C bits: column k holds the coefficient of
x^k of all C elements, element c at bit c. Adding vectors is XOR, multiplying one by a public
constant is a d x d matrix over GF(2) on the columns, and the product of two vectors is Karatsuba
over the columns. A helper's vectors are shares: nothing here is sent or revealed.

The helpers turn their replicated shares into Shamir shares when they combine the blocks (see
`ipa.sharing.verification.shamir`): one vector per helper in place of two, and one product in place of two.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import and_, itemgetter, xor

from ipa.errors import MismatchError
from ipa.sharing.verification.binary_field import BinaryField
from ipa.sharing.verification.extension import extend_in_pieces

_NIBBLES = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))


@dataclass(frozen=True)
class SlicedVector:
    """`length` elements of a field of degree len(columns); the columns stay out of `repr`."""

    columns: tuple[int, ...] = field(repr=False)
    length: int


def to_elements(vector: SlicedVector) -> list[int]:
    """The scalars of a (short) vector."""
    if not vector.length:
        return []
    digits = [f"{column:0{vector.length}b}" for column in reversed(vector.columns)]
    return [int("".join(element), 2) for element in zip(*digits, strict=True)][::-1]


def add(a: SlicedVector, b: SlicedVector) -> SlicedVector:
    """a + b.

    Raises: MismatchError when the lengths differ.
    """
    length = _common_length([a, b])
    return SlicedVector(tuple(map(xor, a.columns, b.columns)), length)


# Linear maps: the method of four Russians


def combine(
    field: BinaryField, blocks: Sequence[int], weights: Sequence[int], length: int
) -> SlicedVector:
    """sum_s weights[s] * blocks[s], for blocks of `length` bits: X(u) for weights eq(s, u).

    Four blocks at a time: the 16 sums of subsets of them cost 11 XORs, and one XOR of one of the
    16 into every column of the result does the rest, 75 XORs instead of 4 d/2 = 128. Four blocks
    that are 0 cost nothing: a section is filled up with them, and which they are is public.
    """
    columns: Iterable[int] = (0,) * field.degree
    for start in range(0, len(blocks), 4):
        b0, b1, b2, b3 = [*blocks[start : start + 4], 0, 0, 0][:4]
        if not (b0 or b1 or b2 or b3):
            continue
        table = [0, b0, b1, b0 ^ b1]
        table += [b2 ^ entry for entry in table]
        table += [b3 ^ entry for entry in table]
        choose = _choices(field.degree, tuple(weights[start : start + 4]))
        columns = list(map(xor, columns, choose(table)))
    return SlicedVector(tuple(columns), length)


@lru_cache(maxsize=4096)
def _choices(degree: int, weights: tuple[int, ...]) -> Callable[[Sequence[int]], Iterable[int]]:
    """Which of the 16 subset sums goes into columns 0, 1, ..: bit k of all four weights.

    Reading a weight's binary digits as hexadecimal ones spreads them four bits apart, so that
    four weights interleave into one number whose hexadecimal digits are the choices.
    """
    spread = sum(int(f"{w:b}", 16) << position for position, w in enumerate(weights))
    digits = f"{spread:0{degree}x}".encode().translate(_NIBBLES)
    return itemgetter(*reversed(digits))


def scale(field: BinaryField, vector: SlicedVector, constant: int) -> SlicedVector:
    """A public constant times every element: column k is a block of weight constant * x^k."""
    return combine(field, vector.columns, field.multiples(constant), vector.length)


# Products: Karatsuba, which is `extension.extend` over the bits of the column number


def inner_product(field: BinaryField, pairs: Iterable[tuple[SlicedVector, SlicedVector]]) -> int:
    """The sum over all pairs and elements of a_c b_c: parities of the leaves, recombined."""
    values = [leaf.bit_count() & 1 for leaf in leaf_products(pairs)]
    shift = field.degree
    while len(values) > 1:  # thirds at 0, 1, inf of T = x^shift, recombined as in `product_sum`
        shift //= 2
        third = len(values) // 3
        values = [
            p0 ^ (p0 ^ p1 ^ p_inf) << shift ^ p1 << 2 * shift
            for p0, p1, p_inf in zip(values, values[third:], values[2 * third :], strict=False)
        ]
    return field.reduce(values[0]) if values else 0


def multiply(field: BinaryField, a: SlicedVector, b: SlicedVector) -> SlicedVector:
    """The elementwise product a_c b_c, for one public vector: the weights tau, say."""
    return product_sum(field, [(a, b)])


def product_sum(
    field: BinaryField, pairs: Iterable[tuple[SlicedVector, SlicedVector]]
) -> SlicedVector:
    """The sum over all pairs of the elementwise products a_c b_c, still a vector.

    Its hash (`ColumnHash.weighted_sum`) is the inner product with weights tau.

    Raises: MismatchError when lengths differ.
    """
    pairs = list(pairs)
    length = _common_length([vector for pair in pairs for vector in pair])
    columns = _interpolate(list(leaf_products(pairs)) or [0])
    columns += [0] * (field.degree - len(columns))
    tail = [k for k in range(field.degree) if field.modulus >> k & 1]
    for k in range(len(columns) - 1, field.degree - 1, -1):  # x^k = x^(k-d) (modulus - x^d)
        for shift in tail:
            columns[k - field.degree + shift] ^= columns[k]
    return SlicedVector(tuple(columns[: field.degree]), length)


def leaf_products(pairs: Iterable[tuple[SlicedVector, SlicedVector]]) -> Iterator[int]:
    """The 3^log2(d) Karatsuba products of the columns, elementwise, added up over all pairs.

    Recombining is linear and therefore done once, after all pairs (no pair: no leaves). A few leaves
    of all pairs come before the next few, so that their sums stay in the processor's cache.
    """
    pairs = list(pairs)
    length = _common_length([vector for pair in pairs for vector in pair])
    extended = [extend_in_pieces([a.columns, b.columns], length) for a, b in pairs]
    for (left, right), *others in zip(*extended, strict=True):
        total: Iterable[int] = map(and_, left, right)
        for left, right in others:
            total = map(xor, list(total), map(and_, left, right))
        yield from total


def _interpolate(leaves: Sequence[int]) -> list[int]:
    """The 2d - 1 columns of a product of polynomials of d columns, from its Karatsuba leaves.

    The thirds, at 0, 1 and inf of the variable that stands for T = x^(d/2), recombine to
    p_0 + (p_0 + p_1 + p_inf) T + p_1 T^2.
    """
    if len(leaves) == 1:
        return list(leaves)
    if len(leaves) == 3:
        at_zero, at_one, at_infinity = leaves
        return [at_zero, at_zero ^ at_one ^ at_infinity, at_one]
    third = len(leaves) // 3
    p0, p1, p_inf = (_interpolate(leaves[k * third : (k + 1) * third]) for k in range(3))
    half = (len(p0) + 1) // 2
    middle = map(xor, map(xor, p0, p1), p_inf)
    columns = [*p0, 0, *p1]
    columns[half : half + len(p0)] = map(xor, columns[half : half + len(p0)], middle)
    return columns


# Folding: a variable of the column index is set to the public coin r


def halves(
    chunks: Sequence[SlicedVector],
) -> tuple[list[SlicedVector], list[SlicedVector]]:
    """The lower and the upper half of a vector, by index; the upper half is padded with zeros.

    A long vector comes in chunks of equal length. Several chunks are halved by chunk number, with
    a zero chunk at the end when their number is odd; a single one by element number, the lower
    half taking ceil(length / 2) elements. A vector of length 1 gets a zero upper half.
    """
    if len(chunks) == 1:
        low, high = _split(chunks[0])
        return [low], [high]
    half = (len(chunks) + 1) // 2
    low_chunks, high_chunks = list(chunks[:half]), list(chunks[half:])
    if len(high_chunks) < half:
        zero = SlicedVector((0,) * len(chunks[0].columns), chunks[0].length)
        high_chunks.append(zero)
    return low_chunks, high_chunks


def _split(vector: SlicedVector) -> tuple[SlicedVector, SlicedVector]:
    half = (vector.length + 1) // 2
    mask = (1 << half) - 1
    low = tuple(column & mask for column in vector.columns)
    high = tuple(column >> half for column in vector.columns)
    return SlicedVector(low, half), SlicedVector(high, half)


def fold(
    field: BinaryField,
    low: Sequence[SlicedVector],
    high: Sequence[SlicedVector],
    point: int,
) -> list[SlicedVector]:
    """The multilinear extension along the halved variable at a public r: low + r (low + high)."""
    return [add(lo, scale(field, add(lo, hi), point)) for lo, hi in zip(low, high, strict=True)]


def _common_length(vectors: Sequence[SlicedVector]) -> int:
    lengths = {vector.length for vector in vectors}
    if len(lengths) > 1:
        raise MismatchError(f"vectors of {sorted(lengths)} elements do not go together")
    return lengths.pop() if lengths else 0
