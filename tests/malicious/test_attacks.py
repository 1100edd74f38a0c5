"""Attacks by behaviour, in lockstep: what the laboratory reports."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
from attack_cases import PARAMETERS, STEPS, assert_aborted, attacked
from malicious_cases import SEED, TINY_EVENTS, MaliciousSimulation

from ipa.attacks import (
    Attack,
    AttackReport,
    Change,
    add_error,
    feed_other_input,
    run_attack,
    run_attack_in_threads,
    tamper,
    use_other_keys,
)
from ipa.errors import EventError, ParameterError
from ipa.events import SourceEvent
from ipa.parameters import QueryParameters
from ipa.parties import HELPERS, left_of, right_of

PRODUCTS = [step for step in STEPS if "multiply" in step]
TO_BOTH = [step for step in STEPS if re.search("open|ready|input-check|verdict|confirmation", step)]


@pytest.mark.parametrize("seed", [SEED, None])
def test_without_an_attack_the_right_result_is_released(seed: int | None) -> None:
    report = run_attack(TINY_EVENTS, PARAMETERS, Attack(1), seed)
    assert (report.outcome, report.result_is_right) == ("released", True)
    assert (report.step, report.detected_by, report.errors) == ("", (), {})
    threads = run_attack_in_threads(TINY_EVENTS, PARAMETERS, Attack(1), SEED, timeout=20)
    assert (threads.outcome, threads.result_is_right) == ("released", True)


@pytest.mark.parametrize("helper", HELPERS)
def test_an_error_in_any_product_step(helper: int) -> None:
    assert len(PRODUCTS) > 15
    for step in PRODUCTS:
        report = attacked(add_error(helper, step))
        assert_aborted(report)
        assert report.step.startswith("check/"), (step, report)
        honest = tuple(other for other in HELPERS if other != helper)
        assert (report.detected_by, tuple(report.errors)) == (honest, honest)


@pytest.mark.parametrize("helper", HELPERS)
def test_other_keys_and_other_input(helper: int) -> None:
    keys = attacked(use_other_keys(helper))
    assert_aborted(keys)
    assert keys.step == "check/bits/coin/open"
    assert keys.detected_by == (left_of(helper),)
    other_input = attacked(feed_other_input(helper))
    assert_aborted(other_input)
    assert other_input.step == "query/input-check"
    # The share it changed is the one its left neighbour holds too.
    assert other_input.detected_by == (left_of(helper),)


@pytest.mark.parametrize("helper", HELPERS)
def test_two_helpers_are_told_the_same_lie_or_different_things(helper: int) -> None:
    neighbours = (left_of(helper), right_of(helper))
    assert len(TO_BOTH) > 12
    for bit, step in enumerate(TO_BOTH):
        for receiver in (None, *neighbours):
            report = attacked(tamper(helper, step, "flip", receiver=receiver, bit=bit))
            assert_aborted(report)
            assert report.step == step
            assert set(report.detected_by) == ({receiver} if receiver else set(neighbours))


@pytest.mark.parametrize("change", ["drop", "truncate", "extend", "replay", "delay"])
def test_the_laboratory_reports_changed_messages(change: Change) -> None:
    report = attacked(tamper(2, "query/sort/*", change))
    assert_aborted(report)
    assert report.step.startswith("query/sort/")
    # In lockstep two more messages of the round are sent before anybody looks at one.
    assert 1 <= report.tampered <= 3


ONCE = "query/input-check"


@pytest.mark.parametrize(
    ("attack", "count"),
    [
        (Attack(2), 0),
        (tamper(2, ONCE, "flip"), 2),
        (tamper(2, ONCE, "flip", receiver=1), 1),
        (feed_other_input(2), 1),
        (add_error(2, PRODUCTS[0]), 1),
        (add_error(2, "check/bits/last/products"), 1),
    ],
)
def test_the_report_counts_every_deviation_of_its_own_run(attack: Attack, count: int) -> None:
    """Also when the attack is used twice, one after the other and in threads."""
    assert [attacked(attack).tampered for _ in range(2)] == [count, count]
    threads = run_attack_in_threads(TINY_EVENTS, PARAMETERS, attack, SEED, timeout=20)
    assert threads.tampered == count
    if attack.tampering is not None:
        assert attack.tampering.tampered == 0  # a run has a tampering of its own


def test_every_draw_with_another_key_counts() -> None:
    honest = MaliciousSimulation(SEED)
    honest.query(TINY_EVENTS, PARAMETERS)
    all_draws = len(honest.network.parties[2].prss._used)
    report = attacked(use_other_keys(2))
    assert 20 < report.tampered < all_draws  # up to where it is noticed
    assert report.tampered == attacked(use_other_keys(2)).tampered


def test_nothing_is_held_back_from_one_run_to_the_next() -> None:
    attack = tamper(2, "query/agreement/confirmation", "delay", receiver=1)
    for _ in range(2):
        report = attacked(attack)
        assert (report.step, report.tampered) == ("query/agreement/confirmation", 1)


@pytest.mark.parametrize(
    "attack",
    [
        tamper(2, "query/elsewhere", "drop"),
        tamper(2, "query/sort", "flip"),  # messages are sent below it
        add_error(2, "query/elsewhere"),
        add_error(2, ONCE),  # no products there
        Attack(2, inputs=lambda reports: reports),
    ],
)
def test_an_attack_that_changes_nothing_is_an_error(attack: Attack) -> None:
    for run in (run_attack, run_attack_in_threads):
        with pytest.raises(ParameterError, match="the attack changed nothing: H2 does nothing in"):
            run(TINY_EVENTS, PARAMETERS, attack, SEED)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            {"change": "explode"},
            "change must be one of flip, drop, truncate, extend, replay, delay",
        ),
        ({"receiver": 2}, "the receiver must be another helper, not 2"),
        ({"receiver": 4}, "the receiver must be another helper, not 4"),
        ({"bit": -1}, "bit must be an integer of at least 0, not -1"),
        ({"helper": 4}, "the corrupted helper must be 1, 2 or 3, not 4"),
    ],
)
def test_an_attack_that_cannot_be_is_an_error_before_it_runs(
    words: dict[str, Any], said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        tamper(**{"helper": 2, "pattern": "*", "change": "flip", **words})


def test_other_helpers_than_1_2_and_3_cannot_be_corrupted() -> None:
    wrong: Any
    for wrong in (0, 4, "H2"):
        for make in (use_other_keys, feed_other_input, Attack):
            with pytest.raises(ParameterError, match="must be 1, 2 or 3"):
                make(wrong)
        with pytest.raises(ParameterError, match="must be 1, 2 or 3"):
            add_error(wrong, "*")


@pytest.mark.parametrize("helper", HELPERS)
def test_no_report_names_the_corrupted_helper(helper: int) -> None:
    """In lockstep the corrupted helper runs the checks too, and notices its own errors."""
    attacks = [
        add_error(helper, "query/sort/*"),
        feed_other_input(helper),
        use_other_keys(helper),
        *(tamper(helper, "query/sort/*", change) for change in get_args(Change)),
    ]
    for attack in attacks:
        for report in (
            attacked(attack),
            run_attack_in_threads(TINY_EVENTS, PARAMETERS, attack, SEED, timeout=1),
        ):
            assert_aborted(report)
            assert helper not in report.detected_by
            assert helper not in report.errors
            for error in report.errors.values():
                assert f"H{helper}" not in str(error)
                assert helper not in error.detected_by


@pytest.mark.parametrize("run", [run_attack, run_attack_in_threads])
def test_what_the_report_collector_notices_no_helper_did(run: Callable[..., AttackReport]) -> None:
    """Without checks a helper's other input shows when the shares of the result are put together."""
    semi_honest = replace(PARAMETERS, security="semi-honest")
    last = next(step for step in reversed(STEPS) if step.startswith("query/aggregation"))
    report = run(TINY_EVENTS, semi_honest, tamper(2, last, "flip"), SEED)
    assert (report.outcome, report.step) == ("aborted", "release")
    assert (report.detected_by, report.errors, report.result_is_right) == ((), {}, None)
    assert report.tampered == 1


def test_an_attack_is_on_events_and_parameters() -> None:
    wrong: Any
    for wrong in ([{"report": "source"}], [SourceEvent(99, 0, 0, 1)]):
        for run in (run_attack, run_attack_in_threads):
            with pytest.raises(EventError, match="row 1"):
                run(wrong, PARAMETERS, Attack(1), SEED)


def test_semi_honest_security_does_not_notice() -> None:
    """The attack is real: the same error gives a wrong result where nothing is checked."""
    semi_honest = QueryParameters(
        breakdowns=2,
        cap=2,
        security="semi-honest",
        match_key_bits=2,
        attribution_constraint_id_bits=1,
        timestamp_bits=2,
        value_bits=2,
    )
    # Bit 0 of the last product is in the carry of a sum.
    last = "query/aggregation/*"
    report = run_attack(TINY_EVENTS, semi_honest, add_error(3, last), SEED)
    assert (report.outcome, report.result_is_right) == ("released", False)
