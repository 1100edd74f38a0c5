"""The public record of the queries a helper party network was asked to run.

The spec (Transparency of Queries) suggests publishing statistics per query "to audit the types of
queries being run"; it leaves open which. Ours are the fields of `QueryRecord`, all of them public
parameters: none depends on what the reports hold (SPEC_NOTES: query-transparency).
"""

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Literal, TextIO, get_args

from ipa.budget.commitments import MAX_NUMBER
from ipa.budget.epsilon import decimal_text, exact_epsilon
from ipa.errors import ParameterError
from ipa.names import MAX_EPOCH, check_identifier
from ipa.parameters import MAX_BREAKDOWNS, MAX_FIELD_BITS, Fanout
from ipa.ranges import check_integer

ExportFormat = Literal["jsonl", "csv"]

LAST_SECOND = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())


@dataclass(frozen=True, kw_only=True)
class QueryRecord:
    """One query: what is charged for it, to whom, and what the world may know about it.

    `network_name` is that of the helper party network which the reports are encrypted to, and must
    be the ledger's.
    `site` is the site that pays, on whose behalf `report_collector` asks: the source reports' site
    in a source fanout query, the trigger reports' site in a trigger fanout query. The sites of the
    other reports do not appear, because their budgets are not touched. `epoch` is the epoch in
    which the reports' match keys were encrypted (SPEC_NOTES: budget-epoch). `charged_at` is in
    seconds of Unix time and comes from the caller. `query_id` is the caller's own and must be new.

    Raises: ParameterError for a malformed name, and for a number out of its range.
    """

    query_id: str
    charged_at: int
    network_name: str
    site: str
    report_collector: str
    epoch: int
    match_key_provider: str
    fanout: Fanout
    epsilon: Fraction
    cap: int
    rows: int
    breakdowns: int

    def __post_init__(self) -> None:
        for field in ("query_id", "network_name", "site", "report_collector", "match_key_provider"):
            check_identifier(field, getattr(self, field))
        check_integer("charged_at", self.charged_at, 0, LAST_SECOND)
        check_integer("epoch", self.epoch, 0, MAX_EPOCH)
        check_integer("cap", self.cap, 1, (1 << MAX_FIELD_BITS) - 1)
        check_integer("rows", self.rows, 0, MAX_NUMBER)
        check_integer("breakdowns", self.breakdowns, 1, MAX_BREAKDOWNS)
        if self.fanout not in get_args(Fanout):
            raise ParameterError(f"fanout must be one of {', '.join(get_args(Fanout))}")
        object.__setattr__(self, "epsilon", exact_epsilon(self.epsilon))  # an exact Fraction


def export_queries(queries: Iterable[QueryRecord], out: TextIO, form: ExportFormat) -> None:
    """Write the records to `out`, one line each: JSON objects, or CSV below a line of names.

    Both forms carry the same fields. Epsilon is a decimal in text, so that no reader makes a float
    of it by accident; `charged_at` is ISO 8601 in UTC.

    Raises: ParameterError for another form.
    """
    rows = map(published, queries)
    if form == "jsonl":
        out.writelines(json.dumps(row) + "\n" for row in rows)
    elif form == "csv":
        names = list(QueryRecord.__dataclass_fields__)
        table = csv.DictWriter(out, names, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    else:
        raise ParameterError(f"the format must be one of {', '.join(get_args(ExportFormat))}")


def published(query: QueryRecord) -> dict[str, str | int]:
    """The record as both exports show it."""
    return {
        **vars(query),
        "charged_at": datetime.fromtimestamp(query.charged_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "epsilon": decimal_text(query.epsilon),
    }
