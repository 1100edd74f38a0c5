"""Division of numbers, row by row: restoring long division, one quotient bit at a time."""

from ipa.network import HelperPartyNetwork
from ipa.protocols.addition import subtract
from ipa.protocols.constants import widen
from ipa.protocols.multiplexer import choose
from ipa.sharing.replicated import SharedBits, join_columns


def divide(
    network: HelperPartyNetwork, numerator: SharedBits, divisor: SharedBits, quotient_bits: int
) -> SharedBits:
    """floor(numerator / divisor) in rows where that is below 2^quotient_bits; elsewhere anything.

    Rows whose divisor is zero are among those elsewhere. For divisors of w bits: quotient_bits
    times (2 + ceil(log2 (w + 1))) rounds, and about quotient_bits times w (2 + log2 w) gates per row.
    Reveals nothing.
    """
    wide = divisor.width + 2
    with network.step("divide"):
        divisor_wide = widen(network, divisor, wide)
        top = numerator[quotient_bits : quotient_bits + divisor.width]
        remainder = widen(network, top, divisor.width)
        quotient: list[SharedBits] = []
        for position in reversed(range(quotient_bits)):
            # The remainder is below the divisor, so twice it plus a bit needs one bit more, and
            # the difference one more again for its sign.
            shifted = widen(network, join_columns(numerator[position], remainder), wide)
            difference = subtract(network, shifted, divisor_wide)
            fits = ~difference[-1]
            remainder = choose(network, fits, difference, shifted)[: divisor.width]
            quotient.insert(0, fits)
        return join_columns(*quotient)
