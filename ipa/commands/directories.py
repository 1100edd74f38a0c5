"""Directories that commands write as a whole or not at all, and the query directory.

    QUERY_DIR/helper1.query    the query stream for helper 1; likewise helpers 2 and 3
    QUERY_DIR/submitter        who submits them; between parties, what a helper knows of the sender

A query directory shows nobody anything that its streams do not: each is for one helper.
"""

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ipa.errors import InputError, ParameterError
from ipa.names import MAX_NAME_BYTES, is_identifier
from ipa.parties import HELPERS

SUBMITTER_NAME = "submitter"


@contextmanager
def new_directory(path: Path) -> Iterator[Path]:
    """A directory to fill, which becomes `path` when the block ends well, and else disappears.

    Raises: ParameterError if there is something at `path` other than an empty directory. InputError
        when it cannot be written.
    """
    # Not tempfile's: a directory for the owner alone, where the user's umask should decide.
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    try:
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise ParameterError(f"{path} exists and is not overwritten")
        try:
            temporary.mkdir()  # within, so that a signal right behind it leaves nothing
            yield temporary
            temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)  # gone already if all went well
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def write_streams(directory: Path, streams: Sequence[bytes], submitter: str) -> None:
    """Write the three streams of a query, helper 1's first, and who submits them, onto the disk.

    Raises: OSError when one cannot be written.
    """
    files = {stream_name(helper): s for helper, s in zip(HELPERS, streams, strict=True)}
    for name, data in (files | {SUBMITTER_NAME: f"{submitter}\n".encode()}).items():
        with (directory / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def read_submitter(directory: Path) -> str:
    """Who submits the query of a query directory.

    Raises: InputError when the file cannot be read, or holds no name.
    """
    path = directory / SUBMITTER_NAME
    try:
        with path.open("rb") as file:
            data = file.read(MAX_NAME_BYTES + 2)
        name = data.decode().removesuffix("\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        name = ""
    if not is_identifier(name):
        raise InputError(f"{path}: must hold the name of a report collector")
    return name


def read_streams(directory: Path) -> list[bytes]:
    """The three streams of a query directory, helper 1's first.

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
