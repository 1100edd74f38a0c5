"""Three small services on loopback that answer what a test tells them to, over real TLS."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, SOCK_STREAM, socket
from typing import Any

from ipa.client.configuration import NetworkConfiguration
from ipa.commands.keygen import with_services
from ipa.network.identities import collector_identity_file_name, identity_file_name
from ipa.network.tls import pinned_context
from ipa.network.tls_identity import TlsIdentity
from ipa.parties import HELPERS
from ipa.report_answer import Answer
from ipa.service.refusal import STATUS, Refusal
from ipa.service.results import answer_to_json

Act = Callable[["Request"], None]


@dataclass
class FakeService:
    """One helper party: what it says next.

    `acts` replace what it does at the head of a submission, with a PUT, and about state or result.

    The states are said one after another, and the last one again and again.
    """

    helper: int
    context: ssl.SSLContext
    states: list[tuple[str, str, str]] = field(default_factory=list)
    acts: dict[str, Act] = field(default_factory=dict)
    result: bytes = b""
    submitted: list[tuple[str, bytes]] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)

    def start_over(self, context: ssl.SSLContext) -> None:
        self.context = context
        self.states = [("waiting", "", ""), ("running", "query/sort", ""), ("done", "", "")]
        self.acts, self.result, self.submitted, self.withdrawn = {}, b"", [], []

    def answers(self, query_id: str, answer: Answer, /, **changes: object) -> None:
        document = answer_to_json(self.helper, query_id, answer) | changes
        self.result = json.dumps(document).encode()

    def aborts(self, reason: str, *, at: str = "query/sort") -> None:
        self.states = [("running", at, ""), ("aborted", at, reason)]


class Request(BaseHTTPRequestHandler):
    """A request to a fake service."""

    protocol_version = "HTTP/1.1"
    service: FakeService

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""

    def say(self, status: int, document: object) -> None:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, refusal: Refusal, problem: str) -> None:
        self.close_connection = True
        self.say(STATUS[refusal], {"refusal": refusal, "problem": problem})

    @property
    def query_id(self) -> str:
        return self.path.partition("?")[0].split("/")[3]

    def handle_expect_100(self) -> bool:
        """Before the stream comes."""
        if act := self.service.acts.get("head"):
            act(self)
            return False
        return super().handle_expect_100()

    def do_PUT(self) -> None:
        if act := self.service.acts.get("PUT"):
            act(self)
            return
        self.take()
        self.say(201, {"query_id": self.query_id, "state": "waiting"})

    def do_DELETE(self) -> None:
        self.service.withdrawn.append(self.query_id)
        self.service.states = [("aborted", "", "withdrawn")]
        self.say_state()

    def take(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.service.submitted.append((self.path, body))

    def do_GET(self) -> None:
        kind = "result" if self.path.endswith("/result") else "state"
        if act := self.service.acts.get(kind):
            act(self)
        elif kind == "result":
            self.say(200, self.service.result)
        else:
            self.say_state()

    def say_state(self) -> None:
        states = self.service.states
        state, step, reason = states.pop(0) if len(states) > 1 else states[0]
        said = {"query_id": self.query_id, "state": state, "step": step, "reason": reason}
        self.say(200, said)


class _Server(ThreadingHTTPServer):
    """Shakes hands in the thread of the connection, and says nothing of those that break."""

    service: FakeService

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        request.settimeout(20)
        try:
            with self.service.context.wrap_socket(request, server_side=True) as connection:
                self.RequestHandlerClass(connection, client_address, self)  # type: ignore[arg-type]
        except OSError:
            pass

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing."""


@dataclass
class FakeNetwork:
    """The three services, what their network publishes, and the identities of all parties."""

    configuration: NetworkConfiguration
    identities: dict[str, TlsIdentity]
    collector: str
    services: dict[int, FakeService]

    @property
    def identity(self) -> TlsIdentity:
        return self.identities[collector_identity_file_name(self.collector)]

    def context_of(self, helper: int) -> ssl.SSLContext:
        own = self.identities[identity_file_name(helper)]
        return pinned_context(own, self.identity.certificate, as_server=True)

    def start_over(self) -> None:
        for helper, service in self.services.items():
            service.start_over(self.context_of(helper))


@contextmanager
def fake_network(configuration: NetworkConfiguration, collector: str) -> Iterator[FakeNetwork]:
    """Services for a network that has none yet, until the end of the block."""
    listening = {helper: socket(AF_INET, SOCK_STREAM) for helper in HELPERS}
    for each in listening.values():
        each.bind(("127.0.0.1", 0))
        each.listen()
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in listening.values()]
    published, identities = with_services(configuration, addresses, [collector])
    empty = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    services = {helper: FakeService(helper, empty) for helper in HELPERS}
    network = FakeNetwork(published, identities, collector, services)
    network.start_over()
    servers = []
    for helper, each in listening.items():
        handler = type("Handler", (Request,), {"service": services[helper]})
        server = _Server(each.getsockname(), handler, bind_and_activate=False)
        server.socket.close()
        server.socket, server.service = each, services[helper]
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
    try:
        yield network
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
