"""Division of numbers, row by row: long division without restoring, one quotient bit at a time.

Where the remainder is negative the divisor is added in the next step instead of subtracted, which comes
to what restoring the remainder first would: 2 (R + T) - T = 2 R + T. To add or to subtract takes no more
than an addition, since the divisor's complement, by a shared bit, is local. So a bit of the
quotient costs one addition, where restoring costs a choice between two remainders as well.
"""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.addition import add
from ipa.protocols.circuits.constants import public_number, zero_extend
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.joining import join_columns
from ipa.sharing.shared_bits import SharedBits


def divide(
    network: HelperPartyNetwork, numerator: SharedBits, divisor: SharedBits, quotient_bits: int
) -> SharedBits:
    """floor(numerator / divisor) in rows where it is below 2^quotient_bits; at least one bit.

    In other rows, such as those whose divisor is zero, the result has no meaning.

    Cost: for divisors of w bits, quotient_bits additions of w + 1 bits.
    Reveals: nothing.
    """
    with network.step("divide"):
        quotient, _ = _long_division(network, numerator, divisor, quotient_bits)
        return quotient


def divide_with_remainder(
    network: HelperPartyNetwork, numerator: SharedBits, divisor: SharedBits, quotient_bits: int
) -> tuple[SharedBits, SharedBits]:
    """The quotient of `divide`, and what is left, as wide as the divisor.

    Cost: that of divide, a round, w gates per row and an addition of w bits.
    Reveals: nothing.
    """
    with network.step("divide"):
        quotient, remainder = _long_division(network, numerator, divisor, quotient_bits)
        missing = multiply(network, remainder[-1], divisor)
        return quotient, add(network, remainder[:-1], missing)


def _long_division(
    network: HelperPartyNetwork, numerator: SharedBits, divisor: SharedBits, quotient_bits: int
) -> tuple[SharedBits, SharedBits]:
    """The quotient, and the last remainder R as a signed number: below 0 the divisor is missing in it.

    With divisor T a remainder is from -T to T - 1, so twice it plus a bit, and T less or more, is, too:
    one bit more than T has holds it with its sign.
    """
    width = divisor.width
    divisor = zero_extend(network, divisor, width + 1)
    numerator = zero_extend(network, numerator, max(numerator.width, quotient_bits))
    remainder = zero_extend(network, numerator[quotient_bits : quotient_bits + width], width + 1)
    not_negative = public_number(network, numerator.rows, 1, 1)
    quotient: list[SharedBits] = []
    for position in reversed(range(quotient_bits)):
        twice = join_columns(numerator[position], remainder[:-1])
        change = divisor ^ not_negative.select([0] * (width + 1))
        remainder = add(network, twice, change, not_negative)
        not_negative = ~remainder[-1]
        quotient.insert(0, not_negative)
    return join_columns(*quotient), remainder
