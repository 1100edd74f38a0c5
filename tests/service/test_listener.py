"""The door of a helper party over TLS on loopback: who is let in as whom, and what comes to nothing."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest
from door_cases import (
    EARLY,
    OLD,
    PARTIES,
    SIGNER,
    Door,
    client_of,
    door,
    listening_threads,
    sub_identity,
)
from service_cases import COLLECTOR, PATIENCE, wait_until

from ipa.network.tls import TlsConnection
from ipa.network.tls_identity import TlsIdentity, new_identity
from ipa.service import listener
from ipa.service.parties import STRANGER, Party, party_of


@pytest.fixture
def plain_door() -> Iterator[Door]:
    """A listener that says `served` to whom it lets in."""
    with door() as made:
        yield made


@pytest.mark.parametrize(
    ("own", "party"),
    [
        (None, STRANGER),
        (PARTIES.identities[1], Party("operator", name="the operator")),
        (PARTIES.identities[2], Party("peer", helper=2)),
        (PARTIES.identities[3], Party("peer", helper=3)),
        (PARTIES.collectors[COLLECTOR], Party("report collector", name=COLLECTOR)),
    ],
    ids=["stranger", "operator", "helper 2", "helper 3", "report collector"],
)
def test_who_is_let_in_as_whom(plain_door: Door, own: TlsIdentity | None, party: Party) -> None:
    assert plain_door.meet(own) == b"served"
    assert plain_door.served == [party] and plain_door.refused == []


@pytest.mark.parametrize(
    ("own", "word"),
    [
        (new_identity("helper 2"), "wrong certificate"),
        (OLD, "expired certificate"),
        (EARLY, "wrong certificate"),
        (sub_identity(), "wrong certificate"),
    ],
    ids=["unknown", "expired", "not yet good", "signed by a registered one"],
)
def test_a_certificate_that_is_not_good_is_refused(
    plain_door: Door, own: TlsIdentity, word: str
) -> None:
    with pytest.raises(OSError):
        plain_door.meet(own)
    wait_until(lambda: plain_door.refused)
    assert plain_door.refused == [word] and plain_door.served == []
    assert plain_door.meet() == b"served"


def test_the_signer_of_another_certificate_is_let_in_itself(plain_door: Door) -> None:
    assert plain_door.meet(SIGNER) == b"served"
    assert plain_door.served == [Party("report collector", name="signer.example")]


def test_a_certificate_that_nobody_published_is_a_strangers() -> None:
    der = ssl.PEM_cert_to_DER_cert(new_identity("helper 2").certificate)
    assert (
        party_of(PARTIES.configuration, 1, der)
        == STRANGER
        == party_of(PARTIES.configuration, 1, None)
    )


def test_an_older_version_of_tls_is_refused(plain_door: Door) -> None:
    with pytest.raises(ssl.SSLError):
        plain_door.meet(PARTIES.identities[2], ssl.TLSVersion.TLSv1_2)
    wait_until(lambda: plain_door.refused)
    assert plain_door.refused == ["no handshake"] and plain_door.served == []


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n", b"IPAO" + bytes(60), b""])
def test_plain_bytes_are_no_handshake(plain_door: Door, sent: bytes) -> None:
    # The other end may close before all is sent.
    with closing(plain_door.connect()) as raw, suppress(OSError):
        raw.sendall(sent)
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(100):
            pass
    wait_until(lambda: plain_door.refused)
    assert plain_door.refused == ["no handshake"] and plain_door.served == []


def test_a_slow_handshake_ends(plain_door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HANDSHAKE_SECONDS", 0.2)
    with closing(plain_door.connect()) as raw:
        raw.sendall(b"\x16\x03")  # the beginning of one
        assert raw.recv(100) == b""
    wait_until(lambda: plain_door.refused)
    assert plain_door.refused == ["slow handshake"]


def test_a_crowd_of_strangers_keeps_nobody_out(
    plain_door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They connect and say nothing; the oldest make room."""
    monkeypatch.setattr(listener, "HANDSHAKE_SECONDS", 10 * PATIENCE)
    with ExitStack() as stack:
        for number in range(200):
            stack.enter_context(closing(plain_door.connect()))
            if number % 50 == 49:
                assert plain_door.meet(PARTIES.identities[2]) == b"served"
        wait_until(lambda: len(listening_threads()) <= listener.MOST_STRANGERS)
        assert plain_door.meet(PARTIES.collectors[COLLECTOR]) == b"served"
    wait_until(lambda: not listening_threads())
    assert len(plain_door.served) == 5


def test_a_party_has_a_bounded_number_of_connections_and_gets_them_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "MOST_OF_A_PARTY", 3)

    def hold(made: Door, connection: TlsConnection, party: Party) -> bool:
        connection.send(memoryview(b"held"))
        made.going.wait(60)
        return False

    with door(hold) as made, ExitStack() as stack:
        peer = PARTIES.identities[2]
        held = []
        for _ in range(3):
            raw = stack.enter_context(closing(made.connect()))
            held.append(stack.enter_context(closing(client_of(raw, peer))))
            assert held[-1].recv(100) == b"held"
        assert made.meet(peer) == b"" and made.refused == ["too many connections"]
        assert made.meet(PARTIES.identities[3]) == b"held"
        assert made.meet() == b"held"
        made.going.set()
        wait_until(lambda: not listening_threads())
        assert made.meet(peer) == b"held"


def test_a_party_that_is_known_makes_no_room_for_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MOST_STRANGERS", 2)

    def hold(made: Door, connection: TlsConnection, party: Party) -> bool:
        if party != STRANGER:
            connection.send(memoryview(b"held"))
            made.going.wait(60)
            connection.send(memoryview(b"still"))
        return False

    with door(hold) as made, ExitStack() as stack:
        raw = stack.enter_context(closing(made.connect()))
        session = stack.enter_context(closing(client_of(raw, PARTIES.identities[2])))
        assert session.recv(100) == b"held"
        for _ in range(6):
            stack.enter_context(closing(made.connect()))
        wait_until(lambda: len(listening_threads()) <= 3)
        made.going.set()
        assert session.recv(100) == b"still"


def test_a_connection_that_is_kept_is_not_closed() -> None:
    kept = []

    def keep(made: Door, connection: TlsConnection, party: Party) -> bool:
        kept.append(connection)
        return True

    with door(keep) as made, closing(made.connect()) as raw:
        session = client_of(raw, PARTIES.identities[3])
        wait_until(lambda: kept and not listening_threads())
        kept[0].send(memoryview(b"later"))
        assert session.recv(100) == b"later"
        session.close()
        kept[0].close()


def test_a_fault_of_what_serves_ends_its_connection_alone_and_its_text_is_not_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: pytest.fail("a thread ended by a fault"))

    def fail(made: Door, connection: TlsConnection, party: Party) -> bool:
        raise ZeroDivisionError(f"share {0xA5A5}")

    with door(fail) as made:
        for _ in range(listener.MOST_OF_A_PARTY + 1):
            assert made.meet(PARTIES.identities[2]) == b""
        assert made.refused == [] and len(made.served) == listener.MOST_OF_A_PARTY + 1
    faults = [record for record in caplog.records if record.getMessage() == "fault"]
    assert len(faults) == listener.MOST_OF_A_PARTY + 1
    assert faults[0].fields["error"] == "ZeroDivisionError"  # type: ignore[attr-defined]
    assert not any("share 42405" in str(vars(record)) for record in caplog.records)


def test_who_made_room_before_it_said_who_it_is_is_not_let_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "MOST_STRANGERS", 1)
    admitted, peer = listener._Admitted(), Party("peer", helper=2)
    ends = [end for _ in range(2) for end in socket.socketpair()]
    first, second = admitted.stranger(ends[0]), admitted.stranger(ends[2])
    assert ends[1].recv(1) == b""
    assert not admitted.known(first, peer) and admitted.of_parties == {}
    assert admitted.known(second, peer) and admitted.of_parties == {peer: 1}
    admitted.gone(first, None)
    admitted.gone(second, peer)
    assert admitted.of_parties == {peer: 0} and admitted.strangers == {}
    for end in ends:
        end.close()


def test_closing_ends_those_who_have_not_said_who_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "HANDSHAKE_SECONDS", 10 * PATIENCE)
    with door() as made:
        raw = made.connect()
        wait_until(listening_threads)
    assert raw.recv(1) == b""
    raw.close()
    with pytest.raises(OSError):
        made.connect()
