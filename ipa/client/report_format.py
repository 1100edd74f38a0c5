"""The bytes of one report for one helper, and how its fields become shares.

A report's record in the query stream, version 2 (ipa.client.encoding):

    u8       kind: 1 source, 2 trigger
    u32      the match key's context: its index in the stream's table, from 0
    u16      key_id of the match key's HPKE key
    opaque   the user agent's ciphertext of the match key's shares
    u16      key_id of the HPKE key of the rest
    opaque   packed form: the report collector's ciphertext of all its fields; per-field form:
             three, for attribution constraint ID, timestamp, and breakdown key or trigger value
    plaintext: share i || share i + 1, each big-endian in as few bytes as its width needs;
               two-party: share i
    info: opaque label "ipa v2 report data", opaque helper (u8), opaque query (as in the stream),
          opaque kind (u8), opaque field (u8: 0 packed, 1 to 3 per field), opaque key_id (u16),
          opaque match key ciphertext (so that the two parts of a report cannot be recombined)

The record for helper 3 of a two-party sharing, who is sent no share, ends after the context.

In the packed form the fields are one integer, first field in the highest bits:
attribution_constraint_id || timestamp || breakdown_key or trigger_value. All fields are shared by
XOR (SPEC_NOTES: xor-fields), bit for bit, so splitting the shares of this integer gives shares of
the fields, and every share of w bits stands for a value of w bits.
"""

import struct
from dataclasses import dataclass, field

from ipa.client.encoding import Reader, encode_opaque
from ipa.client.encrypted_match_key import SealedShares
from ipa.client.fanout_query import FanoutQuery, FieldWidths
from ipa.client.rejection import Reason, reject
from ipa.parameters import ReportKind

_LABEL = b"ipa v2 report data"
# The fixed part up to the match key's ciphertext, read in one go.
_HEAD = struct.Struct(">BIHH")
_BARE = struct.Struct(">BI")
_CONTEXT_INDEX = slice(1, 5)
_AFTER_CONTEXT_INDEX = slice(5, None)
_LENGTH_BYTES = 2
_KEY_ID_BYTES = 2
_KIND_CODES: dict[ReportKind, int] = {"source": 1, "trigger": 2}
_KINDS = {code: kind for kind, code in _KIND_CODES.items()}


@dataclass(frozen=True)
class Record:
    """One report for one helper, taken apart but not opened."""

    kind: ReportKind
    context_index: int
    match_key: SealedShares
    data_key_id: int
    data: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class BareRecord:
    """One report for a helper that is sent no share of it."""

    kind: ReportKind
    context_index: int


def write_bare_record(record: BareRecord) -> bytes:
    """The byte format of a record without ciphertexts."""
    return _BARE.pack(_KIND_CODES[record.kind], record.context_index)


def read_bare_record(data: bytes) -> BareRecord:
    """Take a record without ciphertexts apart.

    Raises: ReportError MALFORMED when it is none.
    """
    reader = Reader(data, "the report")
    code, context = reader.integers(_BARE)
    reader.finish()
    return BareRecord(_kind(code), context)


def write_record(record: Record) -> bytes:
    """The byte format of a record."""
    return b"".join(
        [
            bytes([_KIND_CODES[record.kind]]),
            record.context_index.to_bytes(4, "big"),
            record.match_key.key_id.to_bytes(2, "big"),
            encode_opaque(record.match_key.ciphertext),
            record.data_key_id.to_bytes(2, "big"),
            *map(encode_opaque, record.data),
        ]
    )


def read_record(data: bytes, query: FanoutQuery) -> Record:
    """Take a record of `query` apart.

    Raises: ReportError MALFORMED when it is none.
    """
    reader = Reader(data, "the report")
    code, context, match_key_id, length = reader.integers(_HEAD)
    kind = _kind(code)
    match_key = SealedShares(match_key_id, reader.take(length))
    key_id = reader.integer(2)
    ciphertexts = tuple([reader.opaque() for _ in ciphertext_widths(query, kind)])
    reader.finish()
    return Record(kind, context, match_key, key_id, ciphertexts)


def _kind(code: int) -> ReportKind:
    kind = _KINDS.get(code)
    if kind is None:
        reject(Reason.MALFORMED, "the report is neither a source nor a trigger report")
    return kind


def field_widths(widths: FieldWidths, kind: ReportKind) -> tuple[int, int, int]:
    """Widths of the fields of a source or trigger report, in the order of the format."""
    last = widths.breakdown_key_bits if kind == "source" else widths.value_bits
    return widths.attribution_constraint_id_bits, widths.timestamp_bits, last


def ciphertext_widths(query: FanoutQuery, kind: ReportKind) -> tuple[int, ...]:
    """Widths of the shares in each of the collector's ciphertexts of a report."""
    widths = field_widths(query.widths, kind)
    return (sum(widths),) if query.form == "packed" else widths


def record_context_index(record: bytes) -> bytes:
    """The bytes of a well-formed record that say which context its match key has."""
    return record[_CONTEXT_INDEX]


def record_ciphertexts(record: bytes) -> bytes:
    """The bytes of a well-formed record that hold all its ciphertexts, with key ids and lengths.

    None for a helper that is sent no share.
    """
    return record[_AFTER_CONTEXT_INDEX]


def record_framing_bytes(ciphertexts: int) -> int:
    """How many bytes of a record with that many ciphertexts of the collector are none of them.

    The record's own length in the stream is counted too.
    """
    return _LENGTH_BYTES + _HEAD.size + _KEY_ID_BYTES + _LENGTH_BYTES * ciphertexts


def bare_record_bytes() -> int:
    """How long a record without ciphertexts is, with its own length in the stream."""
    return _LENGTH_BYTES + _BARE.size


def attribute_bits(widths: FieldWidths) -> int:
    """Width of the packed attributes of a generic report: every field the collector adds."""
    return sum(vars(widths).values())


def generic_attributes(packed: int, kind: ReportKind, widths: FieldWidths) -> int:
    """The packed attributes of a generic report, from the packed fields of a report of a kind.

    Works on shares: a zero share stands where a source report has no value, or a trigger report no
    breakdown key.
    """
    if kind == "source":
        return packed << widths.value_bits
    value = packed & ((1 << widths.value_bits) - 1)
    return (packed ^ value) << widths.breakdown_key_bits | value


def attribute_columns(widths: FieldWidths) -> dict[str, slice]:
    """Where each field stands among the bits of the packed attributes, the lowest bit first."""
    columns, start = {}, 0
    for name, width in (
        ("trigger_value", widths.value_bits),
        ("breakdown_key", widths.breakdown_key_bits),
        ("timestamp", widths.timestamp_bits),
        ("attribution_constraint_id", widths.attribution_constraint_id_bits),
    ):
        columns[name] = slice(start, start + width)
        start += width
    return columns


def info_prefix(query: FanoutQuery, helper: int, kind: ReportKind, part: int, key_id: int) -> bytes:
    """The HPKE `info` of the collector's ciphertext number `part`, all but the last item.

    It depends on few things, so a helper makes it once for many reports. info() adds the rest.
    """
    number = 0 if query.form == "packed" else part + 1
    parts = (
        _LABEL,
        bytes([helper]),
        query.to_bytes(),
        bytes([_KIND_CODES[kind]]),
        bytes([number]),
        key_id.to_bytes(2, "big"),
    )
    return b"".join(map(encode_opaque, parts))


def info(prefix: bytes, match_key_ciphertext: bytes) -> bytes:
    """The HPKE `info` of a ciphertext of the collector, from its prefix."""
    return prefix + encode_opaque(match_key_ciphertext)


def pack(values: tuple[int, ...], widths: tuple[int, ...]) -> int:
    """Concatenate values (or shares of them), the first in the highest bits."""
    packed = 0
    for value, width in zip(values, widths, strict=True):
        packed = packed << width | value
    return packed


def unpack(packed: int, widths: tuple[int, ...]) -> tuple[int, ...]:
    """The inverse of pack."""
    values = []
    for width in reversed(widths):
        values.append(packed & ((1 << width) - 1))
        packed >>= width
    return tuple(reversed(values))
