"""What a helper party counts about itself, as text in the exposition format of Prometheus.

No label has a value that a stranger chooses: names of steps, states, refusals and errors are all of
this program, and of each there is a bounded number.
"""

import re
from collections.abc import Mapping
from threading import Lock

from ipa.network.costs import Cost, costs_by_step
from ipa.parties import HELPERS
from ipa.service.queries import State
from ipa.service.refusal import Refusal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

OTHER = "other"
"""What is counted under a name beyond the first `MOST_NAMES`."""

MOST_NAMES = 64

_STEP_LEVELS = 2
_NUMBER = re.compile(r"-?[0-9]+")

QUERIES = "ipa_queries_total"
ABORTS = "ipa_aborts_total"
ROWS = "ipa_rows_total"
SECONDS = "ipa_step_seconds_total"
SENT = "ipa_sent_bytes_total"
REFUSED = "ipa_refused_requests_total"
CONNECTIONS = "ipa_refused_connections_total"

_LABELS = {
    QUERIES: ("state", "Queries that came to a state."),
    ABORTS: ("reason", "Queries that were aborted, by the class of the error."),
    ROWS: ("", "Reports in the queries that were accepted."),
    SECONDS: ("step", "Seconds that the steps of queries that are done have taken."),
    SENT: ("peer", "Bytes of messages sent to a peer."),
    REFUSED: ("refusal", "Requests over HTTP that were refused."),
    CONNECTIONS: ("kind", "Connections that were refused before a request."),
}
"""Each counter's label, and what it counts."""


class Metrics:
    """The counters of one helper party since it started; any number of threads may use it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counters: dict[str, dict[str, float]] = {
            QUERIES: dict.fromkeys(State, 0),
            ABORTS: {},
            ROWS: {"": 0},
            SECONDS: {},
            SENT: {str(helper): 0 for helper in HELPERS},
            REFUSED: dict.fromkeys(Refusal, 0),
            CONNECTIONS: {},
        }

    def _add(self, counter: str, label: str, amount: float) -> None:
        with self._lock:
            counts = self._counters[counter]
            if label not in counts and len(counts) >= MOST_NAMES:
                label = OTHER
            counts[label] = counts.get(label, 0) + amount

    def reached(self, state: State) -> None:
        """A query came to this state."""
        self._add(QUERIES, state, 1)

    def ended(self, state: State, reason: str = "") -> None:
        """A query came to its end; `reason` is the class of the error that aborted it."""
        self.reached(state)
        if reason:
            self._add(ABORTS, reason, 1)

    def rows(self, rows: int) -> None:
        """A query with so many reports was accepted."""
        self._add(ROWS, "", rows)

    def costs(self, costs: Mapping[str, Cost]) -> None:
        """A query is done, and its steps took so long."""
        for path, cost in costs_by_step(dict(costs), _STEP_LEVELS).items():
            self._add(SECONDS, _NUMBER.sub("", path), cost.seconds)

    def sent(self, peer: int, size: int) -> None:
        """A message of `size` bytes was handed to the channel for a peer."""
        self._add(SENT, str(peer), size)

    def refused(self, refusal: Refusal) -> None:
        """A request was refused."""
        self._add(REFUSED, refusal, 1)

    def connection_refused(self, kind: str) -> None:
        """A connection came to nothing; `kind` is one of this program's words for why."""
        self._add(CONNECTIONS, kind, 1)

    def text(self) -> str:
        """All counters, each with what it counts, as Prometheus reads them."""
        lines = []
        with self._lock:
            for name, (label, help_text) in _LABELS.items():
                lines += [f"# HELP {name} {help_text}", f"# TYPE {name} counter"]
                for value, count in self._counters[name].items():
                    labels = f'{{{label}="{_escaped(value)}"}}' if label else ""
                    lines.append(f"{name}{labels} {count:.17g}")
        return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
