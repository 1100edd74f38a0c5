"""Replicated shares of a table in row form: what moves when rows are put into a public order.

Rows never change here, so a table that is rearranged many times is turned into columns after each
move and never back.
"""

from collections.abc import Mapping, Sequence

from ipa.display.shares import shares_html
from ipa.display.tables import MOST_ROWS
from ipa.errors import MismatchError
from ipa.sharing.bits import bytes_per_row, columns_from_table
from ipa.sharing.rows.permutation import split_rows
from ipa.sharing.secret import Secret
from ipa.sharing.shared_bits import ColumnPair, SharedBits


class SharedRows(Secret):
    """A secret table of `rows` rows and `width` columns, kept as two row strings in one.

    `shares` maps each local helper to the rows' strings: share i, then share i + 1, each of
    bytes_per_row(width) bytes. Bits of a share beyond the last column mean nothing.
    """

    __slots__ = ("_shares", "network_name", "rows", "width")

    def __init__(
        self, network: str, rows: int, width: int, shares: Mapping[int, Sequence[bytes]]
    ) -> None:
        self.network_name = network
        self.rows = rows
        self.width = width
        self._shares = shares

    def __repr__(self) -> str:
        holders = ", ".join(f"H{helper}" for helper in self._shares)
        return f"<SharedRows: {self.rows} rows x {self.width} bits, shares of {holders}>"

    @property
    def holders(self) -> tuple[int, ...]:
        """The local helpers, whose shares are here."""
        return tuple(self._shares)

    def _repr_html_(self) -> str:
        shown = self.take(range(min(self.rows, MOST_ROWS)), self.width)
        return shares_html(repr(self)[1:-1], shown.first_rows(), self.rows, self.width, "XOR", None)

    def move(self, places: Sequence[int]) -> "SharedRows":
        """The rows at the public `places`, in that order and so in memory too."""
        size = 2 * bytes_per_row(self.width)
        shares = {
            helper: split_rows(b"".join([rows[place] for place in places]), size)
            for helper, rows in self._shares.items()
        }
        return SharedRows(self.network_name, len(places), self.width, shares)

    def take(self, places: Sequence[int], width: int) -> SharedBits:
        """The lowest `width` columns of the rows at the public `places`, in that order.

        A place may come more than once. Raises MismatchError when there are not so many columns.
        """
        if not 0 <= width <= self.width:
            raise MismatchError(f"{width} columns of a table of {self.width}")
        size = bytes_per_row(self.width)
        shares: dict[int, ColumnPair] = {}
        for helper, rows in self._shares.items():
            table = b"".join([rows[place] for place in places])
            columns = columns_from_table(table, len(places), 8 * size + width)
            shares[helper] = (columns[:width], columns[8 * size :])
        return SharedBits(self.network_name, len(places), width, shares)
