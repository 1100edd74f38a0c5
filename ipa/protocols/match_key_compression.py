"""Match key compression: shorter match keys for the sort, by a public random linear hash.

Spec: Technical Discussion, Match Key Compression; the hash is ipa.sharing.linear_hash.
"""

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.primitives.coins import public_coins
from ipa.sharing.linear_hash import compress_match_key_columns, random_matrix
from ipa.sharing.randomness import Randomness
from ipa.sharing.rings import encode_elements, modulo_power_of_two
from ipa.sharing.shared_bits import SharedBits

_COIN = modulo_power_of_two(64)
_COINS = 4


def check_compressed_bits(width: int, bits: int) -> None:
    """Check that match keys of `width` bits can be compressed to `bits` bits.

    Raises: ParameterError when they cannot.
    """
    if not isinstance(bits, int) or not 1 <= bits < width:
        raise ParameterError(
            f"match keys of {width} bits can be compressed to at least 1 and fewer than {width} "
            f"bits, not {bits!r}"
        )


def compress_match_keys(
    network: HelperPartyNetwork, match_key: SharedBits, bits: int
) -> SharedBits:
    """The match keys hashed to `bits` bits, `bits` below their width.

    The matrix comes from a coin of 256 bits, drawn only now: who had known it could have made up
    match keys that collide, so the reports must have been agreed on before
    (SPEC_NOTES: compression-coin). Two rounds for the coin, 66 bytes per helper; the hash is local.
    Reveals the matrix. Equal match keys stay equal; any two others collide with probability 2**-bits.
    Raises ParameterError, VerificationError.
    """
    check_compressed_bits(match_key.width, bits)
    with network.step("compress-match-keys"):
        coin = encode_elements(_COIN, public_coins(network, _COIN, _COINS))
    matrix = random_matrix(match_key.width, bits, Randomness.from_seed(coin, "match key hash"))
    shares = {
        helper: (
            compress_match_key_columns(own, matrix),
            compress_match_key_columns(right, matrix),
        )
        for helper in match_key.holders
        for own, right in (match_key.shares_of(helper),)
    }
    return SharedBits(match_key.network_name, match_key.rows, bits, shares)
