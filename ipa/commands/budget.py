"""`ipa budget`: the helpers' budget ledger: what is left, and what sites commit."""

import argparse
import json
import sys
from pathlib import Path

from ipa.budget import Budget, budgets, commit, create_ledger, queries
from ipa.client.key_files import load_network
from ipa.client.user_agent import ON_DEVICE
from ipa.commitments import CollectorShare, Commitment, decimal_text, exact_epsilon
from ipa.errors import ParameterError
from ipa.output import Table, write_table
from ipa.transparency import export_queries


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa budget`."""
    parser.add_argument("--ledger", type=Path, required=True, metavar="FILE", help="the ledger")
    shown = parser.add_argument_group("what is shown")
    shown.add_argument("--format", choices=["table", "json"], default="table")
    shown.add_argument(
        "--queries",
        action="store_true",
        help="show the queries on record instead, an object of JSON in each line",
    )
    made = parser.add_argument_group("creating a ledger, and committing a site's budget")
    made.add_argument(
        "--create", metavar="EPSILON", help="create a ledger: what each site has in every epoch"
    )
    made.add_argument(
        "--commit",
        action="append",
        default=[],
        metavar="COLLECTOR=EPSILON",
        help="what --site allots to a report collector; once for each of them",
    )
    made.add_argument(
        "--network", type=Path, metavar="FILE", help="NETWORK_DIR/network.json, for either"
    )
    made.add_argument("--site", metavar="S", help="the site that commits")
    made.add_argument(
        "--epoch", type=int, default=1, metavar="E", help="the epoch it commits for (%(default)s)"
    )
    made.add_argument(
        "--match-key-provider", default=ON_DEVICE, metavar="P", help="default: %(default)s"
    )


def run(arguments: argparse.Namespace) -> int:
    """Create and commit as asked, then show the budgets."""
    if arguments.create is not None or arguments.commit:
        if arguments.network is None:
            raise ParameterError("--create and --commit need --network NETWORK_DIR/network.json")
        network = load_network(arguments.network).identity
        commitment = _commitment(arguments, network) if arguments.commit else None
        if arguments.create is not None:
            create_ledger(
                arguments.ledger, network=network, site_epsilon=exact_epsilon(arguments.create)
            )
        if commitment is not None:
            commit(arguments.ledger, commitment)
    if arguments.queries:
        export_queries(queries(arguments.ledger), sys.stdout, "jsonl")
    elif arguments.format == "json":
        print(json.dumps([_object(budget) for budget in budgets(arguments.ledger)]))
    else:
        write_table(budget_table(budgets(arguments.ledger)), sys.stdout)
    return 0


def budget_table(granted: tuple[Budget, ...]) -> Table:
    """A row per report collector and epoch."""
    columns = ("epoch", "site", "report collector", "granted", "spent", "remaining")
    rows = [tuple(str(cell) for cell in _object(budget).values()) for budget in granted]
    return Table(columns, rows, left=(1, 2))


def _object(budget: Budget) -> dict[str, int | str]:
    return {
        "epoch": budget.epoch,
        "site": budget.site,
        "report_collector": budget.report_collector,
        "granted": decimal_text(budget.granted),
        "spent": decimal_text(budget.spent),
        "remaining": decimal_text(budget.remaining),
    }


def _commitment(arguments: argparse.Namespace, network: str) -> Commitment:
    if arguments.site is None:
        raise ParameterError("--commit needs --site, the site that commits")
    shares = []
    for text in arguments.commit:
        collector, equals, epsilon = text.rpartition("=")
        if not equals:
            raise ParameterError(f"--commit must be COLLECTOR=EPSILON, not {text!r}")
        shares.append(CollectorShare(report_collector=collector, epsilon=exact_epsilon(epsilon)))
    return Commitment(
        site=arguments.site,
        epoch=arguments.epoch,
        network=network,
        match_key_provider=arguments.match_key_provider,
        shares=tuple(shares),
    )
