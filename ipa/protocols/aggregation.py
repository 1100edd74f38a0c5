"""Step 5 of the query: summing the credits per breakdown key (spec: Computing the Aggregates)."""

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import Sort
from ipa.protocols.circuits.addition import add_gates, subtract, sum_rows, sum_rows_gates
from ipa.protocols.circuits.constants import public_columns, public_number
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import running_totals
from ipa.protocols.circuits.scan_sizes import running_totals_gates
from ipa.protocols.circuits.sorting import rows_to_sort, sort_gates, sort_rounds, sort_rows
from ipa.sharing.bits import columns_from_rows, ones
from ipa.sharing.joining import join_columns, join_rows
from ipa.sharing.shared_bits import SharedBits

# What Python's calls for the product of two columns cost besides the work on their bits, in gates:
# with few rows and many breakdowns they decide which way is faster. So do the rounds of the two sorts,
# by far the most that either way has.
_COLUMN_OVERHEAD = 1 << 11
_ROUND_OVERHEAD = 1 << 15


def sums_per_breakdown(
    network: HelperPartyNetwork,
    breakdown_key: SharedBits,
    credit: SharedBits,
    breakdowns: int,
    width: int,
    sort: Sort = "bitonic",
) -> SharedBits:
    """The sum of the credits of each breakdown key: row b of `width` columns is the sum of key b.

    Rows whose breakdown key is not below `breakdowns` count nowhere. Of the two ways below the one
    that is less work is taken; both need `width` to hold the largest sum.

    Cost: that of sums_by_one_hot or of sums_by_sorting.
    Reveals: what sort_rows reveals.
    Raises: ParameterError when the keys are too narrow for as many breakdowns.
    """
    if not 1 <= breakdowns <= 1 << breakdown_key.width:
        raise ParameterError(
            f"breakdowns must be from 1 to {1 << breakdown_key.width} for keys of "
            f"{breakdown_key.width} bits, not {breakdowns}"
        )
    shape = (credit.rows, breakdowns, breakdown_key.width, credit.width, width)
    total = rows_to_sort(credit.rows + breakdowns, sort)
    rounds = 2 * sort_rounds(total, breakdown_key.width + 1, sort)
    by_one_hot = one_hot_gates(*shape, _COLUMN_OVERHEAD)
    by_sorting = sorting_gates(*shape, sort, _COLUMN_OVERHEAD) + rounds * _ROUND_OVERHEAD
    with network.step("aggregation"):
        if by_one_hot <= by_sorting:
            return sums_by_one_hot(network, breakdown_key, credit, breakdowns, width)
        return sums_by_sorting(network, breakdown_key, credit, breakdowns, width, sort)


def sums_by_one_hot(
    network: HelperPartyNetwork,
    breakdown_key: SharedBits,
    credit: SharedBits,
    breakdowns: int,
    width: int,
) -> SharedBits:
    """Route each row's credit down a binary tree to the column group of its breakdown key, then sum.

    At each level a bit of the key sends the credit one way or the other.

    Cost: one round for each bit of the key, then the rounds of sum_rows; one_hot_gates gates, about
        2 * breakdowns for each row and bit of credit.
    Reveals: nothing.
    """
    numbers = 1
    routed = credit
    for level in reversed(range(breakdown_key.width)):
        goes_up = multiply(network, breakdown_key[level], routed)
        stays = routed ^ goes_up
        # Number g becomes numbers 2g (key bit 0) and 2g + 1 (key bit 1), digit by digit.
        kept = min(2 * numbers, -(-breakdowns >> level))
        routed = join_columns(stays, goes_up).select(
            [
                digit * numbers + child // 2 + (child % 2) * routed.width
                for digit in range(credit.width)
                for child in range(kept)
            ]
        )
        numbers = kept
    return sum_rows(network, routed, numbers, width)


def one_hot_gates(
    rows: int,
    breakdowns: int,
    breakdown_key_bits: int,
    credit_bits: int,
    width: int,
    overhead: int = 0,
) -> int:
    """How many AND gates sums_by_one_hot takes, with `overhead` more for each product of columns."""
    columns = sum(-(-breakdowns >> level + 1) for level in range(breakdown_key_bits)) * credit_bits
    summing = sum_rows_gates(rows, breakdowns, credit_bits, width, overhead)
    return columns * (rows + overhead) + summing


def sums_by_sorting(
    network: HelperPartyNetwork,
    breakdown_key: SharedBits,
    credit: SharedBits,
    breakdowns: int,
    width: int,
    sort: Sort = "bitonic",
) -> SharedBits:
    """Sort the rows by breakdown key with a marker row after each key; markers read running totals.

    The way of the spec's "Computing the Aggregation for Large Amount of Breakdowns", whose details
    the spec leaves out (SPEC_NOTES: aggregation-by-sorting). A second sort brings the markers to
    the front in order; differences of neighbouring totals are the sums.

    Cost: the rounds of two sorts, of running_totals and of a subtraction; sorting_gates gates.
    Reveals: what sort_rows reveals.
    """
    key_bits = breakdown_key.width + 1
    total = rows_to_sort(credit.rows + breakdowns, sort)
    marked = _with_markers(network, breakdown_key, credit, breakdowns, total)
    ordered = sort_rows(network, marked, key_bits, sort)
    all_one_group = public_columns(network, ordered.rows, [ones(ordered.rows) & ~1])
    totals = running_totals(network, all_one_group, ordered[key_bits:], width)
    is_row, key = ~ordered[0], ordered[1:key_bits]
    front = sort_rows(network, join_columns(key, is_row, totals), key_bits, sort)
    cumulative = front[key_bits:].take_rows(0, breakdowns)
    return subtract(network, cumulative, cumulative.predecessors(1))


def sorting_gates(
    rows: int,
    breakdowns: int,
    breakdown_key_bits: int,
    credit_bits: int,
    width: int,
    sort: Sort = "bitonic",
    overhead: int = 0,
) -> int:
    """How many AND gates sums_by_sorting takes, with `overhead` more for each product of columns."""
    total = rows_to_sort(rows + breakdowns, sort)
    key_bits = breakdown_key_bits + 1
    return (
        sort_gates(total, key_bits, key_bits + credit_bits, sort, overhead)
        + running_totals_gates(total, credit_bits, width, overhead=overhead)
        + sort_gates(total, key_bits, key_bits + width, sort, overhead)
        + (breakdowns + overhead) * add_gates(width, breakdowns)
    )


def _with_markers(
    network: HelperPartyNetwork,
    breakdown_key: SharedBits,
    credit: SharedBits,
    breakdowns: int,
    total: int,
) -> SharedBits:
    """(is marker, key, credit) of the rows, a marker per breakdown, and padding up to `total` rows.

    Padding rows are no markers and have the largest key and no credit. A row whose key is not below
    `breakdowns` sorts behind the last marker as well.
    """
    rows = credit.rows
    largest = (1 << breakdown_key.width) - 1
    keys = list(range(breakdowns)) + [largest] * (total - rows - breakdowns)
    is_marker = public_columns(network, total, [ones(breakdowns) << rows])
    added_keys = columns_from_rows(keys, breakdown_key.width)
    key = join_rows(breakdown_key, public_columns(network, total - rows, added_keys))
    credits = join_rows(credit, public_number(network, total - rows, 0, credit.width))
    return join_columns(is_marker, key, credits)
