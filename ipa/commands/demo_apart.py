"""`ipa demo --apart`: the worked example answered by three services on loopback, and all that they log."""

import hashlib
import secrets
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TextIO

from ipa.budget.commitments import BudgetTerms, CollectorShare, Commitment
from ipa.budget.epochs import WEEK, EpochClock
from ipa.budget.ledger_directory import budgets, create_ledgers, ledgers_in
from ipa.client.configuration import NetworkConfiguration, generate_configuration
from ipa.client.key_files import NETWORK_FILE, create_network_directory, key_file_name
from ipa.client.user_agent import ON_DEVICE
from ipa.commands.collect import streams_of_own_query
from ipa.commands.demo_logs import read_log, write_logs
from ipa.commands.demo_steps import PARAMETERS
from ipa.commands.keygen import with_services
from ipa.commands.progress import Progress
from ipa.commands.tables import USUAL_WIDTH, Table, write_table, write_text
from ipa.events.worked_example import WORKED_EXAMPLE
from ipa.network.identities import (
    collector_identity_file_name,
    identity_file_name,
    save_identity,
)
from ipa.network.tls_identity import TlsIdentity
from ipa.oracle import query_sql
from ipa.parties import HELPERS
from ipa.report_query import ReportQueryResult
from ipa.service.asked import Asked
from ipa.service.collector import ask_services
from ipa.service.local_services import LocalHelper, free_addresses, local_helpers, log_path
from ipa.service.temporary_directory import TemporaryDirectory, temporary_directory
from ipa.service.watching import Waiting

SITE = "news.example"
"""The site that asks, and its own report collector."""

_GRANTED = Fraction(10)
_CERTIFICATE_DAYS = 1
_FINGERPRINT_BYTES = 4
_GRACE = "1"


@dataclass(frozen=True)
class _Network:
    """What the demonstration has made: a network, what its report collector holds, and the streams."""

    configuration: NetworkConfiguration
    collector: TlsIdentity
    streams: Sequence[bytes]
    directory: TemporaryDirectory

    @property
    def ledgers(self) -> Path:
        """Where the ledgers and the board are."""
        return self.directory.path / "ledger"


def run_apart(stream: TextIO) -> int:
    """Make a network, start it, ask it a query, stop it, and say so to the stream.

    Raises: ParameterError where processes cannot be started this way; InputError when files cannot be
        written; ServiceError when a helper party does not start, or the query has no answer.
    """
    with temporary_directory() as directory:
        network = _new_network(directory)
        _write_keys(network, stream)
        began = datetime.now(UTC)
        options = {
            helper: (
                *("--ledger", str(network.ledgers / f"helper{helper}.ledger")),
                *("--log-format", "json", "--grace", _GRACE),
            )
            for helper in HELPERS
        }
        addresses = [service.address for service in network.configuration.services]
        with local_helpers(directory, addresses, options) as helpers:
            _write_processes(helpers, stream)
            result = _asked(network, stream)
        _write_sums(result, stream)
        _write_charges(network, stream)
        logs = {helper: read_log(log_path(directory.path, helper), began) for helper in HELPERS}
        _section(6, "logs", _TOLD_LOGS, stream)
        write_logs(logs, stream)
    write_text("\n" + _TOLD_END, stream, USUAL_WIDTH)
    return 0


def _new_network(directory: TemporaryDirectory) -> _Network:
    """Write keys, certificates and ledgers, and have devices and report collector make the streams."""
    made, keys = generate_configuration("helpers.example", match_key_bits=PARAMETERS.match_key_bits)
    configuration, identities = with_services(made, free_addresses(), [SITE], _CERTIFICATE_DAYS)
    for name, identity in identities.items():
        save_identity(directory.path / name, identity)
    create_network_directory(directory.path, configuration, keys)
    collector = identities[collector_identity_file_name(SITE)]
    streams = streams_of_own_query(WORKED_EXAMPLE, PARAMETERS, configuration, SITE)
    network = _Network(configuration, collector, streams, directory)
    now = int(time.time())
    terms = BudgetTerms(site_epsilon=_GRANTED, clock=EpochClock(start=now - WEEK, seconds=WEEK))
    ledgers = create_ledgers(network.ledgers, terms, network_name=configuration.name)
    share = CollectorShare(
        report_collector=SITE,
        network_name=configuration.name,
        match_key_provider=ON_DEVICE,
        epsilon=_GRANTED,
    )
    ledgers[0].board.commit(Commitment(site=SITE, epoch=1, shares=(share,)), now=now)
    return network


def _asked(network: _Network, stream: TextIO) -> ReportQueryResult:
    """Say what is submitted, and submit it."""
    asked = Asked(query_id=f"query-{secrets.token_hex(8)}", submitter=SITE, parameters=PARAMETERS)
    _section(3, "query", _TOLD_QUERY.format(query_id=asked.query_id), stream)
    rows = [(f"H{h}", f"{len(s):,}") for h, s in zip(HELPERS, network.streams, strict=True)]
    write_table(Table(("to", "bytes"), rows, text=(0,)), stream)
    stream.flush()
    with Progress(sys.stderr, len(WORKED_EXAMPLE)) as progress:
        return ask_services(
            network.configuration,
            network.collector,
            network.streams,
            asked,
            waiting=Waiting(on_step=progress.step),
        )


def _section(number: int, name: str, told: str, stream: TextIO) -> None:
    """The heading of a section, and what happens in it."""
    between = "\n" if number > 1 else ""
    write_text(f"{between}{number}. {name}: {told}", stream, USUAL_WIDTH)
    stream.write("\n")


def _write_keys(network: _Network, stream: TextIO) -> None:
    _section(1, "keys", _TOLD_KEYS, stream)
    public = network.configuration
    parties = [
        (f"H{h}", f"{key_file_name(h)} {identity_file_name(h)}", service.certificate)
        for h, service in zip(HELPERS, public.services, strict=True)
    ]
    parties += [
        (each.name, collector_identity_file_name(each.name), each.certificate)
        for each in public.report_collectors
    ]
    rows = [(party, files, _fingerprint(pem)) for party, files, pem in parties]
    columns = ("party", "private files", "certificate")
    write_table(Table(columns, rows, text=(0, 1, 2)), stream)


def _fingerprint(certificate: str) -> str:
    """How the SHA-256 of a certificate begins."""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).digest()
    return digest[:_FINGERPRINT_BYTES].hex()


def _write_processes(helpers: Sequence[LocalHelper], stream: TextIO) -> None:
    _section(2, "processes", _TOLD_PROCESSES, stream)
    rows = [(f"H{one.helper}", str(one.process.pid), one.address) for one in helpers]
    write_table(Table(("helper", "process", "address"), rows, text=(0, 2)), stream)
    stream.flush()


def _write_sums(answer: ReportQueryResult, stream: TextIO) -> None:
    noise = answer.result.noise
    _section(4, "sums", _TOLD_SUMS, stream)
    exact = query_sql(WORKED_EXAMPLE, PARAMETERS)
    rows = []
    for key, (total, without) in enumerate(zip(answer.result.sums, exact, strict=True)):
        interval = (
            f"{total - noise.interval_95:,} to {total + noise.interval_95:,}" if noise else ""
        )
        rows.append((str(key), f"{total:,}", interval, f"{without:,}"))
    columns = ("breakdown key", "sum", "95 % interval", "without noise")
    write_table(Table(columns, rows, text=()), stream)


def _write_charges(network: _Network, stream: TextIO) -> None:
    """What each ledger says, read from its file."""
    _section(5, "budget", _TOLD_BUDGET, stream)
    now = int(time.time())
    rows = []
    for helper, ledger in zip(HELPERS, ledgers_in(network.ledgers), strict=True):
        for budget in budgets(ledger, now=now):
            pairs = (budget.granted, budget.spent, budget.remaining)
            rows.append((f"H{helper}", *(",".join(pair.texts().values()) for pair in pairs)))
    columns = ("ledger", "granted", "spent", "remaining")
    write_table(Table(columns, rows, text=(0,)), stream)


_TOLD_KEYS = (
    "Each helper party has made a key to which devices encrypt, and a certificate by which the others "
    f"know it; the report collector of {SITE} has made a certificate, too. What is public of them "
    f"is published in {NETWORK_FILE}. Whoever shows another certificate, or none, is a stranger."
)
_TOLD_PROCESSES = (
    "Three processes on this machine, one for each helper party, each with its own keys and its own "
    "ledger. They listen for each other and for report collectors."
)
_TOLD_QUERY = (
    f"Devices have encrypted the match keys of {len(WORKED_EXAMPLE)} events. The report collector sends "
    "each helper party its own stream of reports, over TLS, and asks for "
    f"{PARAMETERS.breakdowns} sums with noise of epsilon {PARAMETERS.epsilon}. It calls this {{query_id}}."
)
_TOLD_SUMS = (
    "Each helper party hands the report collector its shares, which put together are the sums with "
    "noise. Those without noise nobody has; here they are computed from the events."
)
_TOLD_BUDGET = (
    "What the three ledgers say. Each is charged by its own helper party, before a report is opened. "
    "Budgets are an epsilon and a delta."
)
_TOLD_LOGS = (
    "What each helper party has logged, in milliseconds since the processes were started. No log has a "
    "share, a key or a match key in it."
)
_TOLD_END = "The three processes have ended, and what they had in files is gone."
