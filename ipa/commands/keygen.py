"""`ipa keygen`: a helper party network with fresh keys."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from ipa.client.configuration import NetworkConfiguration, generate_configuration
from ipa.client.key_files import create_network_directory
from ipa.client.keys import KemName
from ipa.client.services import (
    HelperService,
    RegisteredCollector,
    check_service_address,
    split_address,
)
from ipa.client.shares import SHARE_COUNTS
from ipa.commands.directories import new_directory
from ipa.commands.options import whole_number
from ipa.errors import ParameterError
from ipa.names import check_identifier
from ipa.network.identities import (
    collector_identity_file_name,
    identity_file_name,
    save_identity,
)
from ipa.network.tls_identity import MAX_DAYS, TlsIdentity, new_identity
from ipa.parties import HELPERS
from ipa.ranges import check_integer

CERTIFICATE_DAYS = 365
"""How long certificates are good for, unless somebody says otherwise."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa keygen`."""
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="NETWORK_DIR",
        help="a new directory: network.json to publish, and private key files for each party",
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

    _add_service_arguments(parser)


def _add_service_arguments(parser: argparse.ArgumentParser) -> None:
    """What only means something where the helper parties are services."""
    services = parser.add_argument_group("helper parties as services")
    services.add_argument(
        "--serve",
        nargs=len(HELPERS),
        metavar="HOST:PORT",
        help="where helpers 1, 2 and 3 serve: publish certificates, and write one with its private "
        "key for each helper",
    )
    services.add_argument(
        "--report-collector",
        action="append",
        metavar="NAME",
        help="who may submit queries, with a certificate as well; once for each",
    )
    services.add_argument(
        "--certificate-days",
        type=whole_number(1),
        metavar="N",
        help=f"how long certificates are good for (default: {CERTIFICATE_DAYS})",
    )


def with_services(
    configuration: NetworkConfiguration,
    addresses: Sequence[str],
    report_collectors: Sequence[str] = (),
    days: int = CERTIFICATE_DAYS,
) -> tuple[NetworkConfiguration, dict[str, TlsIdentity]]:
    """The configuration of a network of services with fresh certificates, and the file of each party.

    `addresses` are those of helpers 1, 2 and 3. In a deployment each party makes its own certificate and
    publishes it; here one process plays all of them.

    Raises: ParameterError for a wrong address, name or number of days, and for one that is there twice.
    """
    check_integer("--certificate-days", days, 1, MAX_DAYS)
    for helper, address in enumerate(addresses, 1):
        check_service_address(f"--serve: helper {helper}", address)
    for name in report_collectors:
        check_identifier("--report-collector", name)
    helpers = {
        helper: new_identity(
            f"helper {helper} of {configuration.name}", days=days, host=split_address(address)[0]
        )
        for helper, address in enumerate(addresses, 1)
    }
    collectors = [(name, new_identity(name, days=days)) for name in report_collectors]
    public = replace(
        configuration,
        services=tuple(
            HelperService(address, helpers[helper].certificate)
            for helper, address in enumerate(addresses, 1)
        ),
        report_collectors=tuple(
            RegisteredCollector(name, own.certificate) for name, own in collectors
        ),
    )
    files = {identity_file_name(helper): own for helper, own in helpers.items()}
    files |= {collector_identity_file_name(name): own for name, own in collectors}
    return public, files


def run(arguments: argparse.Namespace) -> int:
    """Write the directory, as a whole or not at all, and say what is in it.

    Raises: ParameterError for an option that is wrong. InputError when the directory cannot be written.
    """
    configuration, helper_keys = generate_configuration(
        arguments.name, arguments.kem, arguments.match_key_bits, arguments.sharing
    )
    said = f"network {configuration.name}, one {arguments.kem} key per helper"
    identities: dict[str, TlsIdentity] = {}
    if arguments.serve is not None:
        days = (
            CERTIFICATE_DAYS if arguments.certificate_days is None else arguments.certificate_days
        )
        names = arguments.report_collector or ()
        configuration, identities = with_services(configuration, arguments.serve, names, days)
        said += f"; services at {', '.join(arguments.serve)}, for "
        said += f"{', '.join(names) or 'no report collector'}; certificates good for {days} days"
    else:
        for option in ("report_collector", "certificate_days"):
            if getattr(arguments, option) is not None:
                raise ParameterError(
                    f"--{option.replace('_', '-')} is for helper parties as services: it needs --serve"
                )
    with new_directory(arguments.out) as directory:
        for name, identity in identities.items():
            save_identity(directory / name, identity)
        create_network_directory(directory, configuration, helper_keys)
    print(f"{arguments.out}: {said}")
    return 0
