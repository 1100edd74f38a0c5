"""Opening: revealing a shared value to all three helpers.

Helper i lacks share x_(i+2). Both neighbours hold it: the left neighbour as its own share, the right
neighbour as its second one. Both send it and the copies are compared, so that one helper that lies
is noticed; the cost is two shares per value and helper.
"""

from collections.abc import Callable

from ipa.errors import VerificationError
from ipa.network.helper_party_network import HelperPartyNetwork, raise_together
from ipa.protocols.primitives.resharing import decode_received_columns, decode_received_elements
from ipa.sharing.bits import Columns, bytes_per_column, encode_columns
from ipa.sharing.rings import encode_elements
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements


def open_bits(network: HelperPartyNetwork, x: SharedBits) -> Columns:
    """The columns of `x` in the clear, to all helpers.

    Cost: one round. Each helper sends two bits for each bit of the table; each column is rounded up
        to whole bytes.
    Reveals: `x`, to all helpers.
    Raises: VerificationError when the two copies of the missing share differ; UncheckedProductError
        while products are pending.
    """
    size = x.width * bytes_per_column(x.rows)
    with network.step("open") as step:
        received = _exchange_copies(network, x, lambda own: encode_columns(own, x.rows), size)
        helper, missing = next(iter(decode_received_columns(step, received, x.rows).items()))
        own, right = x.shares_of(helper)
        return [a ^ b ^ c for a, b, c in zip(own, right, missing, strict=True)]


def open_elements(network: HelperPartyNetwork, x: SharedElements) -> list[int]:
    """The elements of `x` in the clear, to all helpers.

    Cost: one round. Each helper sends two ring elements for each element of the list.
    Reveals: `x`, to all helpers.
    Raises: VerificationError when the two copies of the missing share differ; UncheckedProductError
        while products are pending.
    """
    ring, size = x.ring, x.count * x.ring.element_bytes
    with network.step("open") as step:
        received = _exchange_copies(network, x, lambda own: encode_elements(ring, own), size)
        helper, missing = next(iter(decode_received_elements(step, received, ring).items()))
        own, right = x.shares_of(helper)
        add = ring.add
        return [add(add(a, b), c) for a, b, c in zip(own, right, missing, strict=True)]


def _exchange_copies(
    network: HelperPartyNetwork,
    x: SharedBits | SharedElements,
    encode: Callable[[list[int]], bytes],
    size: int,
) -> dict[int, bytes]:
    """Send everyone both copies of the share of `x` it lacks; return it once the copies agree."""
    network.check_owns(x)
    network.products.refuse_unchecked(network.path)
    own = {helper: encode(x.shares_of(helper)[0]) for helper in network.helpers}
    right = {helper: encode(x.shares_of(helper)[1]) for helper in network.helpers}
    from_right, from_left = network.exchange(right, own, size)
    failures = [
        VerificationError(network.path, "the two copies of the opened share differ", [helper])
        for helper in from_right
        if from_right[helper] != from_left[helper]
    ]
    raise_together(failures)
    return from_left
