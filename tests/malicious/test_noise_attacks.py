"""Every message of the noise step, changed in every way: nobody gets a result, whatever the mechanism.

And what a corrupted helper may do unnoticed: choose its own noise, where it samples some.
"""

import random
from dataclasses import replace
from fractions import Fraction
from functools import cache

import pytest
from malicious_cases import (
    CHANGES,
    SEED,
    TINY_EVENTS,
    Change,
    ChangeMessage,
    check_detected,
    tiny,
)
from noise_cases import MECHANISMS, expected_noise, own_noise

from ipa.attacks import (
    add_error,
    laboratory,
    run_attack,
    run_attack_in_threads,
    tamper,
)
from ipa.errors import MisbehaviourError
from ipa.network.channel import Message
from ipa.network.interception import Interceptor, Transcript
from ipa.network.simulation import RunOptions, simulated_network
from ipa.noise.choice import noise_for
from ipa.noise.per_helper_laplace import PerHelperLaplace
from ipa.oracle.steps import query_in_steps
from ipa.parameters import Mechanism, QueryParameters
from ipa.parties import HELPERS
from ipa.query import query, run_query
from ipa.release import combine_at_collector, shares_for_collector
from ipa.reports import share_events
from ipa.result import QueryResult
from ipa.sharing.randomness import Randomness


def noisy(mechanism: Mechanism) -> QueryParameters:
    """So little noise that the step has few messages."""
    return replace(tiny(), epsilon=Fraction(6), delta=Fraction(1, 8), mechanism=mechanism)


def run(mechanism: Mechanism, *interceptors: Interceptor) -> QueryResult:
    """The query without reports: the noise is the same, and little else is sent."""
    return run_query([], noisy(mechanism), options=RunOptions(seed=SEED, interceptors=interceptors))


@cache
def honest_messages(mechanism: Mechanism) -> tuple[Message, ...]:
    transcript = Transcript()
    run(mechanism, transcript)
    return tuple(transcript.messages)


def of_the_step(mechanism: Mechanism) -> list[int]:
    messages = honest_messages(mechanism)
    return [i for i, message in enumerate(messages) if message.step.startswith("query/noise/")]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_change_of_any_message_of_the_noise_is_detected(
    mechanism: Mechanism, change: Change
) -> None:
    messages = honest_messages(mechanism)
    for index in of_the_step(mechanism):
        bit = random.Random(index).randrange(8 * len(messages[index].payload))
        interceptor = ChangeMessage(index, change, bit)
        with pytest.raises(MisbehaviourError) as caught:
            run(mechanism, interceptor)
        assert interceptor.seen > index
        check_detected(caught.value, messages, index)


def test_every_bit_of_an_input_counts() -> None:
    """Also those of the highest column, whose carry nobody needs."""
    messages = honest_messages("laplace-per-helper")
    index = of_the_step("laplace-per-helper")[1]
    assert messages[index].step == "query/noise/share-inputs"
    for bit in range(8 * len(messages[index].payload)):
        with pytest.raises(MisbehaviourError) as caught:
            run("laplace-per-helper", ChangeMessage(index, "flip", bit))
        check_detected(caught.value, messages, index)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_unchanged_query_is_right_and_its_messages_include_every_part(
    mechanism: Mechanism,
) -> None:
    noise = noise_for(noisy(mechanism))
    assert run(mechanism).sums == expected_noise(SEED, noise, 2)
    steps = {honest_messages(mechanism)[index].step for index in of_the_step(mechanism)}
    parts = ["add/multiply", "add#2/multiply", "compare/multiply"]
    if mechanism == "laplace-per-helper":
        parts = ["add/multiply", "share-inputs", "sum/multiply", "sum/add/multiply"]
    for part in parts:
        assert f"query/noise/{part}" in steps, steps


@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize(
    ("mechanism", "pattern"),
    [
        ("laplace", "query/noise/compare/*"),
        ("laplace", "query/noise/add*"),
        ("laplace-per-helper", "query/noise/share-inputs"),
        ("laplace-per-helper", "query/noise/sum/*"),
    ],
)
def test_both_honest_helpers_abort_each_by_itself(
    helper: int, mechanism: Mechanism, pattern: str
) -> None:
    """Every helper in its own thread; the last round is no part of this, so both abort."""
    attack = tamper(helper, pattern, "flip", bit=1)
    report = run_attack_in_threads(TINY_EVENTS, noisy(mechanism), attack, SEED, timeout=20)
    assert report.tampered > 0
    assert report.outcome == "aborted"
    assert set(report.errors) == set(HELPERS) - {helper}


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("helper", HELPERS)
def test_an_error_in_a_product_of_the_noise_is_found(mechanism: Mechanism, helper: int) -> None:
    """Without a wrong message: the error is in what is kept, too."""
    report = run_attack(TINY_EVENTS, noisy(mechanism), add_error(helper, "query/noise/*"), SEED)
    assert report.outcome == "aborted"
    assert report.step.startswith("check")
    assert set(report.detected_by) == set(HELPERS) - {helper}


def test_without_the_check_a_helper_could_take_the_noise_away_unnoticed() -> None:
    """What malicious security is for: semi-honest helpers release what one of them spoilt."""
    parameters = replace(noisy("laplace"), security="semi-honest")
    report = run_attack(TINY_EVENTS, parameters, add_error(2, "query/noise/compare/*"), SEED)
    assert (report.outcome, report.result_is_right) == ("released", False)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_laboratory_knows_the_sums_of_honest_helpers(mechanism: Mechanism) -> None:
    """Noise included: signed sums, from the same randomness."""
    parameters = replace(noisy(mechanism), epsilon=Fraction(1, 3))
    for seed in range(3):
        honest = run_query(TINY_EVENTS, parameters, options=RunOptions(seed=seed))
        name = simulated_network(seed).name
        assert laboratory._right_sums(name, TINY_EVENTS, parameters, seed) == honest.sums


class Chosen(Randomness):
    """The randomness of a helper that samples whatever it likes."""

    def random_below(self, bound: int) -> int:
        return bound - 1


def test_a_helper_may_choose_its_own_noise_which_moves_the_sums_and_hides_no_less() -> None:
    """It adds a constant here; the rest is the exact sums and the noise of the two honest ones."""
    parameters = noisy("laplace-per-helper")
    noise = noise_for(parameters)
    assert isinstance(noise, PerHelperLaplace)
    network = simulated_network(SEED, security="malicious")
    network.parties[2] = replace(network.parties[2], randomness=Chosen())
    shares = share_events(network, TINY_EVENTS, parameters, Randomness.from_seed(SEED, "clients"))
    result = query(network, shares, parameters)
    released = combine_at_collector(shares_for_collector(network, result), 2, signed=True)
    honest = [own_noise(SEED, helper, noise, 2) for helper in (1, 3)]
    exact = query_in_steps(TINY_EVENTS, tiny())
    constant = noise.sample(Chosen().random_below)
    assert released == [sum(parts) + constant for parts in zip(exact, *honest, strict=True)]
