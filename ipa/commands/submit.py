"""`ipa submit`: the report collector's side of a query that helper parties answer as services."""

import argparse
import sys
from pathlib import Path

from ipa.client.configuration import NetworkConfiguration
from ipa.client.key_files import load_configuration
from ipa.commands.directories import read_streams, read_submitter
from ipa.commands.options import (
    add_helper_arguments,
    add_query_arguments,
    query_parameters,
    whole_number,
)
from ipa.commands.progress import Progress
from ipa.commands.report_options import add_compression_argument
from ipa.commands.reports import new_query_id, write_report_result
from ipa.errors import ParameterError
from ipa.network.identities import collector_identity_file_name, load_identity
from ipa.network.tls_identity import TlsIdentity
from ipa.report_query import ReportQueryResult
from ipa.result import check_noise_is_said
from ipa.service.asked import Asked
from ipa.service.collector import ask_services, collector_of
from ipa.service.service_requests import check_has_services
from ipa.service.watching import Waiting

_REACH_SECONDS = 10.0
"""How long a helper party that was just started may take until it listens."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa submit`."""
    parser.add_argument(
        "query_directory",
        type=Path,
        metavar="QUERY_DIR",
        help="the directory of `ipa collect`: a stream for each helper party",
    )
    parser.add_argument(
        "--network", type=Path, required=True, metavar="FILE", help="NETWORK_DIR/network.json"
    )
    parser.add_argument(
        "--identity",
        type=Path,
        metavar="FILE",
        help="the report collector's certificate and its key (default: its file beside --network)",
    )
    parser.add_argument(
        "--query-id", metavar="ID", help="the query's name in the ledgers (default: a random one)"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="send nothing: the query was submitted before under --query-id; wait for its answer again",
    )
    parser.add_argument(
        "--timeout",
        type=whole_number(1),
        default=int(Waiting.timeout),
        metavar="S",
        help="give up when nothing has changed at any helper for S seconds (default: %(default)s)",
    )
    add_query_arguments(parser, with_check=False)
    add_compression_argument(add_helper_arguments(parser))


def run(arguments: argparse.Namespace) -> int:
    """Submit the query in the directory, wait for the helper parties, and show what they released.

    Raises: ParameterError for an option, InputError for a file that is wrong; both before anything is
        sent. ServiceError and VerificationError, as `ask_services` does.
    """
    if arguments.resume and arguments.query_id is None:
        raise ParameterError("--resume is for a query that was submitted: it needs its --query-id")
    parameters = query_parameters(arguments)
    check_noise_is_said(parameters, arguments.no_noise)
    configuration = load_configuration(arguments.network)
    check_has_services(configuration)
    asked = Asked(
        query_id=new_query_id(arguments.query_id),
        submitter=read_submitter(arguments.query_directory),
        parameters=parameters,
        compressed_match_key_bits=arguments.compress_match_keys,
    )
    result = _answered(arguments, configuration, asked)
    write_report_result(result, parameters.security, arguments)
    return 0


def _answered(
    arguments: argparse.Namespace, configuration: NetworkConfiguration, asked: Asked
) -> ReportQueryResult:
    """What the services answer; says meanwhile how far they are, and under which ID it is charged."""
    identity = _identity(arguments, configuration, asked.submitter)
    streams = read_streams(arguments.query_directory)
    charged: list[str] = []
    with Progress(sys.stderr) as progress:

        def checked(reports: int) -> None:
            """Say under which ID the query can be found, and how many rows progress is of."""
            progress.rows = reports
            progress.say(f"ipa submit: query {asked.query_id}")

        def say_charged() -> None:
            """Say once that the query is charged: it may still abort."""
            if not charged:
                charged.append(asked.query_id)
                progress.say(f"ipa submit: charged {asked.query_id}")

        waiting = Waiting(
            timeout=arguments.timeout,
            reach=min(_REACH_SECONDS, arguments.timeout),
            on_step=progress.step,
            on_charged=say_charged,
        )
        result = ask_services(
            configuration,
            identity,
            streams,
            asked,
            resume=arguments.resume,
            on_checked=checked,
            waiting=waiting,
        )
        if result.receipt is not None:
            say_charged()
    return result


def _identity(
    arguments: argparse.Namespace, configuration: NetworkConfiguration, submitter: str
) -> TlsIdentity:
    """By what the services know the query's report collector.

    Raises: ReportError for a file that holds none, ParameterError for another party's.
    """
    path = arguments.identity
    if path is None:
        path = arguments.network.parent / collector_identity_file_name(submitter)
    identity = load_identity(path)
    if (name := collector_of(configuration, identity.certificate)) != submitter:
        raise ParameterError(
            f"{arguments.query_directory}: the query is report collector {submitter}'s to submit, and "
            f"{path} is the identity of {name}"
        )
    return identity
