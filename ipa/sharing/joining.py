"""Tables of shared bits side by side, one below another, and row by row in turn; all of it local."""

from ipa.errors import MismatchError
from ipa.sharing.bits import interleaved
from ipa.sharing.shared_bits import SharedBits


def join_columns(*tables: SharedBits) -> SharedBits:
    """Tables side by side: the columns of the first are the least significant.

    Raises: MismatchError when rows, networks or local helpers differ.
    """
    first = tables[0]
    for table in tables[1:]:
        first.check_same_rows(table)
    shares = {
        helper: (
            [column for table in tables for column in table.shares_of(helper)[0]],
            [column for table in tables for column in table.shares_of(helper)[1]],
        )
        for helper in first.holders
    }
    return SharedBits(first.network_name, first.rows, sum(table.width for table in tables), shares)


def join_rows(*tables: SharedBits) -> SharedBits:
    """Tables of equal width one below another: the rows of the first come first.

    Raises: MismatchError when widths or networks differ.
    """
    total = tables[0]
    for table in tables[1:]:
        total = _append_rows(total, table)
    return total


def interleave_rows(even: SharedBits, odd: SharedBits) -> SharedBits:
    """The rows of two tables of equal width in turn: the inverse of every_other_row.

    Raises: MismatchError when widths or networks differ, or `odd` has not as many rows or one fewer.
    """
    same_kind = even.network_name == odd.network_name and even.width == odd.width
    if not same_kind or not 0 <= even.rows - odd.rows <= 1:
        raise MismatchError("only tables of one network, width and number of rows are interleaved")
    rows = even.rows + odd.rows
    shares = {}
    for helper in even.holders:
        pair = even.shares_of(helper)
        own, right = (
            [interleaved(a, b, rows) for a, b in zip(*both, strict=True)]
            for both in zip(pair, odd.shares_of(helper), strict=True)
        )
        shares[helper] = (own, right)
    return SharedBits(even.network_name, rows, even.width, shares)


def _append_rows(upper: SharedBits, lower: SharedBits) -> SharedBits:
    if upper.network_name != lower.network_name or upper.width != lower.width:
        raise MismatchError("only tables of one network and one width go below one another")
    shift = upper.rows
    shares = {}
    for helper in upper.holders:
        own, right = upper.shares_of(helper)
        lower_own, lower_right = lower.shares_of(helper)
        shares[helper] = (
            [a | b << shift for a, b in zip(own, lower_own, strict=True)],
            [a | b << shift for a, b in zip(right, lower_right, strict=True)],
        )
    return SharedBits(upper.network_name, upper.rows + lower.rows, upper.width, shares)
