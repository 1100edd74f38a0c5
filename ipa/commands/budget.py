"""`ipa budget`: the helpers' budget ledgers: what is left, and what sites commit."""

import argparse
import json
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import get_args

from ipa.budget.board import FileBoard
from ipa.budget.commitments import BudgetTerms, CollectorShare, Commitment, check_total
from ipa.budget.composition import EpsilonDelta
from ipa.budget.delta import DEFAULT_SHARE_DELTA, DEFAULT_SITE_DELTA, delta_text, exact_delta
from ipa.budget.epochs import WEEK, EpochClock, utc_text
from ipa.budget.epsilon import exact_epsilon
from ipa.budget.ledger import find_receipt
from ipa.budget.ledger_directory import (
    Budget,
    Ledgers,
    board_in,
    budgets,
    create_ledgers,
    ledgers_in,
    outcomes,
    queries,
    unsettled,
)
from ipa.budget.transparency import ExportFormat, export_queries, published
from ipa.client.key_files import load_configuration
from ipa.client.user_agent import ON_DEVICE
from ipa.commands.options import add_site_argument, registrable_domain
from ipa.commands.tables import Table, write_table
from ipa.errors import ParameterError
from ipa.names import site_of

_FOR_CREATE = ("epoch_start", "epoch_seconds", "open_epochs")
_FOR_COMMIT = ("site", "epoch", "match_key_provider")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa budget`."""
    parser.add_argument(
        "--ledger", type=Path, required=True, metavar="DIR", help="the helpers' three ledgers"
    )
    parser.add_argument(
        "--board",
        type=Path,
        metavar="FILE",
        help="the commitment board, where all networks read what sites commit (default: in DIR)",
    )
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
    _add_making(parser.add_argument_group("creating ledgers, and committing a site's budget"))


def _add_making(made: argparse._ArgumentGroup) -> None:
    made.add_argument(
        "--create",
        metavar="EPSILON[,DELTA]",
        help="create ledgers: what each site has in every epoch, such as 2,1e-6 "
        f"(default of DELTA: {delta_text(DEFAULT_SITE_DELTA)})",
    )
    made.add_argument(
        "--commit",
        action="append",
        default=[],
        metavar="COLLECTOR=EPSILON[,DELTA]",
        help="what --site allots to a report collector, such as news.example=1,5e-7; once for each of "
        f"them (default of DELTA: {delta_text(DEFAULT_SHARE_DELTA)})",
    )
    made.add_argument(
        "--network", type=Path, metavar="FILE", help="NETWORK_DIR/network.json, for either"
    )
    made.add_argument("--site", metavar="S", help="the site that commits")
    add_site_argument(made)
    made.add_argument(
        "--epoch", type=int, metavar="E", help="the epoch it commits for (default: the running one)"
    )
    made.add_argument("--match-key-provider", metavar="P", help=f"default: {ON_DEVICE}")
    made.add_argument(
        "--epoch-start",
        type=int,
        metavar="SECONDS",
        help="when epoch 0 began, in Unix time (default: so that epoch 1 begins now)",
    )
    made.add_argument(
        "--epoch-seconds", type=int, metavar="N", help=f"how long an epoch is (default: {WEEK})"
    )
    made.add_argument(
        "--open-epochs",
        type=int,
        metavar="N",
        help="how many epochs after its own a budget can be spent in (default: 1)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Create and commit as asked, then show the budgets or queries.

    Raises: ParameterError for options that are missing or would be ignored; BudgetError and
    InputError as the ledgers do.
    """
    _check_options(arguments)
    now = int(time.time())
    board = None if arguments.board is None else FileBoard(arguments.board)
    if arguments.create is not None or arguments.commit:
        _make(arguments, board, now)
    ledgers = ledgers_in(arguments.ledger, board)
    for query_id in unsettled(ledgers):
        problem = "is charged in some ledgers only; the next query to its budget settles that"
        print(f"ipa budget: query {query_id} {problem}", file=sys.stderr)
    if arguments.query_id is not None:
        print(json.dumps(_receipt(ledgers, arguments)))
    elif arguments.queries is not None:
        export_queries(queries(*ledgers), outcomes(*ledgers), sys.stdout, arguments.queries)
    else:
        listed = budgets(*ledgers, now=now)
        clock = ledgers[0].board.terms.clock
        if arguments.format == "json":
            print(json.dumps([_object(budget, clock) for budget in listed]))
        else:
            write_table(budget_table(listed, clock), sys.stdout)
    return 0


def budget_table(granted: tuple[Budget, ...], clock: EpochClock) -> Table:
    """A row per report collector and epoch; what it has is EPSILON,DELTA as in `--commit`."""
    columns = ("epoch", "closes", "site", "report collector", "granted", "spent", "remaining")
    rows = []
    for budget in granted:
        pairs = (budget.granted, budget.spent, budget.remaining)
        texts = [",".join(pair.texts().values()) for pair in pairs]
        rows.append((*map(str, _about(budget, clock).values()), *texts))
    return Table(columns, rows, text=(1, 2, 3))


def _about(budget: Budget, clock: EpochClock) -> dict[str, int | str]:
    return {
        "epoch": budget.epoch,
        "closes": utc_text(clock.closes_at(budget.epoch)),
        "site": budget.site,
        "report_collector": budget.report_collector,
    }


def _object(budget: Budget, clock: EpochClock) -> dict[str, object]:
    return {
        **_about(budget, clock),
        "granted": budget.granted.texts(),
        "spent": budget.spent.texts(),
        "remaining": budget.remaining.texts(),
    }


def _check_options(arguments: argparse.Namespace) -> None:
    """Check that no option is missing, and none would be ignored.

    Raises: ParameterError.
    """
    if arguments.create is not None or arguments.commit:
        if arguments.network is None:
            raise ParameterError("--create and --commit need --network NETWORK_DIR/network.json")
    elif arguments.network is not None:
        raise ParameterError("--network is for --create and --commit")
    if arguments.commit and arguments.site is None:
        raise ParameterError("--commit needs --site, the site that commits")
    if arguments.public_suffixes and not arguments.commit:
        raise ParameterError("--public-suffixes is for --commit")
    for option, names in (("create", _FOR_CREATE), ("commit", _FOR_COMMIT)):
        for name in names if not getattr(arguments, option) else ():
            if getattr(arguments, name) is not None:
                raise ParameterError(f"--{name.replace('_', '-')} is for --{option}")
    shown = [arguments.format, arguments.queries, arguments.query_id]
    if sum(option is not None for option in shown) > 1:
        raise ParameterError("--format, --queries and --query-id exclude each other")


def _make(arguments: argparse.Namespace, board: FileBoard | None, now: int) -> None:
    """Create the ledgers and commit, or neither if the commitment cannot be."""
    network_name = load_configuration(arguments.network).name
    place = board_in(arguments.ledger) if board is None else board
    if arguments.create is None:
        ledgers_in(arguments.ledger, board)  # a board alone is not where a network's sites commit
        terms = place.terms
    else:
        terms = _terms(arguments, place, now)
    commitment = None
    if arguments.commit:
        commitment = _commitment(arguments, network_name, terms.clock.epoch_at(now))
        # Before there are ledgers, not after.
        check_total(commitment, terms.site_budget)
        if arguments.create is not None:
            terms.clock.check_can_be_committed(commitment.epoch, now, is_first=True)
    if arguments.create is not None:
        create_ledgers(arguments.ledger, terms, network_name=network_name, board=place.path)
    if commitment is not None:
        place.commit(commitment, now=now)


def _terms(arguments: argparse.Namespace, board: FileBoard, now: int) -> BudgetTerms:
    """The terms that are asked for; a clock that is not is the board's, if there is one."""
    seconds = WEEK if arguments.epoch_seconds is None else arguments.epoch_seconds
    clock = EpochClock(start=max(0, now - seconds), seconds=seconds)
    if board.path.exists():
        clock = board.terms.clock
    asked = {
        "start": arguments.epoch_start,
        "seconds": arguments.epoch_seconds,
        "open_epochs": arguments.open_epochs,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    clock = replace(clock, **given)
    granted = _budget_in(arguments.create, DEFAULT_SITE_DELTA)
    return BudgetTerms(site_epsilon=granted.epsilon, site_delta=granted.delta, clock=clock)


def _budget_in(text: str, default_delta: Fraction) -> EpsilonDelta:
    """What EPSILON or EPSILON,DELTA says.

    Raises: ParameterError for anything else.
    """
    epsilon, comma, delta = text.partition(",")
    return EpsilonDelta(
        epsilon=exact_epsilon(epsilon), delta=exact_delta(delta) if comma else default_delta
    )


def _receipt(ledgers: Ledgers, arguments: argparse.Namespace) -> dict[str, object]:
    """The charge in the first ledger that has it."""
    found = (find_receipt(ledger, arguments.query_id) for ledger in ledgers)
    receipt = next((one for one in found if one is not None), None)
    if receipt is None:
        raise ParameterError(f"{arguments.ledger}: no query {arguments.query_id} was charged")
    return {
        **published(receipt.query),
        "rows_used": outcomes(*ledgers).get(arguments.query_id),
        "number": receipt.number,
        "remaining": receipt.remaining.texts(),
    }


def _commitment(arguments: argparse.Namespace, network_name: str, running: int) -> Commitment:
    provider = arguments.match_key_provider
    shares = []
    for text in arguments.commit:
        collector, equals, allotted = text.rpartition("=")
        if not equals:
            raise ParameterError(f"--commit must be COLLECTOR=EPSILON[,DELTA], not {text!r}")
        budget = _budget_in(allotted, DEFAULT_SHARE_DELTA)
        shares.append(
            CollectorShare(
                report_collector=collector,
                network_name=network_name,
                match_key_provider=ON_DEVICE if provider is None else provider,
                epsilon=budget.epsilon,
                delta=budget.delta,
            )
        )
    epoch = max(0, running) if arguments.epoch is None else arguments.epoch
    site = site_of(arguments.site, registrable_domain(arguments))
    return Commitment(site=site, epoch=epoch, shares=tuple(shares))
