"""Segmented scans: running over the rows of a group in O(log n) rounds.

A group is a run of rows; `same[r]` is 1 where row r belongs to the group of row r - 1. `longest` is the
most rows that a group has, where that is known to be fewer than there are rows; n is the smaller of
the two.

With few rows every row takes in the row 2^i before it in pass i, as in the attribution of the spec: log2 n
passes. With many rows neighbouring rows are joined to pairs, and pairs are scanned in the same way, until
they are few (Brent and Kung 1982; SPEC_NOTES: fewest-gates). The last row of a pair ends where the pair
ends, so its result is the pair's; the first row takes in that of the pair before. So a row takes in
another about twice in all, not log2 n times, in twice as many rounds. A group of n rows has at most
ceil(n / 2) pairs of which all but the first are wholly in it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.circuits.addition import add, are_many
from ipa.protocols.circuits.constants import public_number, zero_extend
from ipa.protocols.circuits.equality import all_ones
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan_sizes import bits_of_totals, longest_group
from ipa.sharing.joining import interleave_rows, join_columns, join_rows
from ipa.sharing.shared_bits import SharedBits


@dataclass(frozen=True)
class _Rule:
    """How a row takes in the result of its neighbour, where it goes on from there.

    `offered`, of its own value and the neighbour's, is what it is given if it goes on, else 0; `taken` makes
    of its own value and what it was given a value of `width` columns at most.
    """

    width: int
    offered: Callable[[SharedBits, SharedBits], SharedBits]
    taken: Callable[[HelperPartyNetwork, SharedBits, SharedBits, int], SharedBits]


def running_totals(
    network: HelperPartyNetwork,
    same: SharedBits,
    values: SharedBits,
    width: int | None = None,
    longest: int | None = None,
) -> SharedBits:
    """For each row the sum of its group's values up to and including it, modulo 2^width.

    `width` is at least that of the values, which is what it is if it is not given; it must be enough for
    the largest total. Sums of 2^i values are i bits wider than the values, until they have the width.

    Cost: ceil(log2 n) passes of one round and an addition, with w + 1 gates per row and those of the
        addition; with many rows up to twice as many rounds, and in all about two such passes' gates:
        running_totals_gates.
    Reveals: nothing.
    """
    width = values.width if width is None else width
    most = longest_group(values.rows, longest)
    needed = bits_of_totals(values.width, width, most)
    with network.step("running-totals"):
        totals = _scan(network, same, values, _sums(needed), most)
        return zero_extend(network, totals, width)


def totals_to_come(
    network: HelperPartyNetwork,
    goes_on: SharedBits,
    values: SharedBits,
    width: int,
    longest: int | None = None,
) -> SharedBits:
    """For each row the sum of the values from it to the end of its run, modulo 2^width.

    A run goes on behind the rows where `goes_on` is 1.

    Cost: that of running_totals.
    Reveals: nothing.
    """
    with network.step("running-totals"):
        most = longest_group(values.rows, longest)
        return _scan(network, goes_on, values, _sums(width), most, backwards=True)


def look_ahead(
    network: HelperPartyNetwork, flag: SharedBits, credit: SharedBits, distance: int, width: int
) -> tuple[SharedBits, SharedBits]:
    """One pass of totals_to_come with few rows: flag and credit after each row has looked ahead.

    `flag` is 1 where a row takes in the credit of the row `distance` rows further, and 0 in the last
    `distance` rows. The new credit has `width` columns, at least as many as the old one.

    Cost: a round and an addition of `width` columns; 1 + (the width of credit) gates per row and those of
        the addition.
    Reveals: nothing.
    """
    return _look(network, flag, credit, _sums(width), distance, width, backwards=True)


def saturating_totals(
    network: HelperPartyNetwork,
    same: SharedBits,
    values: SharedBits,
    limit_bits: int,
    longest: int | None = None,
) -> SharedBits:
    """Running totals that are exact below 2^limit_bits; others are only known to be no less.

    The column above those says that a total is too large; what is below has then no meaning. Where
    the values have no more than one bit above `limit_bits`, that of them is the total's highest bit.

    Cost: ceil(log2 (w - limit_bits)) rounds and w - limit_bits - 1 gates per row for values of w bits; then
        as running_totals, passes of three rounds and an addition of limit_bits + 1 bits, with
        limit_bits + 4 gates per row and those of the addition.
    Reveals: nothing.
    """
    with network.step("running-totals"):
        too_large = ~all_ones(network, ~values[limit_bits:])
        values = join_columns(values[:limit_bits], too_large)
        rule = _Rule(values.width, lambda own, other: other, _saturated_sum)
        return _scan(network, same, values, rule, longest_group(values.rows, longest))


def nearest_before(
    network: HelperPartyNetwork,
    same: SharedBits,
    marked: SharedBits,
    values: SharedBits,
    longest: int | None = None,
) -> SharedBits:
    """For each row the value of the nearest marked row at or before it in its group.

    One column more on top says whether there is one; where there is none the value is 0. `marked`
    is one column.

    Cost: 2 + ceil(log2 n) rounds; w + 1 gates per row, and w + 2 per row and pass. With many rows twice
        as many rounds, and about two such passes' gates.
    Reveals: nothing.
    """
    with network.step("nearest-before"):
        goes_on = multiply(network, ~marked, same)
        found = join_columns(multiply(network, marked, values), marked)
        most = longest_group(values.rows, longest)
        return _scan(network, goes_on, found, _copies(found.width), most)


def nearest_after(
    network: HelperPartyNetwork, same: SharedBits, marked: SharedBits, values: SharedBits
) -> SharedBits:
    """The same for the nearest marked row at or after each row in its group.

    Cost: that of nearest_before.
    Reveals: nothing.
    """
    with network.step("nearest-after"):
        goes_on = multiply(network, ~marked, same.successors(1))
        found = join_columns(multiply(network, marked, values), marked)
        rule = _copies(found.width)
        return _scan(network, goes_on, found, rule, values.rows, backwards=True)


def last_of_group(
    network: HelperPartyNetwork, same: SharedBits, values: SharedBits, longest: int | None = None
) -> SharedBits:
    """For each row the value in the last row of its group.

    Cost: ceil(log2 n) rounds; w + 1 gates per row in each. With many rows twice as many rounds, and about
        the gates of two.
    Reveals: nothing.
    """
    with network.step("last-of-group"):
        most = longest_group(values.rows, longest)
        rule = _copies(values.width)
        return _scan(network, same.successors(1), values, rule, most, backwards=True)


def _scan(
    network: HelperPartyNetwork,
    goes_on: SharedBits,
    values: SharedBits,
    rule: _Rule,
    most: int,
    *,
    backwards: bool = False,
) -> SharedBits:
    """The results of all rows: each takes in that of the row before it (after it) where it goes on."""
    rows = values.rows
    if most < 2:
        return zero_extend(network, values, rule.width)
    if not are_many(rows):
        return _scan_in_passes(network, goes_on, values, rule, most, backwards)
    if rows % 2:
        goes_on, values = (_with_a_row_more(network, table) for table in (goes_on, values))
    flags, tables = goes_on.every_other_row(), values.every_other_row()
    first, last = (1, 0) if backwards else (0, 1)
    most_pairs = (most + 1) // 2
    go_on = flags[first] if most_pairs > 1 else flags[first][:0]
    offered = join_columns(go_on, rule.offered(tables[last], tables[first]))
    given = multiply(network, flags[last], offered)
    wider = min(rule.width, values.width + 1)
    joined = rule.taken(network, tables[last], given[go_on.width :], wider)
    if most_pairs > 1:
        joined = _scan(network, given[0], joined, rule, most_pairs, backwards=backwards)
    neighbours = _from(joined, 1, backwards)
    given = multiply(network, flags[first], rule.offered(tables[first], neighbours))
    results = rule.taken(network, tables[first], given, rule.width)
    joined = zero_extend(network, joined, rule.width)
    ordered = (joined, results) if backwards else (results, joined)
    return interleave_rows(*ordered).take_rows(0, rows)


def _scan_in_passes(
    network: HelperPartyNetwork,
    goes_on: SharedBits,
    values: SharedBits,
    rule: _Rule,
    most: int,
    backwards: bool,
) -> SharedBits:
    """The same: after the pass with a distance, each row has taken in twice that many, itself included.

    The flag of a pass says whether a row takes in the one at that distance.
    """
    distance = 1
    while distance < most:
        wider = min(rule.width, values.width + 1)
        goes_on, values = _look(network, goes_on, values, rule, distance, wider, backwards)
        distance *= 2
    return zero_extend(network, values, rule.width)


def _look(
    network: HelperPartyNetwork,
    flag: SharedBits,
    values: SharedBits,
    rule: _Rule,
    distance: int,
    width: int,
    backwards: bool,
) -> tuple[SharedBits, SharedBits]:
    """One pass: the flags of the next one, and the values with what flagged rows took in."""
    flags, neighbours = (_from(table, distance, backwards) for table in (flag, values))
    given = multiply(network, flag, join_columns(flags, rule.offered(values, neighbours)))
    values = rule.taken(network, values, given[1:], width)
    network.trace(flag=flag, result=values)
    return given[0], values


def _from(table: SharedBits, distance: int, backwards: bool) -> SharedBits:
    """For each row the row so far before it, or after it if backwards."""
    return table.successors(distance) if backwards else table.predecessors(distance)


def _with_a_row_more(network: HelperPartyNetwork, table: SharedBits) -> SharedBits:
    return join_rows(table, public_number(network, 1, 0, table.width))


def _sums(width: int) -> _Rule:
    def taken(
        network: HelperPartyNetwork, own: SharedBits, given: SharedBits, width: int
    ) -> SharedBits:
        """The sum of both."""
        return add(network, *(zero_extend(network, table, width) for table in (own, given)))

    return _Rule(width, lambda own, other: other, taken)


def _copies(width: int) -> _Rule:
    def taken(
        network: HelperPartyNetwork, own: SharedBits, given: SharedBits, width: int
    ) -> SharedBits:
        """The neighbour's, as the difference from its own."""
        return own ^ given

    return _Rule(width, lambda own, other: own ^ other, taken)


def _saturated_sum(
    network: HelperPartyNetwork, own: SharedBits, given: SharedBits, width: int
) -> SharedBits:
    """The sum below the highest column, which says that one of both was too large, or the sum is."""
    lower = (zero_extend(network, table[:-1], width) for table in (own, given))
    total = add(network, *lower)
    flags = join_columns(own[-1], given[-1], total[-1])
    return join_columns(total[:-1], ~all_ones(network, ~flags))
