"""`--check`: the same query computed in the clear, and whether that makes a difference."""

import sqlite3
import sys
from collections.abc import Sequence

from ipa.events import Event
from ipa.oracle.sql import query_sql
from ipa.parameters import QueryParameters


def sums_by_sql(events: Sequence[Event], parameters: QueryParameters) -> list[int]:
    """The sums that `ipa.oracle.sql.query_sql` computes; Ctrl-C interrupts it like everything else.

    Raises: KeyboardInterrupt after Ctrl-C, also while SQL is running.
    """
    try:
        return query_sql(events, parameters)
    except sqlite3.OperationalError as error:
        # sqlite3 drops what is raised in one of our SQL functions and says only that something
        # was. They raise nothing themselves, so it was KeyboardInterrupt.
        if "user-defined" in str(error):
            raise KeyboardInterrupt from error
        raise


def report_check(command: str, sums: Sequence[int], expected: Sequence[int]) -> int:
    """Say on standard error whether the sums are those expected; the exit status, 0 or 1."""
    pairs = enumerate(zip(sums, expected, strict=True))
    differences = [(key, ours, theirs) for key, (ours, theirs) in pairs if ours != theirs]
    if not differences:
        print(f"{command}: check passed, the oracle computes the same sums", file=sys.stderr)
        return 0
    key, ours, theirs = differences[0]
    more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
    problem = f"breakdown key {key} has {ours} and should have {theirs}{more}"
    print(f"{command}: check failed, {problem}", file=sys.stderr)
    return 1
