"""The report collector: from events and encrypted match keys to a fanout query.

Spec: Additional Data; Generating source and trigger reports by the report collector. The collector
sees its own fields in the clear and never a match key.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from ipa.client.configuration import NetworkConfiguration
from ipa.client.encrypted_match_key import EncryptedMatchKey, ReportContext, match_key_bytes
from ipa.client.fanout_query import (
    FanoutQuery,
    QueryStream,
    context_table,
    write_query_stream,
)
from ipa.client.rejection import Reason, reject
from ipa.client.report_format import (
    BareRecord,
    Record,
    ciphertext_widths,
    field_widths,
    info,
    info_prefix,
    pack,
    unpack,
    write_bare_record,
    write_record,
)
from ipa.client.shares import Shares, encode_shares, share_among, share_holders, shares_held
from ipa.client.validation import check_context
from ipa.errors import EventError, ParameterError, ReportError
from ipa.events import Event, SourceEvent
from ipa.parameters import ReportKind
from ipa.ranges import is_integer
from ipa.sharing.randomness import Randomness


@dataclass(frozen=True, kw_only=True)
class SourceData:
    """What the report collector adds to a source report's match key.

    An attribution constraint ID that is left out is 0 (SPEC_NOTES: constraint-left-out).
    """

    attribution_constraint_id: int = 0
    timestamp: int
    breakdown_key: int


@dataclass(frozen=True, kw_only=True)
class TriggerData:
    """What the report collector adds to a trigger report's match key.

    An attribution constraint ID that is left out is 0 (SPEC_NOTES: constraint-left-out).
    """

    attribution_constraint_id: int = 0
    timestamp: int
    trigger_value: int


@dataclass(frozen=True)
class CollectedEvent:
    """An event as a report collector has it: its own data, and a match key it cannot read."""

    data: SourceData | TriggerData
    match_key: EncryptedMatchKey


def additional_data(event: Event) -> SourceData | TriggerData:
    """The part of a clear event that the report collector sees: all but the match key."""
    constraint, timestamp = event.attribution_constraint_id, event.timestamp
    if isinstance(event, SourceEvent):
        return SourceData(
            attribution_constraint_id=constraint,
            timestamp=timestamp,
            breakdown_key=event.breakdown_key,
        )
    return TriggerData(
        attribution_constraint_id=constraint,
        timestamp=timestamp,
        trigger_value=event.trigger_value,
    )


def assemble_fanout_query(
    query: FanoutQuery,
    events: Sequence[CollectedEvent],
    configuration: NetworkConfiguration,
    randomness: Randomness,
) -> tuple[bytes, bytes, bytes]:
    """The three streams of a fanout query, for helpers 1, 2 and 3, in the order of `events`.

    Each field is shared by XOR and encrypted to the helpers.

    Reveals: to each helper the query, the contexts, and which reports are triggers.
    Raises: before any work, EventError for a field out of range, ReportError for a match key that
    the helpers would refuse, both with the row, which counts from 1; ParameterError for a query
    that is not the network's.
    """
    _check_configuration(query, configuration)
    for row, event in enumerate(events, 1):
        check_event(row, event, query, configuration)
    contexts = context_table([event.match_key.context for event in events])
    reports = [seal_report(event, contexts, query, configuration, randomness) for event in events]

    def stream(helper: int) -> bytes:
        """The bytes for one helper: its record of each report."""
        records = tuple(report[helper - 1] for report in reports)
        fingerprint = configuration.encryption_key(helper).fingerprint
        return write_query_stream(QueryStream(helper, fingerprint, query, tuple(contexts), records))

    return stream(1), stream(2), stream(3)


def seal_report(
    event: CollectedEvent,
    contexts: dict[ReportContext, int],
    query: FanoutQuery,
    configuration: NetworkConfiguration,
    randomness: Randomness,
) -> tuple[bytes, bytes, bytes]:
    """One report's records for helpers 1, 2 and 3; `contexts` is the stream's table of contexts.

    Checks nothing else: assemble_fanout_query checks all.

    Raises: ParameterError when a field does not fit.
    """
    kind, values = _kind_and_values(event.data)
    widths = field_widths(query.widths, kind)
    shares = share_among(pack(values, widths), sum(widths), query.sharing, randomness)
    context_index = contexts[event.match_key.context]

    def record(helper: int) -> bytes:
        """The record for one helper; a bare one for a helper without shares."""
        if helper not in shares:
            return write_bare_record(BareRecord(kind, context_index))
        held = shares[helper]
        return write_record(
            _seal_for(helper, held, kind, context_index, event.match_key, query, configuration)
        )

    return record(1), record(2), record(3)


def _seal_for(
    helper: int,
    shares: Shares,
    kind: ReportKind,
    context_index: int,
    encrypted: EncryptedMatchKey,
    query: FanoutQuery,
    configuration: NetworkConfiguration,
) -> Record:
    """Encrypt one helper's shares, in one ciphertext or one per field."""
    key = configuration.encryption_key(helper)
    match_key = encrypted.sealed[helper - 1]
    widths = ciphertext_widths(query, kind)
    parts = zip(*(unpack(share, widths) for share in shares), strict=True)
    ciphertexts = []
    for part, (held, width) in enumerate(zip(parts, widths, strict=True)):
        prefix = info_prefix(query, helper, kind, part, key.key_id)
        plaintext = encode_shares(held, width)
        ciphertexts.append(key.seal(plaintext, info(prefix, match_key.ciphertext)))
    return Record(kind, context_index, match_key, key.key_id, tuple(ciphertexts))


def check_event(
    row: int, event: CollectedEvent, query: FanoutQuery, configuration: NetworkConfiguration
) -> None:
    """Check that the event can be a report of the query.

    Raises: EventError for a field out of range, ReportError for a match key that the helpers would
    refuse.
    """
    kind, values = _kind_and_values(event.data)
    names = (field.name for field in fields(event.data))
    widths = field_widths(query.widths, kind)
    for name, value, width in zip(names, values, widths, strict=True):
        if not is_integer(value, 0, (1 << width) - 1):
            raise EventError(row, name, f"must be an integer from 0 to {(1 << width) - 1}")
    try:
        check_context(event.match_key.context, kind, query)
        _check_sealed(event.match_key, configuration)
    except ReportError as error:
        raise ReportError(error.problem, error.reason, row) from None


def _check_sealed(encrypted: EncryptedMatchKey, configuration: NetworkConfiguration) -> None:
    """Check that every helper with shares has a ciphertext, under its key and of its length.

    Raises: ReportError.
    """
    holders = share_holders(configuration.sharing)
    if len(encrypted.sealed) != len(holders):
        reject(
            Reason.MALFORMED,
            f"the match key has {len(encrypted.sealed)} ciphertexts, not {len(holders)}",
        )
    for helper, sealed in zip(holders, encrypted.sealed, strict=True):
        keys = (key for key in configuration.helpers[helper - 1] if key.status == "active")
        key = next((key for key in keys if key.key_id == sealed.key_id), None)
        if key is None:
            reject(Reason.UNKNOWN_KEY, f"helper {helper} has no active key {sealed.key_id}")
        count = shares_held(configuration.sharing, helper)
        length = key.overhead + match_key_bytes(configuration.match_key_bits, count)
        if len(sealed.ciphertext) != length:
            reject(
                Reason.MALFORMED,
                f"the match key's ciphertext for helper {helper} has {len(sealed.ciphertext)} "
                f"bytes instead of {length}",
            )


def _kind_and_values(data: SourceData | TriggerData) -> tuple[ReportKind, tuple[int, int, int]]:
    if isinstance(data, SourceData):
        return "source", (data.attribution_constraint_id, data.timestamp, data.breakdown_key)
    return "trigger", (data.attribution_constraint_id, data.timestamp, data.trigger_value)


def _check_configuration(query: FanoutQuery, configuration: NetworkConfiguration) -> None:
    if query.context.network_name != configuration.name:
        raise ParameterError(
            f"the query is for network {query.context.network_name!r}, not {configuration.name!r}"
        )
    if query.match_key_bits != configuration.match_key_bits:
        raise ParameterError(
            f"match keys of network {configuration.name!r} have {configuration.match_key_bits} bits, "
            f"not {query.match_key_bits}"
        )
    if query.sharing != configuration.sharing:
        raise ParameterError(
            f"network {configuration.name!r} takes {configuration.sharing} sharing, "
            f"not {query.sharing}"
        )
