"""Two ends of a connection that shake hands."""

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor


def speak(server: ssl.SSLContext, client: ssl.SSLContext, host: str | None = None) -> None:
    """Both ends of a connection shake hands, and a byte goes through it each way.

    Raises: ssl.SSLCertVerificationError of the end that does not accept the other one.
    """
    ends = socket.socketpair()
    for end in ends:
        end.settimeout(20)

    def serve() -> None:
        with ends[0], server.wrap_socket(ends[0], server_side=True) as connection:
            connection.sendall(connection.recv(1))

    def ask() -> None:
        with ends[1], client.wrap_socket(ends[1], server_hostname=host) as connection:
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"

    with ThreadPoolExecutor(2) as pool:
        errors = [future.exception() for future in (pool.submit(serve), pool.submit(ask))]
    for error in sorted(filter(None, errors), key=lambda e: "VERIFY" not in str(e)):
        raise error
