"""The directory of a helper party network: one public file, and one private file per helper.

    NETWORK_DIR/network.json        public: the configuration that user agents retrieve
    NETWORK_DIR/helper1.key.json    private to helper 1, mode 0600; likewise helper 2 and 3

In a deployment each helper party has only its own private file. `ipa.files` says how private files are
written and read (SPEC_NOTES: key-file-permissions). Where helper parties are services, their
certificates and private keys stand beside (`ipa.network.identities`).
"""

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
from ipa.files import PRIVATE_MODE, PUBLIC_MODE, read_file, replace_file
from ipa.parties import HELPERS

NETWORK_FILE = "network.json"

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
    replace_file(path, configuration_to_json(configuration), PUBLIC_MODE)


def save_helper_keys(path: Path, own: HelperKeys) -> None:
    """Write or replace a helper's private keys, atomically, readable by the owner only."""
    replace_file(path, helper_keys_to_json(own), PRIVATE_MODE)


def load_configuration(path: Path) -> NetworkConfiguration:
    """Read a public configuration.

    Raises: ReportError if it cannot be read or is malformed.
    """
    if path.is_dir():
        raise ReportError(f"{path} is a directory: give the file in it, {path / NETWORK_FILE}")
    return _parsed(path, read_file(path, private=False), configuration_from_json)


def load_helper_keys(path: Path) -> HelperKeys:
    """Read a helper's private keys.

    Raises: ReportError if the file cannot be read, is malformed, or (on POSIX systems) its group
    or others have any permission on it.
    """
    return _parsed(path, read_file(path, private=True), helper_keys_from_json)


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
