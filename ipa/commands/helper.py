"""`ipa helper`: one helper party as a service, until it is stopped."""

import argparse
import os
import sys
from pathlib import Path
from threading import Event, Thread
from typing import get_args

from ipa.budget.board import FileBoard
from ipa.budget.ledger import Ledger
from ipa.budget.ledger_directory import board_in
from ipa.client.configuration import HelperKeys, NetworkConfiguration
from ipa.client.key_files import key_file_name, load_configuration, load_helper_keys
from ipa.client.services import split_address
from ipa.commands.options import (
    add_site_argument,
    check_can_serve,
    registrable_domain,
    whole_number,
)
from ipa.errors import ParameterError, ReportError
from ipa.network.identities import identity_file_name, load_identity
from ipa.parties import HELPERS
from ipa.service.logs import LogFormat, log_to
from ipa.service.queries import QueryLimits
from ipa.service.run import HelperPart
from ipa.service.service_requests import check_has_services

_LOOK_SECONDS = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa helper`.

    Raises: ParameterError where the extra that serving needs is not installed.
    """
    check_can_serve()
    who = parser.add_argument_group("which helper party")
    who.add_argument(
        "--keys",
        type=Path,
        required=True,
        metavar="DIR",
        help="where the private key file and the TLS file of this helper party are",
    )
    who.add_argument("--helper", type=int, choices=HELPERS, required=True, help="its number")
    who.add_argument(
        "--network", type=Path, required=True, metavar="FILE", help="what is published of all three"
    )
    who.add_argument(
        "--listen",
        metavar="HOST:PORT",
        help="the address to listen at (default: the one that the network publishes)",
    )
    _add_budget_arguments(parser)
    _add_limit_arguments(parser)
    parser.add_argument(
        "--log-format",
        choices=get_args(LogFormat),
        default="text",
        help="of the events on standard error (default: %(default)s)",
    )
    parser.add_argument(
        "--stop-with-input",
        action="store_true",
        help="stop when standard input ends, so that it does not outlive whoever holds that",
    )
    parser.add_argument(
        "--seed",
        type=whole_number(0),
        metavar="S",
        help="for tests: draw what the simulation of this seed draws, so that everybody can read all",
    )


def _add_budget_arguments(parser: argparse.ArgumentParser) -> None:
    budget = parser.add_argument_group("budget")
    paid = budget.add_mutually_exclusive_group(required=True)
    paid.add_argument(
        "--ledger", type=Path, metavar="FILE", help="this helper party's ledger, of `ipa budget`"
    )
    paid.add_argument(
        "--no-budget",
        action="store_true",
        help="for tests: charge nothing, and answer queries for exact sums too",
    )
    budget.add_argument(
        "--board",
        type=Path,
        metavar="FILE",
        help="the commitment board (default: commitments.board beside the ledger)",
    )
    add_site_argument(budget)


def _add_limit_arguments(parser: argparse.ArgumentParser) -> None:
    # Imported in functions: it needs the extra.
    from ipa.service.helper_server import ServiceOptions

    limits = parser.add_argument_group("limits")
    options, queue = ServiceOptions(), QueryLimits()
    for name, default, metavar, told in (
        ("at-once", options.at_once, "N", "how many queries run at a time"),
        ("silence", int(options.silence), "SECONDS", "abort when a peer sends nothing for so long"),
        ("grace", int(options.grace), "SECONDS", "how long what runs may go on when it is stopped"),
        (
            "expire",
            int(queue.expires_after),
            "SECONDS",
            "abort a query that has not begun within so long",
        ),
        ("most-queries", queue.most, "N", "how many queries wait and run"),
        (
            "most-bytes",
            queue.most_bytes,
            "N",
            "how many bytes their streams have; half for a collector",
        ),
    ):
        limits.add_argument(
            f"--{name}",
            type=whole_number(1),
            default=default,
            metavar=metavar,
            help=f"{told} (default: %(default)s)",
        )


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C; then finish what runs, within the grace.

    Raises: InputError for files and ParameterError for options that are wrong, or do not belong
        together, and an address that cannot be listened at.
    """
    from ipa.service.helper_server import HelperServer, ServiceOptions

    configuration = load_configuration(arguments.network)
    part = HelperPart(
        keys=_own_keys(arguments),
        ledger=_ledger(arguments),
        registrable_domain=registrable_domain(arguments),
        seed=arguments.seed,
    )
    identity = load_identity(arguments.keys / identity_file_name(arguments.helper))
    options = ServiceOptions(
        at_once=arguments.at_once,
        silence=arguments.silence,
        grace=arguments.grace,
        limits=QueryLimits(
            most=arguments.most_queries,
            most_bytes=arguments.most_bytes,
            expires_after=arguments.expire,
        ),
    )
    log_to(sys.stderr, arguments.helper, arguments.log_format)
    with HelperServer(part, configuration, identity, _address(arguments, configuration), options):
        ended = Event()
        if arguments.stop_with_input:
            Thread(target=_tell_end, args=(sys.stdin.fileno(), ended), daemon=True).start()
        # Again and again: a signal that came right before a wait without end would not raise in it.
        while not ended.wait(_LOOK_SECONDS):
            pass
    return 0


def _tell_end(descriptor: int, ended: Event) -> None:
    """Set `ended` when there is nothing more to read.

    Without Python's buffer: a thread that waits in it holds its lock, and over that the interpreter
    aborts when a signal ends the process.
    """
    while os.read(descriptor, 1):
        pass
    ended.set()


def _own_keys(arguments: argparse.Namespace) -> HelperKeys:
    path = arguments.keys / key_file_name(arguments.helper)
    keys = load_helper_keys(path)
    if keys.helper != arguments.helper:
        raise ReportError(f"{path} has another helper's keys")
    return keys


def _ledger(arguments: argparse.Namespace) -> Ledger | None:
    if arguments.ledger is None:
        if arguments.board is not None:
            raise ParameterError("--board is for a --ledger")
        return None
    named = arguments.board
    return Ledger(
        arguments.ledger, board_in(arguments.ledger.parent) if named is None else FileBoard(named)
    )


def _address(arguments: argparse.Namespace, configuration: NetworkConfiguration) -> tuple[str, int]:
    """Where to listen. Raises: ParameterError."""
    if arguments.listen is not None:
        return split_address(arguments.listen)
    check_has_services(configuration)
    return split_address(configuration.services[arguments.helper - 1].address)
