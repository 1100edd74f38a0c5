"""A ledger in a notebook: whose it is, and what was charged."""

from pathlib import Path
from typing import Protocol

from ipa.budget.append_only import reading
from ipa.budget.ledger_tables import KIND, QUERY_COLUMNS, query_from_row, read_settings
from ipa.display.markup import Markup
from ipa.display.records import record_facts, records_table
from ipa.display.style import framed, note
from ipa.display.tables import MOST_ENTRIES
from ipa.errors import IpaError


class LedgerFile(Protocol):
    """A ledger, as far as it is shown."""

    @property
    def path(self) -> Path:
        """Its file."""


def ledger_html(ledger: LedgerFile) -> Markup:
    """What the file says now; where it cannot be read, why."""
    title = f"Ledger {ledger.path}"
    try:
        with reading(ledger.path, KIND) as file:
            own = read_settings(file)
            (total,) = file.execute("SELECT count(*) FROM query").fetchone()
            rows = file.execute(
                f"SELECT {QUERY_COLUMNS} FROM query ORDER BY number LIMIT ?", (MOST_ENTRIES,)
            ).fetchall()
    except IpaError as error:
        return framed(title, note(error))
    charged = [query_from_row(row) for row in rows]
    return framed(title, record_facts(own), records_table(charged, total, "queries"))
