"""A report that breaks one rule is dropped alone: the others' sums stay what they are."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from intake_cases import (
    EVENTS,
    HOME,
    PARAMETERS,
    SHOP,
    World,
    answer,
    assert_only_dropped,
    make_world,
    with_record,
    with_records,
    with_report,
    with_stream,
    world,
)

from ipa.client.configuration import (
    NetworkConfiguration,
    add_key,
    generate_configuration,
    retire_key,
)
from ipa.client.encrypted_match_key import (
    EncryptedMatchKey,
    ReportContext,
    SealedShares,
    encode_match_key,
    encrypt_match_key,
)
from ipa.client.fanout_query import Fanout
from ipa.client.keys import PublicKey, generate_key
from ipa.client.rejection import Reason
from ipa.client.report_collector import CollectedEvent, SourceData, TriggerData, additional_data
from ipa.client.report_format import ciphertext_widths, info, info_prefix, read_record, write_record
from ipa.client.shares import encode_shares
from ipa.errors import ReportError
from ipa.events import TriggerEvent
from ipa.oracle.steps import query_in_steps
from ipa.sharing.randomness import Randomness

MATCH_KEY_BITS = PARAMETERS.match_key_bits
NONCES = (bytes(16), bytes(16))


def match_key_for(
    context: ReportContext, network: NetworkConfiguration | None = None
) -> EncryptedMatchKey:
    """The match key of EVENTS[6], encrypted on a device in another context."""
    network = network or world().network
    sealing = replace(network, name=context.network_name)
    return encrypt_match_key(0x002, context, sealing, Randomness())


def replayed(context: ReportContext) -> World:
    """EVENTS with row 6 made from a match key of another context, honestly labelled."""
    event = CollectedEvent(additional_data(EVENTS[6]), match_key_for(context))
    return with_report(world(), 6, event, world().query)


def relabelled(context: ReportContext) -> World:
    """The same, with the label of the query's own context: a replay that lies."""
    encrypted = replace(match_key_for(context), context=HOME)
    event = CollectedEvent(additional_data(EVENTS[6]), encrypted)
    return with_report(world(), 6, event, world().query)


ELSEWHERE = {
    Reason.WRONG_NETWORK: replace(HOME, network_name="other.example"),
    Reason.WRONG_EPOCH: replace(HOME, epoch=6),
    Reason.WRONG_COLLECTOR: replace(HOME, report_collector="other.example"),
    Reason.WRONG_ASKING_SITE: replace(HOME, on_behalf_of="other.example"),
    Reason.WRONG_PROVIDER: replace(HOME, match_key_provider="login.example"),
    Reason.WRONG_SITE: SHOP,
}


@pytest.mark.parametrize("reason", ELSEWHERE)
def test_a_match_key_of_another_context_is_dropped(reason: Reason) -> None:
    assert_only_dropped(answer(replayed(ELSEWHERE[reason])), {6: reason})


@pytest.mark.parametrize("reason", ELSEWHERE)
def test_a_match_key_of_another_context_cannot_be_relabelled(reason: Reason) -> None:
    assert_only_dropped(answer(relabelled(ELSEWHERE[reason])), {6: Reason.CANNOT_DECRYPT})


@pytest.mark.parametrize("row", range(len(EVENTS)))
def test_source_and_trigger_cannot_be_swapped(row: int) -> None:
    """The kind's byte, at all helpers. A trigger of the shop is out of place as a source report."""
    changed = world()
    for helper in (1, 2, 3):
        record = changed.stream(helper).records[row]
        changed = with_record(changed, helper, row, bytes([3 - record[0]]) + record[1:])
    foreign = isinstance(EVENTS[row], TriggerEvent) and EVENTS[row].site != HOME.site
    reason = Reason.WRONG_SITE if foreign else Reason.CANNOT_DECRYPT
    assert_only_dropped(answer(changed), {row: reason})


def test_a_report_of_another_query_of_the_same_collector_is_dropped() -> None:
    fanout: Fanout = "trigger"
    other = replace(world().query, fanout=fanout)
    encrypted = match_key_for(HOME)
    event = CollectedEvent(additional_data(EVENTS[6]), encrypted)
    changed = with_report(world(), 6, event, other)
    assert_only_dropped(answer(changed), {6: Reason.CANNOT_DECRYPT})


def test_a_report_under_another_network_s_keys_is_dropped() -> None:
    stranger, _ = generate_configuration(HOME.network_name, match_key_bits=MATCH_KEY_BITS)
    event = CollectedEvent(additional_data(EVENTS[6]), match_key_for(HOME, stranger))
    changed = with_report(world(), 6, event, world().query)
    assert_only_dropped(answer(changed), {6: Reason.CANNOT_DECRYPT})


def test_reports_under_a_retired_key_are_dropped_at_all_helpers() -> None:
    old = world()
    network, own = add_key(old.network, old.keys[1])
    network, own = retire_key(network, own, 1, budget_closes=5, now=5)
    rotated = replace(old, keys=(old.keys[0], own, old.keys[2]))
    with pytest.raises(ReportError, match=r"the stream of helper 2: .* it was retired"):
        answer(rotated)
    stream = replace(old.stream(2), key_fingerprint=network.encryption_key(2).fingerprint)
    rotated = with_stream(rotated, 2, stream)
    result = answer(rotated)
    assert result.dropped == {Reason.UNKNOWN_KEY: len(EVENTS)}
    assert result.result.sums == [0] * PARAMETERS.breakdowns
    event = CollectedEvent(additional_data(EVENTS[6]), match_key_for(HOME, network))
    renewed = with_report(replace(rotated, network=network), 6, event, old.query)
    assert answer(renewed).dropped == {Reason.UNKNOWN_KEY: len(EVENTS) - 1}


def test_a_replayed_record_counts_once() -> None:
    changed = world()
    for helper in (1, 2, 3):
        changed = with_records(changed, helper, lambda records: [*records, records[1], records[1]])
    result = answer(changed)
    assert result.dropped == {Reason.DUPLICATE: 2}
    assert (result.submitted, result.result.rows) == (len(EVENTS) + 2, len(EVENTS))
    assert result.result.sums == query_in_steps(EVENTS, PARAMETERS)


def test_a_replayed_record_under_a_repeated_context_counts_once() -> None:
    changed = world()
    for helper in (1, 2, 3):
        stream = changed.stream(helper)
        again = (*stream.contexts, *stream.contexts)
        place = len(stream.contexts).to_bytes(4, "big")
        record = stream.records[0][:1] + place + stream.records[0][5:]
        stream = replace(stream, contexts=again, records=(*stream.records, record))
        changed = with_stream(changed, helper, stream)
    result = answer(changed)
    assert result.dropped == {Reason.DUPLICATE: 1}
    assert result.result.sums == query_in_steps(EVENTS, PARAMETERS)


def test_a_broken_copy_in_front_does_not_take_the_good_report_with_it() -> None:
    changed = world()
    for helper in (1, 2, 3):
        changed = with_records(changed, helper, lambda records: [b"\3" + records[0][1:], *records])
    result = answer(changed)
    assert result.dropped == {Reason.MALFORMED: 1}
    assert result.result.sums == query_in_steps(EVENTS, PARAMETERS)


def test_the_same_match_key_ciphertext_in_two_reports_is_no_replay() -> None:
    """User agents return it again within an epoch."""
    first = make_world(EVENTS[:2])
    encrypted = match_key_for(HOME, first.network)
    changed = first
    both: list[SourceData | TriggerData] = [
        SourceData(attribution_constraint_id=0, timestamp=3, breakdown_key=3),
        TriggerData(attribution_constraint_id=0, timestamp=9, trigger_value=9),
    ]
    for row, data in enumerate(both):
        changed = with_report(changed, row, CollectedEvent(data, encrypted), first.query)
    result = answer(changed)
    assert (result.dropped, result.result.sums) == ({}, [0, 0, 0, 9])


Change = Callable[[bytes], bytes]


def flip(position: int) -> Change:
    """Invert the lowest bit of a byte."""

    def change(record: bytes) -> bytes:
        changed = bytearray(record)
        changed[position] ^= 1
        return bytes(changed)

    return change


MATCH_KEY_END = 9 + 48 + 36

ONE_HELPER: list[tuple[str, Reason, Change]] = [
    ("empty", Reason.MALFORMED, lambda _: b""),
    ("kind 3", Reason.MALFORMED, lambda r: b"\3" + r[1:]),
    ("no such context", Reason.MALFORMED, lambda r: r[:4] + b"\x63" + r[5:]),
    ("too short", Reason.MALFORMED, lambda r: r[:-1]),
    ("too long", Reason.MALFORMED, lambda r: r + b"\0"),
    ("another key id for the match key", Reason.UNKNOWN_KEY, flip(6)),
    ("another key id for the data", Reason.UNKNOWN_KEY, flip(MATCH_KEY_END + 1)),
    ("match key's encapsulation", Reason.CANNOT_DECRYPT, flip(9)),
    ("match key's tag", Reason.CANNOT_DECRYPT, flip(MATCH_KEY_END - 1)),
    ("data's encapsulation", Reason.CANNOT_DECRYPT, flip(MATCH_KEY_END + 4)),
    ("data's tag", Reason.CANNOT_DECRYPT, flip(-1)),
    (
        "encapsulation of low order",
        Reason.CANNOT_DECRYPT,
        lambda r: r[:9] + bytes(32) + r[41:],
    ),
]


@pytest.mark.parametrize("helper", [1, 2, 3])
@pytest.mark.parametrize("case", ONE_HELPER, ids=lambda case: case[0])
def test_what_one_helper_cannot_use_nobody_uses(
    case: tuple[str, Reason, Change], helper: int
) -> None:
    _, reason, change = case
    record = world().stream(helper).records[4]
    changed = with_record(world(), helper, 4, change(record))
    assert_only_dropped(answer(changed), {4: reason})


def resealed(
    helper: int, row: int, *, match_key: bytes | None = None, data: bytes | None = None
) -> World:
    """A record of one helper with other plaintexts, sealed correctly by whoever made the report."""
    now = world()
    record = read_record(now.stream(helper).records[row], now.query)
    public: PublicKey = now.network.encryption_key(helper)
    private = now.keys[helper - 1].keys[0]
    context = replace(HOME, site=EVENTS[row].site)
    prefix = info_prefix(now.query, helper, record.kind, 0, 1)
    plaintext = private.open(record.data[0], info(prefix, record.match_key.ciphertext))
    if match_key is not None:
        sealed = SealedShares(
            1, public.seal(match_key, context.info(helper, 1, MATCH_KEY_BITS, "three-party"))
        )
        record = replace(record, match_key=sealed)
    ciphertext = public.seal(data or plaintext, info(prefix, record.match_key.ciphertext))
    return with_record(now, helper, row, write_record(replace(record, data=(ciphertext,))))


@pytest.mark.parametrize("helper", [1, 2, 3])
@pytest.mark.parametrize("row", [4, 5])
def test_shares_that_do_not_belong_together_are_dropped(helper: int, row: int) -> None:
    """Well-formed, well-sealed, and another value in each pair of helpers: only they can see it."""
    (data_width,) = ciphertext_widths(world().query, "source" if row == 4 else "trigger")
    for match_key, data in (
        (encode_match_key((5, 6), NONCES, MATCH_KEY_BITS), None),
        (None, encode_shares((5, 6), data_width)),
    ):
        changed = resealed(helper, row, match_key=match_key, data=data)
        assert_only_dropped(answer(changed), {row: Reason.INCONSISTENT})


@pytest.mark.parametrize(
    ("match_key", "data", "reason"),
    [
        (bytes(5), None, Reason.MALFORMED),
        (encode_shares((5, 6), 16), None, Reason.MALFORMED),
        (None, bytes(7), Reason.MALFORMED),
    ],
)
def test_plaintexts_that_are_no_shares_are_dropped(
    match_key: bytes | None, data: bytes | None, reason: Reason
) -> None:
    changed = resealed(2, 4, match_key=match_key, data=data)
    assert_only_dropped(answer(changed), {4: reason})


@pytest.mark.parametrize("helper", [1, 2, 3])
@pytest.mark.parametrize("row", [4, 5])
def test_bits_beyond_the_width_are_ignored(row: int, helper: int) -> None:
    """Set at one helper alone: were they looked at, the report would be dropped, or be another."""
    now = world()
    record = read_record(now.stream(helper).records[row], now.query)
    private = now.keys[helper - 1].keys[0]
    context = replace(HOME, site=EVENTS[row].site)
    own_info = context.info(helper, 1, MATCH_KEY_BITS, "three-party")
    match_key = bytearray(private.open(record.match_key.ciphertext, own_info))
    prefix = info_prefix(now.query, helper, record.kind, 0, 1)
    data = bytearray(private.open(record.data[0], info(prefix, record.match_key.ciphertext)))
    (data_width,) = ciphertext_widths(now.query, record.kind)
    for plaintext, width in ((match_key, MATCH_KEY_BITS), (data, data_width)):
        for start in (0, len(plaintext) // 2):
            plaintext[start] |= 0xFF << width % 8 & 0xFF
    assert MATCH_KEY_BITS % 8 and data_width % 8
    changed = resealed(helper, row, match_key=bytes(match_key), data=bytes(data))
    assert_only_dropped(answer(changed), {})


class SameShares(Randomness):
    """A dishonest maker of shares: zero, zero, and the value; and of nonces."""

    def random_bits(self, width: int) -> int:
        return 0

    def random_bytes(self, count: int) -> bytes:
        return bytes(count)


def with_equal_shares(context: ReportContext, data: SourceData | TriggerData) -> World:
    """EVENTS with row 5 replaced, in shares that depend on the values alone."""
    encrypted = encrypt_match_key(0x002, context, world().network, SameShares())
    event = CollectedEvent(data, encrypted)
    return with_report(world(), 5, event, world().query, SameShares())


AS_SOURCE = with_equal_shares(
    HOME, SourceData(attribution_constraint_id=0, timestamp=3, breakdown_key=0)
)
AS_TRIGGER = with_equal_shares(
    HOME, TriggerData(attribution_constraint_id=0, timestamp=3, trigger_value=0)
)
AT_THE_SHOP = with_equal_shares(
    SHOP, TriggerData(attribution_constraint_id=0, timestamp=3, trigger_value=0)
)


@pytest.mark.parametrize("helper", [1, 2, 3])
@pytest.mark.parametrize("other", [AS_SOURCE, AT_THE_SHOP], ids=["kind", "context"])
def test_one_row_of_two_kinds_or_contexts_is_dropped(other: World, helper: int) -> None:
    """All helpers get the same shares, but one is told another kind or context for them."""
    assert answer(AS_TRIGGER).dropped == answer(other).dropped == {}
    changed = with_record(AS_TRIGGER, helper, 5, other.stream(helper).records[5])
    assert_only_dropped(answer(changed), {5: Reason.INCONSISTENT})


def test_several_reasons_count_for_the_first_and_all_rows_are_counted() -> None:
    changed = world()
    for helper, change in ((1, flip(-1)), (2, lambda r: b"\3" + r[1:]), (3, flip(6))):
        record = changed.stream(helper).records[4]
        changed = with_record(changed, helper, 4, change(record))
    changed = with_record(changed, 3, 0, b"")
    assert_only_dropped(answer(changed), {4: Reason.MALFORMED, 0: Reason.MALFORMED})


def test_a_key_of_another_helper_does_not_open_a_report() -> None:
    own = replace(world().keys[1], keys=(generate_key(1),))
    stream = replace(world().stream(2), key_fingerprint=own.keys[0].public().fingerprint)
    keys = (world().keys[0], own, world().keys[2])
    result = answer(replace(with_stream(world(), 2, stream), keys=keys))
    assert result.dropped == {Reason.CANNOT_DECRYPT: len(EVENTS)}
