"""The hash of match key compression in the clear: h(x) = M x over GF(2), for a matrix that is known.

In a query the matrix is secret (`ipa.protocols.match_key_compression`); test vectors and tests compute
the same with one of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ipa.errors import MismatchError, ParameterError
from ipa.parameters import MAX_MATCH_KEY_BITS
from ipa.sharing.randomness import Randomness
from ipa.sharing.xor import check_bits


@dataclass(frozen=True)
class CompressionMatrix:
    """A GF(2) matrix, `output_bits` rows by `input_bits` columns, public.

    `images[i]` is the hash of the match key 2**i: column i, with row j at bit j.

    Raises: ParameterError when an image does not fit or the sizes are not from 1 to 256.
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
    """The hash of one match key, or of one XOR share of it. One table look-up per byte.

    Raises: ParameterError when the share does not fit input_bits.
    """
    check_bits(share, matrix.input_bits)
    digest = 0
    tables = matrix.tables
    for table, byte in zip(tables, share.to_bytes(len(tables), "little"), strict=True):
        digest ^= table[byte]
    return digest


def compress_match_key_columns(columns: Sequence[int], matrix: CompressionMatrix) -> list[int]:
    """The same on bit-sliced shares: column i holds bit i of all rows. The way for many rows.

    Returns output_bits columns: about input_bits * output_bits / 2 XORs, whatever the rows.

    Raises: MismatchError when the number of columns is not input_bits.
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
