"""The options of `ipa query` for a query over encrypted reports.

Apart from the rest (ipa.commands.reports), so that a query over events need not load HPKE.
"""

import argparse
from pathlib import Path

from ipa.commands.options import add_site_argument
from ipa.errors import ParameterError


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """What only a query over reports has, all of it optional for the parser."""
    reports = parser.add_argument_group("encrypted reports (instead of events, a QUERY_DIR)")
    reports.add_argument(
        "--keys", type=Path, metavar="NETWORK_DIR", help="the directory of `ipa keygen`"
    )
    reports.add_argument(
        "--ledger", type=Path, metavar="DIR", help="charge the query in the ledgers in here"
    )
    reports.add_argument(
        "--board",
        type=Path,
        metavar="FILE",
        help="the commitment board that the ledgers read (default: the one in DIR)",
    )
    reports.add_argument(
        "--no-budget",
        action="store_true",
        default=None,
        help="charge nothing, so that nothing bounds what such queries reveal",
    )
    reports.add_argument(
        "--query-id", metavar="ID", help="the query's name in the ledger (default: a random one)"
    )
    add_compression_argument(reports)
    add_site_argument(reports)


def add_compression_argument(group: argparse._ArgumentGroup) -> None:
    """Whether match keys are hashed, for every command that asks a query over reports."""
    group.add_argument(
        "--compress-match-keys",
        type=int,
        metavar="W",
        help="sort by a hash of W bits; users can collide, and the probability is shown",
    )


def is_report_query(arguments: argparse.Namespace) -> bool:
    """Whether the query is over a directory of reports.

    Raises: ParameterError for options that do not go with what the query is over.
    """
    only_for_reports = (
        *("keys", "ledger", "board", "no_budget", "query_id"),
        "compress_match_keys",
    )
    given = [name for name in only_for_reports if getattr(arguments, name) is not None]
    if Path(arguments.events).is_dir():
        if arguments.keys is None:
            raise ParameterError(
                f"{arguments.events}: cannot be read: a directory of reports needs --keys"
            )
        if arguments.check:
            raise ParameterError("--check needs events in the clear: these are encrypted reports")
        return True
    if arguments.public_suffixes:
        given.append("public_suffixes")
    if given:
        option = given[0].replace("_", "-")
        raise ParameterError(f"--{option} is for a directory of reports, not {arguments.events}")
    return False
