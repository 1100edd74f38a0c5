"""Compressing a claim about an inner product: Goyal, Song and Zhu 2020 (eprint 2020/134), section 4.

The helpers hold Shamir shares of two vectors X, Y over a field and replicated shares of a claim that
is supposed to be sum_c X_c Y_c. Each round halves the vectors: H(t) is the inner product of the
multilinear extensions of both at t, a polynomial of degree 2 with H(0) + H(1) = claim. H(1) and
H(inf), its leading coefficient, are computed and re-shared; whatever a corrupted helper adds to
them, the new claim H(r) at a public coin r is false if the old one was, except with probability
2 / |field|.
"""

from collections.abc import Callable, Mapping
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


@dataclass(frozen=True)
class VectorArithmetic(Generic[Vector]):
    """What compression needs of a kind of vectors, on one helper's Shamir shares of them."""

    length: Callable[[Vector], int]
    halves: Callable[[Vector], tuple[Vector, Vector]]
    subtract: Callable[[Vector, Vector], Vector]
    fold: Callable[[Vector, Vector, int], Vector]
    inner_product: Callable[[Vector, Vector], int]
    only_element: Callable[[Vector], int]


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
    vectors: VectorArithmetic[Vector],
    statement: InnerProduct[Vector],
) -> None:
    """Check that the statement is true.

    A false one about vectors of C elements passes with probability at most
    2 (ceil(log2 C) + 2) / |field|.

    Cost: three rounds for each of the ceil(log2 C) halvings and five for the last product; for each
        helper two bytes and four field elements in a halving.
    Reveals: nothing, since a random triple masks what is opened at the end.
    Raises: VerificationError when it is false.
    """
    while vectors.length(next(iter(statement.x.values()))) > 1:
        statement = halve(network, points, vectors, statement)
    with network.step("last"):
        x = {helper: vectors.only_element(share) for helper, share in statement.x.items()}
        y = {helper: vectors.only_element(share) for helper, share in statement.y.items()}
        _verify_product(network, points, x, y, statement.claim)


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


def _verify_product(
    network: HelperPartyNetwork,
    points: ShamirPoints,
    x: Mapping[int, int],
    y: Mapping[int, int],
    claim: SharedElements,
) -> None:
    """Check that claim = x y, for Shamir shares x and y of two elements.

    A random x', y' and their product take the place of the upper half in one more round, so that
    x + r (x' - x) and y + r (y' - y), which are opened, are uniform unless the coin r is 0.
    """
    field = claim.ring
    add, subtract, times = field.add, field.subtract, field.multiply
    mask = _random_shamir_shares(network, points, field)
    summands = {
        helper: [
            times(x_mask, y_mask),
            times(subtract(x_mask, x[helper]), subtract(y_mask, y[helper])),
        ]
        for helper, (x_mask, y_mask) in mask.items()
    }
    at_one, at_infinity = _reshare_products(network, points, field, summands)
    (coin,) = public_coins(network, field, 1)
    blinded = {}
    for helper, masks in mask.items():
        both = zip((x[helper], y[helper]), masks, strict=True)
        blinded[helper] = [add(a, times(coin, subtract(b, a))) for a, b in both]
    x_opened, y_opened = _open_shamir(network, points, field, blinded)
    (product,) = open_elements(network, _value_at(coin, claim, at_one, at_infinity))
    if times(x_opened, y_opened) != product:
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
    network: HelperPartyNetwork, points: ShamirPoints, field: Ring
) -> dict[int, list[int]]:
    """Shamir shares of two random elements that nobody knows, from PRSS."""
    with network.step("mask") as step:
        return {
            helper: [
                to_shamir(points, field, helper, own, right)
                for own, right in zip(*party.prss.random_elements(step, field, 2), strict=True)
            ]
            for helper, party in network.parties.items()
        }


def to_shamir(points: ShamirPoints, field: Ring, helper: int, own: int, right: int) -> int:
    """Helper `helper`'s Shamir share, from its pair of replicated shares."""
    return field.add(
        field.multiply(points.own[helper], own), field.multiply(points.right[helper], right)
    )


def _open_shamir(
    network: HelperPartyNetwork, points: ShamirPoints, field: Ring, shares: Mapping[int, list[int]]
) -> list[int]:
    """Open Shamir shares of degree 1 to all: every helper hears from both others.

    Three shares of degree 1 are redundant: one that is wrong shows.

    Raises: VerificationError when the shares do not lie on a line.
    """
    count = len(next(iter(shares.values())))
    with network.step("open-shamir") as step:
        payloads = {helper: encode_elements(field, share) for helper, share in shares.items()}
        from_right, from_left = network.exchange(payloads, payloads, count * field.element_bytes)
        right = decode_received_elements(step, from_right, field)
        left = decode_received_elements(step, from_left, field)
        opened: list[int] = []
        failures: list[MisbehaviourError] = []
        for helper, own in shares.items():
            known = {helper: own, right_of(helper): right[helper], left_of(helper): left[helper]}
            if any(_combination(field, points.leading, known, k) for k in range(count)):
                problem = "the opened shares do not lie on a line"
                failures.append(VerificationError(step, problem, [helper]))
            opened = [_combination(field, points.at_zero, known, k) for k in range(count)]
        raise_together(failures)
        return opened


def _combination(
    field: Ring, factors: Mapping[int, int], shares: Mapping[int, list[int]], position: int
) -> int:
    total = 0
    for helper in HELPERS:
        total = field.add(total, field.multiply(factors[helper], shares[helper][position]))
    return total
