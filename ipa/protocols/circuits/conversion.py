"""Conversions between additive and XOR shares: the spec asks for them, the query does not use them.

Additive is modulo 2^k or a prime, as the spec shares fields (SPEC_NOTES: xor-fields).

In a replicated sharing x = x1 + x2 + x3 each summand is known to two helpers, so each summand is
itself a shared value for free: the sharing in which it is the only summand that is not zero. A
conversion shares the three summands that way and adds them in the other world
(SPEC_NOTES: conversions).
"""

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parties import HELPERS, right_of
from ipa.protocols.circuits.addition import subtract, sum_of
from ipa.protocols.circuits.constants import public_number
from ipa.protocols.circuits.multiplexer import choose
from ipa.protocols.circuits.multiplication import multiply_elements
from ipa.sharing.bits import columns_from_rows
from ipa.sharing.rings import IntegersModulo
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements


def bits_from_elements(network: HelperPartyNetwork, x: SharedElements) -> SharedBits:
    """Additive to XOR: one row per element, as many columns as modulus - 1 has bits.

    Modulo 2^k it is the sum of three k-bit numbers. Modulo another m it is their sum in three more
    bits, from which first 2m and then m is taken where it fits.

    Cost: that of sum_of for three numbers; for a modulus that is no power of two also two
        subtractions and two choices.
    Reveals: nothing.
    Raises: ParameterError for rings other than the integers modulo something.
    """
    ring = x.ring
    if not isinstance(ring, IntegersModulo):
        raise ParameterError(f"no conversion to bits from {ring.name}")
    width = (ring.modulus - 1).bit_length()
    with network.step("bits-from-numbers"):
        if ring.modulus == 1 << width:
            return sum_of(network, [_summand_bits(network, x, k, width) for k in HELPERS], width)
        wide = width + 3
        total = sum_of(network, [_summand_bits(network, x, k, width) for k in HELPERS], wide)
        for multiple in (2, 1):
            modulus = public_number(network, x.count, multiple * ring.modulus, wide)
            difference = subtract(network, total, modulus)
            total = choose(network, difference[-1], total, difference)
        return total[:width]


def elements_from_bits(
    network: HelperPartyNetwork, x: SharedBits, ring: IntegersModulo
) -> SharedElements:
    """XOR to additive: element r is row r as a number, modulo the ring's modulus.

    Bits become elements by a XOR b = a + b - 2ab, once for each of the two XORs of three summands.

    Cost: two rounds; two ring products for each bit of the table.
    Reveals: nothing.
    Raises: ParameterError in a malicious-secure network for rings whose products cannot be checked.
    """
    with network.step("numbers-from-bits"):
        first, second, third = (_summand_elements(network, x, k, ring) for k in HELPERS)
        bits = _xor_of(network, _xor_of(network, first, second), third)
        powers = [pow(2, k, ring.modulus) for k in range(x.width) for _ in range(x.rows)]
        weighted = bits.scale(powers)
        total = weighted[: x.rows]
        for k in range(1, x.width):
            total = total + weighted[k * x.rows : (k + 1) * x.rows]
        return total


def _xor_of(network: HelperPartyNetwork, a: SharedElements, b: SharedElements) -> SharedElements:
    product = multiply_elements(network, a, b)
    return a + b - product - product


def _summand_bits(
    network: HelperPartyNetwork, x: SharedElements, summand: int, width: int
) -> SharedBits:
    """Summand `summand` of an additive sharing as XOR-shared bits; its two holders know it."""
    zeros = [0] * width
    shares = {
        helper: (
            columns_from_rows(x.shares_of(helper)[0], width) if helper == summand else zeros,
            columns_from_rows(x.shares_of(helper)[1], width)
            if right_of(helper) == summand
            else zeros,
        )
        for helper in network.helpers
    }
    return SharedBits(network.name, x.count, width, shares)


def _summand_elements(
    network: HelperPartyNetwork, x: SharedBits, summand: int, ring: IntegersModulo
) -> SharedElements:
    """Summand `summand` of an XOR sharing as shared ring elements 0 and 1, column by column."""
    count = x.rows * x.width

    def spread(columns: list[int]) -> list[int]:
        """Every bit as a number, column by column."""
        return [column >> row & 1 for column in columns for row in range(x.rows)]

    shares = {
        helper: (
            spread(x.shares_of(helper)[0]) if helper == summand else [0] * count,
            spread(x.shares_of(helper)[1]) if right_of(helper) == summand else [0] * count,
        )
        for helper in network.helpers
    }
    return SharedElements(network.name, ring, count, shares)
