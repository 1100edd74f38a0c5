"""Match key compression: shorter match keys for the sort, by a random linear hash that nobody knows.

Spec: Technical Discussion, Match Key Compression. h(x) = M x over GF(2); the bits of M are a random
sharing, so that no helper party and no report collector ever sees the matrix. Who knew it could make
up sources beside a person's trigger, see in the sums which of them the trigger is credited to, and
so read the hash of the person's match key, which is linear equations of it
(SPEC_NOTES: secret-compression-matrix).
"""

from functools import reduce
from operator import xor

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.primitives.abort import aborting_together
from ipa.ranges import is_integer
from ipa.sharing.bits import Columns, ones
from ipa.sharing.joining import join_columns
from ipa.sharing.shared_bits import SharedBits


def check_compressed_bits(width: int, bits: int, rows: int) -> None:
    """Check that `rows` match keys of `width` bits can be compressed to `bits` bits.

    With more reports than hashes there are so many collisions that the match keys which collide with
    a person's, made up in large numbers, tell the hash that they have in common
    (SPEC_NOTES: secret-compression-matrix).

    Raises: ParameterError when they cannot.
    """
    if not is_integer(bits, 1, width - 1):
        raise ParameterError(
            f"match keys of {width} bits can be compressed to at least 1 and fewer than {width} "
            f"bits, not {bits!r}"
        )
    if rows > 1 << bits:
        raise ParameterError(
            f"match keys of {rows} reports can be compressed to at least "
            f"{(rows - 1).bit_length()} bits, not {bits}: collisions would tell something of them"
        )


def compress_match_keys(
    network: HelperPartyNetwork, match_key: SharedBits, bits: int
) -> SharedBits:
    """The match keys hashed to `bits` bits, `bits` below their width.

    Equal match keys stay equal; any two others collide with probability 2**-bits. The matrix comes
    from PRSS in this step of this run, so every run has another.

    Cost: for match keys of m bits, `bits` rounds and m * `bits` gates per row. For 64 bits made 40, the
        sort saves more than that from about 4,096 reports on.
    Reveals: nothing, nor can any one helper tell the matrix.
    Raises: ParameterError, see check_compressed_bits; MisbehaviourError when a helper deviates.
    """
    check_compressed_bits(match_key.width, bits, match_key.rows)
    with aborting_together(network), network.step("compress-match-keys"):
        matrix = _secret_matrix(network, bits, match_key.width)
        return join_columns(
            *(_parity(multiply(network, row, match_key)) for row in _spread(matrix, match_key.rows))
        )


def _secret_matrix(network: HelperPartyNetwork, rows: int, columns: int) -> SharedBits:
    """Random bits from PRSS: two of the three shares of each say nothing of it."""
    with network.step("matrix") as step:
        shares = {
            helper: party.prss.random_columns(step, columns, rows)
            for helper, party in network.parties.items()
        }
        return SharedBits(network.name, rows, columns, shares)


def _spread(matrix: SharedBits, rows: int) -> list[SharedBits]:
    """Each row of the matrix as a table of that row `rows` times."""
    every = ones(rows)

    def repeated(row: int) -> SharedBits:
        """The table of one row of the matrix."""

        def repeat(columns: Columns) -> Columns:
            """Columns of ones where the row has a one, and of zeros elsewhere."""
            return [every if column >> row & 1 else 0 for column in columns]

        return matrix.map_linear(rows, matrix.width, repeat)

    return [repeated(row) for row in range(matrix.rows)]


def _parity(x: SharedBits) -> SharedBits:
    """One column: the XOR of all columns."""
    return x.map_linear(x.rows, 1, lambda columns: [reduce(xor, columns, 0)])
