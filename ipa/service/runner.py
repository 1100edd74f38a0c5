"""Runs queries: a bounded number at once, each over connections of its own, and each to its end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, Thread
from time import monotonic

from ipa.budget.ledger import Receipt
from ipa.errors import IpaError
from ipa.network.sockets import Connection, SocketChannel
from ipa.service.logs import tell, tell_fault
from ipa.service.metrics import Metrics
from ipa.service.offers import close_connection
from ipa.service.queries import Queries, Query, State
from ipa.service.run import HelperPart, MeteredChannel, run_query


@dataclass
class Runner:
    """Runs this helper party's part of queries.

    At most `at_once` of them run at a time. A run whose peer sends nothing for `silence` seconds is
    aborted. `clock` tells Unix time, at which queries are charged.
    """

    part: HelperPart
    queries: Queries
    metrics: Metrics
    at_once: int
    silence: float
    clock: Callable[[], float]
    _channels: dict[str, SocketChannel] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def is_busy(self) -> bool:
        """Whether as many queries run as may."""
        return len(self.queries.running()) >= self.at_once

    def begin(self, query: Query) -> bool:
        """Set a waiting query running if it may run now."""
        with self._lock:
            return not self.is_busy() and self.queries.begin(query)

    def refuse(self, query: Query, reason: str) -> None:
        """Abort a query that waits, and that the helper parties cannot run together."""
        if self.queries.refuse(query, reason):
            self._tell_abort(query, reason, "refused")

    def run(self, query: Query, connections: Mapping[int, Connection]) -> None:
        """Run a query that has begun, over a connection to each peer, and see to its end."""
        query_id, started = query.asked.query_id, monotonic()
        tell("query runs", query_id=query_id)
        self.metrics.reached(State.RUNNING)
        try:
            with self._channel(query_id, connections) as channel:
                self._run(query, channel)
        except IpaError as error:
            self._abort(query, self._without_paths(str(error)), type(error).__name__)
        except MemoryError:
            self._abort(query, f"H{self.part.helper} has not enough memory", "MemoryError")
        except Exception as error:
            tell_fault("fault", error, query_id=query_id)
            problem = f"H{self.part.helper} has a fault: {type(error).__name__}"
            self._abort(query, problem, "fault")
        else:
            seconds = monotonic() - started
            tell("query done", query_id=query_id, seconds=seconds)
            self.metrics.ended(State.DONE)

    def run_in_thread(self, query: Query, connections: Mapping[int, Connection]) -> None:
        """Run a query that has begun in a thread of its own."""
        try:
            Thread(target=self.run, args=(query, connections), daemon=True).start()
        except RuntimeError:
            _close_all(connections)
            self._abort(query, f"H{self.part.helper} has no thread left", "no thread")

    @contextmanager
    def _channel(
        self, query_id: str, connections: Mapping[int, Connection]
    ) -> Iterator[SocketChannel]:
        """The channel of a run, which `abort_all` can close; the connections are closed in any case."""
        try:
            with SocketChannel(self.part.helper, connections, self.silence) as channel:
                with self._lock:
                    self._channels[query_id] = channel
                yield channel
        finally:
            with self._lock:
                self._channels.pop(query_id, None)
            _close_all(connections)

    def _run(self, query: Query, channel: SocketChannel) -> None:
        def begun(path: str) -> None:
            """Show how far the query is."""
            query.step = path

        def accepted(rows: int, receipt: Receipt | None) -> None:
            """Say what was charged: the run can still be aborted or killed."""
            charged = {} if receipt is None else receipt.query.promise.texts()
            tell("query accepted", query_id=query.asked.query_id, rows=rows, **charged)
            self.metrics.rows(rows)

        answer, costs = run_query(
            self.part,
            MeteredChannel(channel, self.metrics.sent),
            query.asked,
            query.stream,
            charged_at=int(self.clock()),
            on_step=begun,
            on_accepted=accepted,
        )
        self.metrics.costs(costs)
        self.queries.done(query, answer)

    def _abort(self, query: Query, reason: str, kind: str) -> None:
        if self.queries.abort(query, reason):
            self._tell_abort(query, reason, kind)

    def _without_paths(self, text: str) -> str:
        """A text for the report collector: it need not know where files of this helper party are."""
        if (ledger := self.part.ledger) is not None:
            for path in (ledger.path, getattr(ledger.board, "path", ledger.path)):
                text = text.replace(str(path), path.name)
        return text

    def _tell_abort(self, query: Query, reason: str, kind: str) -> None:
        tell("query aborted", query_id=query.asked.query_id, step=query.step, reason=reason)
        self.metrics.ended(State.ABORTED, kind)

    def abort_all(self) -> None:
        """End the connections of all that runs, so that every run aborts, here and at the peers."""
        with self._lock:
            channels = list(self._channels.values())
        for channel in channels:
            channel.close()


def _close_all(connections: Mapping[int, Connection]) -> None:
    for connection in connections.values():
        close_connection(connection)
