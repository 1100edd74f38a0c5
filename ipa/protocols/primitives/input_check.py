"""Input consistency: the helpers compare what they hold in common before they use it."""

import hashlib
from collections.abc import Sequence

from ipa.errors import VerificationError
from ipa.network.helper_party_network import HelperPartyNetwork, raise_together
from ipa.sharing.bits import encode_columns
from ipa.sharing.shared_bits import SharedBits

_DIGEST_BYTES = 32
_LABEL = b"ipa v2 agreed"


def check_inputs(
    network: HelperPartyNetwork, tables: Sequence[SharedBits], agreed: Sequence[bytes]
) -> None:
    """Check that neighbours hold equal copies of every share of `tables`, and of all that is public.

    Share x_i is held by helper i and by its left neighbour. Each sends the other a SHA-256 digest of
    its copies of all tables, and of everything public that they must agree on: the name of the
    network, how products are checked, and all byte strings of `agreed`: of a query its parameters,
    those of its noise among them, and its ID. Helpers that were told different parameters would put
    different constants into one circuit, which can release a wrong sum or let an abort depend on
    secrets (SPEC_NOTES: agreed-parameters). What is hashed is given byte by byte in SPEC_NOTES.md,
    What helpers agree on.

    Cost: one round, 64 bytes per helper.
    Reveals: nothing. A digest says nothing to a neighbour that holds the same share.
    Raises: VerificationError when two copies differ.
    """
    rules = network.products.rules.to_bytes() if network.is_malicious_secure else b""
    public = b"".join(
        len(part).to_bytes(4, "big") + part
        for part in (_LABEL, network.name.encode(), rules, *agreed)
    )
    with network.step("input-check") as step:
        own = {helper: _digest(public, tables, helper, 0) for helper in network.helpers}
        right = {helper: _digest(public, tables, helper, 1) for helper in network.helpers}
        from_right, from_left = network.exchange(own, right, _DIGEST_BYTES)
        problem = "neighbours hold different input shares or parameters"
        raise_together(
            [
                VerificationError(step, problem, [helper])
                for helper in network.helpers
                if from_right[helper] != right[helper] or from_left[helper] != own[helper]
            ]
        )


def _digest(public: bytes, tables: Sequence[SharedBits], helper: int, share: int) -> bytes:
    digest = hashlib.sha256(public)
    for table in tables:
        digest.update(table.width.to_bytes(4, "big") + table.rows.to_bytes(8, "big"))
        digest.update(encode_columns(table.shares_of(helper)[share], table.rows))
    return digest.digest()
