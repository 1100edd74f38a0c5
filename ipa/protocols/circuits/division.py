"""Division of numbers, row by row: restoring long division, one quotient bit at a time."""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.addition import subtract
from ipa.protocols.circuits.constants import zero_extend
from ipa.protocols.circuits.multiplexer import choose
from ipa.sharing.shared_bits import SharedBits, join_columns


def divide(
    network: HelperPartyNetwork, numerator: SharedBits, divisor: SharedBits, quotient_bits: int
) -> SharedBits:
    """The quotient of `divide_with_remainder`, at the same cost.

    Reveals: nothing.
    """
    quotient, _ = divide_with_remainder(network, numerator, divisor, quotient_bits)
    return quotient


def divide_with_remainder(
    network: HelperPartyNetwork, numerator: SharedBits, divisor: SharedBits, quotient_bits: int
) -> tuple[SharedBits, SharedBits]:
    """floor(numerator / divisor) and what is left, in rows where the first is below 2^quotient_bits.

    In other rows, such as those whose divisor is zero, the result has no meaning.

    Cost: for divisors of w bits, quotient_bits times (2 + ceil(log2 w)) rounds, and quotient_bits
        times (w + add_gates(w + 1)) gates per row.
    Reveals: nothing.
    """
    width = divisor.width
    with network.step("divide"):
        divisor = zero_extend(network, divisor, width + 1)
        numerator = zero_extend(network, numerator, max(numerator.width, quotient_bits))
        top = numerator[quotient_bits : quotient_bits + width]
        remainder = zero_extend(network, top, width)
        quotient: list[SharedBits] = []
        for position in reversed(range(quotient_bits)):
            # The remainder is below the divisor, so twice it plus a bit fits one bit more, and so
            # does its difference from the divisor, as a number with a sign.
            shifted = join_columns(numerator[position], remainder)
            difference = subtract(network, shifted, divisor)
            fits = ~difference[-1]
            remainder = choose(network, fits, difference[:width], shifted[:width])
            quotient.insert(0, fits)
        return join_columns(*quotient), remainder
