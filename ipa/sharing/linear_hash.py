"""How often match key compression makes two match keys one (spec: Match Key Compression).

The hash is h(x) = M x for a uniformly random matrix M over GF(2) of w rows, which is secret
(`ipa.protocols.match_key_compression`): any two different match keys collide with probability
exactly 2**-w.
"""

from fractions import Fraction

from ipa.errors import ParameterError
from ipa.parameters import MAX_MATCH_KEY_BITS


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
