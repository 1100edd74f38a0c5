"""Blocks: columns of any lengths laid out as equally long ones, for the batch check.

A factor is a column of x together with the columns of y that it multiplies: the selecting bit of a
multiplexer has as many products as the numbers it chooses from have bits, a node of a comparison
has two. Factors with equally many products, rounded up to a power of two, make a section, which is
laid out as groups of 2^l blocks. All blocks of a batch have C bits: short columns are put one above
another as long as they fit into a block, at whole bytes, and long ones are cut. What is left of a
block, and a product that a factor does not have, is zero, which is a true product of zeros.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipa.sharing.bits import bytes_per_column, ones

_LONGEST_BLOCK = 1 << 16  # bits; what is made of a group of longer ones outgrows the cache
_SHORTEST_BLOCK = 1 << 7  # bits; shorter ones cost Python calls and save nothing
_MOST_VARIABLES = 6  # more would make long messages
_MOST_PRODUCTS = 1 << 8  # of one factor: more would save nothing
_GATES_PER_PRODUCT = 1 << 13  # fewer are not worth the Python calls that a product costs


@dataclass(frozen=True)
class Section:
    """`groups` groups of 2^variables blocks, each block the factor of up to `products` others."""

    products: int
    variables: int
    groups: int

    @property
    def blocks(self) -> int:
        """How many factors' blocks there are."""
        return self.groups << self.variables


@dataclass(frozen=True)
class Layout:
    """Blocks of `length` bits, a multiple of 8, in sections by their number of products."""

    length: int
    sections: Mapping[int, Section]

    def products_for(self, count: int) -> int:
        """The section of a factor with `count` products, the first that has room for them."""
        return min(products for products in self.sections if products >= count)

    @property
    def variables(self) -> int:
        """The most variables that a section has."""
        return max(section.variables for section in self.sections.values())

    @property
    def products(self) -> int:
        """The most products that a factor has."""
        return max(self.sections)

    @property
    def groups(self) -> int:
        """The number of groups in all sections."""
        return sum(section.groups for section in self.sections.values())


def most_products(gates: int) -> int:
    """How many products a factor may have in a batch; of one with more, the column is repeated.

    With many products in a small batch there would be little to do for each.
    """
    return max(1, min(_MOST_PRODUCTS, gates // _GATES_PER_PRODUCT))


def choose_layout(factors: Mapping[tuple[int, int], int]) -> Layout:
    """The layout for `factors[rows, count]` factors of `rows` bits with `count` products each.

    Of some lengths of blocks it is the one with which the check takes the least time, as estimated.
    No product at all has no sections.
    """
    columns: dict[int, Counter[int]] = {}
    bits: Counter[int] = Counter()
    for (rows, count), number in factors.items():
        if rows * count * number:
            columns.setdefault(_power_of_two(count), Counter())[rows] += number
            bits[rows] += rows * number
    if not bits:
        return Layout(_SHORTEST_BLOCK, {})
    often = max(sorted(bits), key=bits.__getitem__)
    layouts = (_laid_out(columns, length) for length in _lengths(often))
    return min(layouts, key=_time_of_layout)


def _lengths(rows: int) -> list[int]:
    """Lengths of blocks: powers of two, and those that columns of `rows` bits fill without a rest."""
    size = 8 * bytes_per_column(rows)
    powers = [1 << k for k in range(_LONGEST_BLOCK.bit_length())]
    lengths = {*powers, *(size * (power // size) for power in powers)}
    lengths |= {8 * _piece_bytes(rows, times) for times in range(size.bit_length())}
    return sorted(n for n in lengths if _SHORTEST_BLOCK <= n <= _LONGEST_BLOCK)


def _laid_out(columns: Mapping[int, Mapping[int, int]], length: int) -> Layout:
    """The layout with blocks of `length` bits for `columns[products][rows]` factors.

    Factors join those with more products, with zeros as the missing ones, where that saves time.
    """
    blocks = {
        products: sum(_block_count(number, rows, length) for rows, number in alike.items())
        for products, alike in columns.items()
    }
    sections: dict[int, Section] = {}
    above = 0  # the next section with more products
    for products in sorted(blocks, reverse=True):
        section = _section(products, blocks[products], length)
        if above:
            joined = _section(above, blocks[above] + blocks[products], length)
            apart = _time(sections[above], length) + _time(section, length)
            if _time(joined, length) <= apart:
                sections[above] = joined
                blocks[above] += blocks[products]
                continue
        sections[products] = section
        above = products
    return Layout(length, dict(sorted(sections.items())))


def _power_of_two(count: int) -> int:
    """The smallest power of two that is at least `count`."""
    return 1 << (count - 1).bit_length()


def _section(products: int, blocks: int, length: int) -> Section:
    """As many variables as take the least time: they save vectors and cost extended products."""
    most = min(_MOST_VARIABLES, (blocks - 1).bit_length())
    sections = (
        Section(products, variables, -(-blocks >> variables)) for variables in range(most + 1)
    )
    return min(sections, key=lambda section: _time(section, length))


# How long a helper takes, in picoseconds, as measured. All helpers must find the same layout, so these
# are integers, and the same on every machine.


def _time_of_layout(layout: Layout) -> int:
    """The time for all sections, and that for weights and halvings, dearer with several groups."""
    length, operation = layout.length, _operation(layout.length)
    of_groups = (layout.groups - 1).bit_length()
    halvings = (16_000 + 8_000 * of_groups) * operation + 60_000 * length
    messages = 300_000_000 * (of_groups + length.bit_length())
    return halvings + messages + sum(_time(each, length) for each in layout.sections.values())


def _time(section: Section, length: int) -> int:
    """The time for a section: extended products and their hashes, values at the coin, vectors."""
    blocks, points = 1 << section.variables, int(3**section.variables)
    operation, tables = _operation(length), 2 + 2 * section.products
    hashed = section.products * (points - blocks) * (1_200_000 + 90 * length + 3 * operation)
    hashed += 2 * section.products * blocks * (1_200_000 + 10 * length)
    extended = tables * (points - blocks) * operation
    combined = tables * -(-blocks // 4) * 75 * operation
    return section.groups * (hashed + extended + combined + 10_000 * operation)


def _operation(length: int) -> int:
    """An operation on columns of `length` bits."""
    return 80_000 + 7 * length


def _block_count(columns: int, rows: int, length: int) -> int:
    if rows > length:
        return columns << _cuts(rows, length)
    return -(-columns // _stacked(rows, length)) if rows else 0


def _stacked(rows: int, length: int) -> int:
    """How many columns of `rows` bits fit into a block."""
    return length // (8 * bytes_per_column(rows))


def _cuts(rows: int, length: int) -> int:
    """How often columns of `rows` bits are halved until they fit."""
    return (-(-rows // length) - 1).bit_length()


def to_blocks(columns: Mapping[int, Sequence[int]], length: int, count: int) -> list[int]:
    """The blocks of `columns[rows]`, in ascending order of rows, zero blocks up to `count`."""
    blocks: list[int] = []
    for rows in sorted(columns):
        if rows > length:
            blocks += _cut(columns[rows], rows, _cuts(rows, length))
        elif rows:
            blocks += _stack(columns[rows], rows, _stacked(rows, length))
    return blocks + [0] * (count - len(blocks))


def to_byte_blocks(columns: Mapping[int, Sequence[bytes]], length: int, count: int) -> list[bytes]:
    """The same blocks of columns that come as bytes, little-endian; a zero block is empty."""
    blocks: list[bytes] = []
    for rows in sorted(columns):
        if rows > length:
            size = _piece_bytes(rows, times := _cuts(rows, length))
            blocks += [
                column[start * size : (start + 1) * size]
                for column in columns[rows]
                for start in range(1 << times)
            ]
        elif rows:
            size = _stacked(rows, length)
            starts = range(0, len(columns[rows]), size)
            blocks += [b"".join(columns[rows][start : start + size]) for start in starts]
    return blocks + [b""] * (count - len(blocks))


def _piece_bytes(rows: int, times: int) -> int:
    """The bytes of each of the 2^times pieces that a column is cut into."""
    return -(-bytes_per_column(rows) >> times)


def _cut(columns: Sequence[int], rows: int, times: int) -> list[int]:
    """Every column in 2^times pieces, by halving, so that each bit moves `times` times."""
    pieces, size = list(columns), 8 * _piece_bytes(rows, times) << times
    for _ in range(times):
        size //= 2
        low = ones(size)
        pieces = [half for piece in pieces for half in (piece & low, piece >> size)]
    return pieces


def _stack(columns: Sequence[int], rows: int, count: int) -> list[int]:
    """Every `count` columns in one int, four at a time so that each bit moves seldom."""
    stacked: list[int] = []
    for start in range(0, len(columns), count):
        parts, size = list(columns[start : start + count]), 8 * bytes_per_column(rows)
        while len(parts) > 1:
            parts += [0] * (-len(parts) % 4)
            fours = zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True)
            parts = [a | b << size | (c | d << size) << 2 * size for a, b, c, d in fours]
            size *= 4
        stacked.append(parts[0])
    return stacked
