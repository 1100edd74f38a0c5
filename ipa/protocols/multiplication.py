"""Multiplication of replicated shares: Araki et al. 2016 (eprint 2016/768), section 2.2.

Helper i computes z_i = x_i y_i + x_i y_(i+1) + x_(i+1) y_i + (its summand of a sharing of zero) and
sends z_i to its left neighbour, so that every helper holds two summands of z again. Secure against
one curious helper; against one that deviates it stays private, and what that helper can do to z is
to add an error of its choice, which the batch check of the malicious protocol detects.
"""

from collections.abc import Sequence

from ipa.errors import MismatchError
from ipa.network import HelperPartyNetwork
from ipa.products import BitProducts
from ipa.protocols.product_check import record_bits, record_numbers
from ipa.protocols.resharing import reshare_columns, reshare_in_bytes, reshare_numbers
from ipa.sharing.bits import Columns
from ipa.sharing.replicated import ColumnPair, SharedBits
from ipa.sharing.rings import Ring
from ipa.sharing.shared_numbers import NumberPair, SharedNumbers


def multiply(
    network: HelperPartyNetwork,
    x: SharedBits,
    y: SharedBits,
    factors: Sequence[int] | None = None,
) -> SharedBits:
    """The bitwise AND of two tables with the same rows, column by column.

    Widths are equal, or `x` has one column, which then multiplies every column of `y`. Any other
    pairing is given by `factors`: column j of `y` is multiplied by column factors[j] of `x`. To say
    so rather than to repeat columns of `x` makes the products cheaper to check.

    Cost: one round; each helper sends one bit per AND gate, each column rounded up to whole bytes.
    Reveals: nothing.
    Raises: MismatchError for other widths, rows, factors or networks.
    """
    x.check_same_rows(y)
    network.check_owns(x)
    width, rows = y.width, y.rows
    paired = _pairing(x.width, width, factors)
    with network.step("multiply") as step:
        network.cost.and_gates += width * rows
        summands = {
            number: _column_summand(
                x.shares_of(number),
                y.shares_of(number),
                helper.prss.zero_columns(step, width, rows),
                paired,
            )
            for number, helper in network.helpers.items()
        }
        if network.products is None:
            return reshare_columns(network, summands, width, rows)
        product, in_bytes = reshare_in_bytes(network, summands, width, rows)
    record_bits(network, BitProducts(x, y, in_bytes, paired))
    return product


def _pairing(x_width: int, y_width: int, factors: Sequence[int] | None) -> tuple[int, ...]:
    """Which column of x each column of y is multiplied by."""
    if factors is None:
        if x_width not in (1, y_width):
            raise MismatchError(f"widths differ: {x_width} bits and {y_width} bits")
        return tuple(range(y_width)) if x_width == y_width else (0,) * y_width
    if len(factors) != y_width or not all(0 <= factor < x_width for factor in factors):
        raise MismatchError(f"{y_width} columns do not have each a factor among {x_width}")
    return tuple(factors)


def _column_summand(x: ColumnPair, y: ColumnPair, zero: Columns, paired: Sequence[int]) -> Columns:
    own_x, right_x = ([share[factor] for factor in paired] for share in x)
    return [
        a & (c ^ d) ^ (b & c) ^ mask
        for a, b, c, d, mask in zip(own_x, right_x, *y, zero, strict=True)
    ]


def multiply_numbers(
    network: HelperPartyNetwork, x: SharedNumbers, y: SharedNumbers
) -> SharedNumbers:
    """The products, element by element, of two lists over the same ring.

    One round; one ring element per product and helper; reveals nothing. Raises MismatchError.
    """
    x.check_same_shape(y)
    network.check_owns(x)
    ring, count = x.ring, x.count
    with network.step("multiply-numbers") as step:
        network.cost.ring_products += count
        summands = {
            number: _number_summand(
                ring,
                x.shares_of(number),
                y.shares_of(number),
                helper.prss.zero_elements(step, ring, count),
            )
            for number, helper in network.helpers.items()
        }
        product = reshare_numbers(network, ring, summands, count)
    record_numbers(network, x, y, product)
    return product


def _number_summand(ring: Ring, x: NumberPair, y: NumberPair, zero: list[int]) -> list[int]:
    add, times = ring.add, ring.multiply
    return [
        add(add(times(a, add(c, d)), times(b, c)), mask)
        for a, b, c, d, mask in zip(*x, *y, zero, strict=True)
    ]
