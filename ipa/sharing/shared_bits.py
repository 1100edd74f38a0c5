"""Replicated 2-out-of-3 shares of bits: x = x1 ^ x2 ^ x3, helper i holds (x_i, x_(i+1)).

A shared value holds the share pairs of the *local* helper parties only: all three in a simulation,
one in a deployment. What it offers is linear, so it is done by each helper on its own shares, without
messages. Sources: Araki et al. 2016, section 2.1; the library's notation is SPEC_NOTES: replicated.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import and_, xor

from ipa.display.shares import HeldRows, shares_html
from ipa.display.tables import MOST_ROWS
from ipa.errors import MismatchError
from ipa.parties import right_of
from ipa.ranges import check_integer
from ipa.sharing.bits import (
    Columns,
    columns_from_rows,
    every_other_row,
    ones,
    rows_from_columns,
)
from ipa.sharing.secret import Public, Secret, needs_messages

ColumnPair = tuple[Columns, Columns]


class SharedBits(Secret):
    """A secret table of `rows` rows and `width` columns of bits, column 0 the least significant.

    `network_name` is the name of the helper party network whose helpers hold the shares; `shares`
    maps each local helper to its pair of column lists. `x[2]` and `x[0:8]` select columns. `~x`, `x ^ y`,
    and `x ^ c`, `x & c`, `x | c` for a public c are bitwise, row by row: c is a number for all rows, or a
    list with one for each. What would take messages raises SecrecyError and names the protocol.

    Raises: MismatchError, from whatever takes another table or public columns, when shapes, networks
        or local helpers differ; IndexError for a column that is not there.
    """

    __slots__ = ("_shares", "network_name", "rows", "width")

    def __init__(
        self, network_name: str, rows: int, width: int, shares: Mapping[int, ColumnPair]
    ) -> None:
        self.network_name = network_name
        self.rows = rows
        self.width = width
        self._shares = shares

    def __repr__(self) -> str:
        holders = ", ".join(f"H{helper}" for helper in self._shares)
        return f"<SharedBits: {self.rows} rows x {self.width} bits, shares of {holders}>"

    def _repr_html_(self) -> str:
        return self.html()

    def html(self, secret: Sequence[int] | None = None) -> str:
        """The first rows of what each local helper holds, beside the `secret` rows if they are given."""
        title, held = repr(self)[1:-1], self.first_rows()
        return shares_html(title, held, self.rows, self.width, "XOR", secret)

    def first_rows(self) -> HeldRows:
        """The first rows of what each local helper holds, as many as are shown."""
        top = self.take_rows(0, MOST_ROWS)
        return {
            helper: (rows_from_columns(own, top.rows), rows_from_columns(right, top.rows))
            for helper, (own, right) in top._shares.items()
        }

    @property
    def holders(self) -> tuple[int, ...]:
        """The local helpers, whose shares are here."""
        return tuple(self._shares)

    def shares_of(self, helper: int) -> ColumnPair:
        """What helper party `helper` holds: the columns of share i and of share i + 1.

        Raises: MismatchError when that helper is not local; ParameterError when it is no helper.
        """
        if helper not in self._shares:
            check_integer("helper", helper, 1, 3)
            raise MismatchError(f"the shares of H{helper} are not here")
        return self._shares[helper]

    def __getitem__(self, selection: int | slice) -> "SharedBits":
        if isinstance(selection, int):
            if not -self.width <= selection < self.width:
                raise IndexError(f"column {selection} of a table of {self.width} columns")
            selection = slice(selection, selection + 1 or None)
        width = len(range(self.width)[selection])
        return self.map_linear(self.rows, width, lambda columns: columns[selection])

    def __xor__(self, other: "SharedBits | Public") -> "SharedBits":
        if isinstance(other, int | Sequence):
            return self.xor_public(self._public(other))
        self.check_same_shape(other)
        return SharedBits(
            self.network_name,
            self.rows,
            self.width,
            {
                helper: (list(map(xor, a0, b0)), list(map(xor, a1, b1)))
                for helper, (a0, a1) in self._shares.items()
                for b0, b1 in (other._shares[helper],)
            },
        )

    def __invert__(self) -> "SharedBits":
        return self.xor_public([ones(self.rows)] * self.width)

    __rxor__ = __xor__

    def __and__(self, other: "SharedBits | Public") -> "SharedBits":
        if isinstance(other, SharedBits):
            _refuse_and(self, other)
        return self.and_public(self._public(other))

    __rand__ = __and__

    def __or__(self, other: "SharedBits | Public") -> "SharedBits":
        if isinstance(other, SharedBits):
            _refuse_or(self, other)
        public = self._public(other)
        rest = [ones(self.rows) ^ column for column in public]
        return self.and_public(rest).xor_public(public)

    __ror__ = __or__
    __add__ = __radd__ = needs_messages("x + y", "add(network, x, y)")
    __sub__ = __rsub__ = needs_messages("x - y", "subtract(network, x, y)")
    __mul__ = __rmul__ = needs_messages(
        "x * y", "multiply_integers(network, x, y), or multiply(network, x, y) for AND"
    )

    def xor_public(self, columns: Sequence[int]) -> "SharedBits":
        """XOR with public columns, which go into share x1."""
        self._check_public(columns)
        shares = {}
        for helper, (own, right) in self._shares.items():
            shares[helper] = (
                list(map(xor, own, columns)) if helper == 1 else own,
                list(map(xor, right, columns)) if right_of(helper) == 1 else right,
            )
        return SharedBits(self.network_name, self.rows, self.width, shares)

    def and_public(self, columns: Sequence[int]) -> "SharedBits":
        """AND with public columns."""
        self._check_public(columns)
        return self.map_linear(self.rows, self.width, lambda own: list(map(and_, own, columns)))

    def select(self, positions: Sequence[int]) -> "SharedBits":
        """The columns at `positions`, in that order."""
        return self.map_linear(
            self.rows, len(positions), lambda columns: [columns[position] for position in positions]
        )

    def with_columns(self, positions: Sequence[int], table: "SharedBits") -> "SharedBits":
        """This table with the columns at `positions` replaced by those of `table`."""
        self.check_same_rows(table)
        place = dict(zip(positions, range(table.width), strict=True))
        shares = {}
        for helper, pair in self._shares.items():
            own, right = (
                [new[place[k]] if k in place else column for k, column in enumerate(columns)]
                for columns, new in zip(pair, table.shares_of(helper), strict=True)
            )
            shares[helper] = (own, right)
        return SharedBits(self.network_name, self.rows, self.width, shares)

    def stack_columns(self, count: int) -> "SharedBits":
        """Every `count` neighbouring columns become one: the rows of the first column come first."""
        rows = self.rows

        def stack(columns: Columns) -> Columns:
            """Each `count` columns in one."""
            return [
                sum(column << k * rows for k, column in enumerate(columns[start : start + count]))
                for start in range(0, len(columns), count)
            ]

        return self.map_linear(rows * count, -(-self.width // count), stack)

    def take_rows(self, start: int, stop: int) -> "SharedBits":
        """Rows start to stop - 1."""
        start, stop, _ = slice(start, stop).indices(self.rows)
        if stop - start == self.rows:
            return self
        keep = ones(max(0, stop - start))
        return self.map_columns(max(0, stop - start), lambda column: column >> start & keep)

    def successors(self, distance: int) -> "SharedBits":
        """Row r becomes what row r + distance was; rows past the end are zero."""
        return self.map_columns(self.rows, lambda column: column >> distance)

    def predecessors(self, distance: int) -> "SharedBits":
        """Row r becomes what row r - distance was; rows before the start are zero."""
        keep = ones(self.rows)
        return self.map_columns(self.rows, lambda column: column << distance & keep)

    def every_other_row(self) -> tuple["SharedBits", "SharedBits"]:
        """The even rows and the odd rows, which are as many or one fewer."""
        rows = self.rows
        split = {
            helper: [[every_other_row(column, rows) for column in share] for share in pair]
            for helper, pair in self._shares.items()
        }

        def half(which: int, count: int) -> "SharedBits":
            """The even rows, or the odd ones."""
            shares = {
                helper: (
                    [columns[which] for columns in own],
                    [columns[which] for columns in right],
                )
                for helper, (own, right) in split.items()
            }
            return SharedBits(self.network_name, count, self.width, shares)

        return half(0, (rows + 1) // 2), half(1, rows // 2)

    def map_linear(
        self, rows: int, width: int, change: Callable[[Columns], Columns]
    ) -> "SharedBits":
        """What the GF(2)-linear map `change` makes of the columns: a table of `rows` and `width`."""
        shares = {
            helper: (change(own), change(right)) for helper, (own, right) in self._shares.items()
        }
        return SharedBits(self.network_name, rows, width, shares)

    def check_same_shape(self, other: "SharedBits") -> None:
        """Check that both tables have the same network, local helpers, rows and width.

        Raises: MismatchError when they do not.
        """
        self.check_same_rows(other)
        if self.width != other.width:
            raise MismatchError(f"widths differ: {self.width} bits and {other.width} bits")

    def check_same_rows(self, other: "SharedBits") -> None:
        """Check that both tables have the same network, local helpers and rows.

        Raises: MismatchError when they do not.
        """
        if not isinstance(other, SharedBits):
            raise MismatchError(f"expected SharedBits, not {type(other).__name__}")
        if self.network_name != other.network_name:
            raise MismatchError(f"networks differ: {self.network_name} and {other.network_name}")
        if self.holders != other.holders:
            raise MismatchError("the local helpers of the two tables differ")
        if self.rows != other.rows:
            raise MismatchError(f"row counts differ: {self.rows} and {other.rows}")

    def map_columns(self, rows: int, change: Callable[[int], int]) -> "SharedBits":
        """What the GF(2)-linear map `change` makes of every column: columns of `rows` bits."""
        return self.map_linear(rows, self.width, lambda columns: [change(c) for c in columns])

    def _public(self, value: Public) -> Columns:
        """The columns of a public operand: a number for all rows, or one for each.

        Raises: MismatchError when it is neither, or there are more or fewer than rows; ParameterError
            when a number does not fit the width.
        """
        if isinstance(value, int):
            check_integer("a public operand", int(value), 0, ones(self.width))
            return [ones(self.rows) * (value >> bit & 1) for bit in range(self.width)]
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise MismatchError(
                "expected SharedBits, or a public integer or a list of one for each row, not "
                f"{type(value).__name__}"
            )
        if len(value) != self.rows:
            raise MismatchError(f"row counts differ: {self.rows} and {len(value)}")
        return columns_from_rows(value, self.width)

    def _check_public(self, columns: Sequence[int]) -> None:
        if len(columns) != self.width:
            raise MismatchError(f"widths differ: {self.width} bits and {len(columns)} columns")
        if any(column < 0 or column >> self.rows for column in columns):
            raise MismatchError(f"a public column does not fit {self.rows} rows")


_refuse_and = needs_messages("x & y", "multiply(network, x, y)")
_refuse_or = needs_messages("x | y", "x ^ y ^ multiply(network, x, y)")
