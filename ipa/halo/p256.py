"""The group of NIST P-256 (SP 800-186), twice: in Python to be read, and by the library's ECDH.

`PythonP256` multiplies with Jacobian coordinates and signed windows of five bits. `P256` gets the
same product from the key agreement of `cryptography`, which is eight times as fast and runs in time
that does not depend on the scalar. Key agreement gives the x coordinate of kP only; y follows from
the x coordinate of (k + 1)P. Points are affine: a pair, or None for the identity.
"""

from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec

from ipa.errors import ParameterError
from ipa.halo.group import P256_ORDER

Point = tuple[int, int] | None

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
"""The field's prime."""

B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
"""The curve is y^2 = x^3 - 3 x + B."""

GENERATOR = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

_WINDOW = 5
_COORDINATE_BYTES = 32
_CURVE = ec.SECP256R1()
_AGREEMENT = ec.ECDH()

_Jacobian = tuple[int, int, int]
"""(X, Y, Z) for (X/Z^2, Y/Z^3); the identity has Z = 0."""

_IDENTITY: _Jacobian = (1, 1, 0)


class PythonP256:
    """P-256 with nothing but Python's integers. Its running time depends on the scalars."""

    name = "p256-python"
    order = P256_ORDER
    element_bytes = 2 * _COORDINATE_BYTES
    generator: Point = GENERATOR
    identity: Point = None

    def add(self, a: Point, b: Point) -> Point:
        """The sum; affine, at one inversion."""
        if a is None or b is None:
            return b if a is None else a
        (x1, y1), (x2, y2) = a, b
        if x1 == x2:
            if y1 != y2:
                return None
            slope = 3 * (x1 * x1 - 1) * pow(2 * y1, -1, P)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, P)
        x = (slope * slope - x1 - x2) % P
        return x, (slope * (x1 - x) - y1) % P

    def negate(self, a: Point) -> Point:
        """The mirrored point."""
        return None if a is None else (a[0], P - a[1])

    def multiply(self, scalar: int, element: Point) -> Point:
        """Signed windows of five bits from the top: 256 doublings and about 43 additions."""
        scalar %= self.order
        if element is None or not scalar:
            return None
        odd = _odd_multiples(element)
        total = _IDENTITY
        for digit in reversed(_signed_digits(scalar)):
            total = _double(total)
            if digit:
                x, y, z = odd[abs(digit) >> 1]
                total = _add(total, (x, y if digit > 0 else P - y, z))
        return _affine(total)

    def multiply_generator(self, scalar: int) -> Point:
        """Like `multiply`."""
        return self.multiply(scalar, self.generator)

    def hash_to_element(self, label: str) -> Point:
        """The first point with an even y whose x is the hash of the label and a counter.

        Takes two tries on average, and a time that depends on the label.
        """
        return _hash_to_point(label)

    def to_bytes(self, element: Point) -> bytes:
        """x and y, 32 bytes each, big-endian; all zero for the identity.

        Not compressed: a square root takes as long as a multiplication.
        """
        x, y = element or (0, 0)
        return x.to_bytes(_COORDINATE_BYTES, "big") + y.to_bytes(_COORDINATE_BYTES, "big")

    def from_bytes(self, data: bytes) -> Point:
        """The point.

        Raises: ParameterError for bytes that are no point of the curve.
        """
        x = int.from_bytes(data[:_COORDINATE_BYTES], "big")
        y = int.from_bytes(data[_COORDINATE_BYTES:], "big")
        if len(data) == self.element_bytes and not x and not y:
            return None
        on_curve = (y * y - x * x * x + 3 * x - B) % P == 0
        if len(data) != self.element_bytes or x >= P or y >= P or not on_curve:
            raise ParameterError("bytes are no point of P-256")
        return x, y


class P256(PythonP256):
    """P-256 whose multiplications are done by the library."""

    name = "p256"

    def multiply(self, scalar: int, element: Point) -> Point:
        """kP from the x coordinates of kP and (k + 1)P.

        With Q = kP, the sum Q + P has x = ((yQ - yP) / (xQ - xP))^2 - xP - xQ, and yQ^2 is known from
        the curve: what is left is linear in yQ.
        """
        scalar %= self.order
        if element is None or not scalar:
            return None
        if scalar in (1, self.order - 1):
            return element if scalar == 1 else self.negate(element)
        x, y = element
        public = ec.EllipticCurvePublicNumbers(x, y, _CURVE).public_key()
        product, after = (
            int.from_bytes(_private_key(k).exchange(_AGREEMENT, public), "big")
            for k in (scalar, scalar + 1)
        )
        square = product**3 - 3 * product + B
        difference = (after + x + product) * (product - x) ** 2
        return product, (square + y * y - difference) * pow(2 * y, -1, P) % P

    def multiply_generator(self, scalar: int) -> Point:
        """The public key of the scalar as a private key."""
        scalar %= self.order
        if not scalar:
            return None
        numbers = _private_key(scalar).public_key().public_numbers()
        return numbers.x, numbers.y


@lru_cache(maxsize=16)  # a worker multiplies many points by the same secret
def _private_key(scalar: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(scalar, _CURVE)


@lru_cache(maxsize=64)  # a few labels come again and again
def _hash_to_point(label: str) -> Point:
    counter = 0
    while True:
        hashed = sha256(b"ipa halo p256" + counter.to_bytes(8, "big") + label.encode())
        x = int.from_bytes(hashed.digest(), "big")
        square = (x * x * x - 3 * x + B) % P
        y = pow(square, (P + 1) // 4, P)
        if x < P and y * y % P == square:
            return x, y if y % 2 == 0 else P - y
        counter += 1


def _signed_digits(scalar: int) -> list[int]:
    """Digits for the powers of two, lowest first: 0 or odd and below 16 in magnitude."""
    digits = []
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & ((1 << _WINDOW) - 1)
            if digit >> (_WINDOW - 1):
                digit -= 1 << _WINDOW
            scalar -= digit
        digits.append(digit)
        scalar >>= 1
    return digits


def _odd_multiples(element: tuple[int, int]) -> list[_Jacobian]:
    """1, 3, 5, ..., 15 times the point."""
    multiples: list[_Jacobian] = [(*element, 1)]
    double = _double(multiples[0])
    while len(multiples) < 1 << (_WINDOW - 2):
        multiples.append(_add(multiples[-1], double))
    return multiples


def _double(a: _Jacobian) -> _Jacobian:
    """Twice the point, for curves with a = -3 (Bernstein and Lange, dbl-2001-b)."""
    x, y, z = a
    zz = z * z % P
    yy = y * y % P
    beta = x * yy % P
    alpha = 3 * (x - zz) * (x + zz) % P
    new_x = (alpha * alpha - 8 * beta) % P
    new_z = ((y + z) ** 2 - yy - zz) % P
    return new_x, (alpha * (4 * beta - new_x) - 8 * yy * yy) % P, new_z


def _add(a: _Jacobian, b: _Jacobian) -> _Jacobian:
    """The sum of two points."""
    if not a[2] or not b[2]:
        return a if a[2] else b
    (x1, y1, z1), (x2, y2, z2) = a, b
    zz1, zz2 = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * zz2 % P, x2 * zz1 % P
    s1, s2 = y1 * z2 * zz2 % P, y2 * z1 * zz1 % P
    if u1 == u2:
        return _double(a) if s1 == s2 else _IDENTITY
    h, r = u2 - u1, s2 - s1
    hh = h * h % P
    hhh, v = h * hh % P, u1 * hh % P
    x = (r * r - hhh - 2 * v) % P
    return x, (r * (v - x) - s1 * hhh) % P, z1 * z2 * h % P


def _affine(a: _Jacobian) -> Point:
    x, y, z = a
    if not z:
        return None
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return x * square % P, y * square * inverse % P
