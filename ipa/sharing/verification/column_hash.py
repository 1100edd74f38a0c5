"""A linear hash of columns of bits to field elements: the random weights tau_c of the batch check.

The check needs, for one public coin opened after the products are fixed, weights tau_c in
K = GF(2^d) and many sums h(t) = sum_c tau_c t_c over columns t of C bits. We take the weights from
GHASH, the universal hash of AES-GCM (NIST SP 800-38D, section 6.4): it reads a column once, where
evaluating a polynomial on bit slices takes about 18 XORs per bit and needs columns cut in pieces
(SPEC_NOTES: column-hash).
A column is its little-endian bytes, zeros added up to whole blocks of 128 bits. With B_j the j-th
block from the last, its tag is sum_j B_j H^(j+2) in GF(2^128), plus a constant, and h takes the
leading d bits of it.
H = AES_k(0) for the coin k. Everything is linear over GF(2), so tau_c is the hash of the column
whose only one is bit c.

Soundness: for a column t other than zero, P(H) = sum_j B_j H^(j+2) is a polynomial of degree at
most J + 1, J = ceil(C / 128), without a constant term. h(t) = v means P(H) in a set of 2^(128-d)
values, each taken at J + 1 points at most: Pr[h(t) = v] <= (J + 1) / 2^d for every v, for uniform H
(and for uniform k up to the security of AES as a block cipher). Several columns hashed with one key
need further coins: G groups are added up with the powers of one gamma in K, at a cost of
(G - 1) / 2^d.
"""

from collections.abc import Iterable
from functools import partial

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ipa.errors import MismatchError, ParameterError
from ipa.sharing.bits import ones
from ipa.sharing.verification.binary_field import BinaryField
from ipa.sharing.verification.sliced_vector import SlicedVector

KEY_BYTES = 16
"""Length of the coin that keys the hash."""

_BLOCK = 128
_NONCE = bytes(12)
_TAIL = (0, 1, 2, 7)  # GHASH's field is modulo x^128 + x^7 + x^2 + x + 1


class ColumnHash:
    """The hash with the coin `key` (16 bytes), for columns of `length` bits.

    `sums(columns)` gives h of every column, `sums_of_bytes` of columns that come as bytes,
    `weights()` the vector of all tau_c, `weighted_sum` the sum of all tau_c v_c for a vector over K.

    Raises: ParameterError for a key of another length.
    """

    def __init__(self, field: BinaryField, key: bytes, length: int) -> None:
        if len(key) != KEY_BYTES:
            raise ParameterError(f"a hash key must be {KEY_BYTES} bytes, not {len(key)}")
        self.field = field
        self._key = key
        self.length = length
        self._blocks = (length + _BLOCK - 1) // _BLOCK
        self._bytes = self._blocks * (_BLOCK // 8)
        gcm = AESGCM(key)
        # Of the empty message: GHASH of the associated data, and a mask that depends on its length.
        self._tag = partial(gcm.encrypt, _NONCE, b"")
        self._kept = field.degree // 8
        self._mask = int.from_bytes(self._tag(bytes(self._bytes))[: self._kept], "big")
        ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        self._point = int.from_bytes(ecb.update(bytes(16)), "big")

    def __reduce__(self) -> tuple[type["ColumnHash"], tuple[BinaryField, bytes, int]]:
        """For workers in other processes, made anew from the coin."""
        return ColumnHash, (self.field, self._key, self.length)

    def sums(self, columns: Iterable[int]) -> list[int]:
        """sum_c tau_c t_c in K for every column t.

        Columns that are 0 cost nothing: a section is filled up with them, and which they are is
        public.

        Raises: MismatchError for a column longer than the hash was made for.
        """
        size, length, tag, kept, mask = self._bytes, self.length, self._tag, self._kept, self._mask
        sums = []
        for column in columns:
            if column.bit_length() > length:
                raise MismatchError(f"a column of more than {length} bits was to be hashed")
            leading = tag(column.to_bytes(size, "little"))[:kept] if column else b""
            sums.append(mask ^ int.from_bytes(leading, "big") if leading else 0)
        return sums

    def sums_of_bytes(self, columns: Iterable[bytes]) -> list[int]:
        """The same for columns as little-endian bytes, of which zeros at the end may be left out.

        Raises: MismatchError for a column of more bytes.
        """
        size, tag, kept, mask = self._bytes, self._tag, self._kept, self._mask
        sums = []
        for column in columns:
            if len(column) > size:
                raise MismatchError(f"a column of more than {size} bytes was to be hashed")
            leading = tag(column.ljust(size, b"\0"))[:kept] if column else b""
            sums.append(mask ^ int.from_bytes(leading, "big") if leading else 0)
        return sums

    def weighted_sum(self, vector: SlicedVector) -> int:
        """sum_c tau_c v_c in K for a vector v over K: the hash of column k times x^k, summed."""
        total = 0
        for k, value in enumerate(self.sums(vector.columns)):
            total ^= value << k
        return self.field.reduce(total)

    def weights(self) -> SlicedVector:
        """The vector of tau_0 .. tau_(C-1), without hashing C columns.

        Bit 7 of a block's first byte stands for x^0, bit 0 of its last for x^127: with its bytes in
        reverse, bit rho (0 is the lowest) of a block stands for x^(127-rho), and so does bit rho of
        a tag. Let W_p have at bit rho bit p of x^(127-rho) h, for the power h of H of the block. To
        multiply by x is to shift right and feed bit 0 back into the bits 127 - {0, 1, 2, 7}, so
        W_p = (W_(p+1) >> 1) + [p fed back] (W_0 >> 1) + (bit p of h) << 127. Unrolled,
        this gives W_0 from h; then W_127, W_126, .. follow, for all blocks in one integer. In it the
        last block is the lowest.
        """
        powers = self._powers()
        all_powers = _side_by_side(powers)
        fed_back = _side_by_side([_low_bits_of_multiples(h) for h in powers])
        lowest = _side_by_side([1] * self._blocks)
        not_top = lowest * ones(_BLOCK - 1)
        fed_back = fed_back >> 1 & not_top
        inside = ones(self.length)
        columns, word = [], 0
        for p in range(_BLOCK - 1, _BLOCK - 1 - self.field.degree, -1):
            word = (word >> 1 & not_top) ^ (all_powers >> p & lowest) << _BLOCK - 1
            if _BLOCK - 1 - p in _TAIL:
                word ^= fed_back
            columns.append(int.from_bytes(word.to_bytes(self._bytes, "big"), "little") & inside)
        return SlicedVector(tuple(reversed(columns)), self.length)

    def _powers(self) -> list[int]:
        """H^2, H^3, .. for the blocks from the last; H^1 belongs to GCM's block of lengths."""
        powers = _multiples([self._point], self._point)
        while (count := len(powers)) < self._blocks:  # H^2 .. H^(count + 1), times H^count
            powers += _multiples(powers, powers[count - 2] if count > 1 else self._point)
        return powers[: self._blocks]


def _side_by_side(blocks: list[int]) -> int:
    return int.from_bytes(b"".join(b.to_bytes(_BLOCK // 8, "little") for b in blocks), "little")


def _low_bits_of_multiples(h: int) -> int:
    """W_0: at bit rho, bit 0 of x^(127-rho) h."""
    reversed_h = int(f"{h:0{_BLOCK}b}"[::-1], 2)
    return reversed_h ^ reversed_h >> 121 ^ reversed_h >> 126 ^ reversed_h >> 127


def _multiples(elements: list[int], factor: int) -> list[int]:
    """Each element times the factor in GHASH's field (SP 800-38D, section 6.3): all side by side.

    The highest bit of an element is x^0. Each has a slot twice as long and stands at its top: there
    is room for its product, of which what is below x^127 is fed back.
    """
    packed = _side_by_side([part for element in elements for part in (0, element)])
    low = _side_by_side([ones(_BLOCK), 0] * len(elements))
    product = 0
    for power in range(_BLOCK):
        if factor >> _BLOCK - 1 - power & 1:
            product ^= packed >> power
    for _ in range(2):  # what overflows the first time is shorter than seven bits
        above = (product & low) << _BLOCK
        product &= low << _BLOCK
        for power in _TAIL:
            product ^= above >> power
    size = _BLOCK // 8
    data = product.to_bytes(2 * size * len(elements), "little")
    return [
        int.from_bytes(data[start : start + size], "little")
        for start in range(size, len(data), 2 * size)
    ]
