"""Directories that commands write as a whole or not at all, and the query directory.

    QUERY_DIR/helper1.query    the query stream for helper 1; likewise helpers 2 and 3

A query directory shows nobody anything that its streams do not: each is for one helper.
"""

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ipa.errors import InputError, ParameterError
from ipa.parties import HELPERS


@contextmanager
def new_directory(path: Path) -> Iterator[Path]:
    """A directory to fill, which becomes `path` when the block ends well, and else disappears.

    Raises: ParameterError if there is something at `path` other than an empty directory, InputError
    when it cannot be written.
    """
    # Not tempfile's: a directory for the owner alone, where the user's umask should decide.
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    try:
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise ParameterError(f"{path} exists and is not overwritten")
        temporary.mkdir()
        try:
            yield temporary
            temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)  # gone already if all went well
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def write_streams(directory: Path, streams: Sequence[bytes]) -> None:
    """Write the three streams of a query, helper 1's first, into a directory, and onto the disk."""
    for helper, stream in zip(HELPERS, streams, strict=True):
        with (directory / stream_name(helper)).open("wb") as file:
            file.write(stream)
            file.flush()
            os.fsync(file.fileno())


def read_streams(directory: Path) -> list[bytes]:
    """The three streams of a query directory.

    Raises: InputError when one cannot be read.
    """
    streams = []
    for helper in HELPERS:
        path = directory / stream_name(helper)
        try:
            streams.append(path.read_bytes())
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    return streams


def stream_name(helper: int) -> str:
    """The name of the file with a helper's stream."""
    return f"helper{helper}.query"
