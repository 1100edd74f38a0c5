"""The batch check of products over a prime field: Goyal, Song and Zhu 2020 (eprint 2020/134).

Such products come from conversions (`ipa.protocols.circuits.conversion`); the query has none.
"""

from collections.abc import Sequence

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.product_log import ElementProducts
from ipa.protocols.primitives.coins import public_coins
from ipa.protocols.verification.inner_product import (
    ElementArithmetic,
    InnerProduct,
    to_shamir,
    verify_inner_product,
)
from ipa.sharing.rings import Ring
from ipa.sharing.shared_elements import join_elements
from ipa.sharing.verification import list_vector
from ipa.sharing.verification.shamir import shamir_points


def check_element_products(network: HelperPartyNetwork, batch: Sequence[ElementProducts]) -> None:
    """Check that z = x y for every product of the batch, all over one field.

    With public weights tau_c, powers of a coin, the claim sum_c tau_c z_c is the inner product of
    the vectors (tau_c x_c) and (y_c). N products of which one is wrong pass with probability at most
    (N + 2 (h + 2)) / |field|, for h = ceil(log2(N / OPENED)) halvings, none for N <= OPENED.

    Cost: 3 h + 7 rounds.
    Reveals: nothing.
    Raises: VerificationError when a product is wrong.
    """
    x = join_elements(*(products.x for products in batch))
    y = join_elements(*(products.y for products in batch))
    z = join_elements(*(products.z for products in batch))
    if not x.count:
        return
    field = x.ring
    with network.step("numbers"):
        (coin,) = public_coins(network, field, 1)
        weights = [1]
        while len(weights) < x.count:
            weights.append(field.multiply(weights[-1], coin))
        points = shamir_points(field, {1: 1, 2: 2, 3: 3})
        claim = z.scale(weights).total()
        x_shares = {
            helper: to_shamir(points, field, helper, *x.scale(weights).shares_of(helper))
            for helper in network.helpers
        }
        y_shares = {
            helper: to_shamir(points, field, helper, *y.shares_of(helper))
            for helper in network.helpers
        }
        statement = InnerProduct(x_shares, y_shares, claim)
        verify_inner_product(network, points, _lists(field), statement)


def _lists(field: Ring) -> ElementArithmetic[list[int]]:
    return ElementArithmetic(
        halves=list_vector.halves,
        subtract=lambda a, b: list(map(field.subtract, a, b)),
        fold=lambda low, high, point: list_vector.fold(field, low, high, point),
        inner_product=lambda a, b: list_vector.inner_product(field, a, b),
        elements=list,
        of_elements=list,
        length=len,
    )
