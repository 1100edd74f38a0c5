"""Tags of rows over K = GF(2^d): the sum of k_j w_j over the d-bit words w_j of a row.

The keys k_j are one element of K for each word. To whoever knows a key, multiplying by it is a
linear map of the word's bits, and so the tags of all rows are sums of columns of the table
(`sliced_vector.combine`): 0.3 ns per bit of the table.
"""

from collections.abc import Sequence
from operator import xor

from ipa.sharing.bits import Columns
from ipa.sharing.verification.binary_field import BinaryField
from ipa.sharing.verification.sliced_vector import combine


def words_per_row(field: BinaryField, width: int) -> int:
    """How many words, and keys, a row of `width` bits has."""
    return -(-width // field.degree)


def tag_summand(
    field: BinaryField,
    keys: tuple[Sequence[int], Sequence[int]],
    table: tuple[Columns, Columns],
    rows: int,
) -> Columns:
    """A helper's summand of the tags, from its two shares of the keys and of the table.

    That is k_i w_i + k_i w_(i+1) + k_(i+1) w_i, summed over the words, as for any product of
    replicated shares (Araki et al. 2016, section 2.2); not masked yet.
    """
    own, right = table
    blocks = [*map(xor, own, right), *own]
    weights = [weight for share in keys for weight in _weights(field, share, len(own))]
    return list(combine(field, blocks, weights, rows).columns)


def tag_errors(field: BinaryField, keys: Sequence[int], tagged: Columns, rows: int) -> Columns:
    """L(row) = sum of k_j w_j + tag of every row, for public keys; the tag is the last d columns.

    It is zero for a row with its right tag, and linear in row and tag.
    """
    data, tags = tagged[: -field.degree], tagged[-field.degree :]
    right = combine(field, data, _weights(field, keys, len(data)), rows).columns
    return list(map(xor, right, tags))


def _weights(field: BinaryField, keys: Sequence[int], width: int) -> list[int]:
    """What each of `width` columns counts: k_j x^b for bit b of word j."""
    return [weight for key in keys for weight in field.multiples(key)][:width]
