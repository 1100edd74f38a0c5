"""The products of a batch as blocks: which columns have a factor in common, and where they stand."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ipa.network.product_log import BitProducts
from ipa.sharing.bits import bytes_per_column
from ipa.sharing.verification.blocks import (
    Layout,
    Section,
    choose_layout,
    most_products,
    to_blocks,
    to_byte_blocks,
)

Blocks = tuple[list[int], list[int]]
"""A helper's two shares of blocks."""

ByteBlocks = tuple[list[bytes], list[bytes]]
"""A helper's two shares of blocks in bytes."""


@dataclass(frozen=True, repr=False)
class SectionBlocks:
    """One helper's shares of a section: `x` is a factor of each of `ys`, with the products `zs`.

    Shares stay out of `repr`.
    """

    section: Section
    x: Blocks
    ys: list[Blocks]
    zs: list[ByteBlocks]

    def groups(self) -> Iterator["SectionBlocks"]:
        """The groups, one after another."""
        size = 1 << self.section.variables
        for start in range(0, self.section.blocks, size):
            part = slice(start, start + size)
            yield SectionBlocks(
                self.section,
                (self.x[0][part], self.x[1][part]),
                [(own[part], right[part]) for own, right in self.ys],
                [(own[part], right[part]) for own, right in self.zs],
            )


Place = tuple[int, int]
"""A table of products in the batch, and a column in it."""

_NOWHERE = (-1, 0)
"""The place of a product that a factor does not have: a column of zeros."""


@dataclass(frozen=True)
class Arrangement:
    """Where the columns of a section come from, each list by the number of rows.

    `factors` are columns of x; `products[j]` are columns of y and of z, the j-th of every factor.
    """

    section: Section
    factors: Mapping[int, list[Place]]
    products: list[Mapping[int, list[Place]]]


def arrange(batch: Sequence[BitProducts]) -> tuple[Layout, list[Arrangement]]:
    """The layout of a batch and what is where, which depends on sizes and factors alone."""
    limit = most_products(sum(table.gates for table in batch))
    factors = [f for table in range(len(batch)) for f in _factors_of(batch, table, limit)]
    layout = choose_layout(Counter((batch[table].y.rows, len(ps)) for table, _, ps in factors))
    placed: dict[int, dict[int, list[tuple[Place, list[Place]]]]] = {
        products: {} for products in layout.sections
    }
    for table, column, positions in factors:
        places = [(table, position) for position in positions]
        if rows := batch[table].y.rows:
            alike = placed[layout.products_for(len(places))].setdefault(rows, [])
            alike.append(((table, column), places))
    return layout, [
        _arrangement(section, placed[products]) for products, section in layout.sections.items()
    ]


def _factors_of(
    batch: Sequence[BitProducts], table: int, limit: int
) -> Iterator[tuple[int, int, Sequence[int]]]:
    """Each factor of a table: the table, the column of x, and the columns of y it multiplies.

    A factor of more than `limit` columns is one several times, with about equally many each time.
    """
    products: dict[int, list[int]] = {}
    for position, column in enumerate(batch[table].factors):
        products.setdefault(column, []).append(position)
    for column, positions in products.items():
        parts = -(-len(positions) // limit)
        for part in range(parts):
            yield table, column, positions[part::parts]


def _arrangement(
    section: Section, placed: Mapping[int, list[tuple[Place, list[Place]]]]
) -> Arrangement:
    products: list[Mapping[int, list[Place]]] = [
        {
            rows: [places[j] if j < len(places) else _NOWHERE for _, places in alike]
            for rows, alike in placed.items()
        }
        for j in range(section.products)
    ]
    factors = {rows: [place for place, _ in alike] for rows, alike in placed.items()}
    return Arrangement(section, factors, products)


def blocks_of(
    batch: Sequence[BitProducts],
    layout: Layout,
    arrangements: Sequence[Arrangement],
    helper: int,
) -> list[SectionBlocks]:
    """The blocks of every section, as far as the helper with this id holds them."""
    both = [_blocks_of_share(batch, layout, arrangements, helper, share) for share in (0, 1)]
    return [
        SectionBlocks(
            arrangement.section,
            (x0, x1),
            list(zip(ys0, ys1, strict=True)),
            list(zip(zs0, zs1, strict=True)),
        )
        for arrangement, (x0, ys0, zs0), (x1, ys1, zs1) in zip(arrangements, *both, strict=True)
    ]


def _blocks_of_share(
    batch: Sequence[BitProducts],
    layout: Layout,
    arrangements: Sequence[Arrangement],
    helper: int,
    share: int,
) -> list[tuple[list[int], list[list[int]], list[list[bytes]]]]:
    """The blocks of x, and those of y and of z for each product j, for each section."""
    xs = [table.x.shares_of(helper)[share] for table in batch]
    ys = [*(table.y.shares_of(helper)[share] for table in batch), [0]]
    zs = [table.z[helper][share] for table in batch]

    def in_bytes(rows: int, places: Sequence[Place]) -> list[bytes]:
        """The columns of z at these places, as they were sent; zeros where there is none."""
        size = bytes_per_column(rows)
        zero = bytes(size)
        return [
            zero if table < 0 else zs[table][column * size : (column + 1) * size]
            for table, column in places
        ]

    sections = []
    for arrangement in arrangements:
        length, count = layout.length, arrangement.section.blocks
        x = {rows: [xs[t][c] for t, c in places] for rows, places in arrangement.factors.items()}
        y_blocks, z_blocks = [], []
        for products in arrangement.products:
            y = {rows: [ys[t][c] for t, c in places] for rows, places in products.items()}
            z = {rows: in_bytes(rows, places) for rows, places in products.items()}
            y_blocks.append(to_blocks(y, length, count))
            z_blocks.append(to_byte_blocks(z, length, count))
        sections.append((to_blocks(x, length, count), y_blocks, z_blocks))
    return sections
