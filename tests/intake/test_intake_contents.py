"""A record or plaintext whose contents are changed is dropped alone."""

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
    with_record,
    with_report,
    world,
)

from ipa.client.encrypted_match_key import (
    ReportContext,
    SealedShares,
    encode_match_key,
    encrypt_match_key,
)
from ipa.client.keys import PublicKey
from ipa.client.rejection import Reason
from ipa.client.report_collector import CollectedEvent, SourceData, TriggerData
from ipa.client.report_format import ciphertext_widths, info, info_prefix, read_record, write_record
from ipa.client.shares import encode_shares
from ipa.sharing.randomness import Randomness

MATCH_KEY_BITS = PARAMETERS.match_key_bits
NONCES = (bytes(16), bytes(16))


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
