"""A directory of this machine that is gone when all processes that use it are, however they ended.

Whoever makes such a directory can be killed, and then it cannot tidy up. So a small process of its own
makes the directory, and removes it when nobody holds a pipe any more that all who use it have.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from ipa.errors import InputError, ParameterError

_KEEPER = """\
import shutil, sys, tempfile
path = tempfile.mkdtemp(prefix="ipa-")
try:
    print(path, flush=True)
    sys.stdin.buffer.read()
finally:
    shutil.rmtree(path)
"""

_SECONDS_TO_END = 10.0


@dataclass(frozen=True)
class TemporaryDirectory:
    """Where the directory is, and the pipe's descriptor, for processes that use it to inherit."""

    path: Path
    descriptor: int


@contextmanager
def temporary_directory() -> Iterator[TemporaryDirectory]:
    """A new directory for its owner alone, removed with the context, or after it by its last user.

    Raises: ParameterError where there is no POSIX; InputError when no directory can be made.
    """
    if os.name != "posix" or not sys.executable:
        raise ParameterError("helper parties run apart where there is POSIX and a Python to start")
    read, write = os.pipe()
    with os.fdopen(write, "wb", 0) as write_end, os.fdopen(read, "rb", 0) as read_end:
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _KEEPER],
            stdin=read_end,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C and hang-ups are for whoever started it
        )
        read_end.close()
        try:
            yield TemporaryDirectory(_path_from(keeper), write_end.fileno())
        finally:
            write_end.close()
            with suppress(subprocess.TimeoutExpired):  # somebody still uses it, and it goes later
                keeper.wait(_SECONDS_TO_END)
            cast(IO[bytes], keeper.stdout).close()


def _path_from(keeper: subprocess.Popen[bytes]) -> Path:
    """What the keeper says where the directory is. Raises: InputError."""
    line = cast(IO[bytes], keeper.stdout).readline()
    if not line:
        raise InputError("no temporary directory can be made")
    return Path(os.fsdecode(line.removesuffix(b"\n")))
