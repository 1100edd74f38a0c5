"""Scalars of a binary field GF(2^d), and the interpolation weights of the batch check.

An element is an int below 2^d: bit k is the coefficient of x^k modulo the field's polynomial.
Every degree offered is even, so the field contains GF(4) and with it three distinct nonzero
points for the three helper parties (`BinaryField.omega`).
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from struct import calcsize, pack, unpack

from ipa.errors import ParameterError

MODULI = {8: 0x11B, 16: 0x1002B, 64: (1 << 64) | 0x1B}
"""The irreducible polynomial of each degree; the one of degree 64 is x^64 + x^4 + x^3 + x + 1."""

_WORDS = {8: "B", 16: "H", 64: "Q"}  # how `struct` names an unsigned integer of d bits


class BinaryField:
    """The field GF(2^degree), degree 8, 16 or 64.

    64 is the field of the batch check. The small ones exist to measure soundness errors that are
    too rare to be seen with 64.

    Raises: ParameterError for another degree.
    """

    def __init__(self, degree: int = 64) -> None:
        if degree not in MODULI:
            raise ParameterError(f"field degree must be one of 8, 16, 64, not {degree!r}")
        self.degree = degree
        self.modulus = MODULI[degree]
        self.order = 1 << degree

    def __repr__(self) -> str:
        return f"BinaryField({self.degree})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BinaryField) and other.degree == self.degree

    def __hash__(self) -> int:
        return hash(("BinaryField", self.degree))

    @cached_property
    def omega(self) -> int:
        """A primitive cube root of unity: omega^2 + omega + 1 = 0; its powers are GF(4)*."""
        roots = (self.power(base, (self.order - 1) // 3) for base in range(2, self.order))
        return next(root for root in roots if root != 1)

    @property
    def name(self) -> str:
        """How the field is written in messages."""
        return f"GF(2^{self.degree})"

    @property
    def size(self) -> int:
        """How many elements the field has."""
        return self.order

    @property
    def is_field(self) -> bool:
        """Always."""
        return True

    @property
    def element_bytes(self) -> int:
        """How many bytes an element travels as."""
        return self.degree // 8

    @property
    def sample_bytes(self) -> int:
        """As many as an element has: every string of them is an element."""
        return self.element_bytes

    def sample(self, uniform: bytes) -> int:
        """The element with this encoding."""
        return int.from_bytes(uniform, "little")

    def contains(self, value: int) -> bool:
        """Whether `value` is a polynomial of degree below d."""
        return 0 <= value < self.order

    def subtract(self, a: int, b: int) -> int:
        """a - b, which is also a + b."""
        return a ^ b

    def reduce(self, polynomial: int) -> int:
        """The polynomial over GF(2), of any degree, modulo the field's polynomial."""
        tail = self.modulus ^ self.order
        while polynomial >> self.degree:
            high = polynomial >> self.degree
            polynomial &= self.order - 1
            for shift in _bits(tail):
                polynomial ^= high << shift
        return polynomial

    def add(self, a: int, b: int) -> int:
        """a + b, which is also a - b."""
        return a ^ b

    def multiply(self, a: int, b: int) -> int:
        """The product a * b."""
        a2, a4, a8 = a << 1, a << 2, a << 3
        low = (0, a, a2, a2 ^ a)
        table = (*low, *(a4 ^ entry for entry in low))
        table = (*table, *(a8 ^ entry for entry in table))
        product = 0
        for shift in range(self.degree - 4, -1, -4):  # b in hexadecimal digits, highest first
            product = product << 4 ^ table[b >> shift & 15]
        return self.reduce(product)

    def power(self, a: int, exponent: int) -> int:
        """The element a to a power >= 0."""
        result = 1
        for bit in f"{exponent:b}":
            result = self.multiply(result, result)
            if bit == "1":
                result = self.multiply(result, a)
        return result

    def inverse(self, a: int) -> int:
        """1/a = a^(2^d - 2).

        Raises: ParameterError for zero.
        """
        if a == 0:
            raise ParameterError("zero has no inverse")
        return self.power(a, self.order - 2)

    def scale_each(self, values: Sequence[int], constant: int) -> list[int]:
        """Every value times one constant, all at once: the values share one long integer.

        Each value has a slot of 2d bits, room for its product before reduction.
        """
        slots = [0] * (2 * len(values))
        slots[::2] = values
        layout = f"<{len(slots)}{_WORDS[self.degree]}"
        packed = int.from_bytes(pack(layout, *slots), "little")
        product = 0
        for shift in _bits(constant):
            product ^= packed << shift
        reduced = self.reduce_slots(product, len(values))
        return list(unpack(layout, reduced.to_bytes(calcsize(layout), "little"))[::2])

    def reduce_slots(self, products: int, count: int) -> int:
        """`count` polynomials of degree below 2d, side by side in slots of 2d bits, each reduced."""
        low = (self.order - 1) * ones_apart(count, 2 * self.degree)
        tail = _bits(self.modulus ^ self.order)
        for _ in range(2):  # what overflows the first time is shorter than d - max(tail) bits
            high = products >> self.degree & low
            products &= low
            for shift in tail:
                products ^= high << shift
        return products

    def multiples(self, a: int) -> list[int]:
        """a x^k for k = 0 .. d - 1."""
        multiples = []
        for _ in range(self.degree):
            multiples.append(a)
            a = a << 1 ^ (self.modulus if a >> self.degree - 1 else 0)
        return multiples

    def to_bytes(self, a: int) -> bytes:
        """The element as d/8 bytes, little-endian."""
        return a.to_bytes(self.degree // 8, "little")

    def tensor(self, factors: Sequence[Sequence[int]]) -> list[int]:
        """Products of one entry of each factor; factors[0] is the fastest-running index."""
        products = [1]
        for factor in factors:
            if len(factor) <= len(products):
                products = [p for entry in factor for p in self.scale_each(products, entry)]
            else:  # as few calls as possible, each for as many products as possible
                rows = [self.scale_each(factor, product) for product in products]
                products = [p for column in zip(*rows, strict=True) for p in column]
        return products

    def multilinear_weights(self, point: Sequence[int]) -> list[int]:
        """eq(s, u) for s = 0 .. 2^l - 1 at the point u: prod_b (u_b if bit b of s else 1 + u_b).

        The multilinear extension of s -> x_s has the value sum_s eq(s, u) x_s at u.
        """
        return self.tensor([(1 ^ u, u) for u in point])

    def powers(self, base: int, count: int) -> list[int]:
        """base^0, base^1, .., base^(count-1), for a count that is a power of two."""
        factors: list[tuple[int, int]] = []
        while 1 << len(factors) < count:
            factors.append((1, base))
            base = self.multiply(base, base)
        return self.tensor(factors)

    def evaluate(self, coefficients: Sequence[Sequence[int]], point: int) -> list[int]:
        """sum_i point^i coefficients[i], each coefficient a list of scalars, all of one length.

        Neighbouring coefficients join, a + point b, for all of them at once; then point is squared.
        """
        lists, width = [list(values) for values in coefficients], len(coefficients[0])
        while len(lists) > 1:
            upper = [value for values in lists[1::2] for value in values]
            scaled = self.scale_each(upper, point)
            for k in range(len(lists) // 2):
                part = scaled[k * width : (k + 1) * width]
                lists[2 * k] = list(map(self.add, lists[2 * k], part))
            lists = lists[::2]
            point = self.multiply(point, point)
        return lists[0]

    def interpolate(self, values: Sequence[int], point: Sequence[int]) -> int:
        """P(u) from all P(e), e in {0, 1, inf}^l in the order of `extend`, one variable after another.

        P is any polynomial of degree at most 2 in each variable, P(e) at inf being the coefficient
        of the square: P(t) = (1 + t) P(0) + t P(1) + (t^2 + t) P(inf).
        """
        for u in reversed(point):
            third = len(values) // 3
            at_zero, at_one, at_infinity = (values[k * third : (k + 1) * third] for k in range(3))
            slope = self.scale_each(list(map(self.add, at_zero, at_one)), u)
            square = self.scale_each(at_infinity, self.multiply(u, u) ^ u)
            values = [a ^ b ^ c for a, b, c in zip(at_zero, slope, square, strict=True)]
        return values[0]


def _bits(value: int) -> list[int]:
    """The positions of the ones of `value`."""
    return [k for k in range(value.bit_length()) if value >> k & 1]


@lru_cache(maxsize=64)
def ones_apart(count: int, distance: int) -> int:
    """`count` ones, `distance` bits apart, from bit 0."""
    return int.from_bytes((1).to_bytes(distance // 8, "little") * count, "little")
