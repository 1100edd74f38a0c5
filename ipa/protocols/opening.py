"""Opening: revealing a shared value to all three helpers.

Helper i lacks share x_(i+2). Both neighbours hold it: the left neighbour as its own share, the right
neighbour as its second one. Both send it and the copies are compared, so that one helper that lies
is noticed; the cost is two shares per value and helper.
"""

from collections.abc import Mapping

from ipa.errors import MisbehaviourError, VerificationError
from ipa.network import HelperPartyNetwork, raise_together
from ipa.protocols.resharing import decode_received_columns, decode_received_numbers
from ipa.sharing.bits import Columns, bytes_per_column, encode_columns
from ipa.sharing.replicated import SharedBits
from ipa.sharing.rings import encode_elements
from ipa.sharing.shared_numbers import SharedNumbers


def open_bits(network: HelperPartyNetwork, x: SharedBits) -> Columns:
    """The columns of `x` in the clear, to all helpers.

    One round; two bits per bit and helper. Raises VerificationError when the two copies of the
    missing share differ, UncheckedProductError while products are pending.
    """
    network.check_owns(x)
    with network.step("open") as step:
        if network.products is not None:
            network.products.refuse_unchecked(step)
        own = {number: x.shares_of(number)[0] for number in network.helpers}
        right = {number: x.shares_of(number)[1] for number in network.helpers}
        received = _exchange_copies(
            network,
            {number: encode_columns(columns, x.rows) for number, columns in right.items()},
            {number: encode_columns(columns, x.rows) for number, columns in own.items()},
            x.width * bytes_per_column(x.rows),
        )
        missing = decode_received_columns(step, received, x.rows)
        number = next(iter(missing))
        return [
            a ^ b ^ c for a, b, c in zip(own[number], right[number], missing[number], strict=True)
        ]


def open_numbers(network: HelperPartyNetwork, x: SharedNumbers) -> list[int]:
    """The elements of `x` in the clear, to all helpers.

    One round; two ring elements per element and helper. Raises VerificationError when the two copies
    of the missing share differ, UncheckedProductError while products are pending.
    """
    network.check_owns(x)
    with network.step("open") as step:
        if network.products is not None:
            network.products.refuse_unchecked(step)
        own = {number: x.shares_of(number)[0] for number in network.helpers}
        right = {number: x.shares_of(number)[1] for number in network.helpers}
        received = _exchange_copies(
            network,
            {number: encode_elements(x.ring, numbers) for number, numbers in right.items()},
            {number: encode_elements(x.ring, numbers) for number, numbers in own.items()},
            x.count * x.ring.element_bytes,
        )
        missing = decode_received_numbers(step, received, x.ring)
        number, add = next(iter(missing)), x.ring.add
        return [
            add(add(a, b), c)
            for a, b, c in zip(own[number], right[number], missing[number], strict=True)
        ]


def _exchange_copies(
    network: HelperPartyNetwork,
    right_shares: Mapping[int, bytes],
    own_shares: Mapping[int, bytes],
    size: int,
) -> dict[int, bytes]:
    """Send everyone both copies of the share it lacks; return it once the copies agree."""
    from_right, from_left = network.exchange(right_shares, own_shares, size)
    failures: list[MisbehaviourError] = [
        VerificationError(network.path, "the two copies of the opened share differ", [number])
        for number in from_right
        if from_right[number] != from_left[number]
    ]
    raise_together(failures)
    return from_left
