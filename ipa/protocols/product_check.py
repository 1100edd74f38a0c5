"""Checking every product of a malicious-secure network, in bounded batches.

`record_bits` and `record_numbers` are called by every multiplication; when a whole batch is pending
it is checked at once, and `check_products` checks the rest before anything is opened or released.
"""

from ipa.network import HelperPartyNetwork
from ipa.products import BitProducts, NumberProducts
from ipa.protocols.bit_check import check_bit_products
from ipa.protocols.number_check import check_number_products
from ipa.sharing.replicated import SharedBits, SharedNumbers


def record_bits(network: HelperPartyNetwork, x: SharedBits, y: SharedBits, z: SharedBits) -> None:
    """Remember z = x AND y until it is checked; nothing in a semi-honest network."""
    if network.products is not None:
        network.products.add_bits(BitProducts(x, y, z))
        if network.products.is_due:
            check_products(network)


def record_numbers(
    network: HelperPartyNetwork, x: SharedNumbers, y: SharedNumbers, z: SharedNumbers
) -> None:
    """Remember z = x * y until it is checked; nothing in a semi-honest network."""
    if network.products is not None:
        network.products.add_numbers(NumberProducts(x, y, z))
        if network.products.is_due:
            check_products(network)


def check_products(network: HelperPartyNetwork) -> None:
    """Check every pending product, once. Raises VerificationError when one is wrong.

    The step stands by itself in the costs, as `check`. For bits in GF(2^64) a wrong product passes
    a batch of 2^24 gates with probability below 2^-50 (see check_bit_products).
    """
    log = network.products
    if log is None:
        return
    bits, numbers = log.take()
    with network.step("check", on_top=True):
        if bits:
            check_bit_products(network, log.bit_field, bits)
            log.gates_checked += sum(products.gates for products in bits)
        for ring in {products.x.ring for products in numbers}:
            batch = [products for products in numbers if products.x.ring == ring]
            check_number_products(network, batch)
            log.numbers_checked += sum(products.x.count for products in batch)
