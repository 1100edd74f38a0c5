"""Three helper parties as processes of this machine, on loopback: for demonstrations and tests.

A service that is started here stops when its standard input ends, so none outlives the process that
started it, however that came to its end.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import IO

from ipa.client.services import split_address
from ipa.errors import ServiceError
from ipa.parties import HELPERS
from ipa.service.temporary_directory import TemporaryDirectory

LOOPBACK = "127.0.0.1"
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_TICK = 0.02


def free_addresses() -> list[str]:
    """Three addresses of loopback at which nobody listens now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in HELPERS]
        return [f"{LOOPBACK}:{each.getsockname()[1]}" for each in sockets]


@dataclass(frozen=True)
class LocalHelper:
    """A helper party's process and the address where it listens."""

    helper: int
    address: str
    process: subprocess.Popen[bytes]

    def wait_until_listening(self) -> None:
        """Return once it accepts connections.

        Raises: ServiceError when it ends instead, or does not within a minute.
        """
        deadline = monotonic() + _START_SECONDS
        while self.process.poll() is None and monotonic() < deadline:
            try:
                socket.create_connection(split_address(self.address), timeout=_TICK).close()
                return
            except OSError:
                sleep(_TICK)
        status = self.process.poll()
        how = "does not listen" if status is None else f"ended with exit status {status}"
        raise ServiceError(f"the process of H{self.helper} {how}")

    def stop(self) -> None:
        """Stop it as SIGTERM does, gracefully, and wait for that; a stuck one is killed."""
        self.process.terminate()
        self.wait_until_ended()

    def wait_until_ended(self) -> None:
        """Wait for one that is stopping; a stuck one is killed."""
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._close()

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()
        self._close()

    def _close(self) -> None:
        for stream in (self.process.stdin, self.process.stderr):
            if stream is not None:
                stream.close()


def start_helper(
    network_directory: Path,
    helper: int,
    address: str,
    options: Sequence[str],
    log: IO[bytes] | int = subprocess.PIPE,
    *,
    lifeline: IO[bytes] | int = subprocess.PIPE,
    inherited: Sequence[int] = (),
) -> LocalHelper:
    """Start `ipa helper` with the files of `ipa keygen` and more options; its log goes to `log`.

    It stops when `lifeline` ends, which is a pipe of its own unless there is one for several. It has
    the descriptors `inherited` as well.
    """
    words = [sys.executable, "-m", "ipa", "helper", "--keys", str(network_directory)]
    words += ["--network", str(network_directory / "network.json"), "--helper", str(helper)]
    process = subprocess.Popen(
        [*words, "--listen", address, "--stop-with-input", *options],
        stdin=lifeline,
        stdout=subprocess.DEVNULL,
        stderr=log,
        pass_fds=inherited,
        start_new_session=True,  # Ctrl-C is for whoever started it
    )
    return LocalHelper(helper, address, process)


@contextmanager
def local_helpers(
    directory: TemporaryDirectory, addresses: Sequence[str], options: Mapping[int, Sequence[str]]
) -> Iterator[list[LocalHelper]]:
    """The three helper parties of the network in the directory, listening; stopped with the context.

    Each logs to `log_path` in the directory, which stays as long as one of them runs. They hold one
    pipe of this process in common, so that they stop even where this process does not come to that.

    Raises: ServiceError when one does not listen, with what it said last.
    """
    read, write = os.pipe()
    with os.fdopen(write, "wb", 0) as lifeline, ExitStack() as stack:
        helpers = []
        with os.fdopen(read, "rb", 0) as end_of_all:
            for helper, address in zip(HELPERS, addresses, strict=True):
                with log_path(directory.path, helper).open("wb") as log:
                    one = start_helper(
                        directory.path,
                        helper,
                        address,
                        options[helper],
                        log,
                        lifeline=end_of_all,
                        inherited=[directory.descriptor],
                    )
                stack.callback(one.wait_until_ended)
                helpers.append(one)
        stack.callback(lifeline.close)  # first of all, so that they stop at the same time
        for one in helpers:
            try:
                one.wait_until_listening()
            except ServiceError as error:
                said = log_path(directory.path, one.helper).read_text().splitlines()
                raise ServiceError(f"{error}{': ' if said else ''}{''.join(said[-1:])}") from None
        yield helpers


def log_path(directory: Path, helper: int) -> Path:
    """The file with the log of a helper party that was started here."""
    return directory / f"helper{helper}.log"
