"""What three services cost next to three plain processes that run the same query.

    python examples/service_benchmark.py 65536

Both answer the same encrypted reports, in turn, for exact sums: `services` from the submission to the
result at the report collector; `processes` is `run_report_query` with a process for each helper
party, connected by TLS, with the start of the processes counted. The fastest run of each is compared.
On a quiet machine services take at most 1.3 times as long. Exits with status 1 where sums differ.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import get_args

from ipa import QueryParameters, generate_events
from ipa.client.configuration import HelperKeys, NetworkConfiguration
from ipa.client.key_files import key_file_name, load_configuration, load_helper_keys
from ipa.commands.collect import streams_of_own_query
from ipa.commands.command_line import main as command
from ipa.commands.options import whole_number
from ipa.network.identities import collector_identity_file_name, load_identity
from ipa.network.simulation import RunOptions
from ipa.network.tls_identity import TlsIdentity
from ipa.parameters import Security
from ipa.parties import HELPERS
from ipa.report_query import ReportQueryResult, run_report_query
from ipa.service.asked import Asked
from ipa.service.collector import ask_services
from ipa.service.local_services import free_addresses, start_helper

COLLECTOR = "news.example"


@dataclass(frozen=True)
class Network:
    """Three services that run, with everybody's keys."""

    configuration: NetworkConfiguration
    keys: Sequence[HelperKeys]
    collector: TlsIdentity


@contextmanager
def three_services(directory: Path) -> Iterator[Network]:
    """Helper parties with fresh keys on loopback."""
    with redirect_stdout(StringIO()):
        words = ["--serve", *free_addresses(), "--report-collector", COLLECTOR]
        command(["keygen", "--out", str(directory), *words])
    configuration = load_configuration(directory / "network.json")
    started = []
    try:
        for helper, published in zip(HELPERS, configuration.services, strict=True):
            options = ["--no-budget"]
            started.append(
                start_helper(directory, helper, published.address, options, subprocess.DEVNULL)
            )
        for each in started:
            each.wait_until_listening()
        yield Network(
            configuration,
            [load_helper_keys(directory / key_file_name(helper)) for helper in HELPERS],
            load_identity(directory / collector_identity_file_name(COLLECTOR)),
        )
    finally:
        for each in started:
            each.kill()


def streams_of(count: int, network: Network, parameters: QueryParameters) -> Sequence[bytes]:
    """The three streams over reports of generated events."""
    events = generate_events(count, breakdowns=parameters.breakdowns)
    return streams_of_own_query(events, parameters, network.configuration, COLLECTOR)


def timed(run: Callable[[], ReportQueryResult]) -> tuple[float, list[int]]:
    """How many seconds a query takes, and its sums."""
    started = perf_counter()
    sums = run().result.sums
    return perf_counter() - started, sums


def compare(
    network: Network, streams: Sequence[bytes], parameters: QueryParameters, rounds: int
) -> bool:
    """Print the seconds of each run, and the ratio of the fastest; whether all sums are the same."""
    options = RunOptions(apart=True, tls=True)
    processes = partial(
        run_report_query,
        streams,
        network.keys,
        parameters,
        submitter=COLLECTOR,
        no_budget=True,
        no_noise=True,
        options=options,
    )
    fastest: dict[str, float] = {}
    sums = []
    for number in range(rounds):
        asked = Asked(query_id=f"round-{number}", submitter=COLLECTOR, parameters=parameters)
        services = partial(ask_services, network.configuration, network.collector, streams, asked)
        for name, run in (("processes", processes), ("services", services)):
            seconds, found = timed(run)
            print(f"{name:10} {seconds:8.2f} s", flush=True)
            fastest[name] = min(seconds, fastest.get(name, seconds))
            sums.append(found)
    ratio = fastest["services"] / fastest["processes"]
    print(f"services take {ratio:.2f} times as long as processes")
    return all(found == sums[0] for found in sums)


def main() -> int:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, shown = parser.add_argument, "default: %(default)s"
    add("events", type=whole_number(0), metavar="EVENTS", help="how many reports")
    add("--rounds", type=whole_number(1), default=3, metavar="K", help=shown)
    add("--security", choices=get_args(Security), default="semi-honest", help=shown)
    arguments = parser.parse_args()
    parameters = QueryParameters(breakdowns=16, cap=300, security=arguments.security)
    with TemporaryDirectory() as made, three_services(Path(made, "network")) as network:
        streams = streams_of(arguments.events, network, parameters)
        same = compare(network, streams, parameters, arguments.rounds)
    if not same:
        print("the sums DIFFER")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
