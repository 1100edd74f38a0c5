"""Runs of three services that fail: who says what, what stays charged, and that the next query works."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from payment_cases import NOW
from service_cases import (
    Services,
    new_ledgers,
    noisy_query,
    small_query,
    three_services,
    wait_until,
)

from ipa.budget.ledger_directory import outcomes, queries
from ipa.parties import HELPERS
from ipa.service import runner
from ipa.service.queries import State
from ipa.service.run import HelperPart, run_query
from ipa.service.runner import Runner

AT_STEP = "query/sort"
"""Where runs are hit."""


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """Services without a budget, whose peers may be silent for two seconds."""
    with three_services(silence=2) as made:
        yield made


@pytest.fixture
def paid(tmp_path: Path) -> Iterator[Services]:
    """Services with ledgers, at the time of the ledgers' tests."""
    with three_services(new_ledgers(tmp_path), silence=30) as made:
        for clock in made.clocks.values():
            clock.at = NOW
        yield made


def hit(
    monkeypatch: pytest.MonkeyPatch, helper: int, do: Callable[[], object], at: str = AT_STEP
) -> None:
    """Do something in the run of a helper, once, when it comes to a step."""
    done = Event()

    def hit_run(part: HelperPart, *given: Any, on_step: Callable[[str], None], **named: Any) -> Any:
        def stepped(path: str) -> None:
            on_step(path)
            if part.helper == helper and path.startswith(at) and not done.is_set():
                done.set()
                do()

        return run_query(part, *given, on_step=stepped, **named)

    monkeypatch.setattr(runner, "run_query", hit_run)


def runner_of(services: Services, helper: int) -> Runner:
    return services.servers[helper]._runner


@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_a_helper_that_is_cut_off_is_named_with_the_step(
    services: Services, monkeypatch: pytest.MonkeyPatch, helper: int, security: str
) -> None:
    hit(monkeypatch, helper, lambda: runner_of(services, helper).abort_all())
    query_id = f"cut-{helper}-{security}"
    services.submit(small_query(query_id, security=security))
    assert all("query/sort" in reason for reason in services.reasons(query_id).values())
    # Who notices first closes as well, so that the third may name that one instead.
    assert any(f"H{helper}" in services.query(h, query_id).reason for h in HELPERS if h != helper)
    services.submit(small_query(f"{query_id}-next"))
    services.sums(f"{query_id}-next")


def test_a_helper_that_is_silent_is_named_with_the_step(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = Event()
    hit(monkeypatch, 2, lambda: goes_on.wait(60))
    services.submit(small_query("silent"))
    others = [services.query(helper, "silent") for helper in (1, 3)]
    wait_until(lambda: all(query.state is State.ABORTED for query in others))
    assert services.query(2, "silent").state is State.RUNNING
    assert services.query(2, "silent").step.startswith(AT_STEP)
    assert all(AT_STEP in query.reason for query in others)
    assert any("no message from H2" in query.reason for query in others)
    goes_on.set()
    assert services.reasons("silent")[2].startswith(AT_STEP)


def test_a_charge_stays_when_a_run_is_cut_and_the_next_query_is_answered(
    paid: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paid.ledgers is not None
    hit(monkeypatch, 2, lambda: runner_of(paid, 2).abort_all())
    paid.submit(noisy_query("cut"))
    paid.reasons("cut")
    for ledger in paid.ledgers:
        assert [query.query_id for query in queries(ledger)] == ["cut"]
        assert outcomes(ledger) == {}
    paid.submit(noisy_query("next"))
    paid.sums("next")
    for ledger in paid.ledgers:
        assert [query.query_id for query in queries(ledger)] == ["cut", "next"]
        assert list(outcomes(ledger)) == ["next"]


@pytest.mark.parametrize("helper", HELPERS)
def test_a_fault_shows_its_type_and_nothing_that_it_says(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    helper: int,
) -> None:
    def fail() -> None:
        raise ZeroDivisionError(f"the share is {271828 * 10**6 + 182845}")

    hit(monkeypatch, helper, fail)
    query_id = f"fault-{helper}"
    with caplog.at_level("DEBUG"):
        services.submit(small_query(query_id))
        reasons = services.reasons(query_id)
    assert reasons[helper] == f"H{helper} has a fault: ZeroDivisionError"
    told = [vars(record) for record in caplog.records]
    assert any(each.get("fields", {}).get("error") == "ZeroDivisionError" for each in told)
    assert any("in fail" in each.get("fields", {}).get("where", "") for each in told)
    assert "271828182845" not in f"{told}{reasons}"


def test_memory_that_is_used_up_is_said(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise MemoryError

    hit(monkeypatch, 3, fail)
    services.submit(small_query("memory"))
    assert services.reasons("memory")[3] == "H3 has not enough memory"


def assert_refused(reasons: dict[int, str], why: str) -> None:
    """The first helper says why, and the others that it refused."""
    assert why in reasons[1]
    assert {reasons[2], reasons[3]} == {"helper 1 refuses to charge the query"}


@pytest.mark.parametrize("late", HELPERS)
def test_the_middle_clock_counts_at_the_end_of_an_epochs_budget(paid: Services, late: int) -> None:
    """HOME's epoch 7 began at NOW; its budget is closed from NOW + 2000 on."""
    assert paid.ledgers is not None
    for helper, clock in paid.clocks.items():
        clock.at = NOW + 2001 if helper == late else NOW + 1999
    paid.submit(noisy_query("one-late"))
    paid.sums("one-late")
    assert {query.charged_at for query in queries(*paid.ledgers)} == {NOW + 1999}
    for helper, clock in paid.clocks.items():
        clock.at = NOW + 1999 if helper == late else NOW + 2001
    paid.submit(noisy_query("two-late"))
    assert_refused(paid.reasons("two-late"), "is closed since")
    assert [query.query_id for query in queries(*paid.ledgers)] == ["one-late"]


def test_the_middle_clock_counts_at_the_beginning_of_an_epoch(paid: Services) -> None:
    for helper, clock in paid.clocks.items():
        clock.at = NOW - 1 if helper == 2 else NOW
    paid.submit(noisy_query("one-early"))
    paid.sums("one-early")
    for helper, clock in paid.clocks.items():
        clock.at = NOW if helper == 2 else NOW - 1
    paid.submit(noisy_query("two-early"))
    assert_refused(paid.reasons("two-early"), "has not begun")


class _FullDisk(sqlite3.Connection):
    """A connection to a database on a disk that is full for the rows of one table."""

    table = ""

    def execute(self, statement: str, *given: Any) -> sqlite3.Cursor:
        if self.table and statement.startswith(f"INSERT INTO {self.table} "):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return super().execute(statement, *given)


@pytest.mark.parametrize(
    ("table", "charged"),
    [
        ("asked", {1: [], 2: [], 3: []}),
        ("query", {1: ["full"], 2: [], 3: ["full"]}),
        ("outcome", {1: ["full"], 2: ["full"], 3: ["full"]}),
    ],
)
def test_a_full_disk_under_one_ledger_aborts_and_nothing_is_released(
    paid: Services, monkeypatch: pytest.MonkeyPatch, table: str, charged: dict[int, list[str]]
) -> None:
    assert paid.ledgers is not None
    ledgers = dict(zip(HELPERS, paid.ledgers, strict=True))
    connect = sqlite3.connect

    def connected(uri: str, /, **named: Any) -> sqlite3.Connection:
        factory = _FullDisk if "helper2.ledger" in uri else sqlite3.Connection
        return connect(uri, factory=factory, **named)

    monkeypatch.setattr(sqlite3, "connect", connected)
    monkeypatch.setattr(_FullDisk, "table", table)
    paid.submit(noisy_query("full"))
    paid.ended("full")
    assert "database or disk is full" in paid.query(2, "full").reason
    assert "helper2.ledger" in paid.query(2, "full").reason
    assert str(ledgers[2].path.parent) not in paid.query(2, "full").reason
    found = {h: [query.query_id for query in queries(ledger)] for h, ledger in ledgers.items()}
    assert found == charged
    assert paid.query(2, "full").answer is None
    if table != "outcome":  # whose end each helper records for itself, when all have agreed to it
        paid.reasons("full")
    monkeypatch.setattr(_FullDisk, "table", "")
    paid.submit(noisy_query("space"))
    paid.sums("space")
    for ledger in paid.ledgers:
        known = [query.query_id for query in queries(ledger)]
        assert sorted(known) == (["space"] if table == "asked" else ["full", "space"])


def test_a_service_that_stops_without_grace_aborts_what_runs_and_what_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_step, goes_on = Event(), Event()
    hit(monkeypatch, 2, lambda: (at_step.set(), goes_on.wait(60)))  # type: ignore[func-returns-value]
    with three_services() as services:
        services.submit(small_query("runs"))
        assert at_step.wait(60)
        services.submit(small_query("waits"))
        services.stop(2)
        goes_on.set()
        assert all("query/sort" in reason for reason in services.reasons("runs").values())
        assert services.query(2, "waits").reason == "this helper party is stopping"
