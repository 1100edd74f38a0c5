"""Whether a report is used never depends on what its shares say, whatever a stranger chooses.

The reports' match keys are those of honest devices, with the shares in which an oracle would show
first: all bits zero, all one, the highest alone, any. Each field of a query, a stream and a record is
changed by whoever submits it, at one helper or at all; whatever becomes of one of the reports must
become of all of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
from intake_cases import HOME, PARAMETERS, SHOP
from payment_cases import CHARGED, paying_ledgers, payment_of

from ipa.budget.ledger_directory import queries
from ipa.client.configuration import HelperKeys, NetworkConfiguration, generate_configuration
from ipa.client.encrypted_match_key import (
    EncryptedMatchKey,
    ReportContext,
    SealedShares,
    encrypt_match_key,
)
from ipa.client.fanout_query import (
    FanoutQuery,
    FieldWidths,
    Form,
    QueryStream,
    write_query_stream,
)
from ipa.client.rejection import Reason
from ipa.client.report_collector import CollectedEvent, SourceData, seal_report
from ipa.client.report_format import Record, read_record, write_record
from ipa.client.shares import Sharing
from ipa.errors import ReportError
from ipa.intake.query_comparison import compare_queries
from ipa.intake.report_intake import take_in_reports
from ipa.network.simulation import simulated_network
from ipa.parties import HELPERS
from ipa.report_query import run_report_query
from ipa.sharing.randomness import Randomness

WIDTH = PARAMETERS.match_key_bits
ONES = (1 << WIDTH) - 1
HIGHEST = 1 << WIDTH - 1
MATCH_KEYS = (0, ONES, HIGHEST, HIGHEST - 1, 0x5A3)
CIPHERTEXTS = 32


class Masks(Randomness):
    """A device whose masks happen to be this, and whose nonces are random as ever."""

    def __init__(self, mask: int) -> None:
        super().__init__()
        self.mask = mask

    def random_bits(self, width: int) -> int:
        return self.mask & ((1 << width) - 1)


def randomness() -> list[Randomness]:
    return [Masks(0), Masks(ONES), Masks(HIGHEST), Randomness()]


@dataclass(frozen=True)
class Setting:
    """A network, the query that its honest devices made their match keys for, and these."""

    network: NetworkConfiguration
    keys: tuple[HelperKeys, ...]
    query: FanoutQuery
    match_keys: tuple[EncryptedMatchKey, ...]


def setting(sharing: Sharing, form: Form = "packed") -> Setting:
    network, keys = generate_configuration(HOME.network_name, "X25519", WIDTH, sharing)
    query = FanoutQuery(
        context=HOME,
        fanout="source",
        widths=FieldWidths.of(PARAMETERS),
        match_key_bits=WIDTH,
        form=form,
        sharing=sharing,
    )
    match_keys = tuple(
        encrypt_match_key(match_key, HOME, network, drawn)
        for match_key, drawn in product(MATCH_KEYS, randomness())
    )
    return Setting(network, keys, query, match_keys)


def streams_of(
    made: Setting, query: FanoutQuery, match_keys: Sequence[EncryptedMatchKey]
) -> dict[int, QueryStream]:
    """The streams of a collector that checks nothing and seals its own fields for the query."""
    contexts = (HOME, SHOP)
    table = {HOME: 0, SHOP: 1}
    data = SourceData(attribution_constraint_id=0, timestamp=0, breakdown_key=0)
    rows = [
        seal_report(CollectedEvent(data, each), table, query, made.network, Randomness())
        for each in match_keys
    ]
    return {
        helper: QueryStream(
            helper,
            made.network.encryption_key(helper).fingerprint,
            query,
            contexts,
            tuple(row[helper - 1] for row in rows),
        )
        for helper in HELPERS
    }


def outcome(made: Setting, streams: dict[int, QueryStream]) -> str:
    """What became of the reports, the same for all of them."""
    network = simulated_network()
    keys = dict(zip(HELPERS, made.keys, strict=True))
    data = {helper: write_query_stream(stream) for helper, stream in streams.items()}
    submitters = {h: stream.query.context.report_collector for h, stream in streams.items()}
    try:
        intake = take_in_reports(network, compare_queries(network, data, keys, submitters))
    except ReportError as error:
        return f"refused: {error}"
    fates = set(intake.dropped) | ({"used"} if intake.reports.rows else set())
    assert len(fates) == 1, intake.dropped
    return str(fates.pop())


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


def test_every_field_that_a_collector_chooses_is_changed() -> None:
    chosen = {
        f"{each.__name__}.{field.name}"
        for each in (ReportContext, FieldWidths, FanoutQuery, QueryStream, Record, SealedShares)
        for field in fields(each)
    }
    assert chosen - CONTAINERS == CHANGES.keys()


@pytest.mark.parametrize("sharing", get_args(Sharing))
def test_unchanged_reports_are_all_used(sharing: Sharing) -> None:
    made = setting(sharing)
    assert outcome(made, streams_of(made, made.query, made.match_keys)) == "used"


@pytest.mark.parametrize("helpers", [HELPERS, (1,), (2,)], ids=["all", "H1", "H2"])
@pytest.mark.parametrize("sharing", get_args(Sharing))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_what_becomes_of_a_report_does_not_depend_on_its_shares(
    case: tuple[str, Change], sharing: Sharing, helpers: tuple[int, ...]
) -> None:
    name, change = case
    made = setting(sharing)
    streams = streams_of(made, made.query, made.match_keys)
    bare = sharing == "two-party" and name.split(".")[0] in ("Record", "SealedShares")
    for helper in helpers:
        if not (bare and helper == 3) and not (change is next_ciphertexts and helper == 3):
            streams[helper] = change(streams[helper])
    outcome(made, streams)


@pytest.mark.parametrize("sharing", get_args(Sharing))
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in CHANGES
        if name.split(".")[0] not in ("QueryStream", "Record", "SealedShares")
    ],
)
def test_nor_does_it_if_the_collector_seals_its_fields_for_the_changed_query(
    name: str, sharing: Sharing
) -> None:
    made = setting(sharing)
    plain = streams_of(made, made.query, made.match_keys)
    for change in CHANGES[name]:
        query = change(plain[1]).query
        padded = [
            replace(each, sealed=(*each.sealed, each.sealed[0])[:3]) for each in made.match_keys
        ]
        outcome(made, streams_of(made, query, padded))


@pytest.mark.parametrize("width", [WIDTH - 1, WIDTH + 4])
def test_a_width_of_the_collector_s_choice_tells_no_bit_of_a_match_key(width: int) -> None:
    """The attack: 32 ciphertexts of a device told its highest bit, by how many rows were dropped.

    The query is refused whole. Were a helper's own key file changed as well, nothing would open.
    """
    fates = []
    for match_key in (HIGHEST, 0):
        made = setting("three-party")
        device = [
            encrypt_match_key(match_key, HOME, made.network, Randomness())
            for _ in range(CIPHERTEXTS)
        ]
        streams = streams_of(made, replace(made.query, match_key_bits=width), device)
        refused = outcome(made, streams)
        assert refused.startswith("refused: the stream of helper 1: the query is for three-party")
        keys = tuple(replace(own, match_key_bits=width) for own in made.keys)
        fates.append(outcome(replace(made, keys=keys), streams))
    assert fates == [Reason.CANNOT_DECRYPT, Reason.CANNOT_DECRYPT]


def test_a_query_of_another_width_or_sharing_is_refused_before_it_is_charged(
    tmp_path: Path,
) -> None:
    ledgers = paying_ledgers(tmp_path)
    made = setting("three-party")
    for change, parameters in (
        ({"match_key_bits": WIDTH - 1}, replace(CHARGED, match_key_bits=WIDTH - 1)),
        ({"sharing": "two-party"}, CHARGED),
    ):
        streams = streams_of(made, replace(made.query, **change), made.match_keys[:2])
        with pytest.raises(ReportError) as caught:
            run_report_query(
                [write_query_stream(streams[helper]) for helper in HELPERS],
                made.keys,
                parameters,
                submitter=HOME.report_collector,
                payment=payment_of(ledgers, "q"),
            )
        assert caught.value.reason == Reason.WRONG_MATCH_KEYS
    assert not queries(*ledgers)
