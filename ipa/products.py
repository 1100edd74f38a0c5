"""The products a malicious-secure network has made and not yet checked.

A corrupted helper can add an error to any product it sends a summand of. So every product (x, y, z)
is kept here until the batch check has shown that its error is zero, and nothing is opened while
anything is pending (Chida et al. 2018, section 4: verify before output).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from ipa.errors import ParameterError, UncheckedProductError
from ipa.sharing.binary_field import BinaryField
from ipa.sharing.bits import bytes_per_column
from ipa.sharing.replicated import SharedBits
from ipa.sharing.shared_numbers import SharedNumbers

# Enough for the check's fixed costs to vanish, little enough for a batch to fit in 1 GiB.
DEFAULT_BATCH_GATES = 1 << 26
DEFAULT_BATCH_NUMBERS = 1 << 16
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
class NumberProducts:
    """z = x * y, element by element, over a prime field."""

    x: SharedNumbers
    y: SharedNumbers
    z: SharedNumbers


@dataclass
class ProductLog:
    """Products by kind, with counts of how many were made and checked.

    `bit_field` is the field the bit products are checked in: GF(2^64), or a small one for soundness
    experiments. `batch_gates` and `batch_numbers` bound a batch, and so the memory of the check: a
    batch has at most as many, or one column. `failed` says that a check failed, `agreed` that the
    helpers have agreed to release since the last product.
    """

    bit_field: BinaryField = field(default_factory=BinaryField)
    batch_gates: int = DEFAULT_BATCH_GATES
    batch_numbers: int = DEFAULT_BATCH_NUMBERS
    smallest_prime_field: int = SMALLEST_CHECKED_FIELD
    gates_made: int = 0
    gates_checked: int = 0
    numbers_made: int = 0
    numbers_checked: int = 0
    failed: bool = False
    agreed: bool = False
    pending_bits: list[BitProducts] = field(default_factory=list, repr=False)
    pending_numbers: list[NumberProducts] = field(default_factory=list, repr=False)

    def add_bits(self, products: BitProducts) -> None:
        """Remember AND gates until they are checked."""
        self.agreed = False
        self.gates_made += products.gates
        self.pending_bits.append(products)

    def add_numbers(self, products: NumberProducts) -> None:
        """Remember prime-field products until they are checked.

        ParameterError for other rings (SPEC_NOTES: modulo-2k-products).
        """
        ring = products.x.ring
        if not ring.is_field or ring.size < self.smallest_prime_field:
            raise ParameterError(
                f"products over {ring.name} cannot be checked: malicious security needs bits or a "
                f"field of at least {self.smallest_prime_field} elements"
            )
        self.agreed = False
        self.numbers_made += products.x.count
        self.pending_numbers.append(products)

    @property
    def room_for_gates(self) -> int:
        """How many more gates make a whole batch."""
        return self.batch_gates - (self.gates_made - self.gates_checked)

    @property
    def room_for_numbers(self) -> int:
        """How many more products of numbers make a whole batch."""
        return self.batch_numbers - (self.numbers_made - self.numbers_checked)

    @property
    def is_due(self) -> bool:
        """Whether a whole batch is pending."""
        return self.room_for_gates <= 0 or self.room_for_numbers <= 0

    @contextmanager
    def being_checked(self) -> Iterator[tuple[list[BitProducts], list[NumberProducts]]]:
        """Everything pending, which is then no longer pending: it is checked exactly once.

        The body is the check. When it raises, nothing made in this network may ever be opened.
        """
        bits, numbers = self.pending_bits, self.pending_numbers
        self.pending_bits, self.pending_numbers = [], []
        passed = False
        try:
            yield bits, numbers
            passed = True
        finally:
            self.failed = self.failed or not passed
        self.gates_checked += sum(products.gates for products in bits)
        self.numbers_checked += sum(products.x.count for products in numbers)

    def refuse_unreleased(self, step: str) -> None:
        """Raise UncheckedProductError unless everything is checked and all helpers agreed to that."""
        self.refuse_unchecked(step)
        if not self.agreed:
            raise UncheckedProductError(f"{step}: the helpers have not agreed to release anything")

    def refuse_unchecked(self, step: str) -> None:
        """Raise UncheckedProductError when something is pending or failed: nothing may be opened."""
        if self.failed:
            raise UncheckedProductError(f"{step}: something is opened after a check failed")
        if self.pending_bits or self.pending_numbers:
            raise UncheckedProductError(f"{step}: products are opened before they are checked")
