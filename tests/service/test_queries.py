"""The queue of a helper party: its bounds, what it remembers, and that states never go back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_cases import OTHER_COLLECTOR, small_query, submit

from ipa.errors import ServiceError
from ipa.report_answer import Answer
from ipa.service.asked import Asked
from ipa.service.queries import Queries, Query, QueryLimits, State
from ipa.service.refusal import Refusal

ANSWER: Answer = Answer.__new__(Answer)
"""An answer that nobody looks at."""


class Clock:
    """Seconds, as a test sets them."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def queue(**limits: float) -> Queries:
    return Queries(QueryLimits(**limits), Clock())  # type: ignore[arg-type]


def other(query_id: str) -> Asked:
    return replace(small_query(query_id), submitter=OTHER_COLLECTOR)


def refused(queries: Queries, asked: Asked, size: int = 1) -> Refusal | None:
    """Why there is no room for a query, if there is none."""
    try:
        with queries.admitted(asked, size):
            return None
    except ServiceError as error:
        assert isinstance(error.refusal, Refusal)
        return error.refusal


def test_a_query_waits_with_its_stream_in_the_order_of_arrival() -> None:
    queries = queue()
    for query_id in ("b", "a", "c"):
        submit(queries, small_query(query_id), query_id.encode())
    assert [(q.asked.query_id, q.stream) for q in queries.waiting()] == [
        ("b", b"b"),
        ("a", b"a"),
        ("c", b"c"),
    ]


def test_there_are_never_more_queries_than_the_limit() -> None:
    queries = queue(most=4)
    submit(queries, small_query("1"), b"")
    submit(queries, other("2"), b"")
    running = submit(queries, small_query("3"), b"")
    assert queries.begin(running)
    with queries.admitted(other("4"), 1):
        assert refused(queries, replace(other("5"), submitter="third.example")) == "queue full"
    assert refused(queries, other("5")) is None
    submit(queries, other("5"), b"")
    assert refused(queries, other("6")) == "queue full"
    queries.abort(running, "why")
    assert refused(queries, small_query("6")) is None


def test_one_report_collector_has_half_of_the_queue_at_most_and_at_least_one() -> None:
    queries = queue(most=4)
    submit(queries, small_query("1"), b"")
    with queries.admitted(small_query("2"), 0):
        assert refused(queries, small_query("3")) is Refusal.QUEUE_FULL
        assert refused(queries, other("3")) is None
    assert refused(queries, small_query("3")) is None
    assert refused(queue(most=1), small_query("1")) is None


def test_streams_have_no_more_bytes_together_than_the_limit() -> None:
    queries = queue(most_bytes=10)
    third = replace(other("3"), submitter="third.example")
    first = submit(queries, small_query("1"), bytes(4))
    with queries.admitted(other("2"), 4):
        assert refused(queries, third, 3) is Refusal.QUEUE_FULL
        assert refused(queries, third, 2) is None
    assert refused(queries, third, 5) is None
    queries.abort(first, "why")
    assert first.stream == b""


def test_one_report_collector_has_half_of_the_bytes_at_most() -> None:
    queries = queue(most_bytes=10)
    assert refused(queries, small_query("1"), 6) is Refusal.TOO_LARGE
    assert refused(queries, small_query("1"), 5) is None
    first = submit(queries, small_query("1"), bytes(2))
    with queries.admitted(small_query("2"), 2):
        assert refused(queries, small_query("3"), 2) is Refusal.QUEUE_FULL
        assert refused(queries, small_query("3"), 1) is None
        assert refused(queries, other("3"), 5) is None
    queries.abort(first, "why")
    assert refused(queries, small_query("3"), 5) is None


def test_an_id_is_taken_once_for_ever_also_by_another_and_when_it_is_forgotten() -> None:
    queries = queue(most_ended=1)
    with queries.admitted(small_query("1"), 0):
        assert refused(queries, other("1")) is Refusal.REPLAYED
    for query_id in ("1", "2"):
        query = submit(queries, small_query(query_id), b"")
        assert refused(queries, small_query(query_id)) is Refusal.REPLAYED
        queries.abort(query, "why")
    assert queries.find("1") is None and queries.find("2") is not None
    assert refused(queries, small_query("1")) is Refusal.REPLAYED


def test_a_room_that_was_not_used_is_free_again() -> None:
    queries = queue(most=2)
    with pytest.raises(ZeroDivisionError), queries.admitted(small_query("1"), 1):
        raise ZeroDivisionError
    assert queries.find("1") is None and not queries.waiting()
    submit(queries, small_query("1"), b"1")


def test_a_query_expires_when_it_waits_too_long_and_not_while_it_runs() -> None:
    queries = queue(expires_after=10)
    clock = queries._clock
    assert isinstance(clock, Clock)
    waits, runs = (submit(queries, small_query(query_id), b"s") for query_id in ("w", "r"))
    queries.begin(runs)
    clock.now += 10
    assert queries.waiting() == [waits]
    clock.now += 1
    assert queries.waiting() == []
    assert (waits.state, waits.stream, runs.state) == (State.ABORTED, b"", State.RUNNING)
    assert "did not begin within 10 seconds" in waits.reason


def test_somebody_is_told_of_queries_that_end_without_having_begun() -> None:
    told: list[tuple[str, str, str]] = []

    def on_dropped(query: Query, why: str) -> None:
        told.append((query.asked.query_id, query.reason, why))

    clock = Clock()
    queries = Queries(QueryLimits(expires_after=10), clock, on_dropped)
    expires, runs, ended = (submit(queries, small_query(each), b"s") for each in ("e", "r", "x"))
    queries.begin(runs)
    queries.abort(ended, "why")
    clock.now += 11
    for _ in range(2):
        queries.waiting()
    assert told == [("e", expires.reason, "expired")]
    queries.withdraw(runs)
    assert runs.state is State.RUNNING
    queries.withdraw(submit(queries, small_query("n"), b"s"))
    assert told.pop() == ("n", "its report collector withdrew it", "withdrawn")
    submit(queries, small_query("w"), b"s")
    queries.stop()
    assert told[1:] == [("w", "this helper party is stopping", "stopping")]


def test_a_query_begins_once_and_never_after_its_end_or_while_stopping() -> None:
    queries = queue()
    query, ended, late = (submit(queries, small_query(query_id), b"s") for query_id in "abc")
    assert queries.begin(query) and not queries.begin(query)
    queries.abort(ended, "why")
    assert not queries.begin(ended) and ended.state is State.ABORTED
    queries.abort(ended, "another")
    assert ended.reason == "why"
    queries.stopping = True
    assert not queries.begin(late) and late.state is State.WAITING
    assert queries.running() == [query]


def test_only_the_last_that_ended_are_remembered() -> None:
    queries = queue(most_ended=2)
    waits = submit(queries, other("w"), b"")
    for query_id in ("1", "2", "3"):
        queries.done(submit(queries, small_query(query_id), b""), ANSWER)
    assert [queries.find(query_id) is None for query_id in ("1", "2", "3")] == [True, False, False]
    assert queries.find("w") is waits


def test_nobody_has_the_answer_of_another_forgotten() -> None:
    queries = queue(most=8, most_ended=2)
    answered = submit(queries, other("answered"), b"")
    queries.done(answered, ANSWER)
    for query_id in ("1", "2", "3", "4"):
        queries.abort(submit(queries, small_query(query_id), b""), "why")
    assert queries.of("answered", OTHER_COLLECTOR) is answered
    assert queries.find("2") is None and queries.find("3") is not None


def test_those_that_ended_first_are_forgotten_first() -> None:
    queries = queue(most=8, most_ended=2)
    slow = submit(queries, small_query("slow"), b"")
    for query_id in ("1", "2"):
        queries.abort(submit(queries, small_query(query_id), b""), "why")
    queries.done(slow, ANSWER)
    assert queries.find("slow") is slow
    assert queries.find("1") is None and queries.find("2") is not None


def test_only_its_report_collector_finds_a_query() -> None:
    queries = queue()
    query = submit(queries, small_query("1"), b"")
    assert queries.of("1", query.asked.submitter) is query
    texts = []
    for query_id, submitter in (("1", OTHER_COLLECTOR), ("2", OTHER_COLLECTOR)):
        with pytest.raises(ServiceError) as caught:
            queries.of(query_id, submitter)
        assert caught.value.refusal is Refusal.UNKNOWN_QUERY
        texts.append(str(caught.value).replace(query_id, "N"))
    assert texts[0] == texts[1]


def test_stopping_aborts_what_waits_and_lets_what_runs_end() -> None:
    queries = queue()
    waits, runs = (submit(queries, small_query(query_id), b"s") for query_id in ("w", "r"))
    queries.begin(runs)
    with queries.admitted(other("late"), 1) as submitted:
        queries.stop()
        with pytest.raises(ServiceError, match="stopping"):
            submitted(b"s")
    assert queries.find("late") is None
    assert (waits.state, runs.state) == (State.ABORTED, State.RUNNING)
    assert waits.reason == "this helper party is stopping"
    assert refused(queries, other("x")) is Refusal.STOPPING
    queries.done(runs, ANSWER)
    assert runs.state is State.DONE and queries.uncollected() == [runs]
    runs.collected = True
    assert not queries.uncollected()


def test_whoever_waits_for_a_change_is_told_of_each() -> None:
    queries = queue()
    assert queries.wait_for_change(queries.changes, 0) == 0
    query = submit(queries, small_query("1"), b"")
    changes = [queries.wait_for_change(0, 60)]
    for change in (
        lambda: queries.begin(query),
        lambda: queries.abort(query, ""),
        queries.wake,
    ):
        change()
        changes.append(queries.wait_for_change(changes[-1], 60))
    assert changes == sorted(set(changes))


RANK = {State.WAITING: 0, State.RUNNING: 1, State.DONE: 2, State.ABORTED: 2}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["submit", "begin", "done", "abort", "expire", "stop"]),
            st.integers(0, 5),
        ),
        max_size=30,
    )
)
def test_states_never_go_back_and_the_bounds_hold(does: list[tuple[str, int]]) -> None:
    queries = queue(most=4, most_ended=2, expires_after=10)
    clock = queries._clock
    assert isinstance(clock, Clock)
    made: dict[str, Query] = {}
    ranks: dict[str, tuple[int, State]] = {}
    for action, number in does:
        query_id = f"q{number}"
        query = made.get(query_id)
        if action == "submit" and refused(queries, small_query(query_id)) is None:
            assert query is None
            made[query_id] = submit(queries, small_query(query_id), b"s")
        elif action == "begin" and query is not None:
            queries.begin(query)
        elif action == "done" and query is not None and query.state is State.RUNNING:
            queries.done(query, ANSWER)
        elif action == "abort" and query is not None:
            queries.abort(query, "why")
        elif action == "expire":
            clock.now += 6
            queries.waiting()
        elif action == "stop" and number == 0:
            queries.stop()
        for name, each in made.items():
            before, state = ranks.get(name, (0, State.WAITING))
            rank = RANK[each.state]
            assert rank > before or each.state is state
            ranks[name] = (rank, each.state)
            assert (each.stream == b"") == (rank == 2)
        kept = [RANK[each.state] for name, each in made.items() if queries.find(name) is each]
        assert len(kept) - kept.count(2) <= 2 and kept.count(2) <= 2
