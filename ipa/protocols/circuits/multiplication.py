"""Multiplication of replicated shares: Araki et al. 2016 (eprint 2016/768), section 2.2.

Helper i computes z_i = x_i y_i + x_i y_(i+1) + x_(i+1) y_i + (its summand of a sharing of zero) and
sends z_i to its left neighbour, so that every helper holds two summands of z again. Secure against
one curious helper; against one that deviates it stays private, and what that helper can do to z is
to add an error of its choice, which the batch check of the malicious protocol detects.
"""

from itertools import repeat

from ipa.errors import MismatchError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.primitives.resharing import reshare_columns, reshare_elements
from ipa.protocols.verification.product_check import record_bits, record_elements
from ipa.sharing.bits import Columns
from ipa.sharing.rings import Ring
from ipa.sharing.shared_bits import ColumnPair, SharedBits
from ipa.sharing.shared_elements import ElementPair, SharedElements


def multiply(network: HelperPartyNetwork, x: SharedBits, y: SharedBits) -> SharedBits:
    """The bitwise AND of two tables with the same rows, column by column.

    Widths are equal, or `x` has one column, which then multiplies every column of `y`.

    Cost: one round. Each helper sends one bit for each AND gate; each column is rounded up to whole
        bytes.
    Reveals: nothing.
    Raises: MismatchError for other widths, rows or networks.
    """
    x.check_same_rows(y)
    if x.width not in (1, y.width):
        raise MismatchError(f"widths differ: {x.width} bits and {y.width} bits")
    network.check_owns(x)
    width, rows = y.width, y.rows
    with network.step("multiply") as step:
        network.cost.and_gates += width * rows
        summands = {
            helper: _column_summand(
                x.shares_of(helper),
                y.shares_of(helper),
                party.prss.zero_columns(step, width, rows),
            )
            for helper, party in network.parties.items()
        }
        product = reshare_columns(network, summands, width, rows)
    record_bits(network, x, y, product)
    return product


def _column_summand(x: ColumnPair, y: ColumnPair, zero: Columns) -> Columns:
    own_x, right_x = (repeat(share[0]) if len(share) == 1 else share for share in x)
    return [
        a & (c ^ d) ^ (b & c) ^ mask
        for a, b, c, d, mask in zip(own_x, right_x, *y, zero, strict=False)
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
