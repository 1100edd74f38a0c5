"""The batch check of AND gates: Goyal, Song and Zhu 2020 (eprint 2020/134), over K = GF(2^d).

The products are laid out as groups of blocks of C bits (`ipa.sharing.verification.blocks`). In each
group 2^l blocks are the values at s in {0,1}^l of a polynomial X_c that is linear in each variable,
and so are 2^l blocks of each of the columns j = 0, 1, .. that X multiplies, of a polynomial Y_jc.
With public weights gamma^g for groups (SPEC_NOTES: group-weights), rho^j for the products of one factor
(SPEC_NOTES: common-factor) and tau_c for positions, each section has

    H(e) = sum_g gamma^g sum_j rho^j sum_c tau_c X_gc(e) Y_gjc(e),

known at {0,1}^l from the shares of z, and computed and re-shared at the other points of
{0,1,inf}^l: there X_gc(e) and Y_gjc(e) are still bits, XORs of blocks. These 3^l values determine H,
of degree 2 in each variable, and H(u) at a public coin u in K^l is an inner product of vectors over
K, of X_gc(u) and sum_j rho^j Y_gjc(u), which is compressed further. All sums over c before u are of
bits; that makes the check cheap. Many products of one factor s need no variable at all: with l = 0
they are the one claim s (sum_j rho^j y_j) = sum_j rho^j z_j.

The paper's stages here:

- De-linearization, many products to one inner product: the weights and the sum over positions,
  `_draw_weights` and `_claimed_values`. The paper's weights are powers of one coin; ours are a GHASH
  of the column (SPEC_NOTES: column-hash) and powers for groups and products. The stage on
  {0,1,inf}^l is ours: it folds l variables at once, on bits, where the paper goes to the large field
  directly.
- Dimension reduction, an inner product to a shorter one: `inner_product.halve`. The paper
  interpolates through several parts; ours are two, by multilinear extension.
- Randomization: the random vectors of `verify_inner_product`. The paper has a random triple for the one
  product that is left; ours mask vectors of OPENED elements, which saves halvings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.product_log import BitProducts
from ipa.protocols.primitives.coins import public_coins
from ipa.protocols.primitives.resharing import reshare_elements
from ipa.protocols.verification.inner_product import (
    OPENED,
    ElementArithmetic,
    InnerProduct,
    VectorArithmetic,
    halve,
    verify_inner_product,
)
from ipa.protocols.verification.local_values import local_values
from ipa.protocols.verification.product_blocks import SectionBlocks, arrange, blocks_of
from ipa.sharing.shared_elements import ElementPair, SharedElements
from ipa.sharing.verification import packed_vector, sliced_vector
from ipa.sharing.verification.binary_field import BinaryField
from ipa.sharing.verification.blocks import Layout
from ipa.sharing.verification.column_hash import KEY_BYTES, ColumnHash
from ipa.sharing.verification.extension import finite_points, infinite_points
from ipa.sharing.verification.packed_vector import PackedVector
from ipa.sharing.verification.shamir import ShamirPoints, shamir_points
from ipa.sharing.verification.sliced_vector import SlicedVector


def check_bit_products(
    network: HelperPartyNetwork, field: BinaryField, batch: Sequence[BitProducts]
) -> None:
    """Check that z = x AND y in every gate of the batch.

    A batch in which a gate is wrong passes with probability at most `soundness_error`.

    Cost: for h halvings (`halvings_of`) 3 h + 10 rounds (3 h + 7 when no section has a variable). Each
        helper sends 3^l - 2^l field elements for a section of l variables, and about 4 h + 4 OPENED more.
    Reveals: nothing.
    Raises: VerificationError when a product is wrong.
    """
    layout, arrangements = arrange(batch)
    if not layout.sections:
        return
    with network.step("bits"):
        weights = _draw_weights(network, field, layout)
        blocks = {
            helper: blocks_of(batch, layout, arrangements, helper) for helper in network.helpers
        }
        values = _claimed_values(network, field, layout, weights, blocks)
        point = public_coins(network, field, layout.variables)
        claim = values.map_linear(1, lambda known: [_value_at(field, layout, known, point)])
        points = _cube_roots_of_unity(field)
        x, y = _vectors_at(field, layout, weights, point, points, blocks)
        statement = InnerProduct(x, y, claim)
        # While there are several chunks, weighing a sum of products is cheaper than weighing X.
        weighted = _chunks(field, weights.positions)
        for _ in range((layout.groups - 1).bit_length()):
            statement = halve(network, points, weighted, statement)
        tau = weights.positions.weights()
        weighed = {
            helper: [sliced_vector.multiply(field, tau, chunks[0])]
            for helper, chunks in statement.x.items()
        }
        statement = InnerProduct(weighed, statement.y, statement.claim)
        sliced = _chunks(field, None)
        for _ in range((-(-layout.length // packed_vector.SHORT) - 1).bit_length()):
            statement = halve(network, points, sliced, statement)
        short = InnerProduct(_packed(statement.x), _packed(statement.y), statement.claim)
        verify_inner_product(network, points, _short_vectors(field), short)


@lru_cache(maxsize=8)
def _cube_roots_of_unity(field: BinaryField) -> ShamirPoints:
    """The helpers' points 1, omega, omega + 1: the elements of GF(4) other than 0."""
    return shamir_points(field, {1: 1, 2: field.omega, 3: field.omega ^ 1})


def halvings_of(layout: Layout) -> int:
    """How often the vectors are halved: groups up to one, then its elements up to OPENED."""
    return (layout.groups - 1).bit_length() + (-(-layout.length // OPENED) - 1).bit_length()


def soundness_error(layout: Layout, field_size: int) -> float:
    """The bound on the probability that a batch in which a gate is wrong passes its check.

    For q = field_size, blocks of C bits, G groups, factors of at most P products, at most L
    variables in a section and h halvings it is the sum of

    - (ceil(C / 128) + 1) / q: a block of errors that is not zero is hashed to zero (`ColumnHash`);
    - (G - 1 + P - 1) / q: take the place s in {0,1}^L of such a block, all sections being constant
      in the variables they do not have. The error of the sum of all H(s) is a polynomial in gamma
      and rho, of degree G - 1 and P - 1, one of whose coefficients is that block's hash;
    - 2 L / q: what the helpers hold then differs from the true polynomial at s, whatever was
      re-shared for the other points, yet agrees with it at u: of degree 2 in each variable;
    - 2 (h + 2) / q: the false inner product is accepted (`verify_inner_product`, and 2 / q for each
      halving before it).
    """
    halvings = halvings_of(layout)
    hashed = -(-layout.length // 128) + 1
    weighed = layout.groups - 1 + layout.products - 1
    return (hashed + weighed + 2 * layout.variables + 2 * (halvings + 2)) / field_size


@dataclass(frozen=True)
class _Weights:
    """The public weights: tau_c through a hash of columns, gamma^g and rho^j as their bases."""

    positions: ColumnHash
    gamma: int
    rho: int


def _draw_weights(network: HelperPartyNetwork, field: BinaryField, layout: Layout) -> _Weights:
    """Coins for the weights, opened only now that every product of the batch is fixed."""
    for_key = -(-KEY_BYTES // field.element_bytes)
    *key, gamma, rho = public_coins(network, field, for_key + 2)
    material = b"".join(field.to_bytes(element) for element in key)[:KEY_BYTES]
    return _Weights(ColumnHash(field, material, layout.length), gamma, rho)


def _claimed_values(
    network: HelperPartyNetwork,
    field: BinaryField,
    layout: Layout,
    weights: _Weights,
    blocks: Mapping[int, Sequence[SectionBlocks]],
) -> SharedElements:
    """Replicated shares of all H(e), section after section.

    They come from z where no coordinate is inf; the others are computed and re-shared.
    """
    variables = [section.variables for section in layout.sections.values()]
    known: dict[int, ElementPair] = {}
    summands: dict[int, list[int]] = {}
    count = sum(len(infinite_points(each)) for each in variables)
    with network.step("values") as step:
        hashed, gamma, rho = weights.positions, weights.gamma, weights.rho
        local = local_values(network, field, hashed, gamma, rho, blocks)
        for helper, party in network.parties.items():
            own, right, products = local[helper]
            known[helper] = own, right
            mask = party.prss.zero_elements(step, field, count)
            summands[helper] = list(map(field.add, products, mask))
        # Where no section has a variable, z tells all of it.
        reshared = reshare_elements(network, field, summands, count) if count else None
    values = {}
    for helper, (own, right) in known.items():
        new: ElementPair = ([], []) if reshared is None else reshared.shares_of(helper)
        values[helper] = (_merge(variables, own, new[0]), _merge(variables, right, new[1]))
    return SharedElements(network.name, field, sum(3**each for each in variables), values)


def _merge(variables: Sequence[int], known: list[int], new: list[int]) -> list[int]:
    """All H(e) in order, from those at the finite and at the infinite points of each section."""
    at_finite, at_infinite, merged = iter(known), iter(new), []
    for each in variables:
        values = [0] * 3**each
        for e, value in zip(finite_points(each), at_finite, strict=False):
            values[e] = value
        for e, value in zip(infinite_points(each), at_infinite, strict=False):
            values[e] = value
        merged += values
    return merged


def _value_at(field: BinaryField, layout: Layout, values: list[int], point: Sequence[int]) -> int:
    """The sum of H(u) over the sections, each from all its H(e)."""
    total = start = 0
    for section in layout.sections.values():
        end = start + 3**section.variables
        total ^= field.interpolate(values[start:end], point[: section.variables])
        start = end
    return total


def _vectors_at(
    field: BinaryField,
    layout: Layout,
    weights: _Weights,
    point: Sequence[int],
    points: ShamirPoints,
    blocks: Mapping[int, Sequence[SectionBlocks]],
) -> tuple[dict[int, list[SlicedVector]], dict[int, list[SlicedVector]]]:
    """Each helper's Shamir shares of gamma^g X_gc(u) and of sum_j rho^j Y_gjc(u), a chunk per group."""
    x: dict[int, list[SlicedVector]] = {}
    y: dict[int, list[SlicedVector]] = {}
    for helper, mine in blocks.items():
        x[helper], y[helper] = [], []
        factor = 1
        for of_section in mine:
            at_point = field.multilinear_weights(point[: of_section.section.variables])
            both = field.tensor([at_point, [points.own[helper], points.right[helper]]])
            powers = field.powers(weights.rho, of_section.section.products)
            for_y = field.tensor([both, powers])
            for group in of_section.groups():
                for_x = field.scale_each(both, factor)
                columns = [column for pair in group.ys for share in pair for column in share]
                x[helper].append(
                    sliced_vector.combine(field, [*group.x[0], *group.x[1]], for_x, layout.length)
                )
                y[helper].append(sliced_vector.combine(field, columns, for_y, layout.length))
                factor = field.multiply(factor, weights.gamma)
    return x, y


def _chunks(field: BinaryField, weights: ColumnHash | None) -> VectorArithmetic[list[SlicedVector]]:
    """Vectors in chunks; their inner product weighted by tau_c in each chunk, if `weights`."""

    def add(a: list[SlicedVector], b: list[SlicedVector]) -> list[SlicedVector]:
        """The sum of two vectors, chunk by chunk."""
        return list(map(sliced_vector.add, a, b))

    def inner_product(a: list[SlicedVector], b: list[SlicedVector]) -> int:
        """The inner product of all chunks, weighted if there are weights."""
        pairs = zip(a, b, strict=True)
        if weights is None:
            return sliced_vector.inner_product(field, pairs)
        return weights.weighted_sum(sliced_vector.product_sum(field, pairs))

    return VectorArithmetic(
        halves=sliced_vector.halves,
        subtract=add,
        fold=lambda low, high, point: sliced_vector.fold(field, low, high, point),
        inner_product=inner_product,
    )


def _packed(vectors: Mapping[int, list[SlicedVector]]) -> dict[int, PackedVector]:
    """Each helper's only chunk, packed."""
    return {helper: packed_vector.pack(chunk) for helper, (chunk,) in vectors.items()}


def _short_vectors(field: BinaryField) -> ElementArithmetic[PackedVector]:
    """Vectors of at most SHORT elements."""
    return ElementArithmetic(
        halves=lambda vector: packed_vector.halves(field, vector),
        subtract=packed_vector.add,
        fold=lambda low, high, point: packed_vector.fold(field, low, high, point),
        inner_product=lambda a, b: packed_vector.inner_product(field, a, b),
        elements=lambda vector: packed_vector.elements(field, vector),
        of_elements=lambda values: packed_vector.of_elements(field, values),
        length=lambda vector: vector.length,
    )
