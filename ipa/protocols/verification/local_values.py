"""What each helper party adds to the claimed values of a batch check, by itself.

That is a third of the work of a check, and a group of blocks needs no other. So it goes to the
network's executor, if there is one, some groups at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice

from ipa.network.execution import map_tasks
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.protocols.verification.product_blocks import SectionBlocks
from ipa.sharing.verification.binary_field import BinaryField
from ipa.sharing.verification.column_hash import ColumnHash
from ipa.sharing.verification.extension import extended_products

LocalValues = tuple[list[int], list[int], list[int]]
"""A helper's two shares of H(e) at the finite points, and its summand at the infinite ones."""

TASK_GATES = 1 << 24
"""Gates of a task: some 20 ms of work for one helper, far above what handing it over takes."""


def local_values(
    network: HelperPartyNetwork,
    field: BinaryField,
    hashed: ColumnHash,
    gamma: int,
    rho: int,
    blocks: Mapping[int, Sequence[SectionBlocks]],
) -> dict[int, LocalValues]:
    """Each local helper's part of all H(e), section after section, groups weighted by gamma^g.

    Raises: WorkerError when a worker of the network's executor fails.
    """
    tasks = (
        (field, hashed, rho, groups)
        for mine in blocks.values()
        for of_section in mine
        for groups in _some_at_a_time(of_section, hashed.length)
    )
    done = map_tasks(network.executor, values_of_groups, tasks, network.path)
    of_groups = chain.from_iterable(done)
    values = {}
    for helper, mine in blocks.items():
        totals: LocalValues = ([], [], [])
        first = 1  # gamma^g of the section's first group
        for of_section in mine:
            count = of_section.section.groups
            of_section_s_groups = list(islice(of_groups, count))
            for total, lists in zip(totals, zip(*of_section_s_groups, strict=True), strict=True):
                total += field.scale_each(field.evaluate(lists, gamma), first)
            first = field.multiply(first, field.power(gamma, count))
        values[helper] = totals
    return values


def _some_at_a_time(of_section: SectionBlocks, length: int) -> Iterator[list[SectionBlocks]]:
    """The groups of a section, as many at a time as have the gates of a task."""
    section, groups = of_section.section, of_section.groups()
    count = max(1, TASK_GATES // (length * section.products << section.variables))
    while some := list(islice(groups, count)):
        yield some


def values_of_groups(
    field: BinaryField, hashed: ColumnHash, rho: int, groups: Sequence[SectionBlocks]
) -> list[LocalValues]:
    """What each of the groups adds to `local_values`, without its weight."""
    return [_values_of_group(field, hashed, rho, group) for group in groups]


def _values_of_group(
    field: BinaryField, hashed: ColumnHash, rho: int, group: SectionBlocks
) -> LocalValues:
    products: list[list[int]] = [[] for _ in group.ys]
    if group.section.variables:
        for piece in extended_products(group.x, group.ys, hashed.length):
            for of_product, columns in zip(products, piece, strict=True):
                of_product += hashed.sums(columns)
    own, right = ([hashed.sums_of_bytes(z[share]) for z in group.zs] for share in (0, 1))
    at_finite_own, at_finite_right, at_infinite = (
        field.evaluate(lists, rho) for lists in (own, right, products)
    )
    return at_finite_own, at_finite_right, at_infinite
