"""Comparing reports: which rows all helpers can use, and hold the same shares of.

Spec: Validating reports; Generating source and trigger reports ("consistency"). A report collector
or a client can send the helpers reports that do not belong together. Each helper sees only its own,
so they compare; what comes out is a function of what all of them broadcast, and therefore the same
at all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ipa.errors import VerificationError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parties import HELPERS, right_of
from ipa.protocols.primitives.broadcast import broadcast
from ipa.sharing.prss import TAG_BYTES

Copies = tuple[Sequence[bytes], Sequence[bytes]]
"""One helper's copies of every row's share i, and of share i + 1, as bytes."""


@dataclass(frozen=True)
class ComparedRows:
    """What all helpers know of every row: a status byte from each helper, and who differs.

    `statuses[h - 1][row]` is what helper h says of the row; `differing` are the rows of which two
    helpers hold different copies of a share.
    """

    statuses: tuple[bytes, ...]
    differing: frozenset[int]


def compare_rows(
    network: HelperPartyNetwork,
    rows: int,
    statuses: Mapping[int, bytes],
    copies: Mapping[int, Copies],
) -> ComparedRows:
    """Tell each other the status of every row, and compare the copies of every share.

    `statuses` and `copies` are the local helpers': a byte and two byte strings per row. A share is
    compared by 8-byte tags under the key of its two holders (Prss.tags): the third helper, who sees
    them too, learns nothing of it, and copies that differ pass with probability 2^-64.

    A helper that lies can declare rows different, which drops them. It cannot make the two others
    use different copies of the share that both hold.

    Cost: two rounds; each helper sends 34 bytes for every row, and 64 bytes.
    Reveals: the statuses, and which rows differ.
    Raises: VerificationError when a helper does not tell everybody the same.
    """
    with network.step("rows") as step:
        messages = {}
        for helper, party in network.parties.items():
            own, right = party.prss.tags(step, *copies[helper])
            messages[helper] = statuses[helper] + own + right
        told = broadcast(network, messages, rows * (1 + 2 * TAG_BYTES))
    said = {helper: _Told.of(told[helper], rows) for helper in HELPERS}
    differing = [
        row
        for helper in HELPERS
        for row in _different_tags(said[helper].right_tags, said[right_of(helper)].own_tags)
    ]
    return ComparedRows(tuple(said[helper].statuses for helper in HELPERS), frozenset(differing))


def compare_repeats(
    network: HelperPartyNetwork, rows: Sequence[int], repeats: Mapping[int, bytes]
) -> frozenset[int]:
    """Which of the rows repeat an earlier one of them, to any of the helpers.

    `repeats` are the local helpers': a byte per row, 1 if it does. The rows must be those that all
    helpers can use: a row that is to be dropped anyway might be a copy of one good row to one helper
    and of another to the next, and take them with it. A helper that lies can drop rows.

    Cost: two rounds; each helper sends two bytes for every row, and 64 bytes.
    Reveals: the bytes.
    Raises: VerificationError when a helper does not tell everybody the same, or tells another byte.
    """
    with network.step("repeats") as step:
        told = broadcast(network, repeats, len(rows))
        if any(set(said) - {0, 1} for said in told.values()):
            raise VerificationError(step, "a helper told neither yes nor no", network.helpers)
    return frozenset(
        row
        for row, *said in zip(rows, *(told[helper] for helper in HELPERS), strict=True)
        if any(said)
    )


@dataclass(frozen=True)
class _Told:
    """One helper's broadcast, taken apart."""

    statuses: bytes
    own_tags: bytes = field(repr=False)
    right_tags: bytes = field(repr=False)

    @classmethod
    def of(cls, message: bytes, rows: int) -> "_Told":
        """What is in another helper's message."""
        middle = rows * (1 + TAG_BYTES)
        return cls(message[:rows], message[rows:middle], message[middle:])


def _different_tags(first: bytes, second: bytes) -> list[int]:
    """The rows whose tags differ; usually none, which one comparison tells."""
    if first == second:
        return []
    starts = range(0, len(first), TAG_BYTES)
    return [
        row
        for row, start in enumerate(starts)
        if first[start : start + TAG_BYTES] != second[start : start + TAG_BYTES]
    ]
