"""Checking every product of a malicious-secure network, in bounded batches.

`record_bits` and `record_numbers` are called by every multiplication; when a whole batch is pending
it is checked at once, and `check_products` checks the rest before anything is opened or released.
"""

from ipa.network import HelperPartyNetwork
from ipa.products import BitProducts, NumberProducts
from ipa.protocols.bit_check import check_bit_products
from ipa.protocols.number_check import check_number_products
from ipa.sharing.shared_numbers import SharedNumbers


def record_bits(network: HelperPartyNetwork, products: BitProducts) -> None:
    """Remember AND gates until they are checked; nothing in a semi-honest network.

    Many columns are cut where a batch is full, which is then checked at once.
    """
    log = network.products
    if log is None:
        return
    start, width, rows = 0, products.y.width, products.y.rows
    while start < width:
        stop = start + max(1, log.room_for_gates // max(1, rows))
        log.add_bits(products if start == 0 and stop >= width else products[start:stop])
        start = stop
        if log.is_due:
            check_products(network)


def record_numbers(
    network: HelperPartyNetwork, x: SharedNumbers, y: SharedNumbers, z: SharedNumbers
) -> None:
    """Remember z = x * y until it is checked; nothing in a semi-honest network.

    Long lists are cut where a batch is full, which is then checked at once.
    """
    log = network.products
    if log is None:
        return
    start = 0
    while start < y.count:
        part = slice(start, start + log.room_for_numbers)
        log.add_numbers(NumberProducts(x[part], y[part], z[part]))
        start = part.stop
        if log.is_due:
            check_products(network)


def check_products(network: HelperPartyNetwork) -> None:
    """Check every pending product, once. Raises VerificationError when one is wrong.

    After that nothing can be opened in this network any more. The step stands by itself in the
    costs, as `check`. A wrong bit product passes with probability at most soundness_error of its
    batch's layout, about 2^-52 for a batch of 2^26 gates.
    """
    log = network.products
    if log is None:
        return
    with network.step("check", on_top=True), log.being_checked() as (bits, numbers):
        if bits:
            check_bit_products(network, log.bit_field, bits)
        # Fields in the order they came: every helper takes the same.
        for ring in dict.fromkeys(products.x.ring for products in numbers):
            batch = [products for products in numbers if products.x.ring == ring]
            check_number_products(network, batch)
