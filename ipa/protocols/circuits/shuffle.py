"""The verified shuffle: the rows of a table in an order that nobody knows.

Three passes, each with a uniform permutation that two helpers draw from the randomness they have in
common and the third does not know: every helper misses one of the three, so that to it the whole
permutation is uniform. Source: Araki et al. 2021 (CCS, "Secure Graph Analysis at Scale"), section
5.2, for helpers that follow the protocol. With p_i and m_i the permutation and the mask that come
from the pairwise key k_i, and the row shares x1, x2, x3:

    H1  u = p2(x1 ^ x2 ^ m2)                 H2  w = p2(x3 ^ m2)
        v = p1(u ^ m1), to H2                    w, to H3
    H2  c = p3(v) ^ y2, to H3                H3  d = p3(p1(w ^ m1)) ^ y1, to H2

y1 and y2 are fresh random bits of k_1 and k_2, and y3 = c ^ d. What a helper receives is masked by
bits it does not know: v by m1, w by m2, c by y2, d by y1. (The paper's third mask, of k_3, is left
out: both who would add it know it, and it cancels in y3.)

Against a helper that deviates every row carries a tag, the sum of k_j w_j over its words w_j, under
keys k_j in GF(2^64) that nobody knows. All that such a helper can do is to send a message that differs
from the right one, which it could compute, by some e: an error that it knows, on rows and tags,
whatever the rows are. Once every message has arrived the keys are opened, and the helpers compare

    L(u) at H1 with L(w) at H2 and at H3;  L(v) at H2 with L(p1(w ^ m1)) at H3;
    L(y1 ^ y2) at H1 with L(y3) at H2 and at H3

where L(row, tag) = sum of k_j w_j ^ tag is linear and zero for a row with its tag. An error passes
when L(e) = 0: with probability 2^-64 over the keys, which are independent of e. Otherwise the run
aborts, whatever the rows are (SPEC_NOTES: shuffle). A test of the rows as a multiset would not do: a
helper could swap parts of two rows, and learn from the abort whether they are equal.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from operator import add, xor

from ipa.errors import MisbehaviourError, VerificationError
from ipa.network.helper_party_network import HelperPartyNetwork, Route, raise_together
from ipa.protocols.primitives.abort import wait_for_everybody
from ipa.protocols.primitives.opening import open_elements
from ipa.protocols.primitives.resharing import decode_received_columns
from ipa.protocols.verification.product_check import check_products
from ipa.sharing.bits import (
    Columns,
    bytes_per_column,
    bytes_per_row,
    columns_from_table,
    encode_columns,
    table_from_columns,
)
from ipa.sharing.prss import Prss
from ipa.sharing.rows.permutation import Permutation, move_rows, split_rows
from ipa.sharing.rows.row_tags import tag_errors, tag_summand, words_per_row
from ipa.sharing.rows.shared_rows import SharedRows
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements
from ipa.sharing.verification.binary_field import BinaryField

_TAG_ROUTES: tuple[Route, ...] = ((3, 2),)
_FIRST_ROUTES: tuple[Route, ...] = ((1, 2), (2, 3))
_LAST_ROUTES: tuple[Route, ...] = ((2, 3), (3, 2))
_PERMUTATIONS, _MASK_2, _MASK_1, _SHARES = range(4)  # what is drawn in one step

_FIRST, _SECOND, _FINAL = range(3)
_COMPARED: Mapping[Route, tuple[int, ...]] = {
    (1, 2): (_FIRST, _FINAL),
    (2, 1): (_FIRST, _FINAL),
    (1, 3): (_FIRST, _FINAL),
    (3, 1): (_FIRST, _FINAL),
    (2, 3): (_SECOND,),
    (3, 2): (_SECOND,),
}
"""Which lists a helper compares with which other."""

_DIGEST_BYTES = 32


@dataclass(frozen=True)
class _Passed:
    """What the passes leave at each local helper, as joined row strings of `size` bytes.

    `shares` are its shares of the new table; `lists` its summands of the table after the first, the
    second and the last pass, where another helper holds the only other one.
    """

    size: int
    shares: dict[int, tuple[bytes, bytes]]
    lists: dict[int, dict[int, bytes]]


@dataclass(frozen=True)
class _Drawn:
    """What one helper draws for the passes: `own` of the key k_i, `right` of k_(i+1)."""

    prss: Prss
    step: str
    size: int
    own_order: Permutation
    right_order: Permutation

    def mask_own(self, packed: bytes, index: int) -> bytes:
        """The rows, masked by what the helper has in common with its left neighbour."""
        return self.prss.masked_bytes(self.step, packed, b"", index)[0]

    def mask_right(self, packed: bytes, index: int) -> bytes:
        """The rows, masked by what it has in common with its right neighbour."""
        return self.prss.masked_bytes(self.step, b"", packed, index)[1]

    def move_own(self, packed: bytes) -> bytes:
        """The rows in the order of the permutation of k_i."""
        return move_rows(split_rows(packed, self.size), self.own_order)

    def move_right(self, packed: bytes) -> bytes:
        """The rows in the order of the permutation of k_(i+1)."""
        return move_rows(split_rows(packed, self.size), self.right_order)


def shuffle(network: HelperPartyNetwork, table: SharedBits) -> SharedRows:
    """The rows of `table` in a uniformly random order, with fresh shares.

    In a malicious-secure network whatever products are pending are checked first, then the rows are
    tagged, and afterwards compared by their tags; tags and keys are dropped.

    Cost: 2 rounds; four row strings for each row, over all helpers. Malicious-secure: 6 rounds;
    row strings are 8 bytes longer, and 8 bytes for each row are sent before.
    Reveals: nothing, unless two helpers collude.
    Raises: VerificationError, step `compare`, at each honest helper whose rows do not agree with a
    neighbour's; ChannelError for a message that is not the expected one.
    """
    network.check_owns(table)
    with network.step("shuffle"):
        summands, size = _two_summands(table), bytes_per_row(table.width)
        if not network.is_malicious_secure:
            passed = _pass_thrice(network, summands, table.rows, size)
            return _drop_tags(network, passed, table, 0)
        check_products(network)
        field = network.products.rules.bit_field
        keys, tags = _tag_rows(network, field, table)
        tagged = {helper: columns + tags[helper] for helper, columns in summands.items()}
        tag_bytes = field.element_bytes
        passed = _pass_thrice(network, tagged, table.rows, size + tag_bytes)
        with network.step("keys"):
            wait_for_everybody(network)
            opened = open_elements(network, keys)
        _compare(network, field, opened, passed)
        return _drop_tags(network, passed, table, tag_bytes)


def _two_summands(table: SharedBits) -> dict[int, Columns]:
    """H1's x1 ^ x2 and H2's x3, with zero columns up to whole bytes, to tag all that is sent."""
    padding = [0] * (-table.width % 8)
    summands = {}
    if 1 in table.holders:
        summands[1] = list(map(xor, *table.shares_of(1))) + padding
    if 2 in table.holders:
        summands[2] = table.shares_of(2)[1] + padding
    return summands


def _tag_rows(
    network: HelperPartyNetwork, field: BinaryField, table: SharedBits
) -> tuple[SharedElements, dict[int, Columns]]:
    """Secret random keys, and summands of the rows' tags under them at H1 and at H2.

    H3 sends H2 its own summand, masked by k_1. The products are not checked: an error in a tag is
    one more error that its maker knows.
    """
    rows, count = table.rows, words_per_row(field, 8 * bytes_per_row(table.width))
    with network.step("tag") as step:
        keys: dict[int, tuple[list[int], list[int]]] = {}
        tags: dict[int, Columns] = {}
        for helper, party in network.parties.items():
            keys[helper] = party.prss.random_elements(step, field, count, 0)
            summand = tag_summand(field, keys[helper], table.shares_of(helper), rows)
            zero = party.prss.zero_columns(step, field.degree, rows, 1)
            tags[helper] = list(map(xor, summand, zero))
        sent = {(3, 2): encode_columns(tags[3], rows)} if 3 in tags else {}
        received = network.send_along(_TAG_ROUTES, sent, field.degree * bytes_per_column(rows))
        if 2 in tags:
            third = decode_received_columns(step, {2: received[3, 2]}, rows)[2]
            tags[2] = list(map(xor, tags[2], third))
    return SharedElements(network.name, field, count, keys), tags


def _pass_thrice(
    network: HelperPartyNetwork, summands: Mapping[int, Columns], rows: int, size: int
) -> _Passed:
    """The messages of the module's table; row strings travel joined."""
    blank = bytes(size * rows)
    lists: dict[int, dict[int, bytes]] = {helper: {} for helper in network.helpers}
    with network.step("pass") as step:
        drawn, shares = {}, {}
        for helper, party in network.parties.items():
            orders = party.prss.random_permutations(step, rows, _PERMUTATIONS)
            drawn[helper] = _Drawn(party.prss, step, size, *orders)
            shares[helper] = party.prss.masked_bytes(step, blank, blank, _SHARES)
        packed = {helper: table_from_columns(columns, rows) for helper, columns in summands.items()}
        with network.step("first"):
            sent = _first_messages(drawn, packed, lists)
            received = network.send_along(_FIRST_ROUTES, sent, len(blank))
        with network.step("last"):
            sent = _last_messages(drawn, received, shares, lists)
            received = network.send_along(_LAST_ROUTES, sent, len(blank))
        for sender, receiver in received:
            third = _xor(sent[receiver, sender], received[sender, receiver])
            own, right = shares[receiver]
            shares[receiver] = (own, third) if receiver == 2 else (third, right)
            lists[receiver][_FINAL] = third
    if 1 in shares:
        lists[1][_FINAL] = _xor(*shares[1])
    return _Passed(size, shares, lists)


def _first_messages(
    drawn: Mapping[int, _Drawn], packed: Mapping[int, bytes], lists: dict[int, dict[int, bytes]]
) -> dict[Route, bytes]:
    """v and w, from H1's and H2's summands of the table."""
    sent = {}
    if 1 in drawn:
        one = drawn[1]
        u = lists[1][_FIRST] = one.move_right(one.mask_right(packed[1], _MASK_2))
        sent[1, 2] = one.move_own(one.mask_own(u, _MASK_1))
    if 2 in drawn:
        two = drawn[2]
        sent[2, 3] = lists[2][_FIRST] = two.move_own(two.mask_own(packed[2], _MASK_2))
    return sent


def _last_messages(
    drawn: Mapping[int, _Drawn],
    received: Mapping[Route, bytes],
    shares: Mapping[int, tuple[bytes, bytes]],
    lists: dict[int, dict[int, bytes]],
) -> dict[Route, bytes]:
    """c and d, from v and w and the new shares y2 and y1."""
    sent = {}
    if 2 in drawn:
        v = lists[2][_SECOND] = received[1, 2]
        sent[2, 3] = _xor(drawn[2].move_right(v), shares[2][0])
    if 3 in drawn:
        w, three = received[2, 3], drawn[3]
        moved = three.move_right(three.mask_right(w, _MASK_1))
        lists[3] = {_FIRST: w, _SECOND: moved}
        sent[3, 2] = _xor(three.move_own(moved), shares[3][1])
    return sent


def _xor(a: bytes, b: bytes) -> bytes:
    total = int.from_bytes(a, "little") ^ int.from_bytes(b, "little")
    return total.to_bytes(len(a), "little")


def _compare(
    network: HelperPartyNetwork, field: BinaryField, keys: list[int], passed: _Passed
) -> None:
    """Compare L of each list with that of the other summand: their XOR is L of tagged rows, zero."""
    with network.step("compare") as step:
        digests: dict[Route, bytes] = {}
        for helper, lists in passed.lists.items():
            errors = {
                stage: _errors(field, keys, packed, passed.size) for stage, packed in lists.items()
            }
            for (sender, receiver), stages in _COMPARED.items():
                if sender == helper:
                    joined = b"".join([errors[stage] for stage in stages])
                    digests[sender, receiver] = hashlib.sha256(joined).digest()
        received = network.send_along(tuple(_COMPARED), digests, _DIGEST_BYTES)
        failures: list[MisbehaviourError] = [
            VerificationError(step, "rows were changed in the shuffle", [receiver])
            for (sender, receiver), digest in received.items()
            if digest != digests[receiver, sender]
        ]
        raise_together(failures)


def _errors(field: BinaryField, keys: list[int], packed: bytes, size: int) -> bytes:
    rows = len(packed) // size
    columns = columns_from_table(packed, rows, 8 * size)
    return encode_columns(tag_errors(field, keys, columns, rows), rows)


def _drop_tags(
    network: HelperPartyNetwork, passed: _Passed, table: SharedBits, tag_bytes: int
) -> SharedRows:
    shares = {}
    for helper, pair in passed.shares.items():
        own, right = (split_rows(packed, passed.size, tag_bytes) for packed in pair)
        shares[helper] = list(map(add, own, right))
    return SharedRows(network.name, table.rows, table.width, shares)
