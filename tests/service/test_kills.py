"""A helper party that is killed, stuck or stopped never makes a wrong sum or a second charge.

`HYPOTHESIS_PROFILE=thorough python -m pytest -s tests/service/test_kills.py` plays 200 rounds and
prints how they ended.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from apart_cases import children_of, wait_until
from kill_cases import KillRounds, Outcome, assert_right, rounds, table
from service_processes import COLLECTOR, PATIENCE, Files, service_processes

from ipa import generate_events
from ipa.budget.ledger import ask, charge
from ipa.budget.ledger_directory import queries
from ipa.commands.directories import write_streams
from ipa.errors import ServiceError
from ipa.parameters import QueryParameters
from ipa.parties import HELPERS
from ipa.service.asked import Asked

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"

ROUNDS = 100 if THOROUGH else 2
"""So many with ledgers, and so many for exact sums."""

DISTURBED = HELPERS if THOROUGH else (2,)

SILENCE = 2

TAKEN_IN = 'ipa_queries_total{state="waiting"}'

LONG = QueryParameters(breakdowns=4, cap=60, epsilon=64)
"""A query that takes seconds over 400 events, so that there is time to disturb it."""


@pytest.fixture(scope="module", params=[True, False], ids=["paid", "exact"])
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KillRounds]:
    """Three processes, with ledgers or without, in which queries expire soon."""
    options = ("--silence", str(SILENCE), "--expire", "20")
    directory = tmp_path_factory.mktemp("kills")
    files = Files.make(directory, with_ledgers=request.param)
    with service_processes(files, *options) as network:
        yield KillRounds.of(network)


paid_alone = pytest.mark.parametrize("played", [True], indirect=True, ids=["paid"])


def test_after_a_kill_nothing_is_wrong_and_the_next_query_is_answered(played: KillRounds) -> None:
    others = set(children_of(os.getpid())) - set(map(played.network.pid, HELPERS))
    longest = max(played.answered() for _ in range(2))
    outcomes: list[Outcome] = []
    for one in rounds(ROUNDS, 1, 1.2 * longest):
        outcomes.append(played.play(one))
    print(f"\n{len(outcomes)} kills\n{table(outcomes)}")
    left = set(children_of(os.getpid())) - others  # what keeps track of other tests' processes
    assert left == set(map(played.network.pid, HELPERS))


@paid_alone
@pytest.mark.parametrize("charged", [(1,), (3,), (1, 2), (2, 3)])
def test_what_some_had_charged_at_a_kill_all_take_over(
    played: KillRounds, charged: tuple[int, ...]
) -> None:
    files = played.network.files
    played.answered()
    *_, known = queries(files.ledger(1))
    one = replace(known, query_id="charged-by-" + "-".join(map(str, charged)))
    for helper in HELPERS:  # each has said that it would pay, and then they were killed
        ask(files.ledger(helper), one)
    for helper in charged:
        charge(files.ledger(helper), one)
    played.answered()
    assert [ids.count(one.query_id) for ids in files.charged().values()] == [1, 1, 1]


@pytest.fixture(scope="module")
def long_streams(played: KillRounds) -> tuple[bytes, ...]:
    return played.network.files.streams_of(generate_events(400, breakdowns=4), LONG)


def long_query(played: KillRounds) -> Asked:
    query_id = played.new_query().query_id
    return Asked(query_id=query_id, submitter=COLLECTOR, parameters=LONG)


def once(action: Callable[[], object]) -> Callable[[str], None]:
    """Does something at the first step of a run that is told, and nothing at the others."""
    done: list[str] = []

    def on_step(step: str) -> None:
        done.append(step)
        if len(done) == 1:
            action()

    return on_step


@paid_alone
@pytest.mark.parametrize("stuck", DISTURBED)
def test_a_helper_that_is_stuck_in_a_run_is_given_up(
    played: KillRounds, long_streams: tuple[bytes, ...], stuck: int
) -> None:
    network, asked = played.network, long_query(played)
    stop = once(lambda: network.signal(stuck, signal.SIGSTOP))
    try:
        with pytest.raises(ServiceError) as error:
            network.ask(long_streams, asked, on_step=stop, request_timeout=2.0, last_words=1.0)
    finally:
        network.signal(stuck, signal.SIGCONT)
    assert f"no message from H{stuck}" in str(error.value)
    assert f"H{stuck} does not answer within 2 seconds" in str(error.value)
    wait_until(lambda: network.state(stuck, asked.query_id)["state"] == "aborted")
    played.answered()


@paid_alone
def test_a_query_waits_for_a_helper_that_is_stuck_before_it_runs(played: KillRounds) -> None:
    network, asked = played.network, played.new_query()
    taken_in = network.metrics(1)[TAKEN_IN]
    with ThreadPoolExecutor(1) as pool:
        network.signal(3, signal.SIGSTOP)
        try:
            answer = pool.submit(network.ask, played.streams, asked)
            wait_until(lambda: network.metrics(1)[TAKEN_IN] > taken_in)
        finally:
            network.signal(3, signal.SIGCONT)
        assert_right(answer.result(PATIENCE), asked)


@paid_alone
@pytest.mark.parametrize("stopped", DISTURBED)
def test_a_helper_that_is_stopped_finishes_what_runs_and_hands_it_out(
    played: KillRounds, long_streams: tuple[bytes, ...], stopped: int
) -> None:
    network, asked = played.network, long_query(played)
    process = network.running[stopped].process
    result = network.ask(long_streams, asked, on_step=once(process.terminate))
    assert result.receipt is not None
    assert process.wait(60) == 128 + signal.SIGTERM
    network.restart(stopped)
    played.answered()


@paid_alone
def test_a_query_goes_on_when_its_report_collector_is_killed(
    played: KillRounds, long_streams: tuple[bytes, ...], tmp_path: Path
) -> None:
    network, asked = played.network, long_query(played)
    write_streams(tmp_path, long_streams, COLLECTOR)
    words = [sys.executable, "-m", "ipa", "submit", str(tmp_path), "--query-id", asked.query_id]
    words += ["--network", str(network.files.network / "network.json")]
    words += ["--breakdowns", "4", "--cap", "60", "--epsilon", "64"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as submit:
        assert submit.stderr is not None
        assert submit.stderr.readline() == f"ipa submit: query {asked.query_id}\n"
        assert submit.stderr.readline() == f"ipa submit: charged {asked.query_id}\n"
        submit.kill()
    for helper in HELPERS:
        wait_until(lambda at=helper: network.state(at, asked.query_id)["state"] == "done")  # type: ignore[misc]
    assert all(ids.count(asked.query_id) == 1 for ids in network.files.charged().values())
    played.answered()
