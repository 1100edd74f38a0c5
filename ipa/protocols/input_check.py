"""Input consistency: the helpers compare what they hold in common before they use it."""

import hashlib
from collections.abc import Sequence

from ipa.errors import MisbehaviourError, VerificationError
from ipa.network import HelperPartyNetwork, raise_together
from ipa.sharing.bits import encode_columns
from ipa.sharing.replicated import SharedBits

_DIGEST_BYTES = 32


def check_inputs(network: HelperPartyNetwork, tables: Sequence[SharedBits], agreed: str) -> None:
    """Raise VerificationError unless neighbours hold equal copies of every share of `tables`.

    Share x_i is held by helper i and by its left neighbour. Each sends the other a SHA-256 digest of
    its copies of all tables, and of everything public that they must agree on: the name of the
    network, how it is checked, and `agreed`, the query's parameters. (Helpers that were told
    different parameters would put different constants into one circuit, which can release a wrong
    sum or let an abort depend on secrets; SPEC_NOTES: agreed-parameters.) One round, 64 bytes per
    helper. A digest says nothing to a neighbour that holds the same share.
    """
    log = network.products
    rules = "" if log is None else f"{log.bit_field!r} {log.batch_gates} {log.batch_numbers}"
    public = f"{len(network.name)} {network.name} {rules} {agreed}"
    with network.step("input-check") as step:
        own = {number: _digest(public, tables, number, 0) for number in network.helpers}
        right = {number: _digest(public, tables, number, 1) for number in network.helpers}
        from_right, from_left = network.exchange(own, right, _DIGEST_BYTES)
        failures: list[MisbehaviourError] = [
            VerificationError(
                step, "neighbours hold different input shares or parameters", [number]
            )
            for number in network.helpers
            if from_right[number] != right[number] or from_left[number] != own[number]
        ]
        raise_together(failures)


def _digest(public: str, tables: Sequence[SharedBits], helper: int, share: int) -> bytes:
    digest = hashlib.sha256(f"{len(public)} {public} ".encode())
    for table in tables:
        digest.update(f"{table.width} {table.rows} ".encode())
        digest.update(encode_columns(table.shares_of(helper)[share], table.rows))
    return digest.digest()
