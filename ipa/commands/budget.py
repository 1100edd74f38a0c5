"""`ipa budget`: the helpers' budget ledger: what is left, and what sites commit."""

import argparse
import json
import sys
from pathlib import Path
from typing import get_args

from ipa.budget.commitments import CollectorShare, Commitment
from ipa.budget.epsilon import decimal_text, exact_epsilon
from ipa.budget.ledger import (
    Budget,
    budgets,
    check_total,
    commit,
    create_ledger,
    find_receipt,
    queries,
)
from ipa.budget.transparency import ExportFormat, export_queries, published
from ipa.client.key_files import load_configuration
from ipa.client.user_agent import ON_DEVICE
from ipa.commands.output import Table, write_table
from ipa.errors import ParameterError

_EPOCH = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa budget`."""
    parser.add_argument("--ledger", type=Path, required=True, metavar="FILE", help="the ledger")
    shown = parser.add_argument_group("what is shown")
    shown.add_argument(
        "--format", choices=["table", "json"], help="of the budgets (default: table)"
    )
    shown.add_argument(
        "--queries",
        nargs="?",
        choices=get_args(ExportFormat),
        const="jsonl",
        help="show the queries on record instead, as objects of JSON or as CSV (default: jsonl)",
    )
    shown.add_argument(
        "--query-id", metavar="ID", help="show one query and what it left instead, as JSON"
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
    made.add_argument("--epoch", type=int, metavar="E", help=f"the epoch it commits for ({_EPOCH})")
    made.add_argument("--match-key-provider", metavar="P", help=f"default: {ON_DEVICE}")


def run(arguments: argparse.Namespace) -> int:
    """Create and commit as asked, then show the budgets or queries.

    Raises: ParameterError for options that are missing or would be ignored; BudgetError and
    InputError as the ledger does.
    """
    _check_options(arguments)
    if arguments.create is not None or arguments.commit:
        network_name = load_configuration(arguments.network).name
        commitment = _commitment(arguments, network_name) if arguments.commit else None
        if arguments.create is not None:
            site_epsilon = exact_epsilon(arguments.create)
            if commitment is not None:
                check_total(commitment, site_epsilon)  # before there is a ledger, not after
            create_ledger(arguments.ledger, network_name=network_name, site_epsilon=site_epsilon)
        if commitment is not None:
            commit(arguments.ledger, commitment)
    if arguments.query_id is not None:
        print(json.dumps(_receipt(arguments)))
    elif arguments.queries is not None:
        export_queries(queries(arguments.ledger), sys.stdout, arguments.queries)
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


def _check_options(arguments: argparse.Namespace) -> None:
    """Raise ParameterError for options that are missing, or that would be ignored."""
    if arguments.create is not None or arguments.commit:
        if arguments.network is None:
            raise ParameterError("--create and --commit need --network NETWORK_DIR/network.json")
    elif arguments.network is not None:
        raise ParameterError("--network is for --create and --commit")
    if arguments.commit:
        if arguments.site is None:
            raise ParameterError("--commit needs --site, the site that commits")
    else:
        for name in ("site", "epoch", "match_key_provider"):
            if getattr(arguments, name) is not None:
                raise ParameterError(f"--{name.replace('_', '-')} is for --commit")
    shown = [arguments.format, arguments.queries, arguments.query_id]
    if sum(option is not None for option in shown) > 1:
        raise ParameterError("--format, --queries and --query-id exclude each other")


def _receipt(arguments: argparse.Namespace) -> dict[str, int | str]:
    receipt = find_receipt(arguments.ledger, arguments.query_id)
    if receipt is None:
        raise ParameterError(f"{arguments.ledger}: no query {arguments.query_id} was charged")
    left: dict[str, int | str] = {
        "number": receipt.number,
        "remaining": decimal_text(receipt.remaining),
    }
    return published(receipt.query) | left


def _commitment(arguments: argparse.Namespace, network_name: str) -> Commitment:
    provider = arguments.match_key_provider
    shares = []
    for text in arguments.commit:
        collector, equals, epsilon = text.rpartition("=")
        if not equals:
            raise ParameterError(f"--commit must be COLLECTOR=EPSILON, not {text!r}")
        shares.append(CollectorShare(report_collector=collector, epsilon=exact_epsilon(epsilon)))
    return Commitment(
        site=arguments.site,
        epoch=_EPOCH if arguments.epoch is None else arguments.epoch,
        network_name=network_name,
        match_key_provider=ON_DEVICE if provider is None else provider,
        shares=tuple(shares),
    )
