"""The queries that a helper party was sent: their queue, and what became of each. In memory.

A query is waiting, then running, then done or aborted, and never goes back once its run has a name.
What is kept is bounded in number and in bytes; all of it is gone when the process ends, while what
was charged is in the ledger.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Condition
from time import monotonic

from ipa.report_answer import Answer
from ipa.service.asked import Asked
from ipa.service.refusal import Refusal, refuse


class State(StrEnum):
    """Where a query is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    ABORTED = "aborted"


@dataclass(frozen=True, kw_only=True)
class QueryLimits:
    """How much a helper party takes in: all that waits and runs, by number and by bytes of streams.

    Of `most` queries one report collector may have half (at least one), and of `most_bytes` as well, so
    that nobody fills the queue for all. A query that has not begun `expires_after` seconds after it came
    is aborted. Of those that ended, each report collector's last `most_ended` are remembered, so that
    nobody has another's answer forgotten.
    """

    most: int = 64
    most_bytes: int = 1 << 30
    expires_after: float = 3600.0
    most_ended: int = 256


@dataclass
class Query:
    """One query, as far as it has come. `reason` says why it was aborted.

    `collected` says that its report collector has fetched the answer.
    """

    asked: Asked
    stream: bytes = field(repr=False)
    arrived: float
    state: State = State.WAITING
    step: str = ""
    reason: str = ""
    answer: Answer | None = field(default=None, repr=False)
    collected: bool = False


class Queries:
    """A helper party's queries, by ID; any number of threads may use it.

    `clock` gives seconds that never go back. Whenever a query's state changes, that counts in `changes`.
    `on_dropped` is told of each query that ends without having begun because it is too old, is withdrawn
    or the helper party stops, and which of these it was, in a word.
    """

    def __init__(
        self,
        limits: QueryLimits,
        clock: Callable[[], float] = monotonic,
        on_dropped: Callable[[Query, str], None] = lambda query, why: None,
    ) -> None:
        self.limits = limits
        self.changed = Condition()
        self.changes = 0
        self.stopping = False
        self._clock = clock
        self._on_dropped = on_dropped
        self._queries: dict[str, Query] = {}
        self._reserved: dict[str, tuple[Asked, int]] = {}
        self._known_ids: set[str] = set()

    @contextmanager
    def admitted(self, asked: Asked, size: int) -> Iterator[Callable[[bytes], None]]:
        """Room for a query with a stream of `size` bytes; call what it gives with the stream.

        Without that call, when the stream does not come or is refused, the room is free again.

        Raises: ServiceError REPLAYED, QUEUE_FULL, TOO_LARGE or STOPPING.
        """
        self._reserve(asked, size)
        try:
            yield lambda stream: self._submit(asked, stream)
        finally:
            with self.changed:
                self._reserved.pop(asked.query_id, None)

    def _reserve(self, asked: Asked, size: int) -> None:
        with self.changed:
            self._refuse_when_stopping()
            if asked.query_id in self._known_ids or asked.query_id in self._reserved:
                refuse(
                    Refusal.REPLAYED,
                    f"query {asked.query_id} was submitted before; ask again with a new ID",
                )
            most, most_bytes = self.limits.most, self.limits.most_bytes
            most_own, most_own_bytes = max(1, most // 2), max(1, most_bytes // 2)
            if size > most_own_bytes:
                refuse(Refusal.TOO_LARGE, f"a stream may have {most_own_bytes} bytes, not {size}")
            there = [(query.asked, len(query.stream)) for query in self._unfinished()]
            there += self._reserved.values()
            own = [held for other, held in there if other.submitter == asked.submitter]
            if len(there) >= most or size > most_bytes - sum(held for _, held in there):
                refuse(Refusal.QUEUE_FULL, "there are too many queries; ask again later")
            if len(own) >= most_own or size > most_own_bytes - sum(own):
                refuse(
                    Refusal.QUEUE_FULL,
                    f"report collector {asked.submitter} has {len(own)} queries of {sum(own)} bytes "
                    "here, and may have no more at once; ask again later",
                )
            self._reserved[asked.query_id] = (asked, size)

    def _refuse_when_stopping(self) -> None:
        if self.stopping:
            refuse(Refusal.STOPPING, "this helper party is stopping and takes no more queries")

    def _submit(self, asked: Asked, stream: bytes) -> None:
        with self.changed:
            self._refuse_when_stopping()  # it may have begun to while the stream came
            del self._reserved[asked.query_id]
            self._known_ids.add(asked.query_id)
            self._queries[asked.query_id] = Query(asked, stream, self._clock())
            self._notify()

    def _unfinished(self) -> list[Query]:
        return [q for q in self._queries.values() if q.state in (State.WAITING, State.RUNNING)]

    def _notify(self) -> None:
        self.changes += 1
        self.changed.notify_all()

    def wait_for_change(self, since: int, seconds: float) -> int:
        """Wait until there have been more changes than `since`, or so long; how many there were."""
        with self.changed:
            self.changed.wait_for(lambda: self.changes != since, max(0.0, seconds))
            return self.changes

    def wake(self) -> None:
        """End the waiting of all who wait for a change."""
        with self.changed:
            self._notify()

    def find(self, query_id: str) -> Query | None:
        """The query with this ID, if there is one and it is not forgotten."""
        with self.changed:
            return self._queries.get(query_id)

    def of(self, query_id: str, submitter: str) -> Query:
        """The query with this ID, which this report collector submitted.

        Raises: ServiceError UNKNOWN_QUERY; also for another's query, so that IDs tell nothing.
        """
        query = self.find(query_id)
        if query is None or query.asked.submitter != submitter:
            refuse(Refusal.UNKNOWN_QUERY, f"there is no query {query_id} of {submitter} here")
        return query

    def waiting(self) -> list[Query]:
        """The queries that wait, the oldest first; those that waited too long are aborted instead."""
        with self.changed:
            now = self._clock()
            for query in self._unfinished():
                if query.state is State.WAITING and now - query.arrived > self.limits.expires_after:
                    self._end(
                        query,
                        State.ABORTED,
                        f"it did not begin within {self.limits.expires_after:g} seconds: another "
                        "helper party was not sent it or cannot be reached",
                    )
                    self._on_dropped(query, "expired")
            return [query for query in self._unfinished() if query.state is State.WAITING]

    def begin(self, query: Query) -> bool:
        """Set a waiting query running; False if it waits no more."""
        with self.changed:
            if query.state is not State.WAITING or self.stopping:
                return False
            query.state = State.RUNNING
            self._notify()
            return True

    def done(self, query: Query, answer: Answer) -> None:
        """The query's run came to its end with an answer."""
        with self.changed:
            query.answer = answer
            self._end(query, State.DONE, "")

    def abort(self, query: Query, reason: str) -> bool:
        """The query ends without an answer; False if it has ended before."""
        with self.changed:
            return self._abort_in(query, reason, State.WAITING, State.RUNNING)

    def refuse(self, query: Query, reason: str) -> bool:
        """A query that waits ends; False if it waits no more: only its run can end what has begun."""
        with self.changed:
            return self._abort_in(query, reason, State.WAITING)

    def withdraw(self, query: Query) -> None:
        """Its report collector wants a query no more: it ends, unless it has begun."""
        with self.changed:
            if self._abort_in(query, "its report collector withdrew it", State.WAITING):
                self._on_dropped(query, "withdrawn")

    def _abort_in(self, query: Query, reason: str, *states: State) -> bool:
        if query.state not in states:
            return False
        self._end(query, State.ABORTED, reason)
        return True

    def _end(self, query: Query, state: State, reason: str) -> None:
        query.state, query.reason, query.stream = state, reason, b""
        query_id, submitter = query.asked.query_id, query.asked.submitter
        self._queries[query_id] = self._queries.pop(query_id)  # behind those that ended before
        ended = [
            other
            for other in self._queries.values()
            if other.state in (State.DONE, State.ABORTED) and other.asked.submitter == submitter
        ]
        for old in ended[: max(0, len(ended) - self.limits.most_ended)]:
            del self._queries[old.asked.query_id]
        self._notify()

    def running(self) -> list[Query]:
        """The queries that run."""
        with self.changed:
            return [query for query in self._unfinished() if query.state is State.RUNNING]

    def uncollected(self) -> list[Query]:
        """The queries whose answer nobody has fetched."""
        with self.changed:
            known = self._queries.values()
            return [q for q in known if q.state is State.DONE and not q.collected]

    def stop(self) -> None:
        """Take in and begin nothing more; what waits is aborted."""
        with self.changed:
            self.stopping = True
            for query in self._unfinished():
                if query.state is State.WAITING:
                    self._end(query, State.ABORTED, "this helper party is stopping")
                    self._on_dropped(query, "stopping")
