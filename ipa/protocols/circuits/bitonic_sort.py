"""Oblivious sorting: Batcher's bitonic network (Batcher 1968; spec: Oblivious Sorting).

The network compares row i with row i XOR 2^j for a fixed sequence of j, whatever the data. The table
is kept as two halves, `low` and `high`, so that comparing is arithmetic between two tables: before
each stage index bit j of the rows is exchanged with the topmost one, which tells the halves apart.
The exchanges permute the bits of the row index; the permutation is remembered and undone at the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.comparison import bit_at_first_difference, first_difference_gates
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.bits import alternating
from ipa.sharing.joining import join_rows
from ipa.sharing.shared_bits import SharedBits


def bitonic_sort(network: HelperPartyNetwork, table: SharedBits, key_bits: int) -> SharedBits:
    """The rows of `table` in ascending order of the number in their lowest `key_bits` columns.

    The row count is a power of two. Which of two rows with equal keys comes first is not defined.

    Cost: for n = 2^k rows, W columns and a key of w bits, k(k + 1)/2 stages of 1 + ceil(log2 w) rounds
        and at most 2(w - 1) + W gates per pair of rows.
    Reveals: nothing.
    Raises: ParameterError when the row count is not a power of two or there is no such key.
    """
    depth = max(0, table.rows.bit_length() - 1)
    if table.rows != 1 << depth:
        raise ParameterError(f"sorting takes a power of two of rows, not {table.rows}")
    if not 1 <= key_bits <= table.width:
        raise ParameterError(f"a key of {key_bits} bits in a table of {table.width} columns")
    if depth == 0:
        return table
    with network.step("sort"):
        network.trace(table=table)
        halves = _Halves(
            table.take_rows(0, table.rows // 2),
            table.take_rows(table.rows // 2, table.rows),
            tuple(range(depth)),
        )
        for stage, (block, distance) in enumerate(bitonic_stages(depth)):
            with network.step(f"stage-{stage}"):
                halves = _bring_to_top(halves, distance)
                halves = _compare_exchange(network, halves, key_bits, block)
                if network.is_traced:
                    network.trace(table=_in_order(halves))
        return _in_order(halves)


def bitonic_sort_rounds(rows: int, key_bits: int) -> int:
    """How many rounds bitonic_sort takes for a power of two of rows."""
    depth = rows.bit_length() - 1
    return depth * (depth + 1) // 2 * (1 + (key_bits - 1).bit_length())


def bitonic_sort_gates(rows: int, key_bits: int, width: int, overhead: int = 0) -> int:
    """How many AND gates bitonic_sort takes for a power of two of rows.

    Counts `overhead` more for each product of columns.
    """
    depth = rows.bit_length() - 1
    per_pair = first_difference_gates(key_bits) + width
    return depth * (depth + 1) // 2 * (rows // 2 + overhead) * per_pair


def bitonic_stages(depth: int) -> Iterator[tuple[int, int]]:
    """(block, distance) of each stage for 2^depth rows, as powers of two.

    Rows 2^distance apart are compared; blocks of 2^block rows are sorted upwards where bit `block`
    of the row's index is 0 and downwards where it is 1.
    """
    for block in range(1, depth + 1):
        for distance in reversed(range(block)):
            yield block, distance


@dataclass(frozen=True)
class _Halves:
    """The rows whose topmost index bit is 0 and 1; `places[j]` is where bit j of the index is."""

    low: SharedBits
    high: SharedBits
    places: tuple[int, ...]


def _bring_to_top(halves: _Halves, bit: int) -> _Halves:
    """Exchange index bit `bit` with the one that tells the halves apart."""
    places = list(halves.places)
    top, place = len(places) - 1, places[bit]
    if place == top:
        return halves
    top_level = places.index(top)
    places[bit], places[top_level] = top, place
    low, high = halves.low, halves.high
    distance = 1 << place
    zero_here = [~alternating(low.rows, distance) & ((1 << low.rows) - 1)] * low.width
    moved = (low.successors(distance) ^ high).and_public(zero_here)
    return _Halves(low ^ moved.predecessors(distance), high ^ moved, tuple(places))


def _compare_exchange(
    network: HelperPartyNetwork, halves: _Halves, key_bits: int, block: int
) -> _Halves:
    """Put every pair of rows in order, upwards or downwards by the block it belongs to."""
    low, high = halves.low, halves.high
    with network.step("compare"):
        swap = bit_at_first_difference(network, low[:key_bits], high[:key_bits])
    if block < len(halves.places):
        swap = swap.xor_public([alternating(low.rows, 1 << halves.places[block])])
    with network.step("exchange"):
        moved = multiply(network, swap, low ^ high)
    return _Halves(low ^ moved, high ^ moved, halves.places)


def _in_order(halves: _Halves) -> SharedBits:
    """Undo the permutation of the index bits and put the halves together."""
    top = len(halves.places) - 1
    for bit in reversed(range(top)):
        # Bring to the top whichever bit belongs where `bit` is, then let `bit` go home.
        if halves.places[bit] != bit:
            halves = _bring_to_top(halves, bit)
            occupant = halves.places.index(bit)
            halves = _bring_to_top(halves, occupant)
    return join_rows(halves.low, halves.high)
