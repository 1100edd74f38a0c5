"""Soundness is measured: in a small field cheating passes sometimes, as often as the bound allows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import sqrt

import pytest
from check_mathematics import add_public
from malicious_cases import MaliciousSimulation, column_errors, element_errors, raised

from ipa.errors import VerificationError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.product_log import CheckRules
from ipa.protocols.circuits.multiplication import multiply, multiply_elements
from ipa.protocols.primitives.coins import public_coins
from ipa.protocols.verification import bit_check
from ipa.protocols.verification import inner_product as compression
from ipa.protocols.verification.bit_check import halvings_of, soundness_error
from ipa.sharing.rings import IntegersModulo, Ring
from ipa.sharing.shared_elements import SharedElements
from ipa.sharing.verification import blocks
from ipa.sharing.verification.binary_field import BinaryField
from ipa.sharing.verification.blocks import choose_layout
from ipa.sharing.verification.column_hash import ColumnHash

RUNS = 600


def one_wrong_gate(seed: int, degree: int) -> MaliciousSimulation:
    """A batch of a single AND gate to which helper 2 has added an error."""
    log = CheckRules(bit_field=BinaryField(degree))
    simulation = MaliciousSimulation(seed, log, attack=column_errors(2, "multiply", [1]))
    x, y = simulation.bits([seed & 1], 1), simulation.bits([seed >> 1 & 1], 1)
    multiply(simulation.network, x, y)
    return simulation


def one_wrong_number(seed: int, modulus: int) -> MaliciousSimulation:
    log = CheckRules(smallest_prime_field=2)
    simulation = MaliciousSimulation(
        seed, log, attack=element_errors(2, "multiply-numbers", [0, 1])
    )
    x = simulation.numbers(IntegersModulo(modulus), [1, 2, 3])
    multiply_elements(simulation.network, x, x)
    return simulation


def undetected(make: Callable[[int], MaliciousSimulation], runs: int) -> float:
    """The share of runs in which cheating passes; only a wrong product is ever noticed."""
    passed = 0
    for seed in range(runs):
        error = raised(make(seed).finish)
        assert error is None or isinstance(error, VerificationError)
        passed += error is None
    return passed / runs


def compatible(rate: float, bound: float, runs: int) -> bool:
    """Not more than the bound by four standard deviations."""
    return rate <= bound + 4 * sqrt(bound * (1 - bound) / runs)


def test_one_wrong_gate_in_a_small_field_passes_now_and_then() -> None:
    rate = undetected(lambda seed: one_wrong_gate(seed, 8), RUNS)
    bound = soundness_error(choose_layout({(1, 1): 1}), 1 << 8)
    assert rate > 1 / 256
    assert compatible(rate, bound, RUNS)


def test_a_larger_field_is_sounder() -> None:
    rate = undetected(lambda seed: one_wrong_gate(seed, 16), RUNS // 3)
    assert compatible(rate, soundness_error(choose_layout({(1, 1): 1}), 1 << 16), RUNS // 3)
    assert rate < 0.01


def test_one_wrong_number_in_a_small_field_passes_now_and_then() -> None:
    rate = undetected(lambda seed: one_wrong_number(seed, 101), RUNS)
    bound = (3 + 2 * 2) / 101
    assert rate > 1 / 101
    assert compatible(rate, bound, RUNS)


# The best a cheater can do: keep the error polynomial zero at as many coins as its degree allows


@dataclass
class BestCheater:
    """A helper that errs in each halving so that two values of the coin hide what it did before.

    It knows its error e in the claim, and adds e_1 to H(1) and e_inf to H(inf), so that the error of
    H(t) is q (t - a)(t - b). `linked` says whether H(0) = claim - H(1).
    """

    ring: Ring
    error: int
    errors: list[int] = field(default_factory=list)

    def add_errors(self, linked: bool) -> list[int]:
        ring = self.ring
        a, b = 2, 4
        at_zero = ring.multiply(a, b)
        at_one = ring.multiply(ring.subtract(1, a), ring.subtract(1, b))
        known = ring.add(at_zero, at_one) if linked else at_zero
        factor = ring.multiply(self.error, ring.inverse(known))
        self.errors = [ring.multiply(factor, value) for value in (at_zero, at_one, 1)]
        return self.errors[1:]

    def hear(self, coin: int) -> None:
        ring = self.ring
        if self.errors:
            at_zero, at_one, leading = self.errors
            square = ring.subtract(ring.multiply(coin, coin), coin)
            slope = ring.multiply(coin, ring.subtract(at_one, at_zero))
            self.error = ring.add(ring.add(at_zero, slope), ring.multiply(square, leading))
            self.errors = []


def with_best_cheater(patch: pytest.MonkeyPatch, ring: Ring, error: Callable[[], int]) -> None:
    """Make helper 1 cheat as well as it can in everything that compression re-shares."""
    reshare = compression._reshare_products
    cheaters: list[BestCheater] = []

    def cheating_reshare(network, points, field, products):  # type: ignore[no-untyped-def]
        if not cheaters:
            cheaters.append(BestCheater(ring, error()))
        at_one, at_infinity = reshare(network, points, field, products)
        if cheaters[0].error:
            errors = cheaters[0].add_errors("halve" in network.path)
            at_one, at_infinity = (
                add_public(value, [extra])
                for value, extra in zip((at_one, at_infinity), errors, strict=True)
            )
        return at_one, at_infinity

    def heard(network: HelperPartyNetwork, field: Ring, count: int) -> list[int]:
        opened = public_coins(network, field, count)
        cheaters[0].hear(opened[0])
        return opened

    patch.setattr(compression, "_reshare_products", cheating_reshare)
    patch.setattr(compression, "public_coins", heard)


def record_hashes(patch: pytest.MonkeyPatch) -> list[ColumnHash]:
    """A list to which every check of bits adds the hash that it draws."""
    hashes: list[ColumnHash] = []
    draw = bit_check._draw_weights

    def drawn(network, field, layout):  # type: ignore[no-untyped-def]
        weights = draw(network, field, layout)
        hashes.append(weights.positions)
        return weights

    patch.setattr(bit_check, "_draw_weights", drawn)
    return hashes


def best_cheating_with_a_bit_passes(seed: int) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        hashes = record_hashes(patch)
        simulation = one_wrong_gate(seed, 8)
        with_best_cheater(patch, BinaryField(8), lambda: hashes[0].sums([1])[0])
        return raised(simulation.finish) is None


def test_the_best_cheater_in_the_binary_field_stays_below_the_bound() -> None:
    rate = sum(map(best_cheating_with_a_bit_passes, range(RUNS))) / RUNS
    layout = choose_layout({(1, 1): 1})
    roots = 2 * (halvings_of(layout) + 1) / 256  # two for each halving and for the last vectors
    assert compatible(rate, soundness_error(layout, 1 << 8), RUNS)
    assert rate > 0.6 * roots


def wrong_products_of_one_factor(seed: int, degree: int) -> MaliciousSimulation:
    """A factor of 17 columns, the errors in columns 1 and 16 of one row: rho + rho^16.

    No error in bits can have more roots rho for its degree: the 16 elements of GF(16).
    """
    log = CheckRules(bit_field=BinaryField(degree))
    errors = [0, 1, *[0] * 14, 1]
    simulation = MaliciousSimulation(seed, log, attack=column_errors(2, "multiply", errors))
    x, y = simulation.bits([seed & 1] * 8, 1), simulation.bits([seed] * 8, 17)
    multiply(simulation.network, x, y)
    return simulation


def best_cheating_with_a_factor_passes(seed: int) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_GATES_PER_PRODUCT", 1)
        drawn: list[bit_check._Weights] = []
        draw = bit_check._draw_weights

        def draw_and_keep(network, field, layout):  # type: ignore[no-untyped-def]
            drawn.append(draw(network, field, layout))
            return drawn[-1]

        def error() -> int:
            field, (weights,) = BinaryField(8), drawn
            of_columns = weights.rho ^ field.power(weights.rho, 16)
            return field.multiply(of_columns, weights.positions.sums([1])[0])

        patch.setattr(bit_check, "_draw_weights", draw_and_keep)
        simulation = wrong_products_of_one_factor(seed, 8)
        with_best_cheater(patch, BinaryField(8), error)
        return raised(simulation.finish) is None


def test_the_best_cheater_with_many_products_of_one_factor_stays_below_the_bound() -> None:
    rate = sum(map(best_cheating_with_a_factor_passes, range(RUNS))) / RUNS
    layout = choose_layout({(8, 17): 1})
    assert layout.products == 32
    roots = (16 + 2 * (halvings_of(layout) + 1)) / 256
    assert compatible(rate, soundness_error(layout, 1 << 8), RUNS)
    assert rate > 0.6 * roots


def best_cheating_with_a_number_passes(seed: int) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        simulation = one_wrong_number(seed, 101)
        weights: list[int] = []
        scale = SharedElements.scale

        def scaled(self: SharedElements, factors: Sequence[int]) -> SharedElements:
            if len(factors) == 3:
                weights[:] = factors
            return scale(self, factors)

        patch.setattr(SharedElements, "scale", scaled)
        with_best_cheater(patch, IntegersModulo(101), lambda: weights[1])
        return raised(simulation.finish) is None


def test_the_best_cheater_in_the_prime_field_stays_below_the_bound() -> None:
    rate = sum(map(best_cheating_with_a_number_passes, range(RUNS))) / RUNS
    assert compatible(rate, (3 + 2 * 2) / 101, RUNS)
    assert rate > 0.6 * (1 + 2) / 101
