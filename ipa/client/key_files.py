"""The directory of a helper party network: one public file, and one private file per helper.

    NETWORK_DIR/network.json        public: the configuration that user agents retrieve
    NETWORK_DIR/helper1.key.json    private to helper 1, mode 0600; likewise helper 2 and 3

In a deployment each helper party has only its own private file. A private file is created with
owner-only permissions before a byte is written, and one that others can read is refused on loading
(as ssh does): its key must be taken as known, and a warning would go unread
(SPEC_NOTES: key-file-permissions).
"""

import os
import stat
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ipa.client.configuration import (
    HelperKeys,
    NetworkConfiguration,
    configuration_from_json,
    configuration_to_json,
    helper_keys_from_json,
    helper_keys_to_json,
)
from ipa.errors import ParameterError, ReportError
from ipa.parties import HELPERS

NETWORK_FILE = "network.json"
MAX_FILE_BYTES = 1 << 24

T = TypeVar("T", NetworkConfiguration, HelperKeys)


def key_file_name(helper: int) -> str:
    """The name of a helper's private key file in a network directory."""
    return f"helper{helper}.key.json"


def create_network_directory(
    directory: Path, configuration: NetworkConfiguration, helper_keys: Sequence[HelperKeys]
) -> None:
    """Write the files of a new network.

    Private files first, so that keys are never published and then lost. Never overwrites a
    private key: whatever was encrypted to it could not be read any more.

    Raises: ParameterError if one of the files is there already.
    """
    directory.mkdir(parents=True, exist_ok=True)
    names = [NETWORK_FILE, *(key_file_name(own.helper) for own in helper_keys)]
    for name in names:
        if (directory / name).exists():
            raise ParameterError(f"{directory / name} exists and is not overwritten")
    for own in helper_keys:
        save_helper_keys(directory / key_file_name(own.helper), own)
    save_configuration(directory / NETWORK_FILE, configuration)


def save_configuration(path: Path, configuration: NetworkConfiguration) -> None:
    """Write or replace a public configuration, atomically."""
    _replace_file(path, configuration_to_json(configuration), 0o644)


def save_helper_keys(path: Path, own: HelperKeys) -> None:
    """Write or replace a helper's private keys, atomically, readable by the owner only."""
    _replace_file(path, helper_keys_to_json(own), 0o600)


def load_configuration(path: Path) -> NetworkConfiguration:
    """Read a public configuration.

    Raises: ReportError if it cannot be read or is malformed.
    """
    if path.is_dir():
        raise ReportError(f"{path} is a directory: give the file in it, {path / NETWORK_FILE}")
    return _parsed(path, _read_file(path, private=False), configuration_from_json)


def load_helper_keys(path: Path) -> HelperKeys:
    """Read a helper's private keys.

    Raises: ReportError if the file cannot be read, is malformed, or (on POSIX systems) its group
    or others have any permission on it.
    """
    return _parsed(path, _read_file(path, private=True), helper_keys_from_json)


def load_all_helper_keys(directory: Path) -> tuple[HelperKeys, HelperKeys, HelperKeys]:
    """The private keys of all three helpers, for a simulation in one process.

    Raises: ReportError as `load_helper_keys` does, and when a file holds the keys of another helper
    or network.
    """
    first, second, third = (load_helper_keys(directory / key_file_name(i)) for i in HELPERS)
    published = (first.network_name, first.match_key_bits, first.sharing)
    for helper, own in zip(HELPERS, (first, second, third), strict=True):
        if (own.network_name, own.match_key_bits, own.sharing) != published or own.helper != helper:
            raise ReportError(f"{directory / key_file_name(helper)} has another helper's keys")
    return first, second, third


def _parsed(path: Path, data: bytes, parse: Callable[[bytes], T]) -> T:
    """What `parse` makes of a file's contents; its ReportError names the file."""
    try:
        return parse(data)
    except ReportError as error:
        raise ReportError(f"{path}: {error.problem}", error.reason) from None


def _replace_file(path: Path, text: str, mode: int) -> None:
    """Write beside the file and rename; mkstemp creates its file with mode 0600."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _read_file(path: Path, *, private: bool) -> bytes:
    try:
        with path.open("rb") as file:
            # Permissions of the open file, not of the name, which may change in between.
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if private and os.name == "posix" and mode & 0o077:
                raise ReportError(
                    f"{path} may be read by others (mode {mode:04o}): chmod 600 it, or better "
                    "replace the key"
                )
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise ReportError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
    return data
