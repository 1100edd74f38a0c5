"""Checking every product of a malicious-secure network, in bounded batches.

`record_bits` and `record_elements` are called by every multiplication; when a whole batch is pending
it is checked at once, and `check_products` checks the rest before anything is opened or released. In
a semi-honest network all three do nothing.
"""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.product_log import BitProducts, ElementProducts
from ipa.protocols.verification.bit_check import check_bit_products
from ipa.protocols.verification.element_check import check_element_products
from ipa.sharing.shared_elements import SharedElements


def record_bits(network: HelperPartyNetwork, products: BitProducts) -> None:
    """Remember AND gates until they are checked.

    Many columns are cut where a batch is full, which is then checked at once.

    Raises: VerificationError when a batch that is full has a wrong product.
    """
    if not network.is_malicious_secure:
        return
    log = network.products
    start, width, rows = 0, products.y.width, products.y.rows
    while start < width:
        stop = start + max(1, log.room_for_gates // max(1, rows))
        log.add_bits(products if start == 0 and stop >= width else products[start:stop])
        start = stop
        if log.is_due:
            check_products(network)


def record_elements(
    network: HelperPartyNetwork, x: SharedElements, y: SharedElements, z: SharedElements
) -> None:
    """Remember z = x * y until it is checked.

    Long lists are cut where a batch is full, which is then checked at once.

    Raises: VerificationError when a batch that is full has a wrong product.
    """
    if not network.is_malicious_secure:
        return
    log = network.products
    start = 0
    while start < y.count:
        part = slice(start, start + log.room_for_elements)
        log.add_elements(ElementProducts(x[part], y[part], z[part]))
        start = part.stop
        if log.is_due:
            check_products(network)


def check_products(network: HelperPartyNetwork) -> None:
    """Check every pending product, once; afterwards what depends on them may be opened.

    A wrong bit product passes with probability at most `soundness_error` of its batch's layout,
    about 2^-52 for a batch of 2^26 gates. The step stands by itself in the costs, as `check`.

    Cost: that of `check_bit_products` and `check_element_products`; none in a semi-honest network, nor
        where nothing is pending.
    Reveals: nothing.
    Raises: VerificationError when a product is wrong. Nothing can be opened in this network then.
    """
    log = network.products
    if not network.is_malicious_secure or not log.has_pending:
        return
    with network.step("check", top_level=True), log.being_checked() as (bits, elements):
        if bits:
            check_bit_products(network, log.rules.bit_field, bits)
        # Fields in the order they came: every helper takes the same.
        for ring in dict.fromkeys(products.x.ring for products in elements):
            batch = [products for products in elements if products.x.ring == ring]
            check_element_products(network, batch)
