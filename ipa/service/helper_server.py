"""One helper party as a service: its door, its queue, its runs, and how it starts and stops."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic
from types import TracebackType

from ipa.client.configuration import NetworkConfiguration
from ipa.network.tls import TlsConnection, listening_context
from ipa.network.tls_identity import TlsIdentity
from ipa.service.following import Follower
from ipa.service.front import Front, serve_front
from ipa.service.leading import LEADER, MOST_RETRY_SECONDS, Leader
from ipa.service.listener import Listener
from ipa.service.logs import tell, tell_fault
from ipa.service.metrics import Metrics
from ipa.service.parties import Party, party_of
from ipa.service.peers import ALPN, Peers
from ipa.service.queries import Queries, Query, QueryLimits, State
from ipa.service.run import HelperPart
from ipa.service.runner import Runner
from ipa.service.start_check import check_start

HTTP = "http/1.1"

COLLECT_SECONDS = 5.0
"""How long a service that stops still hands out answers that nobody has fetched."""

_LOOK_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class ServiceOptions:
    """How a helper party serves.

    It runs `at_once` queries at most at a time, and aborts a run whose peer sends nothing for
    `silence` seconds. When it stops, what runs has `grace` seconds to come to its end.
    """

    at_once: int = 1
    silence: float = 120.0
    grace: float = 30.0
    limits: QueryLimits = field(default_factory=QueryLimits)


class HelperServer:
    """A helper party that serves from its making until `stop`; also a context manager.

    `address` is where it listens, host and port; port 0 is any free one. `clock` tells Unix time.

    Raises: ParameterError when keys, ledger, certificate and configuration are not of this helper
        party, its certificate is not of this day, or the address cannot be listened at; InputError
        when ledger or commitment board cannot be read.
    """

    def __init__(
        self,
        part: HelperPart,
        configuration: NetworkConfiguration,
        identity: TlsIdentity,
        address: tuple[str, int],
        options: ServiceOptions,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_start(part, configuration, identity, clock())
        self._options = options
        self._configuration = configuration
        self._helper = part.helper
        self.metrics = Metrics()
        self.queries = Queries(options.limits, on_dropped=self._dropped)
        self._runner = Runner(
            part, self.queries, self.metrics, options.at_once, options.silence, clock
        )
        peers = Peers(part.helper, configuration, identity)
        self._leader = Leader(peers, self.queries, self._runner)
        self._follower = Follower(peers, self.queries, self._runner)
        self._front = Front(
            part.helper, configuration, part.keys, part.ledger, self.queries, self.metrics
        )
        certificates = [service.certificate for service in configuration.services]
        certificates += [c.certificate for c in configuration.report_collectors]
        context = listening_context(identity, certificates)
        context.set_alpn_protocols([ALPN, HTTP])
        self._stopped = Event()
        self._listener = Listener(
            address, context, self._identify, self._serve, self.metrics.connection_refused
        )
        self.address = self._listener.address
        self._caretaker = Thread(target=self._look_after, name="caretaker", daemon=True)
        self._caretaker.start()
        if part.seed is not None:
            tell("insecure", reason="a seed is given: whoever knows it can read every report")
        if part.ledger is None:
            tell("insecure", reason="no budget is charged: nothing bounds what queries reveal")
        tell("listening", address="{}:{}".format(*self.address))

    def __enter__(self) -> "HelperServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _dropped(self, query: Query, why: str) -> None:
        """Tell of a query that has ended without a run."""
        tell("query aborted", query_id=query.asked.query_id, reason=query.reason)
        self.metrics.ended(State.ABORTED, why)

    def _identify(self, certificate: bytes | None) -> Party:
        return party_of(self._configuration, self._helper, certificate)

    def _serve(self, connection: TlsConnection, party: Party) -> bool:
        """Serve a connection until it ends, or until a run has it."""
        if connection.protocol != ALPN:
            serve_front(connection, party, self._front)
            return False
        if party.helper is None:
            self.metrics.connection_refused("no peer")
            return False
        return self._follower.answer(party.helper, connection)

    def _look_after(self) -> None:
        """Begin what can begin, and let expire what waited too long, until the service stops."""
        while not self._stopped.is_set():
            seen = self.queries.changes
            due = monotonic() + MOST_RETRY_SECONDS
            try:
                self._follower.tidy()
                if self._helper == LEADER:
                    due = self._leader.offer_all()
            except Exception as error:  # whatever it was, the service goes on
                tell_fault("fault", error)
            self.queries.wait_for_change(seen, due - monotonic())

    def stop(self, grace: float | None = None) -> None:
        """Take in nothing more; let what runs end, within the grace, or abort it; then close."""
        tell("stopping")
        self.queries.stop()
        end = monotonic() + (self._options.grace if grace is None else grace)
        while self.queries.running() and monotonic() < end:
            self._stopped.wait(_LOOK_SECONDS)
        end = min(end, monotonic() + COLLECT_SECONDS)
        while self.queries.uncollected() and monotonic() < end:
            self._stopped.wait(_LOOK_SECONDS)
        self._stopped.set()
        self.queries.wake()
        self._runner.abort_all()
        self._listener.close()
        self._caretaker.join()
        self._follower.close()
        tell("stopped")
