"""The public record of queries as anybody may ask for it, and as often as anybody likes."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from ipa.budget.ledger import Ledger
from ipa.budget.ledger_directory import outcomes, queries
from ipa.budget.transparency import export_queries
from ipa.service.routes import RECORD_FORM

REST = 20.0
"""How many times as long as it took to read it a record is handed out without reading it again."""


@dataclass
class PublicRecord:
    """The record as it was read last.

    Reading a long ledger takes a processor for a while, and runs need it too. So one request at a time
    reads it, and together they take a twentieth of a processor at most, however many strangers ask.
    `clock` gives seconds that never go back.
    """

    clock: Callable[[], float] = monotonic
    _text: bytes = field(default=b"", repr=False)
    _good_until: float = float("-inf")
    _lock: Lock = field(default_factory=Lock)

    def of(self, ledger: Ledger) -> bytes:
        """The queries in the ledger, an object of JSON on each line.

        Raises: InputError when the ledger cannot be read; BudgetError when it stays locked.
        """
        with self._lock:
            begun = self.clock()
            if begun >= self._good_until:
                out = io.StringIO()
                export_queries(queries(ledger), outcomes(ledger), out, RECORD_FORM)
                self._text = out.getvalue().encode()
                read = self.clock()
                self._good_until = read + REST * (read - begun)
            return self._text
