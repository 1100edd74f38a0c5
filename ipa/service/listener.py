"""The one door of a helper party: a listening socket, and a thread for each connection through it."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from threading import Lock, Thread
from time import sleep

from ipa.errors import ParameterError
from ipa.network.tls import TlsConnection
from ipa.service.logs import tell_fault
from ipa.service.offers import close_connection
from ipa.service.parties import Party

HANDSHAKE_SECONDS = 5.0
"""How long a TLS handshake may take altogether."""

MOST_STRANGERS = 64
MOST_OF_A_PARTY = 32

_BACKLOG = 256
_SECONDS_AFTER_A_FAILURE = 0.1


@dataclass
class _Admitted:
    """The connections that are open: those of strangers by age, and how many each party has."""

    strangers: dict[int, socket.socket] = field(default_factory=dict)
    of_parties: dict[Party, int] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)
    _numbers: "count[int]" = field(default_factory=count)

    def stranger(self, connection: socket.socket) -> int:
        """Let a connection in, of whoever it is; the oldest stranger makes room for it.

        So whoever is quick gets through a crowd of those that are slow on purpose. What is kept is a
        second handle on the same connection, which closes it whatever is done with the first.
        """
        handle = connection.dup()
        with self.lock:
            number = next(self._numbers)
            self.strangers[number] = handle
            while len(self.strangers) > MOST_STRANGERS:
                oldest = self.strangers.pop(next(iter(self.strangers)))
                _end(oldest)
        return number

    def known(self, number: int, party: Party) -> bool:
        """The stranger turns out to be this party; False if that has too many connections."""
        if party.role == "stranger":
            return True
        with self.lock:
            handle = self.strangers.pop(number, None)
            if handle is None:  # it made room meanwhile
                return False
            handle.close()
            if self.of_parties.get(party, 0) >= MOST_OF_A_PARTY:
                return False
            self.of_parties[party] = self.of_parties.get(party, 0) + 1
            return True

    def end_strangers(self) -> None:
        """End the connections of all who have not shown who they are."""
        with self.lock:
            for handle in self.strangers.values():
                _end(handle)
            self.strangers.clear()

    def gone(self, number: int, party: Party | None) -> None:
        """The connection has been served; `party` is who was let in as known."""
        with self.lock:
            handle = self.strangers.pop(number, None)
            if handle is not None:
                handle.close()
            if party is not None and party.role != "stranger":
                self.of_parties[party] -= 1


def _end(handle: socket.socket) -> None:
    with suppress(OSError):  # it has ended already
        handle.shutdown(socket.SHUT_RDWR)
    handle.close()


def _listening(address: tuple[str, int]) -> socket.socket:
    """A socket that listens at the address. Raises: ParameterError."""
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        reason, _, _ = (error.strerror or str(error)).partition(" (while ")
        raise ParameterError(f"{host}, port {port}, cannot be listened at: {reason}") from error


class Listener:
    """Accepts connections at an address, and serves each in a thread of its own.

    `identify` says who has a certificate, and `serve(connection, party)` is called with a connection
    under TLS; it says whether somebody else keeps the connection, which is closed otherwise.
    `on_refused` is told, in a word, why a connection came to nothing.

    Raises: ParameterError when the address cannot be listened at.
    """

    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext,
        identify: Callable[[bytes | None], Party],
        serve: Callable[[TlsConnection, Party], bool],
        on_refused: Callable[[str], None],
    ) -> None:
        self._context = context
        self._identify = identify
        self._serve = serve
        self._on_refused = on_refused
        self._admitted = _Admitted()
        self._socket = _listening(address)
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        self._closed = False
        self._thread = Thread(target=self._accept_all, name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Accept nothing more, and end the connections of strangers."""
        self._closed = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._socket.close()
        self._thread.join()
        self._admitted.end_strangers()

    def _accept_all(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                if not self._closed:  # no descriptor is left, or the peer was gone again
                    self._on_refused("accept failed")
                    sleep(_SECONDS_AFTER_A_FAILURE)
                continue
            number = None
            try:
                number = self._admitted.stranger(connection)
                Thread(target=self._meet, args=(connection, number), daemon=True).start()
            except (OSError, RuntimeError):  # no descriptor or no thread is left
                connection.close()
                if number is not None:
                    self._admitted.gone(number, None)
                self._on_refused("no room")

    def _meet(self, raw: socket.socket, number: int) -> None:
        """Do the handshake, see who it is, and serve."""
        known: Party | None = None
        try:
            connection = self._handshake(raw)
            if connection is None:
                return
            kept = False
            try:
                party = self._identify(connection.certificate)
                if not self._admitted.known(number, party):
                    self._on_refused("too many connections")
                    return
                known = party
                kept = self._serve(connection, party)
            except Exception as error:  # a fault ends the connection, and nothing else
                tell_fault("fault", error)
            finally:
                if not kept:
                    close_connection(connection)
        finally:
            self._admitted.gone(number, known)

    def _handshake(self, raw: socket.socket) -> TlsConnection | None:
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return TlsConnection(raw, self._context, as_server=True, timeout=HANDSHAKE_SECONDS)
        except ssl.SSLCertVerificationError as error:
            expired = "expired" in error.verify_message
            self._on_refused("expired certificate" if expired else "wrong certificate")
        except TimeoutError:
            self._on_refused("slow handshake")
        except OSError:
            self._on_refused("no handshake")
        raw.close()
        return None
