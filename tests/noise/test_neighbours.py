"""The whole pipeline keeps its promise for every person of a tiny world.

Neighbours are a query with a person's reports and one in which these are reports of nobody, each with a
match key of its own. For all values of the person's reports, at all positions, the exact sums with
and without give the exact distributions of the two answers, jointly over two breakdowns, and their
hockey-stick divergence is at most the delta promised. The noises of two breakdowns are independent,
so an answer's probability is a product, and the divergence depends on the difference of the sums alone.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product
from typing import get_args

import pytest
from goodness import laplace_masses
from noise_cases import MECHANISMS, in_mpc

from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.network.simulation import RunOptions
from ipa.noise.choice import noise_for
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.noise.exponential import exp_bounds
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.oracle.steps import query_in_steps
from ipa.parameters import Aggregate, Attribution, Capping, Mechanism, QueryParameters
from ipa.query import run_query

Shift = tuple[int, int]

NOBODY = 8
"""The match keys of nobody are this one and the ones after it."""

SOURCES = [(time, key) for time in (0, 2) for key in (0, 1)]
TRIGGERS = [(time, value) for time in (1, 3) for value in (1, 3)]
OTHERS: list[Event] = [SourceEvent(2, 0, 0, 1), TriggerEvent(2, 0, 3, 3)]
"""Another person, who meets the cap and whose match key may be that of the person."""


def parameters_of(
    capping: Capping, aggregate: Aggregate, attribution: Attribution, collide: bool
) -> QueryParameters:
    return QueryParameters(
        breakdowns=2,
        cap=2,
        capping=capping,
        aggregate=aggregate,
        attribution=attribution,
        epsilon=Fraction(1),
        delta=Fraction(1, 100),
        match_keys_can_collide=collide,
        match_key_bits=4,
        attribution_constraint_id_bits=1,
        timestamp_bits=2,
        value_bits=2,
    )


SETTINGS = list(product(get_args(Capping), get_args(Aggregate), get_args(Attribution)))


def own_events(match_keys: tuple[int, ...]) -> Iterator[list[Event]]:
    """All values of a person's reports, one for each of the match keys that they then have."""
    kinds = [("source", *values) for values in SOURCES] + [("trigger", *v) for v in TRIGGERS]
    for values in product(kinds, repeat=len(match_keys)):
        yield [
            SourceEvent(key, 0, time, last)
            if kind == "source"
            else TriggerEvent(key, 0, time, last)
            for key, (kind, time, last) in zip(match_keys, values, strict=True)
        ]


def worlds(match_key: int) -> Iterator[tuple[list[Event], list[Event]]]:
    """With and without a person of three reports, who stand before, between and after the others'."""
    nobody = (NOBODY, NOBODY + 1, NOBODY + 2)
    for mine, of_nobody in zip(own_events((match_key,) * 3), own_events(nobody), strict=True):
        first, second = OTHERS
        yield (
            [mine[0], first, mine[1], second, mine[2]],
            [of_nobody[0], first, of_nobody[1], second, of_nobody[2]],
        )


@cache
def shifts(
    capping: Capping, aggregate: Aggregate, attribution: Attribution, collide: bool
) -> set[Shift]:
    """By how much a person moves the two sums, over all worlds."""
    parameters = parameters_of(capping, aggregate, attribution, collide)
    found = set()
    for with_person, without in worlds(match_key=2 if collide else 1):
        before, after = (query_in_steps(events, parameters) for events in (with_person, without))
        found.add((before[0] - after[0], before[1] - after[1]))
    return found


def divergence(noise: DigitwiseLaplace, shift: Shift) -> Fraction:
    """The hockey-stick divergence of two joint answers, at most: e^epsilon is taken from below.

    A row of the joint distribution is where the first answer has one value; the excess there is added up.
    """
    masses = dict(enumerate(noise.masses))
    growth, _ = exp_bounds(noise.epsilon, 64)
    up, down = growth.numerator, growth.denominator
    reach = [range(min(0, s), len(masses) + max(0, s)) for s in shift]
    pairs = [
        [(masses.get(x - s, 0), masses.get(x, 0)) for x in r]
        for r, s in zip(reach, shift, strict=True)
    ]
    excess = 0
    for p, q in pairs[0]:
        moved, still = p * down, q * up
        excess += sum(e for a, b in pairs[1] if (e := moved * a - still * b) > 0)
    return Fraction(excess, down * noise.denominator**2)


@cache
def divergence_of(noise_key: tuple[int, int, int], shift: Shift) -> Fraction:
    sensitivity, digits, precision = noise_key
    return divergence(
        DigitwiseLaplace(
            epsilon=Fraction(1), sensitivity=sensitivity, digits=digits, precision=precision
        ),
        shift,
    )


def worst(noise: DigitwiseLaplace, moved: set[Shift]) -> Fraction:
    """Over all shifts; the noise is symmetric and the same for both sums, so signs and order are free."""
    distinct = {max(((x, y), (y, x), (-x, -y), (-y, -x))) for x, y in moved}
    key = (noise.sensitivity, noise.digits, noise.precision)
    return max(divergence_of(key, shift) for shift in distinct)


@pytest.mark.parametrize("collide", [False, True])
@pytest.mark.parametrize("setting", SETTINGS)
def test_no_person_is_betrayed_by_more_than_was_promised(
    setting: tuple[Capping, Aggregate, Attribution], collide: bool
) -> None:
    parameters = parameters_of(*setting, collide)
    moved = shifts(*setting, collide)
    norms = {abs(x) + abs(y) for x, y in moved}
    assert max(norms) <= parameters.sensitivity
    assert max(norms) >= parameters.cap
    assert 0 < worst(in_mpc(parameters), moved) <= parameters.delta


def test_people_who_collide_move_the_sums_by_twice_the_cap_and_noise_for_once_is_too_little() -> (
    None
):
    moved = set.union(*(shifts(*setting, True) for setting in SETTINGS))
    assert max(abs(x) + abs(y) for x, y in moved) == 4
    parameters = parameters_of(*SETTINGS[0], True)
    assert worst(in_mpc(parameters), moved) <= parameters.delta
    too_little = in_mpc(replace(parameters, match_keys_can_collide=False))
    assert worst(too_little, moved) > 20 * parameters.delta


def test_without_collisions_too_little_noise_is_found_too() -> None:
    moved = set.union(*(shifts(*setting, False) for setting in SETTINGS))
    noise = in_mpc(parameters_of(*SETTINGS[0], False))
    promised = parameters_of(*SETTINGS[0], False).delta
    assert worst(noise, moved) <= promised
    assert worst(replace(noise, sensitivity=1), moved) > promised
    assert worst(replace(noise, digits=noise.digits - 2), moved) > promised


def largest_ratio_of_two_noises(rate: Fraction, moved: set[Shift]) -> Fraction:
    """How much likelier an answer is with a person than without, at most, over answers near the sums."""
    one = laplace_masses(rate, 100)
    two = {
        x: sum((one[y] * one[x - y] for y in range(-70, 71)), Fraction(0)) for x in range(-25, 26)
    }
    return max(
        two[x - first] * two[y - second] / (two[x] * two[y])
        for first, second in moved
        for x, y in product(range(-20, 21, 5), repeat=2)
    )


@pytest.mark.parametrize("collide", [False, True])
def test_noise_per_helper_keeps_the_promise_without_the_noise_of_any_one(collide: bool) -> None:
    """What two helpers add has probabilities whose ratio, for every shift, is at most e^epsilon."""
    parameters = parameters_of(*SETTINGS[0], collide)
    noise = noise_for(replace(parameters, mechanism="laplace-per-helper"))
    assert isinstance(noise, PerHelperLaplace)
    moved = set.union(*(shifts(*setting, collide) for setting in SETTINGS))
    growth, _ = exp_bounds(Fraction(1), 64)
    assert largest_ratio_of_two_noises(noise.rate, moved) <= growth
    assert largest_ratio_of_two_noises(2 * noise.rate, moved) > growth


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_helpers_answers_to_neighbours_differ_by_the_exact_difference(
    mechanism: Mechanism,
) -> None:
    """With one seed for both: so in the MPC, too, noise is all that stands between them."""
    for number, setting in enumerate(SETTINGS):
        parameters = replace(
            parameters_of(*setting, bool(number % 2)), mechanism=mechanism, security="semi-honest"
        )
        pairs = list(worlds(match_key=2 if number % 2 else 1))
        with_person, without = pairs[37 * (number + 1) % len(pairs)]
        first, second = (
            run_query(events, parameters, options=RunOptions(seed=3)).sums
            for events in (with_person, without)
        )
        before, after = (query_in_steps(events, parameters) for events in (with_person, without))
        assert subtracted(first, second) == subtracted(before, after)


def subtracted(first: list[int], second: list[int]) -> list[int]:
    return [a - b for a, b in zip(first, second, strict=True)]
