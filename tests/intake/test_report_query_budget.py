"""What a query over reports is charged: before a report is opened, and never for what is refused."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from intake_cases import (
    EVENTS,
    HOME,
    PARAMETERS,
    SHOP,
    World,
    answer,
    with_record,
    with_stream,
    world,
)
from payment_cases import CHARGED, TERMS, commit_to, paying_ledgers, payment_of

import ipa.report_answer
from ipa.attacks import tamper
from ipa.budget.composition import EpsilonDelta
from ipa.budget.ledger import remaining
from ipa.budget.ledger_directory import Ledgers, create_ledgers, outcomes, queries
from ipa.client.configuration import generate_configuration
from ipa.client.rejection import Reason
from ipa.commands.reports import report_lines, report_object
from ipa.errors import BudgetError, MisbehaviourError, ParameterError, ReportError
from ipa.network.interception import Transcript
from ipa.network.simulation import RunOptions
from ipa.parameters import DEFAULT_DELTA, QueryParameters
from ipa.query import query
from ipa.report_query import ReportQueryResult, run_report_query


@pytest.fixture
def ledgers(tmp_path: Path) -> Ledgers:
    return paying_ledgers(tmp_path)


def paid(
    made: World, ledgers: Ledgers, query_id: str, parameters: QueryParameters = CHARGED
) -> ReportQueryResult:
    return run_report_query(
        made.streams,
        made.keys,
        parameters,
        submitter=HOME.report_collector,
        payment=payment_of(ledgers, query_id),
    )


def left(ledgers: Ledgers, site: str = HOME.site) -> Fraction:
    """What all three ledgers say."""
    (found,) = {
        remaining(
            ledger, site=site, epoch=HOME.epoch, report_collector=HOME.report_collector
        ).epsilon
        for ledger in ledgers
    }
    return found


def test_a_query_is_charged_and_recorded(ledgers: Ledgers) -> None:
    result = paid(with_record(world(), 1, 0, b""), ledgers, "q1")
    assert result.receipt is not None
    assert result.receipt.remaining.epsilon == left(ledgers) == Fraction(3, 4)
    for ledger in ledgers:
        assert queries(ledger) == (result.receipt.query,)
    record = result.receipt.query
    assert (record.query_id, record.site, record.rows) == ("q1", HOME.site, len(EVENTS))
    assert (record.cap, record.breakdowns, record.fanout) == (60, 4, "source")
    assert record.promise == EpsilonDelta(epsilon=Fraction(1, 4), delta=DEFAULT_DELTA)
    assert record.mechanism == "laplace"


def test_noise_per_helper_is_charged_no_delta(ledgers: Ledgers) -> None:
    parameters = replace(
        CHARGED, mechanism="laplace-per-helper", delta=Fraction(1, 3), security="semi-honest"
    )
    result = paid(world(), ledgers, "q1", parameters)
    assert result.receipt is not None
    assert result.receipt.query.promise == EpsilonDelta(epsilon=Fraction(1, 4), delta=Fraction(0))
    assert result.receipt.query.mechanism == "laplace-per-helper"


def test_a_query_is_charged_the_delta_of_its_parameters(ledgers: Ledgers) -> None:
    result = paid(world(), ledgers, "q1", replace(CHARGED, delta=Fraction(1, 10**8)))
    assert result.receipt is not None
    assert result.receipt.remaining.delta == Fraction(9, 10**8)
    assert report_object(result)["budget"] == {
        "query_id": "q1",
        "epsilon": "0.25",
        "delta": "1e-8",
        "remaining": {"epsilon": "0.75", "delta": "9e-8"},
    }
    charged = "epsilon 0.25 charged, 0.75 remaining; delta 1e-8 charged, 9e-8 remaining"
    assert f"query q1: {charged}" in report_lines(result)
    with pytest.raises(BudgetError, match=r"requests delta 1e-7, .* has 9e-8 of 1e-7 remaining"):
        paid(world(), ledgers, "q2", replace(CHARGED, delta=Fraction(1, 10**7)))


@pytest.mark.parametrize("delta", [Fraction(1, 10**19), Fraction(1, 1 << 30), Fraction(1, 3)])
def test_a_delta_that_ledgers_cannot_count_is_refused_before_any_work(
    delta: Fraction, ledgers: Ledgers
) -> None:
    with pytest.raises(ParameterError, match="delta must be from 0 to 1e-3, in whole multiples"):
        run_report_query(
            [b"", b"", b""],  # not even looked at
            world().keys,
            replace(CHARGED, delta=delta),
            submitter=HOME.report_collector,
            payment=payment_of(ledgers, "q1"),
        )
    assert not queries(*ledgers)


def test_the_budget_runs_out_and_the_other_site_s_is_untouched(ledgers: Ledgers) -> None:
    commit_to(ledgers, site=SHOP.site)
    for number in range(4):
        paid(world(), ledgers, f"q{number}")
    with pytest.raises(BudgetError, match=r"has 0 of 1 remaining"):
        paid(world(), ledgers, "q4")
    with pytest.raises(BudgetError, match="charged already"):
        paid(world(), ledgers, "q1")
    assert len(queries(*ledgers)) == 4
    assert left(ledgers, SHOP.site) == 1


@pytest.mark.parametrize(
    ("committed", "problem"),
    [
        ({"network_name": "other.example"}, "committed to helper party network other.example"),
        ({"provider": "login.example"}, "committed to match key provider login.example"),
        ({"collector": "other.example"}, "no budget to report collector collector.example"),
        (None, "has made no commitment"),
    ],
)
def test_only_what_the_site_committed_to_is_answered(
    committed: dict[str, str] | None, problem: str, tmp_path: Path
) -> None:
    ledgers = create_ledgers(tmp_path / "ledgers", TERMS, network_name=HOME.network_name)
    if committed is not None:
        commit_to(ledgers, **committed)
    with pytest.raises(BudgetError, match=problem):
        paid(world(), ledgers, "q1")
    assert not queries(*ledgers)


def test_a_ledger_of_another_network_that_the_site_uses_pays_nothing(tmp_path: Path) -> None:
    """The ledger's network is the commitment's, but the query is for a third one."""
    ledgers = create_ledgers(tmp_path / "ledgers", TERMS, network_name="other.example")
    commit_to(ledgers, network_name="other.example")
    with pytest.raises(BudgetError, match=r"the query is for net\.example"):
        paid(world(), ledgers, "q1")
    assert not queries(*ledgers)


def test_what_cannot_be_answered_is_not_charged(ledgers: Ledgers) -> None:
    with pytest.raises(ParameterError):
        paid(world(), ledgers, "q1", parameters=replace(CHARGED, value_bits=8))
    stream = world().stream(2)
    shorter = with_stream(world(), 2, replace(stream, records=stream.records[1:]))
    with pytest.raises(ReportError):
        paid(shorter, ledgers, "q1")
    _, others = generate_configuration(HOME.network_name, match_key_bits=PARAMETERS.match_key_bits)
    with pytest.raises(ReportError, match="another network of that name"):
        paid(replace(world(), keys=others), ledgers, "q1")
    payment = payment_of(ledgers, "q1")
    for bits in (0, 1, PARAMETERS.match_key_bits, 300):
        with pytest.raises(ParameterError, match="can be compressed"):
            run_report_query(
                world().streams,
                world().keys,
                CHARGED,
                submitter=HOME.report_collector,
                payment=payment,
                compressed_match_key_bits=bits,
            )
    assert left(ledgers) == 1


def test_a_query_that_is_aborted_stays_charged(ledgers: Ledgers) -> None:
    attack = tamper(2, "query/sort/*", "drop")
    assert attack.tampering is not None
    with pytest.raises(MisbehaviourError):
        run_report_query(
            world().streams,
            world().keys,
            replace(CHARGED, epsilon=1),
            submitter=HOME.report_collector,
            payment=payment_of(ledgers, "q"),
            options=RunOptions(interceptors=[attack.tampering]),
        )
    assert left(ledgers) == 0
    assert outcomes(*ledgers) == {}  # it did not come to its end


def test_a_charge_comes_before_a_report_is_opened_and_a_refusal_opens_none(
    ledgers: Ledgers,
) -> None:
    """Also when one of the three ledgers refuses alone."""
    transcript = Transcript()
    options = RunOptions(interceptors=[transcript])
    for epsilon in (Fraction(1, 2), Fraction(1, 2), Fraction(1, 2)):
        transcript.messages.clear()
        name = f"q{left(ledgers)}".replace("/", "-")
        try:
            run_report_query(
                world().streams,
                world().keys,
                replace(CHARGED, epsilon=epsilon),
                submitter=HOME.report_collector,
                payment=payment_of(ledgers, name),
                options=options,
            )
        except BudgetError:
            break
        steps = [message.step for message in transcript.messages]
        last_charge = max(i for i, step in enumerate(steps) if step.startswith("budget/charged"))
        assert last_charge < min(i for i, step in enumerate(steps) if "intake/rows" in step)
    assert left(ledgers) == 0
    assert not any("intake/rows" in message.step for message in transcript.messages)


def test_a_query_over_reports_needs_a_payment_or_says_aloud_that_it_has_none(
    ledgers: Ledgers,
) -> None:
    for payment, no_budget in ((None, False), (payment_of(ledgers, "q1"), True)):
        with pytest.raises(ParameterError, match=r"needs a payment, or says no_budget=True"):
            run_report_query(
                world().streams,
                world().keys,
                CHARGED,
                submitter=HOME.report_collector,
                payment=payment,
                no_budget=no_budget,
            )
    assert left(ledgers) == 1
    assert answer(world()).receipt is None


def test_what_is_charged_is_what_the_noise_is_made_for(ledgers: Ledgers) -> None:
    """Exact sums are never paid for, and no epsilon is that a ledger could not count."""
    with pytest.raises(ParameterError, match="exact sums are never paid for"):
        run_report_query(
            world().streams,
            world().keys,
            PARAMETERS,
            submitter=HOME.report_collector,
            payment=payment_of(ledgers, "q1"),
            no_noise=True,
        )
    with pytest.raises(ParameterError, match="at most 6 decimals"):
        paid(world(), ledgers, "q1", replace(CHARGED, epsilon=Fraction(1, 3)))
    assert not queries(*ledgers)
    for number, epsilon in enumerate((Fraction(1, 8), Fraction(3, 8))):
        result = paid(world(), ledgers, f"q{number}", replace(CHARGED, epsilon=epsilon))
        assert result.result.noise is not None
        assert result.receipt is not None
        assert result.receipt.query.epsilon == result.result.noise.epsilon == epsilon
    assert left(ledgers) == Fraction(1, 2)


def test_dropped_reports_do_not_hide_behind_the_budget(ledgers: Ledgers) -> None:
    changed = with_record(with_record(world(), 1, 0, b""), 3, 6, b"")
    result = paid(changed, ledgers, "q1")
    assert result.dropped == {Reason.MALFORMED: 2}
    assert queries(*ledgers)[0].rows == len(EVENTS)
    for ledger in ledgers:
        assert outcomes(ledger) == {"q1": len(EVENTS) - 2}


def test_the_query_runs_under_the_name_that_the_ledgers_have(
    ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that helpers compare it, and a charge cannot be taken for another query's."""
    names = []

    def run(*words: Any) -> Any:
        names.append(words[3])
        return query(*words)

    monkeypatch.setattr(ipa.report_answer, "query", run)
    paid(world(), ledgers, "q1")
    answer(world())
    assert names == ["q1", ""]
