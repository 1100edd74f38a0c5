"""Broadcast: everybody tells everybody the same, or everybody notices."""

import hashlib
from collections.abc import Mapping

from ipa.errors import VerificationError
from ipa.network.helper_party_network import HelperPartyNetwork, raise_together
from ipa.parties import HELPERS, left_of, right_of

_DIGEST_BYTES = 32


def broadcast(
    network: HelperPartyNetwork, messages: Mapping[int, bytes], size: int
) -> dict[int, bytes]:
    """The messages of all three helpers, the same ones for every helper.

    `messages` has those of the local helpers, each `size` bytes. In the first round everybody sends
    its message to both others; in the second it sends a SHA-256 digest of all three, its own too,
    and compares. Two honest helpers that go on have thus received the same. Source: the echo
    broadcast with abort of Goldwasser and Lindell 2005, for three parties.

    Cost: two rounds; twice `size` and 64 bytes for each helper.
    Reveals: the messages, to all helpers.
    Raises: VerificationError, step `echo`, when somebody was told something else.
    """
    with network.step("broadcast"):
        from_right, from_left = network.exchange(messages, messages, size)
    views = {
        helper: {
            helper: messages[helper],
            right_of(helper): from_right[helper],
            left_of(helper): from_left[helper],
        }
        for helper in network.helpers
    }
    with network.step("echo") as step:
        digests = {helper: _digest(view) for helper, view in views.items()}
        from_right, from_left = network.exchange(digests, digests, _DIGEST_BYTES)
        failures = [
            VerificationError(step, "the helpers were not all told the same", [helper])
            for helper, digest in digests.items()
            if from_right[helper] != digest or from_left[helper] != digest
        ]
        raise_together(failures)
    return next(iter(views.values()))


def _digest(view: Mapping[int, bytes]) -> bytes:
    return hashlib.sha256(b"".join(view[helper] for helper in HELPERS)).digest()
