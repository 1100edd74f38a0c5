"""Inputs of the helpers themselves: what a helper chose, made a shared value.

Helper i hides its value x under a mask r that it has in common with its right neighbour, and shares

    x_i = x ^ r  (helper i, who sends it to its left neighbour)    x_(i+1) = r    x_(i+2) = 0

so that only the left neighbour hears anything, and nothing that it could tell from random bits. The
two copies of each share are held by honest helpers or by the one whose input it is: whatever a
corrupted helper sends is its input.
"""

from collections.abc import Mapping

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parties import HELPERS, right_of
from ipa.protocols.primitives.resharing import decode_received_columns
from ipa.sharing.bits import Columns, bytes_per_column, encode_columns
from ipa.sharing.shared_bits import ColumnPair, SharedBits


def share_own_columns(
    network: HelperPartyNetwork, own: Mapping[int, Columns], width: int, rows: int
) -> list[SharedBits]:
    """Three tables: the inputs of helpers 1, 2 and 3. `own` has the columns of the local helpers.

    Cost: one round; each helper sends one bit for each bit of its table, columns rounded up to whole
    bytes.
    Reveals: nothing.
    Raises: ChannelError for a message that is not the expected one.
    """
    with network.step("share-inputs") as step:
        masks = {
            helper: party.prss.random_columns(step, width, rows)
            for helper, party in network.parties.items()
        }
        masked = {
            helper: [x ^ r for x, r in zip(own[helper], masks[helper][1], strict=True)]
            for helper in network.helpers
        }
        payloads = {helper: encode_columns(columns, rows) for helper, columns in masked.items()}
        received = network.send_left(payloads, width * bytes_per_column(rows))
        from_right = decode_received_columns(step, received, rows)
    zeros = [0] * width

    def shares_of(helper: int, owner: int) -> ColumnPair:
        """What a helper holds of the owner's input: its share of its own number, and the next."""
        if helper == owner:
            return masked[helper], masks[helper][1]
        if helper == right_of(owner):
            return masks[helper][0], zeros
        return zeros, from_right[helper]

    return [
        SharedBits(
            network.name,
            rows,
            width,
            {helper: shares_of(helper, owner) for helper in network.helpers},
        )
        for owner in HELPERS
    ]
