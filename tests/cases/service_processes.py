"""A helper party network of three processes on loopback, which tests ask, kill and attack."""

import json
import os
import signal
import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from io import StringIO
from pathlib import Path
from socket import create_connection
from typing import Any

from intake_cases import EVENTS
from intake_cases import PARAMETERS as EVENT_PARAMETERS

from ipa.budget.ledger import Ledger
from ipa.budget.ledger_directory import ledgers_in, queries
from ipa.client.configuration import NetworkConfiguration
from ipa.client.key_files import load_configuration
from ipa.client.services import split_address
from ipa.commands.collect import streams_of_own_query
from ipa.commands.command_line import main
from ipa.events import Event
from ipa.network.identities import (
    collector_identity_file_name,
    identity_file_name,
    load_identity,
)
from ipa.network.tls import pinned_context
from ipa.network.tls_identity import TlsIdentity
from ipa.oracle.steps import query_in_steps
from ipa.parameters import QueryParameters
from ipa.parties import HELPERS
from ipa.report_query import ReportQueryResult
from ipa.service.asked import Asked
from ipa.service.collector import ask_services
from ipa.service.local_services import LocalHelper, free_addresses, start_helper
from ipa.service.service_requests import Service, ask_service
from ipa.service.watching import Waiting

COLLECTOR, OTHER_COLLECTOR = "news.example", "other.example"
COLLECTORS = (COLLECTOR, OTHER_COLLECTOR)

PATIENCE = 60.0
"""How many seconds a test waits for what must happen, before it fails."""


@dataclass(frozen=True)
class Files:
    """What `ipa keygen` and `ipa budget` write, in a directory, and what is in it."""

    directory: Path
    configuration: NetworkConfiguration
    has_ledgers: bool

    @classmethod
    def make(cls, directory: Path, *, with_ledgers: bool) -> "Files":
        """Make keys and certificates, and ledgers with all the budget that there can be."""
        network, words = directory / "network", ["--out", str(directory / "network")]
        words += [word for name in COLLECTORS for word in ("--report-collector", name)]
        _command("keygen", *words, "--serve", *free_addresses())
        if with_ledgers:
            ledger = ["--ledger", str(directory / "ledger"), "--create", "1000000,1e-3"]
            site = ["--site", COLLECTOR, "--commit", f"{COLLECTOR}=1000000,1e-3"]
            published = ["--network", str(network / "network.json")]
            _command("budget", *ledger, *site, *published)
        return cls(directory, load_configuration(network / "network.json"), with_ledgers)

    @property
    def network(self) -> Path:
        """Where keys, certificates and the published configuration are."""
        return self.directory / "network"

    def identity(self, who: int | str) -> TlsIdentity:
        """The certificate and key of a helper, or of a report collector."""
        name = (
            identity_file_name(who) if isinstance(who, int) else collector_identity_file_name(who)
        )
        return load_identity(self.network / name)

    def ledger(self, helper: int) -> Ledger:
        """A helper party's ledger."""
        return ledgers_in(self.directory / "ledger")[helper - 1]

    def charged(self) -> dict[int, list[str]]:
        """The IDs of the queries that each ledger has charged."""
        return {h: [query.query_id for query in queries(self.ledger(h))] for h in HELPERS}

    def streams_of(
        self, events: Sequence[Event], parameters: QueryParameters, collector: str = COLLECTOR
    ) -> tuple[bytes, ...]:
        """The three streams of a query of `COLLECTOR`'s site, over reports of these events."""
        configuration = self.configuration
        return streams_of_own_query(events, parameters, configuration, COLLECTOR, collector)


def _command(*words: str) -> None:
    """Run a command of `ipa` in this process, with what it prints thrown away."""
    with redirect_stdout(StringIO()):
        assert main(list(words)) == 0, words


@dataclass
class ServiceProcesses:
    """Three helper parties, each a process with a log of its own, and the files that they have."""

    files: Files
    options: Mapping[int, Sequence[str]]
    running: dict[int, LocalHelper] = field(default_factory=dict)

    def start(self, *helpers: int) -> None:
        """Start helper parties, and wait until they listen."""
        for helper in helpers:
            address = self.files.configuration.services[helper - 1].address
            with self._log_path(helper).open("ab") as log:
                self.running[helper] = start_helper(
                    self.files.network, helper, address, self._options(helper), log
                )
        for helper in helpers:
            self.running[helper].wait_until_listening()

    def _options(self, helper: int) -> list[str]:
        ledger = self.files.directory / "ledger" / f"helper{helper}.ledger"
        paid = ["--ledger", str(ledger)] if self.files.has_ledgers else ["--no-budget"]
        return [*paid, *self.options[helper]]

    def _log_path(self, helper: int) -> Path:
        return self.files.directory / f"helper{helper}.log"

    def log(self, helper: int) -> str:
        """What a helper party has logged, in all its processes."""
        return self._log_path(helper).read_text()

    def pid(self, helper: int) -> int:
        """The ID of a helper party's process."""
        return self.running[helper].process.pid

    def signal(self, helper: int, number: int) -> None:
        """Send a helper party a signal."""
        os.kill(self.pid(helper), number)

    def kill(self, helper: int) -> None:
        """End a helper party at once."""
        self.running.pop(helper).kill()

    def restart(self, helper: int) -> None:
        """End a helper party at once, and start it again."""
        self.kill(helper)
        self.start(helper)

    def stop(self) -> None:
        """End all that runs."""
        for helper in list(self.running):
            with suppress(ProcessLookupError):
                self.signal(helper, signal.SIGCONT)
            self.kill(helper)

    def ask(
        self,
        streams: Sequence[bytes],
        asked: Asked,
        who: TlsIdentity | None = None,
        **waiting: Any,
    ) -> ReportQueryResult:
        """What a report collector's program answers, or the error that it shows."""
        identity = who or self.files.identity(asked.submitter)
        limits = Waiting(**{"timeout": PATIENCE, "request_timeout": 20.0} | waiting)
        return ask_services(self.files.configuration, identity, streams, asked, waiting=limits)

    def service(
        self, helper: int, who: TlsIdentity | None = None, protocol: str = "http/1.1"
    ) -> Service:
        """A helper party's service as somebody sees it who shows a certificate, or nothing."""
        published = self.files.configuration.services[helper - 1]
        context = client_context(published.certificate, who, protocol)
        return Service(helper, *split_address(published.address), context)

    def get(self, helper: int, path: str, who: TlsIdentity | None = None) -> bytes:
        """What is at a path of a helper party's service."""
        return ask_service(self.service(helper, who), "GET", path, most=1 << 20, timeout=20)

    def metrics(self, helper: int) -> dict[str, float]:
        """What a helper party has counted, as its operator sees it."""
        text = self.get(helper, "/metrics", self.files.identity(helper)).decode()
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    def state(self, helper: int, query_id: str, submitter: str = COLLECTOR) -> dict[str, str]:
        """What a helper party says of a query."""
        found = self.get(helper, f"/v1/queries/{query_id}", self.files.identity(submitter))
        said: dict[str, str] = json.loads(found)
        return said

    def connect(
        self, helper: int, who: TlsIdentity | None = None, protocol: str = "http/1.1"
    ) -> ssl.SSLSocket:
        """A TLS connection to a helper party, with a certificate or as a stranger."""
        service = self.service(helper, who, protocol)
        raw = create_connection((service.host, service.port), timeout=PATIENCE)
        try:
            return service.context.wrap_socket(raw)
        except BaseException:
            raw.close()
            raise


def client_context(certificate: str, who: TlsIdentity | None, protocol: str) -> ssl.SSLContext:
    """A context that expects a certificate, and shows one or none."""
    if who is not None:
        context = pinned_context(who, certificate, as_server=False)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(cadata=certificate)
    context.set_alpn_protocols([protocol])
    return context


@contextmanager
def service_processes(files: Files, *options: str) -> Iterator[ServiceProcesses]:
    """Three helper parties that serve, as processes with the files; none is left in the end."""
    network = ServiceProcesses(files, dict.fromkeys(HELPERS, options))
    try:
        network.start(*HELPERS)
        yield network
    except BaseException:
        for helper in HELPERS:
            print(network.log(helper)[-4000:], file=sys.stderr)
        raise
    finally:
        network.stop()


PARAMETERS = replace(EVENT_PARAMETERS, match_key_bits=NetworkConfiguration.match_key_bits)
"""The query that is asked over `intake_cases.EVENTS`."""

SUMS = query_in_steps(EVENTS, PARAMETERS)


def exact_query(query_id: str, **changed: Any) -> Asked:
    """A query for exact sums, which only helper parties without ledgers answer."""
    parameters = replace(PARAMETERS, **changed)
    return Asked(query_id=query_id, submitter=COLLECTOR, parameters=parameters)


def paid_query(query_id: str, epsilon: int | Fraction = 10, **changed: Any) -> Asked:
    """A query that is charged."""
    return exact_query(query_id, epsilon=epsilon, **changed)
