"""Re-sharing: from one summand per helper to replicated shares (Araki et al. 2016, section 2.2).

Each helper holds one summand z_i of a secret and sends it to its left neighbour. The summands must
already be masked by a sharing of zero, or they show the neighbour something.
"""

from collections.abc import Mapping

from ipa.errors import ChannelError
from ipa.network.helper_party_network import HelperPartyNetwork, raise_together
from ipa.sharing.bits import Columns, bytes_per_column, decode_columns, encode_columns
from ipa.sharing.rings import Ring, decode_elements, encode_elements
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements


def reshare_columns(
    network: HelperPartyNetwork, summands: Mapping[int, Columns], width: int, rows: int
) -> SharedBits:
    """Replicated shares of a table of bits from each local helper's masked summand.

    Cost: one round. Each helper sends its summand; each column is rounded up to whole bytes.
    Reveals: nothing.
    Raises: ChannelError when a message is malformed.
    """
    if not network.hands_over:
        return reshare_in_bytes(network, summands, width, rows)[0]
    right = network.hand_left(summands, width * bytes_per_column(rows))
    shares = {helper: (summands[helper], right[helper]) for helper in right}
    return SharedBits(network.name, rows, width, shares)


def reshare_in_bytes(
    network: HelperPartyNetwork, summands: Mapping[int, Columns], width: int, rows: int
) -> tuple[SharedBits, dict[int, tuple[bytes, bytes]]]:
    """As reshare_columns, and each local helper's two shares as they travelled.

    Cost: one round. Each helper sends its summand; each column is rounded up to whole bytes.
    Reveals: nothing.
    Raises: ChannelError when a message is malformed.
    """
    size = width * bytes_per_column(rows)
    payloads = {helper: encode_columns(columns, rows) for helper, columns in summands.items()}
    if network.hands_over:
        own = {helper: (summands[helper], payload) for helper, payload in payloads.items()}
        right = network.hand_left(own, size)
    else:
        received = network.send_left(payloads, size)
        columns = decode_received_columns(network.path, received, rows)
        right = {helper: (columns[helper], payload) for helper, payload in received.items()}
    shares = {helper: (summands[helper], right[helper][0]) for helper in right}
    in_bytes = {helper: (payloads[helper], right[helper][1]) for helper in right}
    return SharedBits(network.name, rows, width, shares), in_bytes


def reshare_elements(
    network: HelperPartyNetwork, ring: Ring, summands: Mapping[int, list[int]], count: int
) -> SharedElements:
    """Replicated shares of a list of ring elements from each local helper's masked summand.

    Cost: one round. Each helper sends its summand.
    Reveals: nothing.
    Raises: ChannelError when a message is malformed.
    """
    payloads = {helper: encode_elements(ring, numbers) for helper, numbers in summands.items()}
    received = network.send_left(payloads, count * ring.element_bytes)
    right = decode_received_elements(network.path, received, ring)
    return SharedElements(
        network.name, ring, count, {helper: (summands[helper], right[helper]) for helper in right}
    )


def decode_received_columns(
    step: str, received: Mapping[int, bytes], rows: int
) -> dict[int, Columns]:
    """Each local helper's columns.

    Raises: ChannelError when bits beyond the last row are set.
    """
    tables = {helper: decode_columns(payload, rows) for helper, payload in received.items()}
    if rows < 8 * bytes_per_column(rows):
        failures = [
            ChannelError(step, "padding bits are set", [helper])
            for helper, columns in tables.items()
            if any(column >> rows for column in columns)
        ]
        raise_together(failures)
    return tables


def decode_received_elements(
    step: str, received: Mapping[int, bytes], ring: Ring
) -> dict[int, list[int]]:
    """Each local helper's ring elements.

    Raises: ChannelError when one is not in its canonical form.
    """
    lists = {helper: decode_elements(ring, payload) for helper, payload in received.items()}
    failures = [
        ChannelError(step, f"not an element of {ring.name}", [helper])
        for helper, numbers in lists.items()
        if not all(map(ring.contains, numbers))
    ]
    raise_together(failures)
    return lists
