"""A helper party network of three services in this process, on loopback, and a small query for it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from intake_cases import HOME, PARAMETERS, world
from payment_cases import TERMS, commit_to

from ipa.budget.ledger_directory import Ledgers, create_ledgers
from ipa.client.configuration import HelperKeys, NetworkConfiguration, generate_configuration
from ipa.client.services import HelperService, RegisteredCollector
from ipa.names import host_itself
from ipa.network.tls_identity import TlsIdentity, new_identity
from ipa.parties import HELPERS
from ipa.release import combine_at_collector
from ipa.service.asked import Asked
from ipa.service.helper_server import HelperServer, ServiceOptions
from ipa.service.local_services import free_addresses
from ipa.service.queries import Queries, Query, QueryLimits, State
from ipa.service.run import HelperPart

COLLECTOR = HOME.report_collector
OTHER_COLLECTOR = "other.example"

PATIENCE = 60.0
"""How many seconds a test waits for what must happen, before it fails."""


@dataclass(frozen=True)
class Parties:
    """The parties of a network: what is published, and what each has for itself."""

    configuration: NetworkConfiguration
    keys: tuple[HelperKeys, ...]
    identities: Mapping[int, TlsIdentity]
    collectors: Mapping[str, TlsIdentity]


def new_parties(
    addresses: Sequence[str] = ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"),
    network: tuple[NetworkConfiguration, tuple[HelperKeys, ...]] | None = None,
) -> Parties:
    """Helper parties at these addresses, of a new network unless one is given; two report collectors."""
    configuration, keys = network or generate_configuration("helpers.example")
    identities = {helper: new_identity(f"helper {helper}") for helper in HELPERS}
    collectors = {name: new_identity(name) for name in (COLLECTOR, OTHER_COLLECTOR)}
    published = replace(
        configuration,
        services=tuple(
            HelperService(address, identities[helper].certificate)
            for helper, address in zip(HELPERS, addresses, strict=True)
        ),
        report_collectors=tuple(
            RegisteredCollector(name, identity.certificate) for name, identity in collectors.items()
        ),
    )
    return Parties(published, keys, identities, collectors)


def wait_until(holds: Callable[[], object], what: str = "what a test waits for") -> None:
    """Wait for a condition, and fail when it does not come about."""
    end = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < end, f"{what} does not happen"
        sleep(0.002)


@dataclass
class SetClock:
    """A clock that stands where a test sets it; real time until then."""

    at: float | None = None

    def __call__(self) -> float:
        """The time."""
        return time.time() if self.at is None else self.at


def small_query(query_id: str = "q", **changed: Any) -> Asked:
    """The query over `intake_cases.EVENTS`, with some of its parameters changed."""
    parameters = replace(PARAMETERS, **changed)
    return Asked(query_id=query_id, submitter=COLLECTOR, parameters=parameters)


def noisy_query(query_id: str = "q", **changed: Any) -> Asked:
    """The same with the noise that a ledger is charged for."""
    return small_query(query_id, **{"epsilon": Fraction(1, 10)} | changed)


def submit(queries: Queries, asked: Asked, stream: bytes) -> Query:
    """Submit a query as the front does."""
    with queries.admitted(asked, len(stream)) as submitted:
        submitted(stream)
    query = queries.find(asked.query_id)
    assert query is not None
    return query


@dataclass
class Services:
    """Three helper parties that serve, and what a report collector sees of them."""

    parties: Parties
    servers: dict[int, HelperServer]
    clocks: Mapping[int, SetClock]
    ledgers: Ledgers | None
    streams: Sequence[bytes] = field(default_factory=lambda: world().streams, repr=False)

    def submit(self, asked: Asked | Mapping[int, Asked]) -> None:
        """Submit a query to all helpers, or one to each that is named."""
        each = dict.fromkeys(HELPERS, asked) if isinstance(asked, Asked) else asked
        for helper, own in each.items():
            submit(self.servers[helper].queries, own, self.streams[helper - 1])

    def query(self, helper: int, query_id: str = "q") -> Query:
        """What a helper has of a query."""
        found = self.servers[helper].queries.find(query_id)
        assert found is not None
        return found

    def ended(self, query_id: str = "q") -> dict[int, Query]:
        """The query at each helper, once it has ended everywhere."""
        unfinished = (State.WAITING, State.RUNNING)
        wait_until(
            lambda: all(self.query(h, query_id).state not in unfinished for h in HELPERS),
            f"the end of query {query_id}",
        )
        return {helper: self.query(helper, query_id) for helper in HELPERS}

    def reasons(self, query_id: str = "q") -> dict[int, str]:
        """Why the query was aborted, once it was aborted everywhere."""
        ended = self.ended(query_id)
        assert {query.state for query in ended.values()} == {State.ABORTED}, ended
        assert all(query.answer is None for query in ended.values())
        return {helper: query.reason for helper, query in ended.items()}

    def sums(self, query_id: str = "q") -> list[int]:
        """The sums of a query that is answered."""
        pairs, asked = {}, self.query(1, query_id).asked.parameters
        for helper, query in self.ended(query_id).items():
            assert query.answer is not None, query
            pairs[helper] = query.answer.pair
        return combine_at_collector(pairs, asked.breakdowns, signed=asked.epsilon is not None)

    def stop(self, helper: int) -> None:
        """Stop a helper party at once."""
        self.servers[helper].stop(0)

    def restart(self, helper: int, part: HelperPart, options: ServiceOptions) -> None:
        """Serve as a helper party again, at its address."""
        _, _, port = self.parties.configuration.services[helper - 1].address.rpartition(":")
        self.servers[helper] = HelperServer(
            part,
            self.parties.configuration,
            self.parties.identities[helper],
            ("127.0.0.1", int(port)),
            options,
            clock=self.clocks[helper],
        )


def serving_options(**changed: Any) -> ServiceOptions:
    """How services of tests serve: peers may be slow, queries expire late."""
    limits = QueryLimits(expires_after=10 * PATIENCE)
    return replace(ServiceOptions(silence=PATIENCE / 2, limits=limits), **changed)


def new_ledgers(directory: Path) -> Ledgers:
    """Ledgers in which HOME's site has given its collector epsilon 1, at `payment_cases.NOW`."""
    made = create_ledgers(directory / "ledgers", TERMS, network_name=HOME.network_name)
    commit_to(made)
    return made


@contextmanager
def three_services(
    ledgers: Ledgers | None = None, *, seed: int | None = None, **options: Any
) -> Iterator[Services]:
    """Three services of the network for which `intake_cases.world` has reports."""
    parties = new_parties(free_addresses(), (world().network, world().keys))
    clocks = {helper: SetClock() for helper in HELPERS}
    services = Services(parties, {}, clocks, ledgers)
    with ExitStack() as stack:
        for helper in HELPERS:
            part = HelperPart(
                keys=parties.keys[helper - 1],
                ledger=None if ledgers is None else ledgers[helper - 1],
                registrable_domain=host_itself,
                seed=seed,
            )
            services.restart(helper, part, serving_options(**options))
            stack.callback(services.stop, helper)
        yield services
