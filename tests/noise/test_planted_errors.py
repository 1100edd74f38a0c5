"""Errors planted in the noise step: each makes a test of its distribution, or of its oracle, fail.

What the tests check is written here once more as `check`, so that it can be seen to fail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from goodness import REJECT, misfit
from noise_cases import dependent, in_mpc, opened, probabilities

from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.network.channel import in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.simulation import pairwise_keys, simulated_network
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.divergence import composed_delta
from ipa.noise.width import signed_width
from ipa.parameters import Mechanism, QueryParameters
from ipa.parties import HELPERS
from ipa.protocols import noise as step
from ipa.protocols.circuits.addition import add
from ipa.protocols.circuits.comparison import greater_than
from ipa.protocols.circuits.constants import public_columns
from ipa.protocols.noise import add_noise
from ipa.query import query
from ipa.reports import share_events
from ipa.sharing.bits import ones
from ipa.sharing.joining import join_rows
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import SharedBits

DRAWS = 12_000
PARAMETERS = QueryParameters(
    breakdowns=DRAWS,
    cap=3,
    epsilon=Fraction(1),
    delta=Fraction(1, 2),
    security="semi-honest",
)
NOISE = in_mpc(PARAMETERS)
"""Of few digits and coarse coins, so that truncation and rounding show in thousands of draws."""

LARGEST_SUM = 3
Patch = pytest.MonkeyPatch


def noise_of_step(seed: int = 1) -> list[int]:
    """Noisy sums less the sums, all of which are as large as their width allows."""
    network = simulated_network(seed)
    width = LARGEST_SUM.bit_length()
    sums = public_columns(network, DRAWS, [ones(DRAWS)] * width)
    return [x - LARGEST_SUM for x in opened(add_noise(network, sums, PARAMETERS))]


def faults(draws: Sequence[int], masses: Mapping[int, Fraction]) -> set[str]:
    """Which tests fail on these draws."""
    found = set()
    if misfit(draws, masses) > REJECT or not set(draws) <= set(masses):
        found.add("distribution")
    for lag in (1, 2, 3, DRAWS // 2):
        if dependent(draws[:-lag], draws[lag:], NOISE):
            found.add("independence")
    return found


def test_without_an_error_no_test_fails() -> None:
    assert faults(noise_of_step(), probabilities(NOISE)) == set()
    assert (NOISE.digits, NOISE.precision) == (4, 7)


really: Any = {name: getattr(step, name) for name in ("laplace_noise", "greater_than", "subtract")}


def scale_without_the_cap(patch: Patch) -> None:
    patch.setattr(step, "noise_for", lambda _: replace(NOISE, sensitivity=1))


def changed_thresholds(change: Callable[[tuple[int, ...]], list[int]]) -> DigitwiseLaplace:
    wrong = replace(NOISE)
    vars(wrong)["thresholds"] = tuple(change(NOISE.thresholds))
    return wrong


def one_digit_less(patch: Patch) -> None:
    patch.setattr(step, "noise_for", lambda _: changed_thresholds(lambda c: [*c[:-1], 0]))


def digits_reversed(patch: Patch) -> None:
    patch.setattr(step, "noise_for", lambda _: changed_thresholds(lambda c: list(reversed(c))))


def lowest_digit_too_rare(patch: Patch) -> None:
    patch.setattr(
        step, "noise_for", lambda _: changed_thresholds(lambda c: [c[0] * 3 // 4, *c[1:]])
    )


def coarse_coins_that_show_one_too_often(patch: Patch) -> None:
    """[U <= c] for [U < c]: each coin is off by 2^-precision."""
    coarse = replace(NOISE, precision=5)

    def not_less(network: HelperPartyNetwork, a: SharedBits, b: SharedBits) -> SharedBits:
        return ~greater_than(network, b, a)

    patch.setattr(step, "noise_for", lambda _: coarse)
    patch.setattr(step, "greater_than", not_less)


def biased_random_bits(patch: Patch) -> None:
    """The highest bit of a word is the AND of two."""
    drawn = Prss.random_columns

    def biased(self: Prss, path: str, *rest: Any) -> Any:
        own, right = drawn(self, path, *rest)
        if path.endswith("words"):
            own[-1], right[-1] = own[-1] & own[0], right[-1] & right[0]
        return own, right

    patch.setattr(Prss, "random_columns", biased)


def one_bit_too_narrow(patch: Patch) -> None:
    patch.setattr(step, "signed_width", lambda *largest: signed_width(*largest) - 1)


def one_noise_for_neighbours(patch: Patch) -> None:
    def halved(network: HelperPartyNetwork, count: int, *rest: Any) -> SharedBits:
        half = really["laplace_noise"](network, count // 2, *rest)
        return join_rows(half, half)

    patch.setattr(step, "laplace_noise", halved)


def coins_of_the_second_variable(make: Callable[[SharedBits], SharedBits], patch: Patch) -> None:
    def changed(network: HelperPartyNetwork, limits: SharedBits, words: SharedBits) -> SharedBits:
        coins = really["greater_than"](network, limits, words)
        half = coins.take_rows(0, coins.rows // 2)
        return join_rows(half, make(half))

    patch.setattr(step, "greater_than", changed)


def the_same_variable_twice(patch: Patch) -> None:
    coins_of_the_second_variable(lambda first: first, patch)


def no_second_variable(patch: Patch) -> None:
    coins_of_the_second_variable(lambda first: first ^ first, patch)


def a_sum_for_the_difference(patch: Patch) -> None:
    patch.setattr(step, "subtract", add)


PLANTED: list[tuple[Callable[[Patch], None], set[str]]] = [
    (scale_without_the_cap, {"distribution"}),
    (one_digit_less, {"distribution"}),
    (digits_reversed, {"distribution"}),
    (lowest_digit_too_rare, {"distribution"}),
    (coarse_coins_that_show_one_too_often, {"distribution"}),
    (biased_random_bits, {"distribution"}),
    (one_bit_too_narrow, {"distribution"}),
    (one_noise_for_neighbours, {"independence"}),
    (the_same_variable_twice, {"distribution"}),
    (no_second_variable, {"distribution"}),
    (a_sum_for_the_difference, {"distribution"}),
]


@pytest.mark.parametrize(("plant", "expected"), PLANTED)
def test_a_planted_error_makes_a_test_fail(
    monkeypatch: Patch, plant: Callable[[Patch], None], expected: set[str]
) -> None:
    plant(monkeypatch)
    assert faults(noise_of_step(), probabilities(NOISE)) >= expected


@pytest.mark.parametrize(
    "wrong",
    [
        replace(NOISE, sensitivity=1),
        changed_thresholds(lambda c: [*c[:-1], 0]),
        changed_thresholds(lambda c: list(reversed(c))),
        changed_thresholds(lambda c: [c[0] * 3 // 4, *c[1:]]),
    ],
    ids=["scale", "truncation", "places", "bias"],
)
def test_a_wrong_distribution_keeps_less_of_a_promise(wrong: DigitwiseLaplace) -> None:
    """The exact delta grows where a distribution is wrong; the mathematics' own tests say how far."""
    wrong = replace_sensitivity(wrong)
    assert composed_delta(wrong, 256) > composed_delta(NOISE, 256)


def replace_sensitivity(noise: DigitwiseLaplace) -> DigitwiseLaplace:
    """The same distribution, asked about a person who moves the sums by the whole cap."""
    asked = replace(NOISE)
    vars(asked)["thresholds"] = noise.thresholds
    return asked


# The same name again: SPEC_NOTES fresh-session says that it must not be


BEFORE: list[Event] = [SourceEvent(1, 0, 0, 1), TriggerEvent(1, 0, 1, 4)]
AFTER: list[Event] = [SourceEvent(1, 0, 0, 1), TriggerEvent(2, 0, 1, 4)]
TWICE = QueryParameters(
    breakdowns=3,
    cap=5,
    epsilon=Fraction(1, 10),
    match_key_bits=4,
    attribution_constraint_id_bits=1,
    timestamp_bits=2,
    value_bits=3,
)


def released(network: HelperPartyNetwork, events: list[Event], mechanism: Mechanism) -> list[int]:
    parameters = replace(TWICE, mechanism=mechanism)
    reports = share_events(network.name, events, parameters, Randomness())
    return opened(query(network, reports, parameters))


def named(name: str) -> HelperPartyNetwork:
    """The same three helpers with the same pairwise keys; what a helper draws by itself is fresh."""
    channels, keys = in_memory_channels(), pairwise_keys(1)
    parties = [HelperParty(helper, Prss(*keys[helper]), channels[helper]) for helper in HELPERS]
    return HelperPartyNetwork(name, parties, security="malicious")


def difference(
    first: HelperPartyNetwork, second: HelperPartyNetwork, mechanism: Mechanism
) -> list[int]:
    answers = released(first, BEFORE, mechanism), released(second, AFTER, mechanism)
    return [a - b for a, b in zip(*answers, strict=True)]


def test_two_runs_of_one_name_betray_a_person_exactly() -> None:
    """The noise made inside the MPC comes from the name, so it cancels: what a new name prevents."""
    exact = [0, 4, 0]
    assert difference(named("run"), named("run"), "laplace") == exact
    assert difference(named("run"), named("other run"), "laplace") != exact


def test_a_second_query_in_one_network_has_noise_of_its_own() -> None:
    network = named("run")
    assert difference(network, network, "laplace") != [0, 4, 0]


def test_what_helpers_sample_themselves_does_not_come_again() -> None:
    assert difference(named("run"), named("run"), "laplace-per-helper") != [0, 4, 0]
