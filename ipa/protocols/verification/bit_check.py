"""The batch check of AND gates: Goyal, Song and Zhu 2020 (eprint 2020/134), over K = GF(2^d).

The products are laid out as groups of 2^l blocks of C bits. In each group the blocks are the values
at s in {0,1}^l of polynomials X_c, Y_c that are linear in each variable. With public weights
gamma_g for groups (SPEC_NOTES: group-weights) and tau_c for positions,

    H(e) = sum_g gamma_g sum_c tau_c X_gc(e) Y_gc(e)

is known at {0,1}^l from the shares of z, and computed and re-shared at the other points of
{0,1,inf}^l: there X_gc(e) and Y_gc(e) are still bits, XORs of blocks. These 3^l values determine H,
of degree 2 in each variable, and H(u) at a public coin u in K^l is an inner product of vectors over
K, which is compressed further. All sums over c before u are of bits; that makes the check cheap.

The paper's stages here:

- De-linearization, many products to one inner product: the weights and the sum over positions,
  `_draw_weights` and `_claimed_values`. The paper's weights are powers of one coin; ours are a GHASH
  of the column (SPEC_NOTES: column-hash) and powers for groups. The stage on {0,1,inf}^l is ours:
  it folds l variables at once, on bits, where the paper goes to the large field directly.
- Dimension reduction, an inner product to a shorter one: `inner_product.halve`. The paper
  interpolates through several parts; ours are two, by multilinear extension.
- Randomization, the last product: the random triple of `verify_inner_product`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.product_log import BitProducts
from ipa.protocols.primitives.coins import public_coins
from ipa.protocols.primitives.resharing import reshare_elements
from ipa.protocols.verification.inner_product import (
    InnerProduct,
    VectorArithmetic,
    halve,
    verify_inner_product,
)
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements
from ipa.sharing.verification import sliced_vector
from ipa.sharing.verification.binary_field import BinaryField
from ipa.sharing.verification.blocks import Layout, choose_layout, to_blocks
from ipa.sharing.verification.column_hash import KEY_BYTES, ColumnHash
from ipa.sharing.verification.extension import extended_products, finite_points, infinite_points
from ipa.sharing.verification.shamir import ShamirPoints, shamir_points
from ipa.sharing.verification.sliced_vector import SlicedVector


def check_bit_products(
    network: HelperPartyNetwork, field: BinaryField, batch: Sequence[BitProducts]
) -> None:
    """Check that z = x AND y in every gate of the batch.

    For G groups of 2^l blocks of C bits, a batch in which a gate is wrong passes with probability at
    most (ceil(C / 128) + 1 + G + 2 l + 2 (ceil(log2 (C G)) + 2)) / |field| (`soundness_error`).

    Cost: with h = ceil(log2 G) + log2 C halvings, 3 h + 10 rounds (3 h + 7 for l = 0) and about
        3^l + 4 h field elements for each helper.
    Reveals: nothing.
    Raises: VerificationError when a product is wrong.
    """
    layout = choose_layout(_widths(batch))
    if not layout.blocks:
        return
    with network.step("bits"):
        weights = _draw_weights(network, field, layout)
        blocks = {helper: _blocks_of(batch, helper, layout) for helper in network.helpers}
        values = _claimed_values(network, field, layout, weights, blocks)
        point = public_coins(network, field, layout.variables)
        claim = values.map_linear(1, lambda known: [_value_at(field, known, point)])
        points = _cube_roots_of_unity(field)
        x, y = _vectors_at(field, layout, weights, point, points, blocks)
        statement = InnerProduct(x, y, claim)
        # While there are several chunks, weighing a sum of products is cheaper than weighing X.
        weighted = _chunks(field, weights.columns)
        for _ in range((layout.groups - 1).bit_length()):
            statement = halve(network, points, weighted, statement)
        tau = weights.columns.weights()
        weighed = {
            helper: [sliced_vector.multiply(field, tau, chunks[0])]
            for helper, chunks in statement.x.items()
        }
        statement = InnerProduct(weighed, statement.y, statement.claim)
        verify_inner_product(network, points, _chunks(field, None), statement)


@lru_cache(maxsize=8)
def _cube_roots_of_unity(field: BinaryField) -> ShamirPoints:
    """The helpers' points 1, omega, omega + 1: the elements of GF(4) other than 0."""
    return shamir_points(field, {1: 1, 2: field.omega, 3: field.omega ^ 1})


def soundness_error(layout: Layout, field_size: int) -> float:
    """The bound on the probability that a batch in which a gate is wrong passes its check."""
    halvings = (layout.length * layout.groups - 1).bit_length()
    hashed = -(-layout.length // 128) + 1 + layout.groups
    return (hashed + 2 * layout.variables + 2 * (halvings + 2)) / field_size


@dataclass(frozen=True)
class _Weights:
    """The public weights: tau_c through a hash of columns, gamma_g as a list."""

    columns: ColumnHash
    groups: list[int]


@dataclass(frozen=True, repr=False)
class _Blocks:
    """One helper's pairs of shares of x, y and z as blocks; shares stay out of `repr`."""

    x: tuple[list[int], list[int]]
    y: tuple[list[int], list[int]]
    z: tuple[list[int], list[int]]

    def group(self, helper: int, size: int) -> "_Blocks":
        """The blocks of group `number`."""
        part = slice(helper * size, (helper + 1) * size)
        return _Blocks(
            *((own[part], right[part]) for own, right in (self.x, self.y, self.z)),
        )


def _widths(batch: Sequence[BitProducts]) -> dict[int, int]:
    widths: dict[int, int] = {}
    for products in batch:
        widths[products.y.rows] = widths.get(products.y.rows, 0) + products.y.width
    return widths


def _blocks_of(batch: Sequence[BitProducts], helper: int, layout: Layout) -> _Blocks:
    def blocks(tables: list[SharedBits], share: int) -> list[int]:
        columns: dict[int, list[int]] = {}
        for products, table in zip(batch, tables, strict=True):
            repeats = products.y.width if table.width == 1 else 1
            columns.setdefault(table.rows, []).extend(table.shares_of(helper)[share] * repeats)
        return to_blocks(columns, layout)

    x, y, z = ([getattr(products, name) for products in batch] for name in ("x", "y", "z"))
    return _Blocks(
        (blocks(x, 0), blocks(x, 1)), (blocks(y, 0), blocks(y, 1)), (blocks(z, 0), blocks(z, 1))
    )


def _draw_weights(network: HelperPartyNetwork, field: BinaryField, layout: Layout) -> _Weights:
    """Coins for the weights, opened only now that every product of the batch is fixed."""
    for_key = -(-KEY_BYTES // field.element_bytes)
    *key, gamma = public_coins(network, field, for_key + 1)
    material = b"".join(field.to_bytes(element) for element in key)[:KEY_BYTES]
    powers = [1]
    while len(powers) < layout.groups:
        powers.append(field.multiply(powers[-1], gamma))
    return _Weights(ColumnHash(field, material, layout.length), powers)


def _claimed_values(
    network: HelperPartyNetwork,
    field: BinaryField,
    layout: Layout,
    weights: _Weights,
    blocks: Mapping[int, _Blocks],
) -> SharedElements:
    """Replicated shares of H(e) for all e: from z where no coordinate is inf, else re-shared."""
    size = 1 << layout.variables
    new_points = infinite_points(layout.variables)
    finite: dict[int, tuple[list[int], list[int]]] = {}
    summands: dict[int, list[int]] = {}
    with network.step("values") as step:
        for helper, party in network.parties.items():
            own, right = [0] * size, [0] * size
            new = party.prss.zero_elements(step, field, len(new_points))
            for group, factor in enumerate(weights.groups):
                part = blocks[helper].group(group, size)
                products = weights.columns.sums(extended_products(part.x, part.y))
                own = _add_scaled(field, own, weights.columns.sums(part.z[0]), factor)
                right = _add_scaled(field, right, weights.columns.sums(part.z[1]), factor)
                new = _add_scaled(field, new, products, factor)
            finite[helper], summands[helper] = (own, right), new
        if not new_points:  # one block: H has no variable, and z tells all of it
            return SharedElements(network.name, field, size, finite)
        reshared = reshare_elements(network, field, summands, len(new_points))
    values = {}
    for helper, known in finite.items():
        own, right = reshared.shares_of(helper)
        values[helper] = (
            _merge(layout.variables, known[0], own),
            _merge(layout.variables, known[1], right),
        )
    return SharedElements(network.name, field, 3**layout.variables, values)


def _merge(variables: int, known: list[int], new: list[int]) -> list[int]:
    merged = [0] * 3**variables
    for e, value in zip(finite_points(variables), known, strict=True):
        merged[e] = value
    for e, value in zip(infinite_points(variables), new, strict=True):
        merged[e] = value
    return merged


def _add_scaled(field: BinaryField, total: list[int], values: list[int], factor: int) -> list[int]:
    return list(map(field.add, total, field.scale_each(values, factor)))


def _value_at(field: BinaryField, values: list[int], point: Sequence[int]) -> int:
    """H(u) from all H(e), one variable after another: (1 + u) H(0) + u H(1) + (u^2 + u) H(inf)."""
    for u in reversed(point):
        third = len(values) // 3
        at_zero, at_one, at_infinity = (values[k * third : (k + 1) * third] for k in range(3))
        values = _add_scaled(field, at_zero, list(map(field.add, at_zero, at_one)), u)
        values = _add_scaled(field, values, at_infinity, field.multiply(u, u) ^ u)
    return values[0]


def _vectors_at(
    field: BinaryField,
    layout: Layout,
    weights: _Weights,
    point: Sequence[int],
    points: ShamirPoints,
    blocks: Mapping[int, _Blocks],
) -> tuple[dict[int, list[SlicedVector]], dict[int, list[SlicedVector]]]:
    """Each helper's Shamir shares of (gamma_g X_gc(u)) and of (Y_gc(u)), a chunk per group."""
    size = 1 << layout.variables
    at_point = field.multilinear_weights(point)
    x: dict[int, list[SlicedVector]] = {}
    y: dict[int, list[SlicedVector]] = {}
    for helper, mine in blocks.items():
        both = [*field.scale_each(at_point, points.own[helper])]
        both += field.scale_each(at_point, points.right[helper])
        x[helper], y[helper] = [], []
        for group, factor in enumerate(weights.groups):
            part = mine.group(group, size)
            scaled = field.scale_each(both, factor)
            x[helper].append(
                sliced_vector.combine(field, [*part.x[0], *part.x[1]], scaled, layout.length)
            )
            y[helper].append(
                sliced_vector.combine(field, [*part.y[0], *part.y[1]], both, layout.length)
            )
    return x, y


def _chunks(field: BinaryField, weights: ColumnHash | None) -> VectorArithmetic[list[SlicedVector]]:
    """Vectors in chunks; their inner product weighted by tau_c in each chunk, if `weights`."""

    def add(a: list[SlicedVector], b: list[SlicedVector]) -> list[SlicedVector]:
        return list(map(sliced_vector.add, a, b))

    def inner_product(a: list[SlicedVector], b: list[SlicedVector]) -> int:
        pairs = zip(a, b, strict=True)
        if weights is None:
            return sliced_vector.inner_product(field, pairs)
        return weights.weighted_sum(sliced_vector.product_sum(field, pairs))

    return VectorArithmetic(
        length=lambda chunks: len(chunks) * chunks[0].length,
        halves=sliced_vector.halves,
        subtract=add,
        fold=lambda low, high, point: sliced_vector.fold(field, low, high, point),
        inner_product=inner_product,
        only_element=lambda chunks: sliced_vector.to_elements(chunks[0])[0],
    )
