"""Each field of a query, a stream and a record, changed by whoever submits it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

from intake_cases import PARAMETERS, SHOP

from ipa.client.encrypted_match_key import SealedShares
from ipa.client.fanout_query import Form, QueryStream
from ipa.client.report_format import Record, read_record, write_record
from ipa.client.shares import Sharing

WIDTH = PARAMETERS.match_key_bits


Change = Callable[[QueryStream], QueryStream]
RecordChange = Callable[[Record], Record]


def asked(**changes: Any) -> Change:
    """Another query, of which the records know nothing: the collector has sealed for the first."""
    return lambda stream: replace(stream, query=replace(stream.query, **changes))


def in_context(**changes: Any) -> Change:
    def change(stream: QueryStream) -> QueryStream:
        context = replace(stream.query.context, **changes)
        return replace(stream, query=replace(stream.query, context=context))

    return change


def of_width(name: str, width: int) -> Change:
    def change(stream: QueryStream) -> QueryStream:
        widths = replace(stream.query.widths, **{name: width})
        return replace(stream, query=replace(stream.query, widths=widths))

    return change


def in_record(change: RecordChange) -> Change:
    def changed(stream: QueryStream) -> QueryStream:
        records = tuple(
            write_record(change(read_record(record, stream.query))) for record in stream.records
        )
        return replace(stream, records=records)

    return changed


def with_match_key(change: Callable[[SealedShares], SealedShares]) -> Change:
    return in_record(lambda record: replace(record, match_key=change(record.match_key)))


def next_ciphertexts(stream: QueryStream) -> QueryStream:
    """Each device's match key in the report of the next: the collector's fields stay."""
    records = [read_record(record, stream.query) for record in stream.records]
    moved = [
        replace(record, match_key=following.match_key)
        for record, following in zip(records, records[1:] + records[:1], strict=True)
    ]
    return replace(stream, records=tuple(map(write_record, moved)))


def turned(records: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return records[1:] + records[:1]


WIDTHS = (1, WIDTH - 1, WIDTH + 1, WIDTH + 4, WIDTH + 5, 256)
CHANGES: dict[str, list[Change]] = {
    "ReportContext.network_name": [in_context(network_name="other.example")],
    "ReportContext.match_key_provider": [in_context(match_key_provider="login.example")],
    "ReportContext.report_collector": [in_context(report_collector="evil.example")],
    "ReportContext.on_behalf_of": [in_context(on_behalf_of=SHOP.site, site=SHOP.site)],
    "ReportContext.site": [in_context(on_behalf_of=SHOP.site, site=SHOP.site)],
    "ReportContext.epoch": [in_context(epoch=epoch) for epoch in (0, 6, 8, (1 << 32) - 1)],
    "FieldWidths.attribution_constraint_id_bits": [
        of_width("attribution_constraint_id_bits", width) for width in (1, 2, 4, 64)
    ],
    "FieldWidths.timestamp_bits": [of_width("timestamp_bits", width) for width in (1, 9, 11, 64)],
    "FieldWidths.breakdown_key_bits": [of_width("breakdown_key_bits", w) for w in (1, 3, 64)],
    "FieldWidths.value_bits": [of_width("value_bits", width) for width in (1, 6, 8, 64)],
    "FanoutQuery.fanout": [asked(fanout="trigger")],
    "FanoutQuery.match_key_bits": [asked(match_key_bits=width) for width in WIDTHS],
    "FanoutQuery.form": [asked(form=form) for form in get_args(Form)],
    "FanoutQuery.sharing": [asked(sharing=sharing) for sharing in get_args(Sharing)],
    "QueryStream.helper": [lambda stream: replace(stream, helper=stream.helper % 3 + 1)],
    "QueryStream.key_fingerprint": [lambda stream: replace(stream, key_fingerprint=bytes(32))],
    "QueryStream.contexts": [
        lambda stream: replace(stream, contexts=stream.contexts[::-1]),
        lambda stream: replace(stream, contexts=stream.contexts * 2),
    ],
    "QueryStream.records": [
        lambda stream: replace(stream, records=turned(stream.records)),
        lambda stream: replace(stream, records=stream.records[1:]),
        next_ciphertexts,
    ],
    "Record.kind": [in_record(lambda record: replace(record, kind="trigger"))],
    "Record.context_index": [
        in_record(lambda record: replace(record, context_index=1)),
        in_record(lambda record: replace(record, context_index=2)),
    ],
    "Record.data_key_id": [in_record(lambda record: replace(record, data_key_id=2))],
    "Record.data": [
        in_record(lambda record: replace(record, data=(record.match_key.ciphertext,))),
        in_record(lambda record: replace(record, data=record.data[::-1])),
    ],
    "SealedShares.key_id": [with_match_key(lambda sealed: replace(sealed, key_id=2))],
    "SealedShares.ciphertext": [
        with_match_key(lambda sealed: replace(sealed, ciphertext=sealed.ciphertext[:-1])),
        with_match_key(lambda sealed: replace(sealed, ciphertext=sealed.ciphertext + b"\0")),
    ],
}
CASES = [(name, change) for name, changes in CHANGES.items() for change in changes]
CONTAINERS = {"FanoutQuery.context", "FanoutQuery.widths", "QueryStream.query", "Record.match_key"}
"""Fields whose own fields are in the list."""
