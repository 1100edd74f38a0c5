"""Planning: bias and noise of each cap, against sums computed by hand."""

from dataclasses import replace
from fractions import Fraction
from math import sqrt

import pytest

from ipa.errors import EventError, ParameterError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.events.workload import generate_events
from ipa.noise.choice import choose_parameters
from ipa.parameters import QueryParameters
from ipa.planning import best_cap, plan_caps

PARAMETERS = QueryParameters(breakdowns=2, cap=1, epsilon=1, security="semi-honest")

# One person with 30 in breakdown key 0, one with 4 in key 1.
EVENTS: list[Event] = [
    SourceEvent(1, 1, 10, 0),
    TriggerEvent(1, 1, 11, 30),
    SourceEvent(2, 1, 10, 1),
    TriggerEvent(2, 1, 11, 4),
]


def test_bias_noise_and_error_of_each_cap() -> None:
    plans = plan_caps(EVENTS, PARAMETERS, [2, 10, 40])
    assert [plan.cap for plan in plans] == [2, 10, 40]
    assert [plan.bias for plan in plans] == [sqrt((28**2 + 2**2) / 2), sqrt(20**2 / 2), 0]
    assert [plan.kept for plan in plans] == [4 / 34, 14 / 34, 1]
    for plan in plans:
        noise = choose_parameters(Fraction(1), plan.cap, 2)
        assert plan.noise == noise.standard_deviation
        assert plan.error == sqrt(plan.bias**2 + plan.noise**2)


def test_more_epsilon_makes_a_higher_cap_the_best() -> None:
    caps = [1, 10, 100, 1000, 10_000]
    events = generate_events(400, breakdowns=2, seed=1)
    best = [
        best_cap(plan_caps(events, replace(PARAMETERS, epsilon=epsilon), caps)).cap
        for epsilon in (1, 4, 16, 64)
    ]
    assert best == sorted(best)
    assert best[0] < best[-1]


def test_no_events_and_no_credit_lose_nothing() -> None:
    for events in ([], EVENTS[:1]):
        (plan,) = plan_caps(events, PARAMETERS, [5])
        assert (plan.kept, plan.bias, plan.error) == (1.0, 0.0, plan.noise)


def test_what_cannot_be_planned_is_refused() -> None:
    with pytest.raises(ParameterError, match="at least one cap"):
        plan_caps(EVENTS, PARAMETERS, [])
    with pytest.raises(ParameterError, match="needs an epsilon"):
        plan_caps(EVENTS, replace(PARAMETERS, epsilon=None), [1])
    with pytest.raises(ParameterError, match="cap must be an integer"):
        plan_caps(EVENTS, PARAMETERS, [3, 0])
    with pytest.raises(EventError, match="row 1: breakdown_key"):
        plan_caps([SourceEvent(1, 1, 1, 2)], PARAMETERS, [3])
