"""A fanout query over encrypted reports: from three query streams to one sum per breakdown key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ipa.budget.ledger import Ledger, Receipt
from ipa.budget.ledger_directory import Ledgers
from ipa.client.configuration import HelperKeys
from ipa.client.fanout_query import FanoutQuery
from ipa.client.rejection import Reason
from ipa.display.records import html_of
from ipa.display.style import framed
from ipa.display.tables import facts, folded
from ipa.errors import ParameterError
from ipa.names import RegistrableDomain, host_itself
from ipa.network.costs import Cost
from ipa.network.simulation import (
    DEFAULT_OPTIONS,
    RunOptions,
    checked_run_options,
    new_run_name,
)
from ipa.parameters import QueryParameters
from ipa.parties import HELPERS
from ipa.query import QueryResult
from ipa.release import combine_at_collector
from ipa.report_answer import (
    Answer,
    Charge,
    Compression,
    Received,
    Request,
    promise_of,
    released_answer,
)
from ipa.result import check_noise_is_said


@dataclass(frozen=True, kw_only=True)
class Payment:
    """Where a query is charged: the ledgers of helpers 1, 2 and 3.

    What it is charged is the epsilon and the delta that its noise promises
    (SPEC_NOTES: charge-first). `query_id` must be new to the ledgers; `charged_at` is Unix time in
    seconds.
    """

    ledgers: Ledgers
    query_id: str
    charged_at: int


@dataclass(frozen=True)
class ReportQueryResult:
    """What a query over encrypted reports released.

    `result.rows` is the number of reports used, `submitted` that of the reports in the streams;
    `dropped` counts the others by the rule they broke.
    """

    result: QueryResult
    query: FanoutQuery
    submitted: int
    dropped: dict[Reason, int]
    receipt: Receipt | None = None
    compression: Compression | None = None

    def _repr_html_(self) -> str:
        counts = [("reports submitted", f"{self.submitted:,}")]
        counts += [(f"dropped: {reason}", f"{n:,}") for reason, n in self.dropped.items()]
        parts = [
            ("query", self.query),
            ("receipt", self.receipt),
            ("compression", self.compression),
        ]
        about = [folded(name, html_of(part)) for name, part in parts if part is not None]
        return framed("Query over encrypted reports", html_of(self.result), facts(counts), *about)


def run_report_query(
    streams: Sequence[bytes],
    helper_keys: Sequence[HelperKeys],
    parameters: QueryParameters,
    *,
    submitter: str,
    payment: Payment | None = None,
    no_budget: bool = False,
    compressed_match_key_bits: int | None = None,
    no_noise: bool = False,
    registrable_domain: RegistrableDomain = host_itself,
    options: RunOptions = DEFAULT_OPTIONS,
    on_accepted: Callable[[int, Receipt | None], None] | None = None,
) -> ReportQueryResult:
    """Answer the query of three streams (spec: Querying), simulating three helpers and the release.

    `streams` and `helper_keys` are those of helpers 1, 2 and 3; `submitter` is who sent the streams,
    and must be the query's report collector (SPEC_NOTES: who-asks). Its site must be what
    `registrable_domain` says that it is (SPEC_NOTES: registrable-domains). With a `payment`, the site must
    have committed to the query's network, provider and collector, and epsilon and delta are charged in
    all three ledgers before any report is opened (SPEC_NOTES: charge-first). Without, `no_budget` must be
    True: nothing then bounds what such queries reveal (SPEC_NOTES: no-budget). Bad reports are dropped;
    breakdown keys of `parameters.breakdowns` or more count nowhere (SPEC_NOTES: breakdown-range).

    `on_accepted` is called with the number of reports and the receipt before any report is opened.
    Without `parameters.epsilon`, `no_noise` must be True. With compressed match keys noise is for 2 cap.

    Raises: ParameterError for what cannot be asked of these reports; ReportError when the streams are
        not of one query; BudgetError when it is not paid for, and InputError when a ledger cannot be
        used; MisbehaviourError when a helper deviates.
    """
    check_noise_is_said(parameters, no_noise)
    _check_request(streams, helper_keys, payment, no_budget=no_budget)
    options = checked_run_options(options)
    received, charge = _received(streams, helper_keys, payment, parameters)
    callbacks: dict[str, Callable[..., object]] = {"registrable_domain": registrable_domain}
    if on_accepted is not None:
        callbacks["on_accepted"] = on_accepted
    parts, costs = options.run(
        new_run_name(options.seed),
        parameters.security,
        released_answer,
        received,
        Request(submitter, parameters, compressed_match_key_bits, charge),
        **callbacks,
    )
    return released_result(parts, parameters, costs)


def _received(
    streams: Sequence[bytes],
    helper_keys: Sequence[HelperKeys],
    payment: Payment | None,
    parameters: QueryParameters,
) -> tuple[Received, Charge | None]:
    """What each helper has before the query, and what they charge together."""
    ledgers: dict[int, Ledger] = {}
    charge = None
    if payment is not None:
        ledgers = dict(zip(HELPERS, payment.ledgers, strict=True))
        charge = Charge(payment.query_id, payment.charged_at, promise_of(parameters))
    of_streams = dict(zip(HELPERS, streams, strict=True))
    return Received(of_streams, dict(zip(HELPERS, helper_keys, strict=True)), ledgers), charge


def released_result(
    parts: Mapping[int, Answer], parameters: QueryParameters, costs: dict[str, Cost]
) -> ReportQueryResult:
    """What the report collector makes of the helpers' answers, which say alike all but their shares.

    Raises: VerificationError, step `release`, when two copies of a share differ.
    """
    answer = parts[HELPERS[0]]
    sums = combine_at_collector(
        {helper: part.pair for helper, part in parts.items()},
        parameters.breakdowns,
        signed=parameters.epsilon is not None,
    )
    result = QueryResult(sums, answer.rows, answer.parameters, costs)
    return ReportQueryResult(
        result, answer.query, answer.submitted, answer.dropped, answer.receipt, answer.compression
    )


def _check_request(
    streams: Sequence[bytes],
    helper_keys: Sequence[HelperKeys],
    payment: Payment | None,
    *,
    no_budget: bool,
) -> None:
    """Check what cannot be asked whatever is in the streams.

    Raises: ParameterError.
    """
    if (payment is None) != no_budget:
        raise ParameterError(
            "a query over encrypted reports needs a payment, or says no_budget=True; not both"
        )
    for name, found in (("streams", streams), ("helper keys", helper_keys)):
        if len(found) != len(HELPERS):
            raise ParameterError(f"there must be {name} for 3 helpers, not {len(found)}")
