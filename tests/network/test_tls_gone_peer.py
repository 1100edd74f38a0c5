"""A peer that is gone before the TLS handshake: an error, and no socket that nobody closed."""

import gc
import select
import socket
import struct

import pytest

from ipa.network.tls import TlsConnection, pinned_context
from ipa.network.tls_identity import new_identity

OWN, PEER = new_identity("own"), new_identity("peer")


@pytest.mark.parametrize("as_server", [True, False])
def test_a_socket_whose_peer_is_gone_before_the_handshake_is_closed(as_server: bool) -> None:
    """A warning of a socket that nobody closed would be an error."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        own = socket.create_connection(server.getsockname())
        gone, _ = server.accept()
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()  # resets the connection
        select.select([own], [], [])
        context = pinned_context(OWN, PEER.certificate, as_server=as_server)
        with pytest.raises(ConnectionResetError, match="the peer is gone"):
            TlsConnection(own, context, as_server=as_server, timeout=20)
        gc.collect()
        assert own.fileno() == -1
