"""TLS between helpers: only the certificate that is expected, both ways at once, nothing left on disk."""

import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ipa.errors import ChannelError
from ipa.network import tls
from ipa.network.channel import Message
from ipa.network.sockets import SocketChannel, connected_sockets
from ipa.network.tls import (
    TlsConnection,
    TlsCredentials,
    fresh_credentials,
    pinned_context,
    secure_connections,
)
from ipa.network.tls_identity import TlsIdentity, new_identity
from ipa.parties import HELPERS

TIMEOUT = 20
IDENTITIES = {helper: new_identity(f"helper {helper}") for helper in HELPERS}
CERTIFICATES = {helper: own.certificate for helper, own in IDENTITIES.items()}


def both(first: Callable[[], object], second: Callable[[], object]) -> list[Future[object]]:
    with ThreadPoolExecutor(2) as pool:
        return [pool.submit(first), pool.submit(second)]


@contextmanager
def connected() -> Iterator[list[TlsConnection]]:
    """Helper 1's and helper 2's end of a connection."""
    ends = socket.socketpair()
    server = pinned_context(IDENTITIES[1], CERTIFICATES[2], as_server=True)
    client = pinned_context(IDENTITIES[2], CERTIFICATES[1], as_server=False)
    done = both(
        lambda: TlsConnection(ends[0], server, as_server=True, timeout=TIMEOUT),
        lambda: TlsConnection(ends[1], client, as_server=False, timeout=TIMEOUT),
    )
    with ExitStack() as stack:
        connections = []
        for future in done:
            connection = future.result()
            assert isinstance(connection, TlsConnection)
            connections.append(connection)
            stack.callback(connection.close)
        yield connections


def test_both_ends_send_and_receive_much_at_the_same_time() -> None:
    """Two threads at each end, and more than any buffer holds."""
    size = 1 << 24
    with connected() as (one, other):
        data = {one: os.urandom(size), other: os.urandom(size)}

        def send(connection: TlsConnection) -> None:
            rest = memoryview(data[connection])
            while rest:
                rest = rest[connection.send(rest[: 1 << 20]) :]

        def receive(connection: TlsConnection) -> bytes:
            received = bytearray()
            while len(received) < size:
                received += connection.recv(1 << 20)
            return bytes(received)

        with ThreadPoolExecutor(4) as pool:
            senders = [pool.submit(send, end) for end in (one, other)]
            receivers = [pool.submit(receive, end) for end in (other, one)]
            for sender in senders:
                sender.result()
            assert [r.result() for r in receivers] == [data[one], data[other]]


def test_what_is_sent_is_not_on_the_wire() -> None:
    ends = socket.socketpair()
    relay = socket.socketpair()
    seen = bytearray()

    def forward(source: socket.socket, target: socket.socket) -> None:
        while piece := source.recv(1 << 16):
            seen.extend(piece)
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)

    threads = [
        threading.Thread(target=forward, args=pair)
        for pair in ((ends[1], relay[1]), (relay[1], ends[1]))
    ]
    for thread in threads:
        thread.start()
    server = pinned_context(IDENTITIES[1], CERTIFICATES[2], as_server=True)
    client = pinned_context(IDENTITIES[2], CERTIFICATES[1], as_server=False)
    done = both(
        lambda: TlsConnection(ends[0], server, as_server=True, timeout=TIMEOUT),
        lambda: TlsConnection(relay[0], client, as_server=False, timeout=TIMEOUT),
    )
    one, other = (future.result() for future in done)
    assert isinstance(one, TlsConnection) and isinstance(other, TlsConnection)
    secret = b"a share that nobody else may see"
    assert one.send(memoryview(secret)) == len(secret)
    assert other.recv(100) == secret
    for end in (one, other):
        end.shutdown(socket.SHUT_RDWR)
        end.close()
    for thread in threads:
        thread.join()
    for plain in (ends[1], relay[1]):
        plain.close()
    assert len(seen) > len(secret) and secret not in seen


def test_an_end_waits_no_longer_than_it_is_told_and_hears_of_the_other_s() -> None:
    with connected() as (one, other):
        one.settimeout(0.01)
        with pytest.raises(TimeoutError):
            one.recv(1)
        with pytest.raises(TimeoutError):
            while one.send(memoryview(bytes(1 << 16))):
                pass
        waiting = threading.Thread(target=one.shutdown, args=(socket.SHUT_RDWR,))
        waiting.start()
        while other.recv(1 << 20):
            pass
        waiting.join()
        for use in (lambda: one.recv(1), lambda: one.send(memoryview(b"x"))):
            with pytest.raises(OSError, match="the connection has ended"):
                use()


def test_ending_a_connection_wakes_who_reads_it() -> None:
    with connected() as (one, _), ThreadPoolExecutor(1) as pool:
        reading = pool.submit(one.recv, 1)
        one.shutdown(socket.SHUT_RDWR)
        assert reading.exception(TIMEOUT) is None or isinstance(reading.exception(), OSError)


def secured(
    helper: int, ends: dict[int, socket.socket], own: TlsIdentity, known: dict[int, str]
) -> dict[int, TlsConnection]:
    peers = {peer: known[peer] for peer in HELPERS if peer != helper}
    return secure_connections(helper, ends, TlsCredentials(own, peers), TIMEOUT)


def secure_all(
    identities: dict[int, TlsIdentity], known: dict[int, dict[int, str]]
) -> dict[int, BaseException | dict[int, TlsConnection]]:
    """What becomes of each helper when all of them connect."""
    ends = connected_sockets()
    with ThreadPoolExecutor(3) as pool:
        running = {h: pool.submit(secured, h, ends[h], identities[h], known[h]) for h in HELPERS}
    return {h: future.exception() or future.result() for h, future in running.items()}


def test_three_helpers_send_messages_over_tls() -> None:
    found = secure_all(IDENTITIES, dict.fromkeys(HELPERS, CERTIFICATES))
    with ExitStack() as stack:
        channels = {}
        for helper, connections in found.items():
            assert isinstance(connections, dict)
            channel = SocketChannel(helper, connections, TIMEOUT)
            channels[helper] = stack.enter_context(channel)
        for sender in HELPERS:
            for receiver in set(HELPERS) - {sender}:
                message = Message("step", sender, receiver, bytes([sender]) * 100_000)
                channels[sender].send(message)
                assert channels[receiver].receive(sender) == message


def test_the_helper_with_the_lower_number_is_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """As SPEC_NOTES says, so that another implementation can take a helper's place."""
    roles: list[tuple[str, str, bool]] = []

    def watched(own: TlsIdentity, peer: str, *, as_server: bool) -> ssl.SSLContext:
        roles.append((own.certificate, peer, as_server))
        return pinned_context(own, peer, as_server=as_server)

    monkeypatch.setattr(tls, "pinned_context", watched)
    for connections in secure_all(IDENTITIES, dict.fromkeys(HELPERS, CERTIFICATES)).values():
        assert isinstance(connections, dict)
        for connection in connections.values():
            connection.close()
    number = {certificate: helper for helper, certificate in CERTIFICATES.items()}
    assert len(roles) == 6
    assert all(as_server == (number[own] < number[peer]) for own, peer, as_server in roles)


def test_no_session_can_be_taken_up_again() -> None:
    assert pinned_context(IDENTITIES[1], CERTIFICATES[2], as_server=True).num_tickets == 0


def test_fresh_credentials_are_each_helper_s_own_key_and_the_others_certificates() -> None:
    made = fresh_credentials(HELPERS)
    assert len({made[helper].own.private_key for helper in HELPERS}) == len(HELPERS)
    for helper in HELPERS:
        assert made[helper].certificates == {
            peer: made[peer].own.certificate for peer in HELPERS if peer != helper
        }


def test_a_helper_with_another_certificate_is_refused_and_named() -> None:
    """Helper 3 comes with a key of its own; helper 1, which is first to meet it, says so."""
    stranger = new_identity("helper 3")
    found = secure_all({**IDENTITIES, 3: stranger}, dict.fromkeys(HELPERS, CERTIFICATES))
    error = found[1]
    assert isinstance(error, ChannelError)
    assert (error.step, error.detected_by) == ("connect", (1,))
    assert error.problem.startswith("H3 does not prove who it is: ")
    for outcome in found.values():
        if isinstance(outcome, dict):
            for connection in outcome.values():
                connection.close()


def test_one_helper_cannot_pass_for_another() -> None:
    found = secure_all({**IDENTITIES, 3: IDENTITIES[2]}, dict.fromkeys(HELPERS, CERTIFICATES))
    error = found[1]
    assert isinstance(error, ChannelError) and error.problem.startswith("H3 does not prove")
    for outcome in found.values():
        if isinstance(outcome, dict):
            for connection in outcome.values():
                connection.close()


def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> list[BaseException | None]:
    ends = socket.socketpair()

    def end(place: int, context: ssl.SSLContext) -> None:
        connection = TlsConnection(ends[place], context, as_server=place == 0, timeout=TIMEOUT)
        try:
            connection.recv(1) if place else connection.send(memoryview(b"x"))
        finally:
            connection.close()

    done = both(lambda: end(0, server), lambda: end(1, client))
    return [future.exception() for future in done]


def test_old_versions_and_clients_without_a_certificate_are_refused() -> None:
    server = pinned_context(IDENTITIES[1], CERTIFICATES[2], as_server=True)
    client = pinned_context(IDENTITIES[2], CERTIFICATES[1], as_server=False)
    assert handshake(server, client) == [None, None]
    old = pinned_context(IDENTITIES[2], CERTIFICATES[1], as_server=False)
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert isinstance(handshake(server, old)[0], ssl.SSLError)
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nobody.check_hostname = False
    nobody.load_verify_locations(cadata=CERTIFICATES[1])
    assert isinstance(handshake(server, nobody)[0], ssl.SSLError)


@pytest.mark.parametrize("in_memory", [True, False])
def test_no_key_stays_on_disk_and_the_file_is_of_no_use_without_its_password(
    in_memory: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    elif not hasattr(os, "memfd_create"):
        pytest.skip("this system has no files in memory")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[bytes] = []

    load = ssl.SSLContext.load_cert_chain

    def watch(context: ssl.SSLContext, path: Path, *, password: bytes) -> None:
        assert path.parent.stat().st_mode & 0o077 == 0
        assert any(tmp_path.iterdir()) is not in_memory
        seen.append(path.read_bytes())
        load(context, path, password=password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watch)
    own = IDENTITIES[1]
    pinned_context(own, CERTIFICATES[2], as_server=True)
    assert list(tmp_path.iterdir()) == []
    assert seen == [own.private_key + own.certificate.encode()]
    assert b"ENCRYPTED PRIVATE KEY" in own.private_key
    with pytest.raises(ssl.SSLError):
        pinned_context(replace(own, password=b"guess"), CERTIFICATES[2], as_server=True)
    assert list(tmp_path.iterdir()) == []
    assert own.password.decode() not in repr(own) and "PRIVATE" not in repr(own)
