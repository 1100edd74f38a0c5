"""The products that a malicious-secure network has made and not yet checked.

A corrupted helper can add an error to any product that it sends a summand of. So every product
(x, y, z) is kept here until the batch check has shown that its error is zero, and nothing is opened
while anything is pending (Chida et al. 2018, section 4: verify before output). In a semi-honest
network the log keeps nothing and refuses nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from ipa.errors import ParameterError, UncheckedProductError
from ipa.sharing.bits import bytes_per_column
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements
from ipa.sharing.verification.binary_field import BinaryField

SMALLEST_CHECKED_FIELD = 1 << 60


@dataclass(frozen=True, slots=True)
class BitProducts:
    """z = x AND y: column j of `y` and of z belongs to column `factors[j]` of `x`.

    `z` has each local helper's two shares as they travelled, which is how the check reads them: the
    columns one after another, bytes_per_column(rows) bytes each.
    """

    x: SharedBits
    y: SharedBits
    z: Mapping[int, tuple[bytes, bytes]] = field(repr=False)
    factors: tuple[int, ...]

    @property
    def gates(self) -> int:
        """How many AND gates these are."""
        return self.y.width * self.y.rows

    def __getitem__(self, part: slice) -> "BitProducts":
        """The products of some neighbouring columns of `y`."""
        size = bytes_per_column(self.y.rows)
        start, stop, _ = part.indices(self.y.width)
        z = {
            helper: (own[start * size : stop * size], right[start * size : stop * size])
            for helper, (own, right) in self.z.items()
        }
        return BitProducts(self.x, self.y[start:stop], z, self.factors[start:stop])


@dataclass(frozen=True, slots=True)
class ElementProducts:
    """z = x * y, element by element, over a prime field."""

    x: SharedElements
    y: SharedElements
    z: SharedElements


@dataclass(frozen=True, kw_only=True)
class CheckRules:
    """How products are checked; all helpers must have the same rules, and compare them.

    `bit_field` is the field the bit products are checked in: GF(2^64), or a small one for soundness
    experiments. `batch_gates` and `batch_elements` bound a batch, and so the memory of the check: a
    batch has at most as many, or one column. The defaults are large enough for the check's fixed
    costs to vanish and small enough for a batch to fit in 1 GiB. Products over prime fields smaller
    than `smallest_prime_field` are refused (SPEC_NOTES: modulo-2k-products).
    """

    bit_field: BinaryField = field(default_factory=BinaryField)
    batch_gates: int = 1 << 26
    batch_elements: int = 1 << 16
    smallest_prime_field: int = SMALLEST_CHECKED_FIELD

    def to_bytes(self) -> bytes:
        """The rules as the helpers compare them (SPEC_NOTES.md, What helpers agree on)."""
        counts = (self.batch_gates, self.batch_elements, self.smallest_prime_field)
        degree = self.bit_field.degree.to_bytes(1, "big")
        return degree + b"".join(count.to_bytes(8, "big") for count in counts)


@dataclass
class ProductLog:
    """Products by kind, with counts of how many were made and checked.

    `keeps_products` says whether the network is malicious-secure: without, nothing is kept.
    `failed` says that a check failed, `agreed` that the helpers have agreed to release since the
    last product.
    """

    keeps_products: bool = True
    rules: CheckRules = field(default_factory=CheckRules)
    gates_made: int = 0
    gates_checked: int = 0
    elements_made: int = 0
    elements_checked: int = 0
    failed: bool = False
    agreed: bool = False
    pending_bits: list[BitProducts] = field(default_factory=list, repr=False)
    pending_elements: list[ElementProducts] = field(default_factory=list, repr=False)

    def add_bits(self, products: BitProducts) -> None:
        """Remember AND gates until they are checked."""
        self.agreed = False
        self.gates_made += products.gates
        self.pending_bits.append(products)

    def add_elements(self, products: ElementProducts) -> None:
        """Remember prime-field products until they are checked.

        Raises: ParameterError for other rings (SPEC_NOTES: modulo-2k-products).
        """
        ring = products.x.ring
        if not ring.is_field or ring.size < self.rules.smallest_prime_field:
            raise ParameterError(
                f"products over {ring.name} cannot be checked: malicious security needs bits or a "
                f"field of at least {self.rules.smallest_prime_field} elements"
            )
        self.agreed = False
        self.elements_made += products.x.count
        self.pending_elements.append(products)

    @property
    def room_for_gates(self) -> int:
        """How many more gates make a whole batch."""
        return self.rules.batch_gates - (self.gates_made - self.gates_checked)

    @property
    def room_for_elements(self) -> int:
        """How many more products of elements make a whole batch."""
        return self.rules.batch_elements - (self.elements_made - self.elements_checked)

    @property
    def has_pending(self) -> bool:
        """Whether any product is still to be checked."""
        return bool(self.pending_bits or self.pending_elements)

    @property
    def is_due(self) -> bool:
        """Whether a whole batch is pending."""
        return self.room_for_gates <= 0 or self.room_for_elements <= 0

    @contextmanager
    def being_checked(self) -> Iterator[tuple[list[BitProducts], list[ElementProducts]]]:
        """Everything pending, which is then no longer pending: it is checked exactly once.

        The body is the check. When it raises, nothing made in this network may ever be opened.
        """
        bits, elements = self.pending_bits, self.pending_elements
        self.pending_bits, self.pending_elements = [], []
        passed = False
        try:
            yield bits, elements
            passed = True
        finally:
            self.failed = self.failed or not passed
        self.gates_checked += sum(products.gates for products in bits)
        self.elements_checked += sum(products.x.count for products in elements)

    def refuse_unreleased(self, step: str) -> None:
        """Check that everything is checked and that all helpers agreed to that.

        Raises: UncheckedProductError.
        """
        self.refuse_unchecked(step)
        if self.keeps_products and not self.agreed:
            raise UncheckedProductError(f"{step}: the helpers have not agreed to release anything")

    def refuse_unchecked(self, step: str) -> None:
        """Check that nothing is pending and nothing failed, before anything is opened.

        Raises: UncheckedProductError.
        """
        if self.failed:
            raise UncheckedProductError(f"{step}: something is opened after a check failed")
        if self.has_pending:
            raise UncheckedProductError(f"{step}: products are opened before they are checked")
