"""What helper parties do in a query over encrypted reports: from their streams to shares of the sums.

They compare what they were asked, charge it, open and validate the reports, and run the query. All of
it runs the same with one local helper as with three.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ipa.budget.charging import charge_together
from ipa.budget.composition import EpsilonDelta
from ipa.budget.delta import exact_delta
from ipa.budget.epsilon import exact_epsilon
from ipa.budget.ledger import Ledger, Receipt, record_outcome
from ipa.budget.transparency import QueryRecord
from ipa.client.configuration import HelperKeys
from ipa.client.fanout_query import FanoutQuery, FieldWidths, QueryStream
from ipa.client.rejection import Reason
from ipa.display.records import record_html
from ipa.errors import ParameterError
from ipa.intake.query_comparison import compare_queries
from ipa.intake.report_intake import Intake, take_in_reports
from ipa.names import RegistrableDomain, check_site
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import QueryParameters
from ipa.protocols.match_key_compression import check_compressed_bits, compress_match_keys
from ipa.query import query
from ipa.release import shares_for_collector
from ipa.reports import GenericReports
from ipa.result import noise_in
from ipa.sharing.linear_hash import collision_probability
from ipa.sharing.shared_bits import ColumnPair


@dataclass(frozen=True)
class Received:
    """What helper parties have before the query: their streams, their keys, ledgers if it is paid for."""

    streams: Mapping[int, bytes] = field(repr=False)
    keys: Mapping[int, HelperKeys]
    ledgers: Mapping[int, Ledger]

    def only(self, helper: int) -> "Received":
        """What helper party `helper` alone has."""
        keys = self.keys[helper]
        # New objects: what a key has computed and kept cannot be handed to a process.
        keys = replace(keys, keys=tuple(replace(key) for key in keys.keys))
        ledgers = {helper: self.ledgers[helper]} if self.ledgers else {}
        return Received({helper: self.streams[helper]}, {helper: keys}, ledgers)


@dataclass(frozen=True)
class Charge:
    """What the query is charged, under which ID and when."""

    query_id: str
    charged_at: int
    promise: EpsilonDelta


@dataclass(frozen=True)
class Request:
    """What all helper parties are asked, beside their streams."""

    submitter: str
    parameters: QueryParameters
    compressed_match_key_bits: int | None
    charge: Charge | None


@dataclass(frozen=True)
class Compression:
    """Match keys were hashed to `match_key_bits` bits.

    `collision_probability` bounds the probability that any two of them, as many as there are
    reports at most, became one.
    """

    match_key_bits: int
    collision_probability: Fraction

    _repr_html_ = record_html


@dataclass(frozen=True)
class Answer:
    """One helper's answer: its shares of the sums, and what all helpers say alike.

    The receipt is of its own ledger.
    """

    pair: ColumnPair = field(repr=False)
    query: FanoutQuery
    parameters: QueryParameters
    rows: int
    submitted: int
    dropped: dict[Reason, int]
    receipt: Receipt | None
    compression: Compression | None


def released_answer(
    network: HelperPartyNetwork,
    received: Received,
    request: Request,
    *,
    registrable_domain: RegistrableDomain,
    on_accepted: Callable[[int, Receipt | None], None] | None = None,
) -> dict[int, Answer]:
    """The part of the local helpers, from streams to what each sends to the report collector.

    Raises: the errors of `run_report_query`.
    """
    submitters = dict.fromkeys(network.helpers, request.submitter)
    own_streams = compare_queries(network, received.streams, received.keys, submitters)
    agreed = own_streams[network.helpers[0]].stream
    check_site("the query's site", agreed.query.context.site, registrable_domain)
    parameters = _parameters_for(agreed, request.parameters, request.compressed_match_key_bits)
    charge, receipts = request.charge, dict[int, Receipt]()
    if charge is not None:
        record = _record(charge, agreed.query, len(agreed.records), parameters)
        asked = dict.fromkeys(network.helpers, record)
        receipts = charge_together(network, received.ledgers, asked)
    if on_accepted is not None:
        on_accepted(len(agreed.records), receipts.get(network.helpers[0]))
    intake = take_in_reports(network, own_streams)
    reports, compression = _compressed(network, intake, parameters)
    shared = query(network, reports, parameters, "" if charge is None else charge.query_id)
    if charge is not None:  # before the release, so that no answer is without it
        for ledger in received.ledgers.values():
            record_outcome(ledger, charge.query_id, reports.rows)
    return {
        helper: Answer(
            pair,
            intake.query,
            parameters,
            reports.rows,
            intake.submitted,
            intake.dropped,
            receipts.get(helper),
            compression,
        )
        for helper, pair in shares_for_collector(network, shared).items()
    }


def _compressed(
    network: HelperPartyNetwork, intake: Intake, parameters: QueryParameters
) -> tuple[GenericReports, Compression | None]:
    """The reports with the match keys that the query is for, which may be hashed ones."""
    reports = intake.reports
    if parameters.match_key_bits == intake.query.match_key_bits:
        return reports, None
    hashed = compress_match_keys(network, reports.match_key, parameters.match_key_bits)
    bound = collision_probability(reports.rows, parameters.match_key_bits)
    return replace(reports, match_key=hashed), Compression(parameters.match_key_bits, bound)


def promise_of(parameters: QueryParameters) -> EpsilonDelta:
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


def _record(
    charge: Charge, asked: FanoutQuery, rows: int, parameters: QueryParameters
) -> QueryRecord:
    """What the ledgers have on record of the query."""
    context = asked.context
    return QueryRecord(
        query_id=charge.query_id,
        charged_at=charge.charged_at,
        network_name=context.network_name,
        site=context.site,
        report_collector=context.report_collector,
        epoch=context.epoch,
        match_key_provider=context.match_key_provider,
        fanout=asked.fanout,
        epsilon=charge.promise.epsilon,
        delta=charge.promise.delta,
        mechanism=parameters.mechanism,
        cap=parameters.cap,
        rows=rows,
        breakdowns=parameters.breakdowns,
    )
