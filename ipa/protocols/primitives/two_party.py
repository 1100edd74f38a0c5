"""Two-party sharing: x = a ^ b from the client, one share each for H1 and H2 (spec: Two Party Secret
Sharing), made a replicated sharing of the three helpers.

With r the random bits that H1 and H2 have in common from PRSS,

    x1 = a ^ r  (H1, who sends it to H3)    x2 = r  (H1 and H2)    x3 = b  (H2, who sends it to H3)

so that x1 ^ x2 ^ x3 = a ^ b. H3 sees b and a masked by r, H1 and H2 receive nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ipa.errors import MismatchError
from ipa.network.helper_party_network import HelperPartyNetwork, Route
from ipa.protocols.primitives.resharing import decode_received_columns
from ipa.sharing.bits import Columns, bytes_per_column, encode_columns
from ipa.sharing.shared_bits import ColumnPair, SharedBits
from ipa.sharing.xor import TWO_PARTY_HOLDERS

_RECEIVER = 3
_ROUTES = tuple((shareholder, _RECEIVER) for shareholder in TWO_PARTY_HOLDERS)


@dataclass(frozen=True)
class TwoPartyBits:
    """A secret table of bits x = a ^ b: H1 holds the columns of a, H2 those of b, H3 nothing.

    `shares` has the columns of the local shareholders: none in a process that runs H3 alone.

    Raises: MismatchError when a helper's columns are not `width` columns of `rows` bits.
    """

    network_name: str
    rows: int
    width: int
    shares: Mapping[int, Columns] = field(repr=False)

    def __post_init__(self) -> None:
        for helper, columns in self.shares.items():
            if helper not in TWO_PARTY_HOLDERS:
                raise MismatchError(f"helper {helper} has no share of a two-party sharing")
            if len(columns) != self.width or any(column >> self.rows for column in columns):
                raise MismatchError(
                    f"helper {helper}'s share is not {self.width} columns of {self.rows} rows"
                )


def replicate_two_party(network: HelperPartyNetwork, x: TwoPartyBits) -> SharedBits:
    """The same table in replicated shares.

    A corrupted H1 or H2 can add what it likes to its share, here or before, and nobody notices:
    with two shares there is no second copy to compare, so each of them is trusted with the
    correctness of the input as the client is (SPEC_NOTES: two-party). H3 has no influence.

    Cost: one round; H1 and H2 each send the table once, a bit for every shared bit, in columns of
    whole bytes.
    Reveals: nothing to any one helper.
    Raises: ChannelError. MismatchError when the share of a local shareholder is missing, or the
    table is another network's.
    """
    network.check_owns(x)
    missing = [h for h in TWO_PARTY_HOLDERS if h in network.helpers and h not in x.shares]
    if missing:
        raise MismatchError(f"the share of helper {missing[0]} is missing")
    with network.step("two-party") as step:
        shares: dict[int, ColumnPair] = {}
        payloads: dict[Route, bytes] = {}
        if 1 in network.helpers:
            _, mask = network.parties[1].prss.random_columns(step, x.width, x.rows)
            masked = [a ^ r for a, r in zip(x.shares[1], mask, strict=True)]
            payloads[1, _RECEIVER] = encode_columns(masked, x.rows)
            shares[1] = masked, mask
        if 2 in network.helpers:
            mask, _ = network.parties[2].prss.random_columns(step, x.width, x.rows)
            payloads[2, _RECEIVER] = encode_columns(x.shares[2], x.rows)
            shares[2] = mask, x.shares[2]
        size = x.width * bytes_per_column(x.rows)
        received = network.send_along(_ROUTES, payloads, size)
        if _RECEIVER in network.helpers:
            first, second = (
                decode_received_columns(step, {_RECEIVER: received[route]}, x.rows)[_RECEIVER]
                for route in _ROUTES
            )
            shares[_RECEIVER] = second, first
        return SharedBits(x.network_name, x.rows, x.width, shares)
