"""The PRSS keys of one run: each pair of helper parties makes its own over the connection between them."""

import hashlib
import secrets

from ipa.network.channel import Channel, Message, receive_expected
from ipa.parties import left_of, right_of
from ipa.sharing.prss import KEY_BYTES

CONTRIBUTION_BYTES = 32
STEP = "pairwise-keys"
_LABEL = b"ipa v1 pairwise key"


def agree_on_pairwise_keys(helper: int, channel: Channel) -> tuple[bytes, bytes]:
    """The keys (k_i, k_(i+1)) of helper i = `helper`, new for this run.

    k_i is a hash of 32 random bytes of helper i - 1 and 32 of helper i, which they send each other
    over their connection, and nobody else sees (SPEC_NOTES: run-keys).

    Cost: one round, 64 bytes for each helper.
    Reveals: to each neighbour the key that it is to know.
    Raises: ChannelError.
    """
    left, right = left_of(helper), right_of(helper)
    to_left, to_right = (secrets.token_bytes(CONTRIBUTION_BYTES) for _ in range(2))
    channel.send(Message(STEP, helper, left, to_left))
    channel.send(Message(STEP, helper, right, to_right))
    from_left = receive_expected(channel, STEP, left, helper, CONTRIBUTION_BYTES)
    from_right = receive_expected(channel, STEP, right, helper, CONTRIBUTION_BYTES)
    return (
        pairwise_key(helper, from_left, to_left),
        pairwise_key(right, to_right, from_right),
    )


def pairwise_key(number: int, of_left: bytes, of_own: bytes) -> bytes:
    """k_i for i = `number`, from what helper i - 1 and helper i drew."""
    return hashlib.sha256(_LABEL + bytes([number]) + of_left + of_own).digest()[:KEY_BYTES]
