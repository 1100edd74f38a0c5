"""The public record of the queries a helper party network was asked to run.

The spec (Transparency of Queries) suggests publishing statistics per query "to audit the types of
queries being run"; it leaves open which. Ours are the fields of `QueryRecord`, all of them public
parameters, and the number of rows that were used (SPEC_NOTES: query-transparency).
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TextIO, get_args

from ipa.budget.commitments import MAX_NUMBER
from ipa.budget.composition import EpsilonDelta
from ipa.budget.delta import exact_delta
from ipa.budget.epochs import LAST_SECOND, seconds_from_utc_text, utc_text
from ipa.budget.epsilon import exact_epsilon
from ipa.display.records import record_html
from ipa.errors import InputError, ParameterError
from ipa.names import MAX_EPOCH, check_identifier
from ipa.parameters import MAX_BREAKDOWNS, MAX_FIELD_BITS, Fanout, Mechanism
from ipa.ranges import check_integer

ExportFormat = Literal["jsonl", "csv"]


@dataclass(frozen=True, kw_only=True)
class QueryRecord:
    """One query: what is charged for it, to whom, and what the world may know about it.

    `network_name` is that of the helper party network which the reports are encrypted to, and must
    be the ledger's.
    `site` is the site that pays, on whose behalf `report_collector` asks: the source reports' site
    in a source fanout query, the trigger reports' site in a trigger fanout query. The sites of the
    other reports do not appear, because their budgets are not touched. `epoch` is the epoch in
    which the reports' match keys were encrypted (SPEC_NOTES: budget-epoch). `charged_at` is in
    seconds of Unix time, by a helper's clock, or the time that the helpers agreed on. `query_id` is
    the caller's own and must be new. `epsilon` and `delta` are what the query's noise promises, and what
    is charged; `mechanism` is how the noise is made, and with "laplace-per-helper" delta is 0.

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
    delta: Fraction
    mechanism: Mechanism
    cap: int
    rows: int
    breakdowns: int

    _repr_html_ = record_html

    def __post_init__(self) -> None:
        for field in ("query_id", "network_name", "site", "report_collector", "match_key_provider"):
            check_identifier(field, getattr(self, field))
        check_integer("charged_at", self.charged_at, 0, LAST_SECOND)
        check_integer("epoch", self.epoch, 0, MAX_EPOCH)
        check_integer("cap", self.cap, 1, (1 << MAX_FIELD_BITS) - 1)
        check_integer("rows", self.rows, 0, MAX_NUMBER)
        check_integer("breakdowns", self.breakdowns, 1, MAX_BREAKDOWNS)
        for field, choices in (("fanout", get_args(Fanout)), ("mechanism", get_args(Mechanism))):
            if getattr(self, field) not in choices:
                raise ParameterError(f"{field} must be one of {', '.join(choices)}")
        object.__setattr__(self, "epsilon", exact_epsilon(self.epsilon))  # an exact Fraction
        object.__setattr__(self, "delta", exact_delta(self.delta))

    @property
    def promise(self) -> EpsilonDelta:
        """What the query's noise promises, which is what the query is charged."""
        return EpsilonDelta(epsilon=self.epsilon, delta=self.delta)

    def to_bytes(self) -> bytes:
        """The record as helpers compare it: each field as text, behind its length as u16."""
        texts = published(self) | {"charged_at": self.charged_at}
        parts = [str(text).encode() for text in texts.values()]
        return b"".join(len(part).to_bytes(2, "big") + part for part in parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> "QueryRecord":
        """The record that `to_bytes` wrote.

        Raises: InputError for anything else.
        """
        parts = []
        at = 0
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            parts.append(data[at + 2 : end])
            at = end
        try:
            texts = dict(zip(cls.__dataclass_fields__, map(bytes.decode, parts), strict=True))
            numbers = {name: int(texts[name]) for name in _NUMBERS}
            query = cls(**texts | numbers)  # type: ignore[arg-type]  # checked by the class itself
        except (ValueError, TypeError) as error:
            raise InputError("this is no record of a query") from error
        if query.to_bytes() != data:
            raise InputError("this is no record of a query")
        return query

    def question_digest(self) -> bytes:
        """SHA-256 of all that was asked, which is the record without its time."""
        return hashlib.sha256(replace(self, charged_at=0).to_bytes()).digest()


_NUMBERS = ("charged_at", "epoch", "cap", "rows", "breakdowns")


def export_queries(
    queries: Iterable[QueryRecord],
    rows_used: Mapping[str, int],
    out: TextIO,
    form: ExportFormat,
) -> None:
    """Write the records to `out`, one line each: JSON objects, or CSV below a line of names.

    `rows_used` is by query id; a query that is not in it was charged and did not come to its end.
    Both forms carry the same fields. Epsilon and delta are decimals in text, so that no reader makes
    floats of them by accident; `charged_at` is ISO 8601 in UTC.

    Raises: ParameterError for another form.
    """
    rows = ({**published(query), "rows_used": rows_used.get(query.query_id)} for query in queries)
    if form == "jsonl":
        out.writelines(json.dumps(row) + "\n" for row in rows)
    elif form == "csv":
        names = [*QueryRecord.__dataclass_fields__, "rows_used"]
        table = csv.DictWriter(out, names, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    else:
        raise ParameterError(f"the format must be one of {', '.join(get_args(ExportFormat))}")


def published(query: QueryRecord) -> dict[str, str | int]:
    """The record as both exports show it."""
    return {
        **vars(query),
        "charged_at": utc_text(query.charged_at),
        **query.promise.texts(),
    }


def record_from_published(shown: Mapping[str, object]) -> QueryRecord:
    """The record that `published` shows in this way, as it comes out of JSON.

    Raises: InputError for anything else.
    """
    query = None
    with suppress(ValueError, TypeError):
        charged_at = seconds_from_utc_text(shown.get("charged_at"))
        query = QueryRecord(**{**shown, "charged_at": charged_at})  # type: ignore[arg-type]
    if query is None or published(query) != shown:  # which also tells 1 from "1"
        raise InputError("this is no record of a query")
    return query
