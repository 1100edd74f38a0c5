"""The three ledgers of a simulated network in a directory, and what they say together.

    DIRECTORY/commitments.board    the commitment board, unless it is elsewhere
    DIRECTORY/helper1.ledger       the ledger of helper 1; likewise helpers 2 and 3

In a deployment each helper keeps its own ledger, and this file is not used.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ipa.budget.append_only import reading
from ipa.budget.board import CommitmentBoard, FileBoard
from ipa.budget.commitments import BudgetTerms
from ipa.budget.composition import EpsilonDelta, composed, left_of
from ipa.budget.ledger import Ledger, create_ledger
from ipa.budget.ledger_tables import KIND, QUERY_COLUMNS, query_from_row, read_settings
from ipa.budget.transparency import QueryRecord
from ipa.display.records import Records, record_html
from ipa.errors import InputError
from ipa.parties import HELPERS

Ledgers = tuple[Ledger, Ledger, Ledger]
"""The ledgers of helpers 1, 2 and 3."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The state of one report collector's budget in one epoch."""

    site: str
    epoch: int
    report_collector: str
    granted: EpsilonDelta
    spent: EpsilonDelta

    _repr_html_ = record_html

    @property
    def remaining(self) -> EpsilonDelta:
        """What queries may still ask for."""
        return left_of(self.granted, self.spent)


def ledgers_in(directory: Path, board: CommitmentBoard | None = None) -> Ledgers:
    """The three ledgers in the directory, with its own board or the one that is given.

    Raises: InputError if there is no such directory.
    """
    try:
        found = directory.is_dir()
    except OSError as error:
        raise InputError(
            f"{directory}: the budget ledgers are out of reach: {error.strerror}"
        ) from error
    if not found:
        raise InputError(
            f"{directory}: there are no budget ledgers here; create them first, in a directory"
        )
    read = board_in(directory) if board is None else board
    first, second, third = (
        Ledger(directory / f"helper{helper}.ledger", read) for helper in HELPERS
    )
    return first, second, third


def board_in(directory: Path) -> FileBoard:
    """The directory's own board, which need not be there."""
    return FileBoard(directory / "commitments.board")


def create_ledgers(
    directory: Path, terms: BudgetTerms, *, network_name: str, board: Path | None = None
) -> Ledgers:
    """Create the three ledgers, the directory, and the board if it is not there.

    Doing it again with the same arguments, also after a kill, changes nothing.

    Raises: BudgetError if there are ledgers or a board with other settings; InputError if the
    directory cannot be made.
    """
    try:
        directory.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{directory}: the budget ledgers cannot be created: {error.strerror}"
        ) from error
    made = FileBoard.create(board_in(directory).path if board is None else board, terms)
    ledgers = ledgers_in(directory, made)
    for helper, ledger in zip(HELPERS, ledgers, strict=True):
        create_ledger(ledger, network_name=network_name, helper=helper)
    return ledgers


def queries(*ledgers: Ledger) -> tuple[QueryRecord, ...]:
    """All queries that any of the ledgers has on record, in the order in which they were charged.

    Spec: Transparency of Queries. What is not on record in all of them is spent all the same.
    """
    found: dict[str, QueryRecord] = {}
    for ledger in ledgers:
        with reading(ledger.path, KIND) as file:
            for row in file.execute(f"SELECT {QUERY_COLUMNS} FROM query ORDER BY number"):
                query = query_from_row(row)
                found.setdefault(query.query_id, query)
    return Records(found.values())


def unsettled(ledgers: Sequence[Ledger]) -> tuple[str, ...]:
    """The ids of the queries that some ledgers have and others lack, because a helper crashed.

    The next query to the same budget settles them.
    """
    known = Counter(query.query_id for ledger in ledgers for query in queries(ledger))
    return tuple(query_id for query_id, times in known.items() if times < len(ledgers))


def outcomes(*ledgers: Ledger) -> dict[str, int]:
    """How many rows were used, by the id of each query that came to its end."""
    found: dict[str, int] = {}
    for ledger in ledgers:
        with reading(ledger.path, KIND) as file:
            found |= file.execute("SELECT query_id, rows_used FROM outcome").fetchall()
    return found


def budgets(*ledgers: Ledger, now: int) -> tuple[Budget, ...]:
    """The budgets of the ledgers' network, by epoch, site and report collector.

    Those of the epochs that are open at the time, and those from which something was spent.
    """
    with reading(ledgers[0].path, KIND) as file:
        own = read_settings(file)
    board, clock = ledgers[0].board, own.terms.clock
    charged = queries(*ledgers)
    running = clock.epoch_at(now)
    epochs = range(max(0, running - clock.open_epochs), running + 1)
    keys = {(epoch, site) for epoch in epochs for site in board.sites()}
    listed = []
    for epoch, site in sorted(keys | {(query.epoch, query.site) for query in charged}):
        found = board.in_force(site, epoch)
        for share in found.shares if found else ():
            paid = [
                query.promise
                for query in charged
                if (query.epoch, query.site, query.report_collector)
                == (epoch, site, share.report_collector)
            ]
            if share.network_name == own.network_name:
                listed.append(
                    Budget(
                        site=site,
                        epoch=epoch,
                        report_collector=share.report_collector,
                        granted=share.budget,
                        spent=composed(paid),
                    )
                )
    return Records(listed)
