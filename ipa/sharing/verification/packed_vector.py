"""Short vectors over a binary field, packed: the local part of the batch check's last halvings.

Element c of a vector of K = GF(2^d) stands in a slot of 2d bits of one int, from bit 2d c on, with
room for its product before reduction. A `SlicedVector` takes hundreds of calls for a product,
however short it is; this takes a few for each of d bits, and is cheaper for up to SHORT elements.
A helper's vectors are shares: nothing here is sent or revealed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ipa.sharing.bits import table_from_columns
from ipa.sharing.rings import decode_elements, encode_elements
from ipa.sharing.verification.binary_field import BinaryField, ones_apart
from ipa.sharing.verification.sliced_vector import SlicedVector

SHORT = 1 << 8
"""Elements; measured: from twice as many on, slices are faster."""


@dataclass(frozen=True)
class PackedVector:
    """`length` elements, packed; they stay out of `repr`."""

    slots: int = field(repr=False)
    length: int


def pack(vector: SlicedVector) -> PackedVector:
    """The same vector, packed."""
    degree = len(vector.columns)
    wide = [*vector.columns, *[0] * degree]
    return PackedVector(
        int.from_bytes(table_from_columns(wide, vector.length), "little"), vector.length
    )


def add(a: PackedVector, b: PackedVector) -> PackedVector:
    """a + b, of one length."""
    return PackedVector(a.slots ^ b.slots, a.length)


def halves(field: BinaryField, vector: PackedVector) -> tuple[PackedVector, PackedVector]:
    """The lower half, of ceil(length / 2) elements, and the upper one, padded with a zero."""
    half = (vector.length + 1) // 2
    bits = 2 * field.degree * half
    return (
        PackedVector(vector.slots & (1 << bits) - 1, half),
        PackedVector(vector.slots >> bits, half),
    )


def fold(field: BinaryField, low: PackedVector, high: PackedVector, point: int) -> PackedVector:
    """The multilinear extension along the halved variable at a public r: low + r (low + high)."""
    steps = low.slots ^ high.slots
    scaled = 0
    for shift in range(point.bit_length()):
        if point >> shift & 1:
            scaled ^= steps << shift
    return PackedVector(low.slots ^ field.reduce_slots(scaled, low.length), low.length)


def inner_product(field: BinaryField, a: PackedVector, b: PackedVector) -> int:
    """The sum of a_c b_c over all elements: the multiples of b for each bit of a, added up."""
    degree, lowest = field.degree, ones_apart(a.length, 2 * field.degree)
    left, right, total = a.slots, b.slots, 0
    for shift in range(degree):
        chosen = left >> shift & lowest
        total ^= (right & (chosen << degree) - chosen) << shift  # all ones where the bit is set
    length = a.length
    while length > 1:
        length = (length + 1) // 2
        bits = 2 * degree * length
        total = (total & (1 << bits) - 1) ^ total >> bits
    return field.reduce(total)


def elements(field: BinaryField, vector: PackedVector) -> list[int]:
    """The elements one by one."""
    data = vector.slots.to_bytes(2 * field.element_bytes * vector.length, "little")
    return decode_elements(field, data)[::2]


def of_elements(field: BinaryField, values: Sequence[int]) -> PackedVector:
    """The vector of these elements; the inverse of `elements`."""
    slots = [0] * (2 * len(values))
    slots[::2] = values
    return PackedVector(int.from_bytes(encode_elements(field, slots), "little"), len(values))
