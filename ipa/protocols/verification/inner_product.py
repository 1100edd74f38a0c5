"""Compressing a claim about an inner product: Goyal, Song and Zhu 2020 (eprint 2020/134), section 4.

The helpers hold Shamir shares of two vectors X, Y over a field and replicated shares of a claim that
is supposed to be sum_c X_c Y_c. Each round halves the vectors: H(t) is the inner product of the
multilinear extensions of both at t, a polynomial of degree 2 with H(0) + H(1) = claim. H(1) and
H(inf), its leading coefficient, are computed and re-shared; whatever a corrupted helper adds to
them, the new claim H(r) at a public coin r is false if the old one was, except with probability
2 / |field|. Vectors of at most OPENED elements are opened, masked by random ones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ipa.errors import MisbehaviourError, VerificationError
from ipa.network.helper_party_network import HelperPartyNetwork, raise_together
from ipa.parties import HELPERS, left_of, right_of
from ipa.protocols.primitives.coins import public_coins
from ipa.protocols.primitives.opening import open_elements
from ipa.protocols.primitives.resharing import decode_received_elements, reshare_elements
from ipa.sharing.rings import Ring, encode_elements
from ipa.sharing.shared_elements import SharedElements
from ipa.sharing.verification.shamir import ShamirPoints

Vector = TypeVar("Vector")

OPENED = 1 << 6
"""Elements of a vector that is opened: each halving that this saves takes three rounds and a millisecond."""


@dataclass(frozen=True)
class VectorArithmetic(Generic[Vector]):
    """What a halving needs of a kind of vectors, on one helper's Shamir shares of them."""

    halves: Callable[[Vector], tuple[Vector, Vector]]
    subtract: Callable[[Vector, Vector], Vector]
    fold: Callable[[Vector, Vector, int], Vector]
    inner_product: Callable[[Vector, Vector], int]


@dataclass(frozen=True)
class ElementArithmetic(VectorArithmetic[Vector]):
    """What else is needed to open vectors: their elements one by one, and back."""

    elements: Callable[[Vector], list[int]]
    of_elements: Callable[[list[int]], Vector]
    length: Callable[[Vector], int]


@dataclass(frozen=True)
class InnerProduct(Generic[Vector]):
    """The statement that `claim` is the inner product of X and Y, vectors of equal length >= 1.

    `x` and `y` are each local helper's Shamir shares, which stay out of `repr`; `claim` is a
    replicated list of one element.
    """

    x: Mapping[int, Vector] = field(repr=False)
    y: Mapping[int, Vector] = field(repr=False)
    claim: SharedElements


def verify_inner_product(
    network: HelperPartyNetwork,
    points: ShamirPoints,
    vectors: ElementArithmetic[Vector],
    statement: InnerProduct[Vector],
) -> None:
    """Check that the statement is true.

    A false one about vectors of C elements passes with probability at most 2 (h + 2) / |field|, for
    h = ceil(log2(C / OPENED)) halvings, none for C <= OPENED.

    Cost: three rounds for each halving and five for the last vectors; for each helper two bytes and four
        field elements in a halving, and in the end at most 4 OPENED elements.
    Reveals: nothing, since random vectors mask what is opened at the end.
    Raises: VerificationError when it is false.
    """
    while vectors.length(next(iter(statement.x.values()))) > OPENED:
        statement = halve(network, points, vectors, statement)
    with network.step("last"):
        _verify_masked(network, points, vectors, statement)


def halve(
    network: HelperPartyNetwork,
    points: ShamirPoints,
    vectors: VectorArithmetic[Vector],
    statement: InnerProduct[Vector],
) -> InnerProduct[Vector]:
    """A statement about vectors half as long, false if the given one is, except with 2 / |field|.

    Cost: three rounds; two bytes and four field elements for each helper.
    Reveals: the coin.
    Raises: VerificationError when the coin cannot be opened.
    """
    field = statement.claim.ring
    with network.step("halve"):
        x_halves = {helper: vectors.halves(share) for helper, share in statement.x.items()}
        y_halves = {helper: vectors.halves(share) for helper, share in statement.y.items()}
        summands = {}
        for helper, (x_low, x_high) in x_halves.items():
            y_low, y_high = y_halves[helper]
            steps = vectors.subtract(x_high, x_low), vectors.subtract(y_high, y_low)
            summands[helper] = [
                vectors.inner_product(x_high, y_high),
                vectors.inner_product(*steps),
            ]
        at_one, at_infinity = _reshare_products(network, points, field, summands)
        (coin,) = public_coins(network, field, 1)
        return InnerProduct(
            {helper: vectors.fold(*parts, coin) for helper, parts in x_halves.items()},
            {helper: vectors.fold(*parts, coin) for helper, parts in y_halves.items()},
            _value_at(coin, statement.claim - at_one, at_one, at_infinity),
        )


def _verify_masked(
    network: HelperPartyNetwork,
    points: ShamirPoints,
    vectors: ElementArithmetic[Vector],
    statement: InnerProduct[Vector],
) -> None:
    """Check that the statement is true, and open its vectors, masked.

    Random vectors X', Y' and their inner product take the place of the upper half in one more halving, so
    that X + r (X' - X) and Y + r (Y' - Y), which are opened, are uniform unless the coin r is 0.
    """
    field = statement.claim.ring
    length = vectors.length(next(iter(statement.x.values())))
    masks, summands = {}, {}
    for helper, mask in _random_shamir_shares(network, points, field, 2 * length).items():
        x_mask, y_mask = map(vectors.of_elements, (mask[:length], mask[length:]))
        masks[helper] = x_mask, y_mask
        x_step = vectors.subtract(x_mask, statement.x[helper])
        y_step = vectors.subtract(y_mask, statement.y[helper])
        summands[helper] = [
            vectors.inner_product(x_mask, y_mask),
            vectors.inner_product(x_step, y_step),
        ]
    at_one, at_infinity = _reshare_products(network, points, field, summands)
    (coin,) = public_coins(network, field, 1)
    masked = {}
    for helper, (x_mask, y_mask) in masks.items():
        x = vectors.fold(statement.x[helper], x_mask, coin)
        y = vectors.fold(statement.y[helper], y_mask, coin)
        masked[helper] = vectors.elements(x) + vectors.elements(y)
    opened = _open_shamir(network, points, field, masked)
    x, y = map(vectors.of_elements, (opened[:length], opened[length:]))
    (claim,) = open_elements(network, _value_at(coin, statement.claim, at_one, at_infinity))
    if vectors.inner_product(x, y) != claim:
        raise VerificationError(network.path, "a product is wrong", network.helpers)


def _reshare_products(
    network: HelperPartyNetwork,
    points: ShamirPoints,
    field: Ring,
    products: Mapping[int, list[int]],
) -> tuple[SharedElements, SharedElements]:
    """Replicated shares of two values of which every helper has a point of a degree-2 sharing."""
    with network.step("products") as step:
        masked = {}
        for helper, pair in products.items():
            zero = network.parties[helper].prss.zero_elements(step, field, len(pair))
            masked[helper] = [
                field.add(field.multiply(points.at_zero[helper], value), mask)
                for value, mask in zip(pair, zero, strict=True)
            ]
        both = reshare_elements(network, field, masked, 2)
        return both[0], both[1]


def _value_at(
    point: int, at_zero: SharedElements, at_one: SharedElements, at_infinity: SharedElements
) -> SharedElements:
    """H(point) = H(0) + point (H(1) - H(0)) + (point^2 - point) H(inf)."""
    field = at_zero.ring
    square = field.subtract(field.multiply(point, point), point)
    return at_zero + (at_one - at_zero).scale([point]) + at_infinity.scale([square])


def _random_shamir_shares(
    network: HelperPartyNetwork, points: ShamirPoints, field: Ring, count: int
) -> dict[int, list[int]]:
    """Shamir shares of `count` random elements that nobody knows, from PRSS."""
    with network.step("mask") as step:
        return {
            helper: to_shamir(
                points, field, helper, *party.prss.random_elements(step, field, count)
            )
            for helper, party in network.parties.items()
        }


def to_shamir(
    points: ShamirPoints, field: Ring, helper: int, own: Sequence[int], right: Sequence[int]
) -> list[int]:
    """Helper `helper`'s Shamir shares, from its pairs of replicated shares."""
    scaled = (
        field.scale_each(own, points.own[helper]),
        field.scale_each(right, points.right[helper]),
    )
    return list(map(field.add, *scaled))


def _open_shamir(
    network: HelperPartyNetwork, points: ShamirPoints, field: Ring, shares: Mapping[int, list[int]]
) -> list[int]:
    """Open Shamir shares of degree 1 to all: every helper hears from both others.

    Three shares of degree 1 are redundant: one that is wrong shows.

    Raises: VerificationError when the shares do not lie on a line.
    """
    size = len(next(iter(shares.values()))) * field.element_bytes
    with network.step("open-shamir") as step:
        payloads = {helper: encode_elements(field, share) for helper, share in shares.items()}
        from_right, from_left = network.exchange(payloads, payloads, size)
        right = decode_received_elements(step, from_right, field)
        left = decode_received_elements(step, from_left, field)
        opened: list[int] = []
        failures: list[MisbehaviourError] = []
        for helper, own in shares.items():
            known = {helper: own, right_of(helper): right[helper], left_of(helper): left[helper]}
            if any(_combinations(field, points.leading, known)):
                problem = "the opened shares do not lie on a line"
                failures.append(VerificationError(step, problem, [helper]))
            opened = _combinations(field, points.at_zero, known)
        raise_together(failures)
        return opened


def _combinations(
    field: Ring, factors: Mapping[int, int], shares: Mapping[int, list[int]]
) -> list[int]:
    first, second, third = (field.scale_each(shares[h], factors[h]) for h in HELPERS)
    return list(map(field.add, map(field.add, first, second), third))
