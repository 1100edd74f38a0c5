"""A fanout query over encrypted reports: from three query streams to one sum per breakdown key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from ipa.budget.charging import charge_together
from ipa.budget.composition import EpsilonDelta
from ipa.budget.delta import exact_delta
from ipa.budget.epsilon import exact_epsilon
from ipa.budget.ledger import Receipt, record_outcome
from ipa.budget.ledger_directory import Ledgers
from ipa.budget.transparency import QueryRecord
from ipa.client.configuration import HelperKeys
from ipa.client.fanout_query import FanoutQuery, FieldWidths, QueryStream
from ipa.client.rejection import Reason
from ipa.errors import ParameterError
from ipa.intake.query_comparison import OwnStream, compare_queries
from ipa.intake.report_intake import take_in_reports
from ipa.names import RegistrableDomain, check_site, host_itself
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.simulation import DEFAULT_OPTIONS, RunOptions, checked_run_options
from ipa.parameters import QueryParameters
from ipa.parties import HELPERS
from ipa.protocols.match_key_compression import check_compressed_bits, compress_match_keys
from ipa.query import QueryResult, query
from ipa.release import combine_at_collector, shares_for_collector
from ipa.result import check_noise_is_said, noise_in
from ipa.sharing.linear_hash import collision_probability


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
class Compression:
    """Match keys were hashed to `match_key_bits` bits.

    `collision_probability` bounds the probability that any two of them, as many as there are
    reports at most, became one.
    """

    match_key_bits: int
    collision_probability: Fraction


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
    promise = None if payment is None else _charged(parameters)
    network = checked_run_options(options).new_network(parameters.security)
    own_streams = compare_queries(
        network,
        dict(zip(HELPERS, streams, strict=True)),
        dict(zip(HELPERS, helper_keys, strict=True)),
        dict.fromkeys(HELPERS, submitter),
    )
    agreed = own_streams[HELPERS[0]].stream
    check_site("the query's site", agreed.query.context.site, registrable_domain)
    parameters = _parameters_for(agreed, parameters, compressed_match_key_bits)
    receipt = None
    if payment is not None and promise is not None:
        receipt = _pay(network, payment, agreed, parameters, promise)
    if on_accepted is not None:
        on_accepted(len(agreed.records), receipt)
    return _answer(network, own_streams, parameters, payment, receipt)


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


def check_parameters(asked: FanoutQuery, parameters: QueryParameters) -> None:
    """Check that the reports were made with the widths of the parameters.

    Breakdown keys may be wider: when reports are made it need not be known how many the query has.

    Raises: ParameterError that names the width which differs.
    """
    wanted = {"match_key_bits": parameters.match_key_bits, **vars(FieldWidths.of(parameters))}
    made_with = {"match_key_bits": asked.match_key_bits, **vars(asked.widths)}
    for name, width in wanted.items():
        wider = name == "breakdown_key_bits" and made_with[name] > width
        if made_with[name] != width and not wider:
            raise ParameterError(
                f"the reports were made with {name} {made_with[name]}, the query asks for {width}"
            )


def _parameters_for(
    agreed: QueryStream, parameters: QueryParameters, compressed_match_key_bits: int | None
) -> QueryParameters:
    """What the query computes with: with compressed match keys two people can share a cap.

    Raises: ParameterError for parameters that the reports were not made for.
    """
    check_parameters(agreed.query, parameters)
    if compressed_match_key_bits is not None:
        check_compressed_bits(
            agreed.query.match_key_bits, compressed_match_key_bits, len(agreed.records)
        )
        parameters = replace(
            parameters, match_key_bits=compressed_match_key_bits, match_keys_can_collide=True
        )
    return parameters


def _answer(
    network: HelperPartyNetwork,
    own_streams: Mapping[int, OwnStream],
    parameters: QueryParameters,
    payment: Payment | None,
    receipt: Receipt | None,
) -> ReportQueryResult:
    """From the accepted streams to what is released."""
    intake = take_in_reports(network, own_streams)
    reports, compression = intake.reports, None
    if parameters.match_key_bits < intake.query.match_key_bits:
        hashed = compress_match_keys(network, reports.match_key, parameters.match_key_bits)
        reports = replace(reports, match_key=hashed)
        bound = collision_probability(reports.rows, parameters.match_key_bits)
        compression = Compression(parameters.match_key_bits, bound)
    shared = query(network, reports, parameters, payment.query_id if payment else "")
    if payment is not None:  # before the release, so that no answer is without it
        for ledger in payment.ledgers:
            record_outcome(ledger, payment.query_id, reports.rows)
    sums = combine_at_collector(
        shares_for_collector(network, shared),
        parameters.breakdowns,
        signed=parameters.epsilon is not None,
    )
    result = QueryResult(sums, reports.rows, parameters, network.costs)
    return ReportQueryResult(
        result, intake.query, intake.submitted, intake.dropped, receipt, compression
    )


def _charged(parameters: QueryParameters) -> EpsilonDelta:
    """What a paid query is charged: the epsilon and the delta of its noise, as ledgers count them.

    Raises: ParameterError without noise, for a charge would then promise what nothing keeps, for an
        epsilon that is no whole number of millionths, and for a delta that is no whole multiple of 10^-18.
    """
    noise = noise_in(parameters)
    if noise is None:
        raise ParameterError(
            "a query that is charged needs the noise of an epsilon: exact sums are never paid for"
        )
    return EpsilonDelta(epsilon=exact_epsilon(noise.epsilon), delta=exact_delta(noise.delta))


def _pay(
    network: HelperPartyNetwork,
    payment: Payment,
    agreed: QueryStream,
    parameters: QueryParameters,
    promise: EpsilonDelta,
) -> Receipt:
    """Charge the query in the three ledgers; what helper 1's has on record of it."""
    record = _record(payment, agreed.query, len(agreed.records), parameters, promise)
    ledgers = dict(zip(HELPERS, payment.ledgers, strict=True))
    return charge_together(network, ledgers, dict.fromkeys(HELPERS, record))[HELPERS[0]]


def _record(
    payment: Payment,
    asked: FanoutQuery,
    rows: int,
    parameters: QueryParameters,
    promise: EpsilonDelta,
) -> QueryRecord:
    """What the ledgers have on record of the query."""
    context = asked.context
    return QueryRecord(
        query_id=payment.query_id,
        charged_at=payment.charged_at,
        network_name=context.network_name,
        site=context.site,
        report_collector=context.report_collector,
        epoch=context.epoch,
        match_key_provider=context.match_key_provider,
        fanout=asked.fanout,
        epsilon=promise.epsilon,
        delta=promise.delta,
        mechanism=parameters.mechanism,
        cap=parameters.cap,
        rows=rows,
        breakdowns=parameters.breakdowns,
    )
