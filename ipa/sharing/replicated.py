"""Replicated 2-out-of-3 shares: x = x1 + x2 + x3, helper i holds (x_i, x_(i+1)).

`SharedBits` is a table of bits (addition is XOR), `SharedNumbers` a list of elements of a ring. Both
hold the share pairs of the *local* helper parties only: all three in a simulation, one in a
deployment. What they offer is linear, so it is done by each helper on its own shares, without
messages. Sources: Araki et al. 2016, section 2.1; the library's notation is SPEC_NOTES: replicated.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import and_, xor
from typing import NoReturn

from ipa.errors import MismatchError, SecrecyError
from ipa.parties import right_of
from ipa.sharing.bits import Columns, ones
from ipa.sharing.rings import Ring

ColumnPair = tuple[Columns, Columns]
NumberPair = tuple[list[int], list[int]]


class Secret:
    """Base of shared values: refuses every use that would treat a secret as a public value."""

    __slots__ = ()

    def _refuse(self, *_: object) -> NoReturn:
        raise SecrecyError(
            f"{type(self).__name__} is secret: open it with a protocol, or in a test or notebook "
            "put its shares together with reconstruct_for_testing"
        )

    __bool__ = _refuse
    __int__ = _refuse
    __float__ = _refuse
    __index__ = _refuse
    __eq__ = _refuse
    __ne__ = _refuse
    __lt__ = _refuse
    __le__ = _refuse
    __gt__ = _refuse
    __ge__ = _refuse
    __hash__ = _refuse
    __iter__ = _refuse
    __len__ = _refuse
    __contains__ = _refuse


class SharedBits(Secret):
    """A secret table of `rows` rows and `width` columns of bits, column 0 the least significant.

    `network` names the helper party network whose helpers hold the shares; `shares` maps each local
    helper to its pair of column lists. `x[2]` and `x[0:8]` select columns; `^` and `~` are bitwise.
    """

    __slots__ = ("_shares", "network", "rows", "width")

    def __init__(
        self, network: str, rows: int, width: int, shares: Mapping[int, ColumnPair]
    ) -> None:
        self.network = network
        self.rows = rows
        self.width = width
        self._shares = shares

    def __repr__(self) -> str:
        holders = ", ".join(f"H{helper}" for helper in self._shares)
        return f"<SharedBits: {self.rows} rows x {self.width} bits, shares of {holders}>"

    @property
    def holders(self) -> tuple[int, ...]:
        """The local helpers, whose shares are here."""
        return tuple(self._shares)

    def shares_of(self, helper: int) -> ColumnPair:
        """What helper party `helper` holds: the columns of share i and of share i + 1."""
        return self._shares[helper]

    def __getitem__(self, selection: int | slice) -> "SharedBits":
        if isinstance(selection, int):
            if not -self.width <= selection < self.width:
                raise IndexError(f"column {selection} of a table of {self.width} columns")
            selection = slice(selection, selection + 1 or None)
        return self._each(lambda columns: columns[selection])

    def __xor__(self, other: "SharedBits") -> "SharedBits":
        self.check_same_shape(other)
        return SharedBits(
            self.network,
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

    def xor_public(self, columns: Sequence[int]) -> "SharedBits":
        """XOR with public columns, which go into share x1."""
        self._check_public(columns)
        shares = {}
        for helper, (own, right) in self._shares.items():
            shares[helper] = (
                list(map(xor, own, columns)) if helper == 1 else own,
                list(map(xor, right, columns)) if right_of(helper) == 1 else right,
            )
        return SharedBits(self.network, self.rows, self.width, shares)

    def and_public(self, columns: Sequence[int]) -> "SharedBits":
        """AND with public columns."""
        self._check_public(columns)
        return self._each(lambda own: list(map(and_, own, columns)))

    def repeat(self, times: int) -> "SharedBits":
        """The columns one after another `times` times."""
        return self._each(lambda columns: columns * times)

    def select(self, positions: Sequence[int]) -> "SharedBits":
        """The columns at `positions`, in that order."""
        return self._each(lambda columns: [columns[position] for position in positions])

    def with_columns(self, positions: Sequence[int], table: "SharedBits") -> "SharedBits":
        """This table with the columns at `positions` replaced by those of `table`."""
        self.check_same_rows(table)
        place = dict(zip(positions, range(self.width, self.width + table.width), strict=True))
        wanted = [place.get(position, position) for position in range(self.width)]
        return join_columns(self, table).select(wanted)

    def stack_columns(self, count: int) -> "SharedBits":
        """Every `count` neighbouring columns become one: the rows of the first column come first."""
        rows = self.rows

        def stack(columns: Columns) -> Columns:
            return [
                sum(column << k * rows for k, column in enumerate(columns[start : start + count]))
                for start in range(0, len(columns), count)
            ]

        stacked = self._each(stack)
        return SharedBits(self.network, rows * count, stacked.width, stacked._shares)

    def take_rows(self, start: int, stop: int) -> "SharedBits":
        """Rows start to stop - 1."""
        start, stop, _ = slice(start, stop).indices(self.rows)
        keep = ones(max(0, stop - start))
        return self._map_columns(max(0, stop - start), lambda column: column >> start & keep)

    def successors(self, distance: int) -> "SharedBits":
        """Row r becomes what row r + distance was; rows past the end are zero."""
        return self._map_columns(self.rows, lambda column: column >> distance)

    def predecessors(self, distance: int) -> "SharedBits":
        """Row r becomes what row r - distance was; rows before the start are zero."""
        keep = ones(self.rows)
        return self._map_columns(self.rows, lambda column: column << distance & keep)

    def check_same_shape(self, other: "SharedBits") -> None:
        """Raise MismatchError unless both have the same network, rows and width."""
        self.check_same_rows(other)
        if self.width != other.width:
            raise MismatchError(f"widths differ: {self.width} bits and {other.width} bits")

    def check_same_rows(self, other: "SharedBits") -> None:
        """Raise MismatchError unless both have the same network and rows."""
        if not isinstance(other, SharedBits):
            raise MismatchError(f"expected SharedBits, not {type(other).__name__}")
        if self.network != other.network:
            raise MismatchError(f"networks differ: {self.network} and {other.network}")
        if self.rows != other.rows:
            raise MismatchError(f"row counts differ: {self.rows} and {other.rows}")

    def _check_public(self, columns: Sequence[int]) -> None:
        if len(columns) != self.width:
            raise MismatchError(f"widths differ: {self.width} bits and {len(columns)} columns")
        if any(column < 0 or column >> self.rows for column in columns):
            raise MismatchError(f"a public column does not fit {self.rows} rows")

    def _each(self, change: Callable[[Columns], Columns]) -> "SharedBits":
        shares = {
            helper: (change(own), change(right)) for helper, (own, right) in self._shares.items()
        }
        width = len(change([0] * self.width))
        return SharedBits(self.network, self.rows, width, shares)

    def _map_columns(self, rows: int, change: Callable[[int], int]) -> "SharedBits":
        shares = {
            helper: ([change(column) for column in own], [change(column) for column in right])
            for helper, (own, right) in self._shares.items()
        }
        return SharedBits(self.network, rows, self.width, shares)


def join_columns(*tables: SharedBits) -> SharedBits:
    """Tables side by side: the columns of the first are the least significant."""
    first = tables[0]
    for table in tables[1:]:
        first.check_same_rows(table)
    shares = {
        helper: (
            [column for table in tables for column in table.shares_of(helper)[0]],
            [column for table in tables for column in table.shares_of(helper)[1]],
        )
        for helper in first._shares
    }
    return SharedBits(first.network, first.rows, sum(table.width for table in tables), shares)


def join_rows(*tables: SharedBits) -> SharedBits:
    """Tables of equal width one below another: the rows of the first come first."""
    total = tables[0]
    for table in tables[1:]:
        total = _append_rows(total, table)
    return total


def _append_rows(upper: SharedBits, lower: SharedBits) -> SharedBits:
    if upper.network != lower.network or upper.width != lower.width:
        raise MismatchError("only tables of one network and one width go below one another")
    shift = upper.rows
    shares = {}
    for helper, (own, right) in upper._shares.items():
        lower_own, lower_right = lower.shares_of(helper)
        shares[helper] = (
            [a | b << shift for a, b in zip(own, lower_own, strict=True)],
            [a | b << shift for a, b in zip(right, lower_right, strict=True)],
        )
    return SharedBits(upper.network, upper.rows + lower.rows, upper.width, shares)


class SharedNumbers(Secret):
    """A secret list of `count` elements of `ring`; `+`, `-` between shared lists, `scale` by a public one.

    `shares` maps each local helper to its pair of lists of ring elements.
    """

    __slots__ = ("_shares", "count", "network", "ring")

    def __init__(
        self, network: str, ring: Ring, count: int, shares: Mapping[int, NumberPair]
    ) -> None:
        self.network = network
        self.ring = ring
        self.count = count
        self._shares = shares

    def __repr__(self) -> str:
        holders = ", ".join(f"H{helper}" for helper in self._shares)
        return f"<SharedNumbers: {self.count} elements of {self.ring.name}, shares of {holders}>"

    @property
    def holders(self) -> tuple[int, ...]:
        """The local helpers, whose shares are here."""
        return tuple(self._shares)

    def shares_of(self, helper: int) -> NumberPair:
        """What helper party `helper` holds: share i and share i + 1 of every element."""
        return self._shares[helper]

    def __getitem__(self, selection: int | slice) -> "SharedNumbers":
        if isinstance(selection, int):
            if not -self.count <= selection < self.count:
                raise IndexError(f"element {selection} of a list of {self.count}")
            selection = slice(selection, selection + 1 or None)
        count = len(range(self.count)[selection])
        return self.map_linear(count, lambda numbers: numbers[selection])

    def __add__(self, other: "SharedNumbers") -> "SharedNumbers":
        return self._with(other, self.ring.add)

    def __sub__(self, other: "SharedNumbers") -> "SharedNumbers":
        return self._with(other, self.ring.subtract)

    def scale(self, factors: Sequence[int]) -> "SharedNumbers":
        """Element by element, times a public element of the ring."""
        if len(factors) != self.count:
            raise MismatchError(f"lengths differ: {self.count} and {len(factors)}")
        multiply = self.ring.multiply
        return self.map_linear(self.count, lambda numbers: list(map(multiply, numbers, factors)))

    def total(self) -> "SharedNumbers":
        """The sum of all elements, as a list of one; 0 for the empty list."""
        return self.map_linear(1, lambda numbers: [reduce(self.ring.add, numbers, 0)])

    def map_linear(self, count: int, change: Callable[[list[int]], list[int]]) -> "SharedNumbers":
        """What the linear map `change` makes of the list: `count` elements."""
        shares = {
            helper: (change(own), change(right)) for helper, (own, right) in self._shares.items()
        }
        return SharedNumbers(self.network, self.ring, count, shares)

    def add_public(self, numbers: Sequence[int]) -> "SharedNumbers":
        """Element by element, plus a public element of the ring, which goes into share x1."""
        if len(numbers) != self.count:
            raise MismatchError(f"lengths differ: {self.count} and {len(numbers)}")
        add = self.ring.add
        shares = {}
        for helper, (own, right) in self._shares.items():
            shares[helper] = (
                list(map(add, own, numbers)) if helper == 1 else own,
                list(map(add, right, numbers)) if right_of(helper) == 1 else right,
            )
        return SharedNumbers(self.network, self.ring, self.count, shares)

    def check_same_shape(self, other: "SharedNumbers") -> None:
        """Raise MismatchError unless both have the same network, ring and length."""
        if not isinstance(other, SharedNumbers):
            raise MismatchError(f"expected SharedNumbers, not {type(other).__name__}")
        if self.network != other.network:
            raise MismatchError(f"networks differ: {self.network} and {other.network}")
        if self.ring != other.ring:
            raise MismatchError(f"fields differ: {self.ring.name} and {other.ring.name}")
        if self.count != other.count:
            raise MismatchError(f"lengths differ: {self.count} and {other.count}")

    def _with(self, other: "SharedNumbers", combine: Callable[[int, int], int]) -> "SharedNumbers":
        self.check_same_shape(other)
        shares = {}
        for helper, (own, right) in self._shares.items():
            other_own, other_right = other._shares[helper]
            shares[helper] = (
                list(map(combine, own, other_own)),
                list(map(combine, right, other_right)),
            )
        return SharedNumbers(self.network, self.ring, self.count, shares)


def join_numbers(*lists: SharedNumbers) -> SharedNumbers:
    """Lists over one ring one after another."""
    first = lists[0]
    if any(other.network != first.network or other.ring != first.ring for other in lists):
        raise MismatchError("only lists of one network and one field go one after another")
    shares = {
        helper: (
            [number for part in lists for number in part.shares_of(helper)[0]],
            [number for part in lists for number in part.shares_of(helper)[1]],
        )
        for helper in first._shares
    }
    return SharedNumbers(first.network, first.ring, sum(part.count for part in lists), shares)
