"""Helper intake: from three encrypted query streams to shared generic reports.

Spec: Validating reports; Oblivious source and trigger reports. Each helper reads, validates and
opens its own stream; then the helpers agree on the rows that all of them can use. A bad report is
dropped alone and counted by reason; only streams that cannot be of one query are refused whole.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipa.client.fanout_query import FanoutQuery, QueryStream, read_query_stream
from ipa.client.networks import HelperKeys
from ipa.client.rejection import Reason
from ipa.client.report_decryption import Decryption, GenericReportShares, decrypt_report
from ipa.errors import ReportError, VerificationError
from ipa.network import HelperPartyNetwork
from ipa.protocols.agreement import aborting_together
from ipa.protocols.broadcast import broadcast
from ipa.protocols.constants import public_columns
from ipa.protocols.report_agreement import (
    ComparedRows,
    Copies,
    agree_on_repeats,
    compare_rows,
)
from ipa.reports import GenericReports
from ipa.sharing.bits import columns_from_rows
from ipa.sharing.replicated import ColumnPair, SharedBits

OpenedRow = GenericReportShares | Reason
"""One helper's shares of a report, or why it refuses the report."""

_DIGEST_BYTES = 32
_COUNT_BYTES = 4
_HEADER_BYTES = 2 * _DIGEST_BYTES + _COUNT_BYTES
_UNREADABLE = bytes(_HEADER_BYTES)

# In a record (ipa.client.report_format): the context's number, and all that follows it.
_CONTEXT = slice(1, 5)
_CIPHERTEXTS = slice(5, None)

# What a helper says of a row, in a byte: 0 for a source report, 1 for a trigger report, or why not.
_SOURCE, _TRIGGER = 0, 1
_REASONS = dict(enumerate(Reason, _TRIGGER + 1))
_CODES = {reason: code for code, reason in _REASONS.items()}


@dataclass(frozen=True)
class OwnStream:
    """One helper's stream, read and found to be for it; no report is opened yet."""

    stream: QueryStream
    decryption: Decryption


@dataclass(frozen=True)
class Intake:
    """The reports that go into the query, and how many were dropped for which reason.

    `submitted` is the number of rows of the streams. Everything but the shares is public.
    """

    query: FanoutQuery
    submitted: int
    reports: GenericReports
    dropped: dict[Reason, int]


def read_own_stream(data: bytes, own: HelperKeys) -> OwnStream:
    """Read the stream sent to the holder of `own`.

    Local. Raises ReportError when its framing is broken or it is for another helper or network.
    """
    stream = read_query_stream(data)
    return OwnStream(stream, Decryption(stream, own))


def open_reports(own: OwnStream) -> list[OpenedRow]:
    """Validate and open every report of a stream, each by itself. Local."""
    rows: list[OpenedRow] = []
    for record in own.stream.records:
        try:
            rows.append(decrypt_report(record, own.decryption))
        except ReportError as error:
            rows.append(Reason(str(error.reason)))  # decrypt_report always names one
    return rows


def agree_on_query(
    network: HelperPartyNetwork, streams: Mapping[int, bytes], keys: Mapping[int, HelperKeys]
) -> dict[int, OwnStream]:
    """Read the local helpers' streams and make sure that all helpers were sent the same query.

    Compares query, contexts and number of reports. Opens no report. Two rounds, 200 bytes per
    helper. Raises ReportError, at all helpers, when a helper cannot read its stream or they differ;
    a helper that lies can have the same effect. Raises VerificationError when a helper does not
    tell everybody the same.
    """
    with aborting_together(network), network.step("intake/query"):
        readable: dict[int, OwnStream] = {}
        broken: list[ReportError] = []
        for number in network.helpers:
            try:
                readable[number] = read_own_stream(streams[number], keys[number])
            except ReportError as error:
                problem = f"the stream of helper {number}: {error.problem}"
                broken.append(ReportError(problem, error.reason))
        headers = {
            number: _header(readable[number].stream) if number in readable else _UNREADABLE
            for number in network.helpers
        }
        told = broadcast(network, headers, _HEADER_BYTES)
    if broken:
        raise broken[0]
    _check_headers(told)
    return readable


def take_in_reports(network: HelperPartyNetwork, streams: Mapping[int, OwnStream]) -> Intake:
    """Open the reports of streams that were agreed on, and share those that all helpers can use.

    A report is used if every helper accepts it as a report of the same kind, every share's two
    holders hold the same copy of it, and to no helper it is a replay of one before it of which all
    this is true (SPEC_NOTES: replays). Dropping is public and the same at all helpers; a report that
    several refuse counts for the first of their reasons. Four rounds, 34 bytes per report, 2 bytes
    per report that was not dropped in the first two, and 128 bytes per helper. A helper that lies
    can drop reports, and everybody sees how many, but cannot add or change one
    (SPEC_NOTES: report-agreement). Raises VerificationError.
    """
    first = next(iter(streams.values())).stream
    query, submitted = first.query, len(first.records)
    with aborting_together(network), network.step("intake"):
        with network.step("open-reports"):
            opened = {number: open_reports(own) for number, own in streams.items()}
        compared = compare_rows(
            network,
            submitted,
            {number: bytes(map(_status, rows)) for number, rows in opened.items()},
            {number: _copies(rows, streams[number].stream) for number, rows in opened.items()},
        )
        _check_statuses(network, compared)
        outcomes = [_outcome(row, compared) for row in range(submitted)]
        agreed = [row for row, reason in enumerate(outcomes) if reason is None]
        repeated = agree_on_repeats(
            network,
            agreed,
            {number: _repeats(own.stream.records, agreed) for number, own in streams.items()},
        )
        for row in repeated:
            outcomes[row] = Reason.DUPLICATE
        kept = [row for row in agreed if row not in repeated]
        reports = _share(network, query, opened, kept, compared.statuses[0])
        return Intake(query, submitted, reports, dict(Counter(filter(None, outcomes))))


def _repeats(records: Sequence[bytes], rows: Sequence[int]) -> bytes:
    """A byte for each of the rows: 1 if its record has all the ciphertexts of one before it.

    No two encapsulations are equal by chance. The same match key ciphertext alone is no replay, for
    user agents return it again within an epoch.
    """
    seen: set[bytes] = set()
    repeats = bytearray()
    for row in rows:
        ciphertexts = records[row][_CIPHERTEXTS]
        repeats.append(ciphertexts in seen)
        seen.add(ciphertexts)
    return bytes(repeats)


def _header(stream: QueryStream) -> bytes:
    contexts = b"".join(context.to_bytes() for context in stream.contexts)
    return (
        hashlib.sha256(stream.query.to_bytes()).digest()
        + hashlib.sha256(contexts).digest()
        + len(stream.records).to_bytes(_COUNT_BYTES, "big")
    )


def _check_headers(told: Mapping[int, bytes]) -> None:
    """Raise ReportError unless all three helpers told the same; a function of what was told."""
    for helper, header in told.items():
        if header == _UNREADABLE:
            raise ReportError(f"helper {helper} cannot read the query stream it was sent")
    parts = (
        ("queries", 0, _DIGEST_BYTES),
        ("contexts", _DIGEST_BYTES, 2 * _DIGEST_BYTES),
        ("numbers of reports", 2 * _DIGEST_BYTES, _HEADER_BYTES),
    )
    for name, start, stop in parts:
        if len({header[start:stop] for header in told.values()}) > 1:
            raise ReportError(f"the query streams differ: the helpers were sent different {name}")


def _status(row: OpenedRow) -> int:
    if isinstance(row, Reason):
        return _CODES[row]
    return _TRIGGER if row.is_trigger else _SOURCE


def _copies(rows: Sequence[OpenedRow], stream: QueryStream) -> Copies:
    """Per row and share, all that must be the same at the share's two holders.

    That is the context, the share of every field, and the nonce of the match key's share; the kind
    is in the status. Rows that are refused have nothing to compare.
    """
    match_key_bytes = (stream.query.match_key_bits + 7) // 8
    attribute_bytes = (_attribute_bits(stream.query) + 7) // 8
    own: list[bytes] = []
    right: list[bytes] = []
    for record, row in zip(stream.records, rows, strict=True):
        for place, copies in enumerate((own, right)):
            copies.append(
                b""
                if isinstance(row, Reason)
                else record[_CONTEXT]
                + row.match_key[place].to_bytes(match_key_bytes, "big")
                + row.nonces[place]
                + row.attributes[place].to_bytes(attribute_bytes, "big")
            )
    return own, right


def _check_statuses(network: HelperPartyNetwork, compared: ComparedRows) -> None:
    largest = max(map(max, compared.statuses)) if compared.statuses[0] else _SOURCE
    if largest > max(_REASONS):
        problem = f"a helper sent the status {largest}, which does not exist"
        raise VerificationError(network.path, problem, network.helpers)


def _outcome(row: int, compared: ComparedRows) -> Reason | None:
    """Why a row is dropped, or None: a function of what all helpers told, equal at all of them."""
    said = {statuses[row] for statuses in compared.statuses}
    reasons = [code for code in said if code in _REASONS]
    if reasons:
        return _REASONS[min(reasons)]
    return Reason.INCONSISTENT if len(said) > 1 or row in compared.differing else None


def _share(
    network: HelperPartyNetwork,
    query: FanoutQuery,
    opened: Mapping[int, Sequence[OpenedRow]],
    kept: Sequence[int],
    statuses: bytes,
) -> GenericReports:
    """The kept rows as columns; all helpers know which are triggers, a trivial sharing."""
    match_keys: dict[int, ColumnPair] = {}
    attributes: dict[int, ColumnPair] = {}
    width = _attribute_bits(query)
    for number, rows in opened.items():
        mine = [row for row in map(rows.__getitem__, kept) if not isinstance(row, Reason)]
        match_keys[number] = (
            columns_from_rows([row.match_key[0] for row in mine], query.match_key_bits),
            columns_from_rows([row.match_key[1] for row in mine], query.match_key_bits),
        )
        attributes[number] = (
            columns_from_rows([row.attributes[0] for row in mine], width),
            columns_from_rows([row.attributes[1] for row in mine], width),
        )
    table = SharedBits(network.name, len(kept), width, attributes)
    widths = query.widths
    value = widths.value_bits
    breakdown_key = value + widths.breakdown_key_bits
    timestamp = breakdown_key + widths.timestamp_bits
    is_trigger = columns_from_rows([statuses[row] == _TRIGGER for row in kept], 1)
    return GenericReports(
        match_key=SharedBits(network.name, len(kept), query.match_key_bits, match_keys),
        attribution_constraint_id=table[timestamp:width],
        timestamp=table[breakdown_key:timestamp],
        is_trigger=public_columns(network, len(kept), is_trigger),
        breakdown_key=table[value:breakdown_key],
        trigger_value=table[0:value],
    )


def _attribute_bits(query: FanoutQuery) -> int:
    return sum(vars(query.widths).values())
