"""Public values as shares: x1 is the value, x2 and x3 are zero. Nothing is sent."""

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.sharing.bits import ones
from ipa.sharing.joining import join_columns
from ipa.sharing.shared_bits import SharedBits


def public_columns(network: HelperPartyNetwork, rows: int, columns: list[int]) -> SharedBits:
    """Public columns of `rows` bits as a trivial sharing.

    Raises: MismatchError when a column does not fit the rows.
    """
    zeros = [0] * len(columns)
    blank = dict.fromkeys(network.helpers, (zeros, zeros))
    return SharedBits(network.name, rows, len(columns), blank).xor_public(columns)


def public_number(network: HelperPartyNetwork, rows: int, value: int, width: int) -> SharedBits:
    """The public number `value` in every row, as a trivial sharing of `width` columns.

    Raises: ParameterError when the value does not fit the width.
    """
    if value < 0 or value >> width:
        raise ParameterError(f"{value} does not fit {width} bits")
    every = ones(rows)
    return public_columns(network, rows, [every * (value >> bit & 1) for bit in range(width)])


def zero_extend(network: HelperPartyNetwork, x: SharedBits, width: int) -> SharedBits:
    """`x` with zero columns above, up to `width`; the same number in more bits.

    Raises: ParameterError when `x` is wider than `width`.
    """
    if width < x.width:
        raise ParameterError(f"{x.width} bits do not fit {width}")
    if width == x.width:
        return x
    return join_columns(x, public_columns(network, x.rows, [0] * (width - x.width)))
