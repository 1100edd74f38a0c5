"""How often match key compression makes two match keys one (spec: Match Key Compression).

The hash is h(x) = M x for a uniformly random matrix M over GF(2) of w rows, which is secret
(`ipa.protocols.match_key_compression`): any two different match keys collide with probability
exactly 2**-w.
"""

from fractions import Fraction
from math import ceil

from ipa.errors import ParameterError
from ipa.parameters import MAX_MATCH_KEY_BITS
from ipa.ranges import check_integer


def expected_collisions(users: int, output_bits: int) -> Fraction:
    """The expected number of pairs of different users that the hash makes one: n(n-1)/2 / 2**w.

    Exact, over the choice of the matrix.

    Raises: ParameterError when users is negative or output_bits not from 1 to 256.
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

    Raises: ParameterError when users is negative or output_bits not from 1 to 256.
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
