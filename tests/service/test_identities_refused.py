"""Who is not who it should be is refused, each with an error of its own, by processes and `ipa submit`."""

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from apart_cases import wait_until
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from intake_cases import EVENTS
from service_processes import (
    COLLECTOR,
    OTHER_COLLECTOR,
    PARAMETERS,
    SUMS,
    Files,
    ServiceProcesses,
    paid_query,
    service_processes,
)

from ipa.client.key_files import key_file_name, save_configuration
from ipa.client.services import HelperService, RegisteredCollector, split_address
from ipa.commands.command_line import main
from ipa.commands.directories import write_streams
from ipa.errors import ServiceError
from ipa.network.identities import (
    collector_identity_file_name,
    identity_file_name,
    save_identity,
)
from ipa.network.tls import listening_context
from ipa.network.tls_identity import TlsIdentity, identity_of, new_identity
from ipa.service.asked import Asked, asked_to_text
from ipa.service.local_services import start_helper
from ipa.service.offers import Offer
from ipa.service.peers import ALPN
from ipa.service.refusal import Refusal
from ipa.service.service_requests import ask_service

EXPIRED = "expired.example"

ASKED = [
    *("--breakdowns", "4", "--cap", "60", "--epsilon", "10", "--security", "semi-honest"),
    *("--attribution-constraint-id-bits", "3", "--timestamp-bits", "10", "--value-bits", "7"),
]


def expired_identity(name: str) -> TlsIdentity:
    """A certificate that was good until yesterday, and its key."""
    key, day = Ed25519PrivateKey.generate(), timedelta(days=1)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1)
    now = datetime.now(UTC)
    builder = builder.not_valid_before(now - 2 * day).not_valid_after(now - day)
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    return identity_of(key, builder.add_extension(constraints, critical=True).sign(key, None))


class World(NamedTuple):
    """Three processes, one query's streams, and the directory of `ipa submit` for it."""

    network: ServiceProcesses
    streams: tuple[bytes, ...]
    directory: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    files = Files.make(tmp_path_factory.mktemp("identities"), with_ledgers=True)
    expired = expired_identity(EXPIRED)
    save_identity(files.network / collector_identity_file_name(EXPIRED), expired)
    registered = RegisteredCollector(EXPIRED, expired.certificate)
    collectors = (*files.configuration.report_collectors, registered)
    files = replace(files, configuration=replace(files.configuration, report_collectors=collectors))
    save_configuration(files.network / "network.json", files.configuration)
    streams = files.streams_of(EVENTS, PARAMETERS)
    with service_processes(files) as network:
        yield World(network, streams, query_directory(files, streams, COLLECTOR))


def query_directory(files: Files, streams: tuple[bytes, ...], submitter: str) -> Path:
    directory = files.directory / f"query-of-{submitter}"
    directory.mkdir()
    write_streams(directory, streams, submitter)
    return directory


Submit = Callable[..., str]


@pytest.fixture
def submit(world: World, capsys: pytest.CaptureFixture[str]) -> Submit:
    """`ipa submit`, which fails with a status: the one line that says why."""

    def run(status: int, *words: str, directory: Path = world.directory) -> str:
        network = ["--network", str(world.network.files.network / "network.json")]
        assert main(["submit", str(directory), *network, *ASKED, *words]) == status
        captured = capsys.readouterr()
        lines = captured.err.splitlines()
        assert captured.out == ""
        assert all(line.startswith("ipa submit: query ") for line in lines[:-1])
        assert lines[-1].startswith("ipa: ")
        return lines[-1]

    return run


def refused_connections(network: ServiceProcesses, kind: str) -> list[float]:
    name = f'ipa_refused_connections_total{{kind="{kind}"}}'
    return [network.metrics(helper).get(name, 0) for helper in (1, 2, 3)]


def refusal_of(network: ServiceProcesses, who: str, path: str, body: bytes | None = None) -> object:
    """Why helper 1 refuses a request of a report collector."""
    method = "GET" if body is None else "PUT"
    service = network.service(1, network.files.identity(who))
    with pytest.raises(ServiceError) as error:
        ask_service(service, method, path, body=body, timeout=20)
    return error.value.refusal


def put(world: World, helper: int, asked: Asked) -> None:
    """Submit a query to one helper party alone."""
    service = world.network.service(helper, world.network.files.identity(asked.submitter))
    path = f"/v1/queries/{asked.query_id}?{urlencode(asked_to_text(asked))}"
    ask_service(service, "PUT", path, body=world.streams[helper - 1], timeout=20)


def test_a_certificate_that_nobody_registered(world: World, submit: Submit, tmp_path: Path) -> None:
    files, network = world.network.files, world.network
    stranger = new_identity(COLLECTOR)
    identity, published = tmp_path / "own.pem", tmp_path / "network.json"
    save_identity(identity, stranger)
    said = submit(2, "--identity", str(identity))
    assert "has registered no report collector with this certificate" in said
    # Whoever changes the configuration for themselves meets the services' own.
    own = RegisteredCollector(COLLECTOR, stranger.certificate)
    save_configuration(published, replace(files.configuration, report_collectors=(own,)))
    before = refused_connections(network, "wrong certificate")
    said = submit(3, "--identity", str(identity), "--network", str(published))
    assert "does not accept this certificate: unknown ca" in said
    after = refused_connections(network, "wrong certificate")
    assert all(more > less for more, less in zip(after, before, strict=True))


def test_an_expired_certificate_of_a_report_collector(world: World, submit: Submit) -> None:
    files, network = world.network.files, world.network
    streams = files.streams_of(EVENTS, PARAMETERS, EXPIRED)
    said = submit(3, directory=query_directory(files, streams, EXPIRED))
    assert "does not accept this certificate: certificate expired" in said
    assert all(times >= 1 for times in refused_connections(network, "expired certificate"))


def with_expired_helper(files: Files, directory: Path) -> TlsIdentity:
    """Write what helper 2 has, and what is published, with a certificate that has expired."""
    expired = expired_identity("helper 2")
    first, second, third = files.configuration.services
    services = (first, HelperService(second.address, expired.certificate), third)
    published = replace(files.configuration, services=services)
    save_configuration(directory / "network.json", published)
    shutil.copy(files.network / key_file_name(2), directory)
    save_identity(directory / identity_file_name(2), expired)
    return expired


def test_a_helper_with_an_expired_certificate_does_not_start(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_expired_helper(world.network.files, tmp_path)
    words = ["helper", "--helper", "2", "--keys", str(tmp_path), "--no-budget"]
    assert main([*words, "--network", str(tmp_path / "network.json")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "the certificate of helper 2 is good from " in said


def test_a_helper_that_shows_an_expired_certificate_is_sent_nothing(
    world: World, submit: Submit, tmp_path: Path
) -> None:
    network, files = world.network, world.network.files
    expired = with_expired_helper(files, tmp_path)
    context = listening_context(expired, [expired.certificate])
    network.kill(2)
    host, port = split_address(files.configuration.services[1].address)
    received: list[bytes] = []

    def serve(server: socket.socket) -> None:
        raw, _ = server.accept()
        with suppress(OSError), raw, context.wrap_socket(raw, server_side=True) as connection:
            received.append(connection.recv(1))

    own = ["--identity", str(files.network / collector_identity_file_name(COLLECTOR))]
    try:
        with socket.create_server((host, port)) as server, ThreadPoolExecutor(1) as pool:
            pool.submit(serve, server)
            said = submit(3, *own, "--network", str(tmp_path / "network.json"))
    finally:
        network.start(2)
    assert "H2's certificate has expired" in said
    assert not any(received)


def test_helper_3_at_the_address_of_helper_2(world: World, submit: Submit) -> None:
    network, files = world.network, world.network.files
    network.kill(2)
    address = files.configuration.services[1].address
    impostor = start_helper(files.network, 3, address, ["--no-budget"])
    try:
        impostor.wait_until_listening()
        said = submit(3)
        assert "H2 shows another certificate than the one that its network published" in said
        for helper in (1, 3):  # so that helper 1 offers the query to the two others
            put(world, helper, paid_query("impostor"))
        wait_until(lambda: "H2 does not prove who it is: " in network.log(1))
        assert network.state(1, "impostor")["state"] == "waiting"
    finally:
        impostor.kill()
        network.start(2)
    assert not any("impostor" in charged for charged in files.charged().values())


def test_helper_3_speaks_for_helper_1(world: World) -> None:
    network = world.network
    with network.connect(2, network.files.identity(3), ALPN) as connection:
        connection.sendall(Offer(1, 2, bytes(16), bytes(32), "spoken").to_bytes())
        assert connection.recv(1) == b""
    assert "it says that it is from H1, and H3 sent it" in network.log(2)


@pytest.mark.parametrize("who", [None, COLLECTOR])
def test_who_is_no_helper_makes_no_offer(world: World, who: str | None) -> None:
    network = world.network
    identity = None if who is None else network.files.identity(who)
    before = refused_connections(network, "no peer")
    with network.connect(2, identity, ALPN) as connection:
        assert connection.recv(1) == b""
    assert refused_connections(network, "no peer")[1] == before[1] + 1


def test_a_replayed_submission(world: World, submit: Submit) -> None:
    network, path = world.network, "/v1/queries/replayed?breakdowns=4&cap=60&epsilon=10"
    result = network.ask(world.streams, paid_query("replayed"))
    assert result.receipt is not None and len(result.result.sums) == len(SUMS)
    assert "was charged before; ask again with a new ID" in submit(3, "--query-id", "replayed")
    assert refusal_of(network, COLLECTOR, path, world.streams[0]) == Refusal.REPLAYED
    for helper in (1, 2, 3):  # they forget what they were sent, and not what was charged
        network.restart(helper)
    assert "was charged before; ask again with a new ID" in submit(3, "--query-id", "replayed")
    assert refusal_of(network, COLLECTOR, path, world.streams[0]) == Refusal.REPLAYED
    assert [ids.count("replayed") for ids in network.files.charged().values()] == [1, 1, 1]


def test_a_stream_for_another_helper(world: World, submit: Submit, tmp_path: Path) -> None:
    first, second, third = world.streams
    write_streams(tmp_path, (second, first, third), COLLECTOR)
    said = submit(2, directory=tmp_path)
    assert "the stream of helper 1 is for helper 2" in said
    path = "/v1/queries/swapped?breakdowns=4&cap=60&epsilon=10"
    assert refusal_of(world.network, COLLECTOR, path, second) == Refusal.WRONG_STREAM


def test_another_report_collectors_query(world: World, submit: Submit) -> None:
    network, files = world.network, world.network.files
    others = files.network / collector_identity_file_name(OTHER_COLLECTOR)
    said = submit(2, "--identity", str(others))
    assert f"the query is report collector {COLLECTOR}'s to submit" in said
    path = "/v1/queries/anothers"
    asked = f"{path}?breakdowns=4&cap=60&epsilon=10"
    assert refusal_of(network, OTHER_COLLECTOR, asked, world.streams[0]) == Refusal.NOT_YOURS
    network.ask(world.streams, paid_query("anothers"))
    for of_query in (path, f"{path}/result"):
        assert refusal_of(network, OTHER_COLLECTOR, of_query) == Refusal.UNKNOWN_QUERY
    assert json.loads(network.get(1, path, files.identity(COLLECTOR)))["state"] == "done"
