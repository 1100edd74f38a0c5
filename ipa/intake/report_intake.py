"""Helper intake: from three encrypted query streams to shared generic reports.

Spec: Validating reports; Oblivious source and trigger reports. Each helper reads, validates and
opens its own stream; then they compare, and keep the rows that all of them can use. A bad report is
dropped alone and counted by reason; only streams that cannot be of one query are refused whole.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipa.client.fanout_query import FanoutQuery, QueryStream
from ipa.client.rejection import Reason
from ipa.client.report_format import (
    attribute_bits,
    attribute_columns,
    record_ciphertexts,
    record_context_index,
)
from ipa.client.shares import encode_shares
from ipa.errors import ReportError, VerificationError
from ipa.intake.query_comparison import OwnStream
from ipa.intake.report_decryption import GenericReportShares, decrypt_report
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parties import right_of
from ipa.protocols.circuits.constants import public_columns
from ipa.protocols.primitives.abort import aborting_together
from ipa.protocols.primitives.report_comparison import (
    ComparedRows,
    Copies,
    compare_repeats,
    compare_rows,
)
from ipa.protocols.primitives.two_party import TwoPartyBits, replicate_two_party
from ipa.reports import GenericReports
from ipa.sharing.bits import columns_from_rows
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.xor import TWO_PARTY_HOLDERS

OpenedRow = GenericReportShares | Reason
"""One helper's shares of a report, or why it refuses the report."""


# What a helper says of a row, in a byte: 0 for a source report, 1 for a trigger report, or why not.
_SOURCE, _TRIGGER = 0, 1
_REASONS = dict(enumerate(Reason, _TRIGGER + 1))
_CODES = {reason: code for code, reason in _REASONS.items()}


@dataclass(frozen=True)
class Intake:
    """The reports that go into the query, and how many were dropped for which reason.

    `submitted` is the number of rows of the streams. Everything but the shares is public.
    """

    query: FanoutQuery
    submitted: int
    reports: GenericReports
    dropped: dict[Reason, int]


def open_reports(own: OwnStream) -> list[OpenedRow]:
    """Validate and open every report of a stream, each by itself. Local."""
    rows: list[OpenedRow] = []
    for record in own.stream.records:
        try:
            rows.append(decrypt_report(record, own.decryption))
        except ReportError as error:
            rows.append(Reason(str(error.reason)))  # decrypt_report always names one
    return rows


def take_in_reports(network: HelperPartyNetwork, streams: Mapping[int, OwnStream]) -> Intake:
    """Open the reports of streams of one query, and share those that all helpers can use.

    A report is used if every helper accepts it as a report of the same kind, every share's two
    holders hold the same copy of it, and to no helper it is a replay of one before it of which all
    this is true (SPEC_NOTES: replays). Dropping is the same at all helpers; a report that several
    refuse counts for the first of their reasons. A helper that lies can drop reports, and everybody
    sees how many, but cannot add one, nor change one (SPEC_NOTES: report-agreement); in a two-party
    sharing helpers 1 and 2 can change what clients say (SPEC_NOTES: two-party).

    Cost: four rounds. Each helper sends 34 bytes for every report, 2 more for every report that was
    not dropped in the first two rounds, and 128 bytes. In a two-party sharing also that of
    `replicate_two_party`, for the match keys and fields of the reports that are used.
    Reveals: which reports are dropped, and for which reason.
    Raises: VerificationError when a helper does not tell everybody the same, or tells what cannot be.
    """
    first = next(iter(streams.values())).stream
    query, submitted = first.query, len(first.records)
    with aborting_together(network), network.step("intake"):
        with network.step("open-reports"):
            opened = {helper: open_reports(own) for helper, own in streams.items()}
        compared = compare_rows(
            network,
            submitted,
            {helper: bytes(map(_status, rows)) for helper, rows in opened.items()},
            {
                helper: _copies(helper, rows, streams[helper].stream)
                for helper, rows in opened.items()
            },
        )
        _check_statuses(network, compared)
        outcomes = [_outcome(row, compared) for row in range(submitted)]
        usable = [row for row, reason in enumerate(outcomes) if reason is None]
        repeated = compare_repeats(
            network,
            usable,
            {helper: _repeats(own.stream.records, usable) for helper, own in streams.items()},
        )
        for row in repeated:
            outcomes[row] = Reason.DUPLICATE
        kept = [row for row in usable if row not in repeated]
        reports = _share(network, query, opened, kept, compared.statuses[0])
        return Intake(query, submitted, reports, dict(Counter(filter(None, outcomes))))


def _repeats(records: Sequence[bytes], rows: Sequence[int]) -> bytes:
    """A byte for each of the rows: 1 if its record has all the ciphertexts of one before it.

    No two encapsulations are equal by chance. The same match key ciphertext alone is no replay, for
    user agents return it again within an epoch. A helper that is sent no share sees no repeat.
    """
    seen: set[bytes] = set()
    repeats = bytearray()
    for row in rows:
        ciphertexts = record_ciphertexts(records[row])
        repeats.append(ciphertexts in seen and ciphertexts != b"")
        seen.add(ciphertexts)
    return bytes(repeats)


def _status(row: OpenedRow) -> int:
    if isinstance(row, Reason):
        return _CODES[row]
    return _TRIGGER if row.is_trigger else _SOURCE


def _copies(helper: int, rows: Sequence[OpenedRow], stream: QueryStream) -> Copies:
    """Per row and share, all that must be the same at the share's two holders.

    That is the context, the share of every field, and the nonce of the match key's share; the kind
    is in the status. Rows that are refused have nothing to compare. In a two-party sharing no share
    has two holders: helpers 1 and 2 compare the nonce that they have in common.
    """
    compared = _nonce_alone if stream.query.sharing == "two-party" else _share_and_nonce
    own: list[bytes] = []
    right: list[bytes] = []
    for record, row in zip(stream.records, rows, strict=True):
        for copies, share in ((own, helper), (right, right_of(helper))):
            copies.append(
                b""
                if isinstance(row, Reason)
                else record_context_index(record) + compared(row, helper, share, stream.query)
            )
    return own, right


def _share_and_nonce(
    row: GenericReportShares, helper: int, share: int, query: FanoutQuery
) -> bytes:
    """What a helper of a three-party sharing compares of the share with this number."""
    place = 0 if share == helper else 1
    return (
        encode_shares((row.match_key[place],), query.match_key_bits)
        + row.nonces[place]
        + encode_shares((row.attributes[place],), attribute_bits(query.widths))
    )


def _nonce_alone(row: GenericReportShares, helper: int, share: int, query: FanoutQuery) -> bytes:
    """The nonce of helpers 1 and 2, compared under the key that those two have in common."""
    return row.nonces[0] if share == right_of(TWO_PARTY_HOLDERS[0]) else b""


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
    width = attribute_bits(query.widths)
    held = {
        helper: [row for row in map(rows.__getitem__, kept) if not isinstance(row, Reason)]
        for helper, rows in opened.items()
    }

    def columns(helper: int, place: int) -> list[int]:
        """One of a helper's shares of all fields: the attributes' columns, then the match key's."""
        attributes = [row.attributes[place] for row in held[helper]]
        match_keys = [row.match_key[place] for row in held[helper]]
        return columns_from_rows(attributes, width) + columns_from_rows(
            match_keys, query.match_key_bits
        )

    everything = width + query.match_key_bits
    if query.sharing == "two-party":
        single = {helper: columns(helper, 0) for helper in held if helper in TWO_PARTY_HOLDERS}
        table = replicate_two_party(
            network, TwoPartyBits(network.name, len(kept), everything, single)
        )
    else:
        pairs = {helper: (columns(helper, 0), columns(helper, 1)) for helper in held}
        table = SharedBits(network.name, len(kept), everything, pairs)
    is_trigger = columns_from_rows([statuses[row] == _TRIGGER for row in kept], 1)
    fields = {name: table[place] for name, place in attribute_columns(query.widths).items()}
    return GenericReports(
        match_key=table[width:],
        is_trigger=public_columns(network, len(kept), is_trigger),
        **fields,
    )
