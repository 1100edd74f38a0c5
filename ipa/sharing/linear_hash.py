"""Match key compression (spec: Technical Discussion, Match Key Compression).

A public random GF(2)-linear hash h(x) = M x makes match keys shorter, so that sorting them is
cheaper. It is linear, so each helper applies it to its own XOR shares, without messages:
h(x1) ^ h(x2) ^ h(x3) = h(x1 ^ x2 ^ x3). For a uniformly random M any two different match keys
collide with probability exactly 2**-w, w the width of the hash.

M must be drawn after the reports are in (a coin of the helpers): who knows M beforehand can make
up match keys that collide with a victim's, or with each other, at will.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil

from ipa.errors import MismatchError, ParameterError
from ipa.parameters import MAX_MATCH_KEY_BITS
from ipa.ranges import check_integer
from ipa.sharing.randomness import Randomness
from ipa.sharing.xor import check_bits


@dataclass(frozen=True)
class CompressionMatrix:
    """A GF(2) matrix, `output_bits` rows by `input_bits` columns, public.

    `images[i]` is the hash of the match key 2**i: column i, with row j at bit j. Raises
    ParameterError when an image does not fit or the sizes are not from 1 to 256.
    """

    input_bits: int
    output_bits: int
    images: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("input_bits", "output_bits"):
            if not 1 <= getattr(self, name) <= MAX_MATCH_KEY_BITS:
                raise ParameterError(f"{name} must be from 1 to {MAX_MATCH_KEY_BITS}")
        if len(self.images) != self.input_bits:
            raise ParameterError(f"{self.input_bits} bits have {self.input_bits} images")
        for image in self.images:
            check_bits(image, self.output_bits)

    @cached_property
    def tables(self) -> tuple[tuple[int, ...], ...]:
        """Per byte of a match key, the least significant first, the hashes of its 256 values."""
        tables = []
        for start in range(0, self.input_bits, 8):
            table = [0]
            for image in self.images[start : start + 8]:
                table += [entry ^ image for entry in table]
            tables.append(tuple(table))
        return tuple(tables)


def random_matrix(input_bits: int, output_bits: int, randomness: Randomness) -> CompressionMatrix:
    """A uniformly random matrix from public randomness."""
    images = tuple(randomness.random_bits(output_bits) for _ in range(input_bits))
    return CompressionMatrix(input_bits, output_bits, images)


def compress_match_key_share(share: int, matrix: CompressionMatrix) -> int:
    """The hash of one match key, or of one XOR share of it. Local; reveals nothing.

    One table look-up per byte. Raises ParameterError when the share does not fit input_bits.
    """
    check_bits(share, matrix.input_bits)
    digest = 0
    tables = matrix.tables
    for table, byte in zip(tables, share.to_bytes(len(tables), "little"), strict=True):
        digest ^= table[byte]
    return digest


def compress_match_key_columns(columns: Sequence[int], matrix: CompressionMatrix) -> list[int]:
    """The same on bit-sliced shares: column i holds bit i of all rows. The way for many rows.

    Returns output_bits columns: about input_bits * output_bits / 2 XORs, whatever the rows. Raises
    MismatchError when the number of columns is not input_bits.
    """
    if len(columns) != matrix.input_bits:
        raise MismatchError(
            f"the matrix takes {matrix.input_bits} columns, there are {len(columns)}"
        )
    compressed = [0] * matrix.output_bits
    for column, image in zip(columns, matrix.images, strict=True):
        for row in range(matrix.output_bits):
            if image >> row & 1:
                compressed[row] ^= column
    return compressed


def expected_collisions(users: int, output_bits: int) -> Fraction:
    """The expected number of pairs of different users that the hash makes one: n(n-1)/2 / 2**w.

    Exact, over the choice of the matrix.
    """
    if users < 0:
        raise ParameterError(f"the number of users must not be negative, not {users}")
    if not 1 <= output_bits <= MAX_MATCH_KEY_BITS:
        raise ParameterError(f"output_bits must be from 1 to {MAX_MATCH_KEY_BITS}")
    return Fraction(users * (users - 1) // 2, 1 << output_bits)


def collision_probability(users: int, output_bits: int) -> Fraction:
    """An upper bound on the probability that any two of `users` match keys collide.

    The union bound min(1, n(n-1)/2 / 2**w), exact for n = 2: collisions of a linear hash are
    independent in pairs only, so the birthday product formula does not apply.
    """
    return min(Fraction(1), expected_collisions(users, output_bits))


def compressed_bits_for(users: int, probability: Fraction) -> int:
    """The smallest width at which any two of `users` match keys collide with at most `probability`.

    The smallest w with n(n-1)/2 / 2**w <= probability (spec: Match Key Compression, "the expected
    cardinality of unique match keys within a query, and the tolerance of the report collector"). Of
    more users than there are, it is too wide rather than too narrow. Exact: no floating point.

    Raises: ParameterError for a negative number of users, a probability that is no positive Fraction,
    or one so small that more than 256 bits would be needed.
    """
    check_integer("the number of users", users, 0)
    if not isinstance(probability, Fraction) or probability <= 0:
        raise ParameterError("the probability must be a Fraction above 0")
    hashes = ceil(users * (users - 1) // 2 / probability)
    bits = max(1, (hashes - 1).bit_length())
    if bits > MAX_MATCH_KEY_BITS:
        raise ParameterError(
            f"{users} users need a hash of {bits} bits, and there are at most {MAX_MATCH_KEY_BITS}"
        )
    return bits
