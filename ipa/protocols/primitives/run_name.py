"""A name for a run that no run before can have had, agreed on by helpers in processes of their own.

All randomness that the helpers have in common depends on the name of the run, so it must never come
again under the same pairwise keys (SPEC_NOTES: fresh-session).
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping

from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.parties import HELPERS
from ipa.protocols.primitives.broadcast import broadcast

NONCE_BYTES = 32
_LABEL = b"ipa v1 run name"


def agree_on_run_name(parties: Iterable[HelperParty]) -> str:
    """A new name for a run, the same for all three helpers, from a nonce of each.

    `parties` are the local helper parties, with their ends of the channels. The name is a hash of the
    three nonces, so one honest helper's nonce is enough to make it new, whatever the others send
    (SPEC_NOTES: run-name). Nothing is drawn from the pairwise keys.

    Cost: two rounds, 128 bytes for each helper.
    Reveals: the nonces and the name, to all helpers.
    Raises: VerificationError when a helper does not tell both others the same nonce; ChannelError.
    """
    # No message shows this network's name, and it is not that of the others.
    network = HelperPartyNetwork(f"nonces-{secrets.token_hex(16)}", parties)
    return name_from_nonces(
        network, {helper: secrets.token_bytes(NONCE_BYTES) for helper in network.helpers}
    )


def name_from_nonces(network: HelperPartyNetwork, nonces: Mapping[int, bytes]) -> str:
    """The name that comes of the nonces of the local helpers, 32 bytes each, and of those they are told.

    Cost: two rounds, 128 bytes for each helper.
    Reveals: the nonces and the name, to all helpers.
    Raises: VerificationError when a helper does not tell both others the same nonce; ChannelError.
    """
    with network.step("run-name"):
        told = broadcast(network, nonces, NONCE_BYTES)
    digest = hashlib.sha256(_LABEL + b"".join(told[helper] for helper in HELPERS))
    return f"run-{digest.hexdigest()}"
