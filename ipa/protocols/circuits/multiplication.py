"""Multiplication of replicated shares: Araki et al. 2016 (eprint 2016/768), section 2.2.

Helper i computes z_i = x_i y_i + x_i y_(i+1) + x_(i+1) y_i + (its summand of a sharing of zero) and
sends z_i to its left neighbour, so that every helper holds two summands of z again. Secure against
one curious helper; against one that deviates it stays private, and what that helper can do to z is
to add an error of its choice, which the batch check of the malicious protocol detects.
"""

from collections.abc import Sequence

from ipa.errors import MismatchError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.product_log import BitProducts
from ipa.protocols.primitives.resharing import reshare_columns, reshare_elements, reshare_in_bytes
from ipa.protocols.verification.product_check import record_bits, record_elements
from ipa.sharing.bits import Columns
from ipa.sharing.rings import Ring
from ipa.sharing.shared_bits import ColumnPair, SharedBits
from ipa.sharing.shared_elements import ElementPair, SharedElements


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

    Cost: one round. Each helper sends one bit for each AND gate; each column is rounded up to whole
        bytes.
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
            helper: _column_summand(
                x.shares_of(helper),
                y.shares_of(helper),
                party.prss.zero_columns(step, width, rows),
                paired,
            )
            for helper, party in network.parties.items()
        }
        if not network.is_malicious_secure:
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


def multiply_elements(
    network: HelperPartyNetwork, x: SharedElements, y: SharedElements
) -> SharedElements:
    """The products, element by element, of two lists over the same ring.

    Cost: one round. Each helper sends one ring element for each product.
    Reveals: nothing.
    Raises: MismatchError when lengths, rings or networks differ; ParameterError in a malicious-secure
        network for rings whose products cannot be checked.
    """
    x.check_same_shape(y)
    network.check_owns(x)
    ring, count = x.ring, x.count
    with network.step("multiply-numbers") as step:
        network.cost.ring_products += count
        summands = {
            helper: _element_summand(
                ring,
                x.shares_of(helper),
                y.shares_of(helper),
                party.prss.zero_elements(step, ring, count),
            )
            for helper, party in network.parties.items()
        }
        product = reshare_elements(network, ring, summands, count)
    record_elements(network, x, y, product)
    return product


def _element_summand(ring: Ring, x: ElementPair, y: ElementPair, zero: list[int]) -> list[int]:
    add, times = ring.add, ring.multiply
    return [
        add(add(times(a, add(c, d)), times(b, c)), mask)
        for a, b, c, d, mask in zip(*x, *y, zero, strict=True)
    ]
