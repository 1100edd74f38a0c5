"""`ipa keygen`: a helper party network with fresh keys."""

import argparse
from pathlib import Path
from typing import get_args

from ipa.client.configuration import NetworkConfiguration, generate_configuration
from ipa.client.key_files import create_network_directory
from ipa.client.keys import KemName
from ipa.client.shares import SHARE_COUNTS
from ipa.commands.directories import new_directory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa keygen`."""
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="NETWORK_DIR",
        help="a new directory: network.json to publish, and a private key file per helper",
    )
    parser.add_argument(
        "--name",
        default="helpers.example",
        metavar="NAME",
        help="the network's name, which never changes (default: %(default)s)",
    )
    parser.add_argument(
        "--kem",
        choices=get_args(KemName),
        default="X25519",
        help="how match keys are encapsulated; the second is post-quantum (default: %(default)s)",
    )
    parser.add_argument(
        "--match-key-bits",
        type=int,
        default=NetworkConfiguration.match_key_bits,
        metavar="W",
        help="width of all match keys (default: %(default)s)",
    )

    parser.add_argument(
        "--sharing",
        choices=tuple(SHARE_COUNTS),
        default=NetworkConfiguration.sharing,
        help="of what clients seal; two-party is smaller, and takes helpers 1 and 2 at their word "
        "(default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the directory, as a whole or not at all, and say what is in it.

    Raises: ParameterError for an option that is wrong. InputError when the directory cannot be written.
    """
    configuration, helper_keys = generate_configuration(
        arguments.name, arguments.kem, arguments.match_key_bits, arguments.sharing
    )
    with new_directory(arguments.out) as directory:
        create_network_directory(directory, configuration, helper_keys)
    print(f"{arguments.out}: network {configuration.name}, one {arguments.kem} key per helper")
    return 0
