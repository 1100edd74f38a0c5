"""Fanout queries and the streams in which their reports travel (spec: Querying).

The report collector sends each helper one stream; the three have the same rows in the same order
and differ in the helper's number and key and the ciphertexts alone. Bytes, version 2
(ipa.client.encoding):

    4 bytes  "IPAQ"
    u8       version = 2
    u8       helper the stream is for: 1, 2, 3
    32 bytes fingerprint of the helper's public key that the report collector encrypts with
             (PublicKey.fingerprint)
    query:
      string   network, match_key_provider, report_collector, on_behalf_of, site = on_behalf_of
      u32      epoch
      u8       fanout: 1 source, 2 trigger
      u8       form: 1 packed, 2 per field
      u8       attribution_constraint_id_bits, timestamp_bits, breakdown_key_bits, value_bits
      u16      match_key_bits
      u8       shares: 3 three-party, 2 two-party
    u32      number of contexts, at most that of reports
    u32      number of reports
    contexts: each: string network, match_key_provider, report_collector, on_behalf_of, site;
             u32 epoch: the contexts of the match keys, each written once
    reports: each: opaque record (ipa.client.report_format)
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from ipa.client.encoding import Reader, encode_opaque
from ipa.client.encrypted_match_key import ReportContext, check_version
from ipa.client.keys import FINGERPRINT_BYTES
from ipa.client.rejection import Reason, reject
from ipa.client.shares import SHARE_COUNTS, SHARINGS, Sharing, check_sharing
from ipa.display.records import record_html
from ipa.errors import ParameterError
from ipa.parameters import MAX_FIELD_BITS, MAX_MATCH_KEY_BITS, QueryParameters
from ipa.parameters import Fanout as Fanout
from ipa.parties import HELPERS
from ipa.ranges import check_integer

Form = Literal["packed", "per-field"]

VERSION = 2
MAGIC = b"IPAQ"
FANOUT_CODES: dict[Fanout, int] = {"source": 1, "trigger": 2}
FORM_CODES: dict[Form, int] = {"packed": 1, "per-field": 2}
_FANOUTS = {code: fanout for fanout, code in FANOUT_CODES.items()}
_FORMS = {code: form for form, code in FORM_CODES.items()}
_COUNTS = struct.Struct(">II")
_SHAPE = struct.Struct(">BB4BHB")


@dataclass(frozen=True, kw_only=True)
class FieldWidths:
    """Widths in bits of the fields that the report collector adds.

    Raises: ParameterError when one is not from 1 to 64.
    """

    attribution_constraint_id_bits: int
    timestamp_bits: int
    breakdown_key_bits: int
    value_bits: int

    _repr_html_ = record_html

    def __post_init__(self) -> None:
        for name, width in vars(self).items():
            check_integer(name, width, 1, MAX_FIELD_BITS)

    @classmethod
    def of(cls, parameters: QueryParameters) -> "FieldWidths":
        """The widths a query with these parameters works with."""
        return cls(
            attribution_constraint_id_bits=parameters.attribution_constraint_id_bits,
            timestamp_bits=parameters.timestamp_bits,
            breakdown_key_bits=parameters.breakdown_key_bits,
            value_bits=parameters.value_bits,
        )


@dataclass(frozen=True, kw_only=True)
class FanoutQuery:
    """What must be the same at all helpers before they open a report of a query; public.

    `context` names the network, match key provider, report collector, epoch, and the site on whose
    behalf the collector asks, which is its `site` as well: source reports of a source fanout query,
    and trigger reports of a trigger fanout query, must have exactly this context; the others may come
    from other sites. `match_key_bits` and `sharing` must be the network's.

    Raises: ParameterError for a fanout, form, width or sharing that does not exist, or a context
    whose site is not the one on whose behalf the collector asks.
    """

    context: ReportContext
    fanout: Fanout
    widths: FieldWidths
    match_key_bits: int = 64
    form: Form = "packed"
    sharing: Sharing = "three-party"

    _repr_html_ = record_html

    def __post_init__(self) -> None:
        if self.fanout not in get_args(Fanout):
            raise ParameterError(f"fanout must be source or trigger, not {self.fanout!r}")
        if self.form not in get_args(Form):
            raise ParameterError(f"form must be packed or per-field, not {self.form!r}")
        check_integer("match_key_bits", self.match_key_bits, 1, MAX_MATCH_KEY_BITS)
        check_sharing(self.sharing)
        if self.context.site != self.context.on_behalf_of:
            raise ParameterError(
                f"a query on behalf of {self.context.on_behalf_of!r} is that site's, not "
                f"{self.context.site!r}'s"
            )

    def to_bytes(self) -> bytes:
        """The query in the byte format; bound to every ciphertext the collector makes for it."""
        widths = self.widths
        shape = _SHAPE.pack(
            FANOUT_CODES[self.fanout],
            FORM_CODES[self.form],
            widths.attribution_constraint_id_bits,
            widths.timestamp_bits,
            widths.breakdown_key_bits,
            widths.value_bits,
            self.match_key_bits,
            SHARE_COUNTS[self.sharing],
        )
        return self.context.to_bytes() + shape

    @classmethod
    def read(cls, reader: Reader) -> "FanoutQuery":
        """The next query of a byte string.

        Raises: ReportError MALFORMED when there is none.
        """
        context = ReportContext.read(reader)
        fanout, form, constraint, timestamp, breakdown, value, match_key, shares = reader.integers(
            _SHAPE
        )
        try:
            return cls(
                context=context,
                fanout=_FANOUTS[fanout],
                form=_FORMS[form],
                widths=FieldWidths(
                    attribution_constraint_id_bits=constraint,
                    timestamp_bits=timestamp,
                    breakdown_key_bits=breakdown,
                    value_bits=value,
                ),
                match_key_bits=match_key,
                sharing=SHARINGS[shares],
            )
        except KeyError:
            reject(Reason.MALFORMED, "the query stream's header has a code that does not exist")
        except ParameterError as error:
            reject(Reason.MALFORMED, f"the query stream's header cannot be: {error}")


@dataclass(frozen=True)
class QueryStream:
    """A query stream taken apart, nothing opened yet: `records` are the reports in order.

    All but `helper`, `key_fingerprint` and the ciphertexts in the records must be the same at all
    three helpers. `key_fingerprint` is that of the helper's public key that the report collector
    used: a helper without that key refuses the query (SPEC_NOTES: key-fingerprint).
    """

    helper: int
    key_fingerprint: bytes
    query: FanoutQuery
    contexts: tuple[ReportContext, ...]
    records: tuple[bytes, ...] = field(repr=False)


def write_query_stream(stream: QueryStream) -> bytes:
    """The byte format of a stream."""
    return b"".join(
        [
            MAGIC,
            bytes([VERSION, stream.helper]),
            stream.key_fingerprint,
            stream.query.to_bytes(),
            _COUNTS.pack(len(stream.contexts), len(stream.records)),
            *(context.to_bytes() for context in stream.contexts),
            *map(encode_opaque, stream.records),
        ]
    )


def read_query_stream(data: bytes) -> QueryStream:
    """Take a stream apart.

    A record's own bytes are not looked at: a bad record is refused alone, by decrypt_report. There
    cannot be more contexts than records, which is checked before the first of them is read.

    Raises: ReportError MALFORMED or UNSUPPORTED_VERSION if its header or framing is broken, for
    then it cannot be known which reports it was to hold.
    """
    reader = Reader(data, "the query stream")
    if reader.take(len(MAGIC)) != MAGIC:
        reject(Reason.MALFORMED, "this is not a query stream")
    check_version(reader.integer(1), VERSION, "the query stream")
    helper = reader.integer(1)
    if helper not in HELPERS:
        reject(Reason.MALFORMED, f"the query stream is for helper {helper}; there are 1, 2 and 3")
    fingerprint = reader.take(FINGERPRINT_BYTES)
    query = FanoutQuery.read(reader)
    context_count, record_count = reader.integers(_COUNTS)
    if context_count > record_count:
        reject(
            Reason.MALFORMED,
            f"the query stream has {context_count} contexts for {record_count} reports",
        )
    contexts = tuple([ReportContext.read(reader) for _ in range(context_count)])
    records = tuple([reader.opaque() for _ in range(record_count)])
    reader.finish()
    return QueryStream(helper, fingerprint, query, contexts, records)


def context_table(contexts: Sequence[ReportContext]) -> dict[ReportContext, int]:
    """Each distinct context's index in a stream's table, in order of first appearance."""
    return {context: index for index, context in enumerate(dict.fromkeys(contexts))}
