"""Replicated 2-out-of-3 shares of ring elements: x = x1 + x2 + x3, helper i holds (x_i, x_(i+1)).

As for bits (ipa.sharing.shared_bits), what is offered is linear and local.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from ipa.display.shares import shares_html
from ipa.display.tables import MOST_ROWS
from ipa.errors import MismatchError, ParameterError
from ipa.parties import right_of
from ipa.ranges import check_integer
from ipa.sharing.rings import Ring
from ipa.sharing.secret import Public, Secret, needs_messages

ElementPair = tuple[list[int], list[int]]


class SharedElements(Secret):
    """A secret list of `count` elements of `ring`: `x + y`, `x - y`, `-x`, and `x + c`, `x - c`, `c * x`.

    A public c is an element for all, or a list with one for each. `x * y` would take messages: it raises
    SecrecyError and names the protocol.
    `shares` maps each local helper to its pair of lists of ring elements.

    Raises: MismatchError, from whatever takes another list, when networks, rings or lengths differ;
        IndexError for an element that is not there.
    """

    __slots__ = ("_shares", "count", "network_name", "ring")

    def __init__(
        self, network_name: str, ring: Ring, count: int, shares: Mapping[int, ElementPair]
    ) -> None:
        self.network_name = network_name
        self.ring = ring
        self.count = count
        self._shares = shares

    def __repr__(self) -> str:
        holders = ", ".join(f"H{helper}" for helper in self._shares)
        return f"<SharedElements: {self.count} elements of {self.ring.name}, shares of {holders}>"

    def _repr_html_(self) -> str:
        return self.html()

    def html(self, secret: Sequence[int] | None = None) -> str:
        """The first of what each local helper holds, beside the `secret` elements if they are given."""
        bits = (self.ring.size - 1).bit_length()
        held = self[:MOST_ROWS]._shares
        return shares_html(repr(self)[1:-1], held, self.count, bits, "+", secret)

    @property
    def holders(self) -> tuple[int, ...]:
        """The local helpers, whose shares are here."""
        return tuple(self._shares)

    def shares_of(self, helper: int) -> ElementPair:
        """What helper party `helper` holds: share i and share i + 1 of every element.

        Raises MismatchError when that helper is not local, ParameterError when it is no helper.
        """
        if helper not in self._shares:
            check_integer("helper", helper, 1, 3)
            raise MismatchError(f"the shares of H{helper} are not here")
        return self._shares[helper]

    def __getitem__(self, selection: int | slice) -> "SharedElements":
        if isinstance(selection, int):
            if not -self.count <= selection < self.count:
                raise IndexError(f"element {selection} of a list of {self.count}")
            selection = slice(selection, selection + 1 or None)
        count = len(range(self.count)[selection])
        return self.map_linear(count, lambda elements: elements[selection])

    def __add__(self, other: "SharedElements | Public") -> "SharedElements":
        if isinstance(other, int | Sequence):
            return self._add_public(self._public(other))
        return self._with(other, self.ring.add)

    __radd__ = __add__

    def __sub__(self, other: "SharedElements | Public") -> "SharedElements":
        if isinstance(other, int | Sequence):
            subtract = self.ring.subtract
            return self._add_public([subtract(0, each) for each in self._public(other)])
        return self._with(other, self.ring.subtract)

    def __rsub__(self, other: Public) -> "SharedElements":
        return -self + other

    def __neg__(self) -> "SharedElements":
        subtract = self.ring.subtract
        return self.map_linear(self.count, lambda own: [subtract(0, each) for each in own])

    def __mul__(self, other: "SharedElements | Public") -> "SharedElements":
        if isinstance(other, SharedElements):
            _refuse_product(self, other)
        return self.scale(self._public(other))

    __rmul__ = __mul__

    def scale(self, factors: Sequence[int]) -> "SharedElements":
        """Element by element, times a public element of the ring.

        Raises: MismatchError when the lengths differ.
        """
        if len(factors) != self.count:
            raise MismatchError(f"lengths differ: {self.count} and {len(factors)}")
        multiply = self.ring.multiply
        return self.map_linear(self.count, lambda elements: list(map(multiply, elements, factors)))

    def total(self) -> "SharedElements":
        """The sum of all elements, as a list of one; 0 for the empty list."""
        return self.map_linear(1, lambda elements: [reduce(self.ring.add, elements, 0)])

    def map_linear(self, count: int, change: Callable[[list[int]], list[int]]) -> "SharedElements":
        """What the linear map `change` makes of the list: `count` elements."""
        shares = {
            helper: (change(own), change(right)) for helper, (own, right) in self._shares.items()
        }
        return SharedElements(self.network_name, self.ring, count, shares)

    def check_same_shape(self, other: "SharedElements") -> None:
        """Check that both lists have the same network, ring and length.

        Raises: MismatchError when they do not.
        """
        if not isinstance(other, SharedElements):
            raise MismatchError(f"expected SharedElements, not {type(other).__name__}")
        if self.network_name != other.network_name:
            raise MismatchError(f"networks differ: {self.network_name} and {other.network_name}")
        if self.ring != other.ring:
            raise MismatchError(f"fields differ: {self.ring.name} and {other.ring.name}")
        if self.count != other.count:
            raise MismatchError(f"lengths differ: {self.count} and {other.count}")

    def _public(self, value: Public) -> Sequence[int]:
        """A public operand: an element for all, or one for each.

        Raises: MismatchError when it is neither, or there are more or fewer; ParameterError, which
            names the row, for what is no element of the ring.
        """
        if isinstance(value, int):
            value = [value] * self.count
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise MismatchError(
                "expected SharedElements, or a public element or a list of one for each, not "
                f"{type(value).__name__}"
            )
        if len(value) != self.count:
            raise MismatchError(f"lengths differ: {self.count} and {len(value)}")
        for row, element in enumerate(value):
            if not isinstance(element, int) or not self.ring.contains(element):
                raise ParameterError(f"row {row}: not an element of {self.ring.name}")
        return value

    def _add_public(self, elements: Sequence[int]) -> "SharedElements":
        """The sum with public elements, which go into share x1."""
        add = self.ring.add
        shares = {}
        for helper, (own, right) in self._shares.items():
            shares[helper] = (
                list(map(add, own, elements)) if helper == 1 else own,
                list(map(add, right, elements)) if right_of(helper) == 1 else right,
            )
        return SharedElements(self.network_name, self.ring, self.count, shares)

    def _with(
        self, other: "SharedElements", combine: Callable[[int, int], int]
    ) -> "SharedElements":
        self.check_same_shape(other)
        shares = {}
        for helper, (own, right) in self._shares.items():
            other_own, other_right = other._shares[helper]
            shares[helper] = (
                list(map(combine, own, other_own)),
                list(map(combine, right, other_right)),
            )
        return SharedElements(self.network_name, self.ring, self.count, shares)


_refuse_product = needs_messages("x * y", "multiply_elements(network, x, y)")


def join_elements(*lists: SharedElements) -> SharedElements:
    """Lists over one ring one after another.

    Raises: MismatchError when networks or rings differ.
    """
    first = lists[0]
    if any(other.network_name != first.network_name or other.ring != first.ring for other in lists):
        raise MismatchError("only lists of one network and one field go one after another")
    shares = {
        helper: (
            [element for part in lists for element in part.shares_of(helper)[0]],
            [element for part in lists for element in part.shares_of(helper)[1]],
        )
        for helper in first._shares
    }
    return SharedElements(first.network_name, first.ring, sum(part.count for part in lists), shares)
