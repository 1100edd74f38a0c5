"""A process that is one helper party: what `ipa.network.apart` starts three of.

The process is given what its helper party has, and nothing of the others, on standard input, and
tells what became of it on standard output: frames of a length (8 bytes, big endian) and a pickled
message. Both ends are one program, and no other process has an end of these pipes. When standard
input ends, whoever started the process is gone, and it ends as well, whatever it is doing.
"""

import builtins
import os
import pickle
import socket
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from io import FileIO
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

import ipa.errors
from ipa.network.costs import Cost
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.part import Part
from ipa.network.sockets import Connection, SocketChannel
from ipa.network.tls import TlsCredentials, secure_connections
from ipa.parameters import Security
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness

_LENGTH_BYTES = 8
_PIECE = 1 << 20
_STDIN, _STDOUT, _STDERR = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """All that a helper's process is given: what this helper party has, and what to do with it.

    `part(network, held, *public, **callbacks)` is run, a function of a module, and gives its result by
    helper. `descriptors` are the process's ends of the sockets to its peers, by peer. Of the callbacks
    it has the names: calling one asks the process that started this one.
    """

    helper: int
    network_name: str
    security: Security
    part: Part[Any]
    held: Any = field(repr=False)
    public: tuple[Any, ...]
    callbacks: tuple[str, ...]
    tells_steps: bool
    prss_keys: tuple[bytes, bytes] = field(repr=False)
    randomness_key: bytes | None = field(repr=False)
    descriptors: Mapping[int, int]
    tls: TlsCredentials | None
    timeout: float


@dataclass(frozen=True)
class StepBegun:
    """A helper's process is at this step."""

    path: str


@dataclass(frozen=True)
class Question:
    """A helper's process calls a callback, and waits for what it returns."""

    callback: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Finished:
    """What a helper's part gave, and what it cost this helper."""

    result: Any = field(repr=False)
    costs: dict[str, Cost]


@dataclass(frozen=True)
class Failed:
    """The error that ended a helper's part: its class by name, its arguments and attributes."""

    kind: str
    arguments: tuple[Any, ...]
    attributes: dict[str, Any]
    trace: str

    @classmethod
    def by(cls, error: BaseException) -> "Failed":
        """What to tell of the error; of one that is not of this library, nothing but plain values."""
        kind, trace = type(error).__name__, "".join(traceback.format_exception(error))
        if isinstance(error, ipa.errors.IpaError):
            return cls(kind, error.args, vars(error), trace)
        plain = all(isinstance(argument, str | int) for argument in error.args)
        return cls(kind, error.args if plain else (str(error),), {}, trace)

    def error(self) -> BaseException:
        """The same error once more: one of this library or of Python, or else a RuntimeError.

        One that is not of this library is a fault in it, so its note says where it happened.
        """
        kind = getattr(ipa.errors, self.kind, None) or getattr(builtins, self.kind, None)
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            return RuntimeError(self.trace)
        error: BaseException = kind.__new__(kind, *self.arguments)
        error.args = self.arguments
        vars(error).update(self.attributes)
        if not isinstance(error, ipa.errors.IpaError):
            error.add_note(f"In the process of a helper party:\n{self.trace}")
        return error


def write_message(stream: IO[bytes], message: object) -> None:
    """Write a message as a frame.

    Raises: OSError when nobody reads any more.
    """
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    rest = memoryview(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
    while rest:
        rest = rest[stream.write(rest) or 0 :]


def read_frame(stream: IO[bytes]) -> bytes:
    """The pickled message of the next frame.

    Raises: EOFError when there is no whole one.
    """
    return _read_exactly(stream, int.from_bytes(_read_exactly(stream, _LENGTH_BYTES), "big"))


def _read_exactly(stream: IO[bytes], size: int) -> bytes:
    pieces = []
    while size:
        piece = stream.read(min(size, _PIECE))
        if not piece:
            raise EOFError
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


class Line:
    """A helper process's line to the process that started it; the process ends when the line does."""

    def __init__(self) -> None:
        self._outgoing = FileIO(os.dup(_STDOUT), "wb")
        os.dup2(_STDERR, _STDOUT)  # what anything prints is no message
        self._frames: SimpleQueue[bytes] = SimpleQueue()
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        """Take frames off the pipe, and end the process with it."""
        incoming = FileIO(_STDIN, "rb", closefd=False)
        try:
            while True:
                self._frames.put(read_frame(incoming))
        finally:
            os._exit(1)

    def receive(self) -> Any:
        """The next message, once it comes."""
        return pickle.loads(self._frames.get())

    def send(self, message: object) -> None:
        """Tell the process that started this one; when that is gone, so is this one."""
        try:
            write_message(self._outgoing, message)
        except BrokenPipeError:  # noticed here before the listener noticed it
            os._exit(1)

    def ask(self, callback: str, *arguments: Any) -> Any:
        """What the callback returns, which is called in the process that started this one."""
        self.send(Question(callback, arguments))
        return self.receive()


def _channel(assignment: Assignment) -> SocketChannel:
    """The helper's end of the channel, over its sockets as they are or under TLS."""
    sockets = {
        peer: socket.socket(fileno=descriptor)
        for peer, descriptor in assignment.descriptors.items()
    }
    connections: Mapping[int, Connection] = sockets
    if assignment.tls is not None:
        connections = secure_connections(
            assignment.helper, sockets, assignment.tls, assignment.timeout
        )
    return SocketChannel(assignment.helper, connections, assignment.timeout)


def _do(assignment: Assignment, line: Line) -> Finished:
    """This helper's part of the run.

    Raises: whatever it raises; ChannelError when a peer does not prove who it is.
    """

    def begun(path: str) -> None:
        """Tell that the step begins."""
        line.send(StepBegun(path))

    with _channel(assignment) as channel:
        party = HelperParty(
            assignment.helper,
            Prss(*assignment.prss_keys),
            channel,
            Randomness.from_key(assignment.randomness_key),
        )
        network = HelperPartyNetwork(
            assignment.network_name,
            [party],
            security=assignment.security,
            on_step=begun if assignment.tells_steps else None,
        )
        callbacks = {name: partial(line.ask, name) for name in assignment.callbacks}
        held = assignment.part(network, assignment.held, *assignment.public, **callbacks)
        return Finished(held[assignment.helper], network.costs)


def main() -> None:
    """Be the helper party that standard input says."""
    line = Line()
    try:
        line.send(_do(line.receive(), line))
    except Exception as error:
        line.send(Failed.by(error))
