"""From events and encrypted match keys to three streams: what arrives, and what is refused."""

from dataclasses import replace

import pytest
from client_cases import (
    ELSEWHERE,
    HOME,
    MATCH_KEY_BITS,
    WIDTHS,
    decrypt_reports,
    fixed_network,
    small_world,
    split_attributes,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ipa.client.encoding import Reader, encode_string
from ipa.client.encrypted_match_key import (
    EncryptedMatchKey,
    ReportContext,
    SealedShares,
    encrypt_match_key,
)
from ipa.client.fanout_query import Fanout, FieldWidths, Form, read_query_stream
from ipa.client.rejection import Reason
from ipa.client.report_collector import (
    CollectedEvent,
    SourceData,
    TriggerData,
    assemble_fanout_query,
)
from ipa.client.rotation import add_key, retire_key
from ipa.errors import EventError, ParameterError, ReportError
from ipa.intake.report_decryption import GenericReportShares
from ipa.sharing.randomness import Randomness
from ipa.sharing.xor import combine_xor

NETWORK, OWN = fixed_network()
QUERY = small_world().query
FIELD = st.integers(1, 64)


def collected(data: SourceData | TriggerData, context: ReportContext = HOME) -> CollectedEvent:
    """An event with a match key of the small world that has this context."""
    known = {encrypted.context: encrypted for encrypted in small_world().match_keys}
    return CollectedEvent(data, known[context])


def drawn_events(data: st.DataObject, widths: FieldWidths, fanout: Fanout) -> list[CollectedEvent]:
    """Events that fit these widths; those of the fanout's kind are of one context."""
    events = []
    for kind in data.draw(st.lists(st.sampled_from(["source", "trigger"]), max_size=4)):
        constraint = data.draw(st.integers(0, 2**widths.attribution_constraint_id_bits - 1))
        timestamp = data.draw(st.integers(0, 2**widths.timestamp_bits - 1))
        context = HOME if kind == fanout else data.draw(st.sampled_from([HOME, ELSEWHERE]))
        if kind == "source":
            last = data.draw(st.integers(0, 2**widths.breakdown_key_bits - 1))
            events.append(
                collected(
                    SourceData(
                        attribution_constraint_id=constraint,
                        timestamp=timestamp,
                        breakdown_key=last,
                    ),
                    context,
                )
            )
        else:
            last = data.draw(st.integers(0, 2**widths.value_bits - 1))
            events.append(
                collected(
                    TriggerData(
                        attribution_constraint_id=constraint,
                        timestamp=timestamp,
                        trigger_value=last,
                    ),
                    context,
                )
            )
    return events


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_widths_and_rows_arrive(data: st.DataObject) -> None:
    names = ("attribution_constraint_id_bits", "timestamp_bits", "breakdown_key_bits", "value_bits")
    widths = FieldWidths(**{name: data.draw(FIELD) for name in names})
    fanout: Fanout = data.draw(st.sampled_from(["source", "trigger"]))
    form: Form = data.draw(st.sampled_from(["packed", "per-field"]))
    query = replace(QUERY, widths=widths, fanout=fanout, form=form)
    events = drawn_events(data, widths, fanout)
    streams = [
        read_query_stream(stream)
        for stream in assemble_fanout_query(query, events, NETWORK, Randomness())
    ]
    assert [stream.helper for stream in streams] == [1, 2, 3]
    assert {(stream.query, stream.contexts) for stream in streams} == {
        (query, tuple(dict.fromkeys(event.match_key.context for event in events)))
    }
    opened = [decrypt_reports(stream, own) for stream, own in zip(streams, OWN, strict=True)]
    width = sum(vars(widths).values())
    assert [len(rows) for rows in opened] == [len(events)] * 3
    for event, *rows in zip(events, *opened, strict=True):
        shares = [row.attributes[0] for row in rows if isinstance(row, GenericReportShares)]
        found = split_attributes(combine_xor(tuple(shares), width), widths)
        constraint, timestamp, last = vars(event.data).values()
        is_source = isinstance(event.data, SourceData)
        assert found == (constraint, timestamp, last if is_source else 0, 0 if is_source else last)


@pytest.mark.parametrize(
    ("field", "limit"),
    [("attribution_constraint_id", 1 << 9), ("timestamp", 1 << 30), ("breakdown_key", 1 << 5)],
)
def test_field_out_of_range_is_named(field: str, limit: int) -> None:
    good = SourceData(attribution_constraint_id=1, timestamp=1, breakdown_key=1)
    for value in (limit, -1, True, 1.0):
        events = [collected(good), collected(replace(good, **{field: value}))]  # type: ignore[arg-type]
        with pytest.raises(EventError, match=f"row 2: {field}: .* from 0 to {limit - 1}"):
            assemble_fanout_query(QUERY, events, NETWORK, Randomness())
    with pytest.raises(EventError, match=r"row 1: trigger_value: .* 2047"):
        assemble_fanout_query(
            QUERY,
            [collected(TriggerData(attribution_constraint_id=1, timestamp=1, trigger_value=2048))],
            NETWORK,
            Randomness(),
        )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"network_name": "other.example"}, Reason.WRONG_NETWORK),
        ({"epoch": 8}, Reason.WRONG_EPOCH),
        ({"report_collector": "evil.example"}, Reason.WRONG_COLLECTOR),
        ({"on_behalf_of": "shoes.example"}, Reason.WRONG_ASKING_SITE),
        ({"match_key_provider": "on-device"}, Reason.WRONG_PROVIDER),
        ({"site": "shoes.example"}, Reason.WRONG_SITE),
    ],
)
def test_match_key_the_helpers_would_refuse_is_refused_first(
    change: dict[str, object], reason: Reason
) -> None:
    context = replace(HOME, **change)  # type: ignore[arg-type]
    network = replace(NETWORK, name=context.network_name)
    match_key = encrypt_match_key(1, context, network, Randomness())
    data = SourceData(attribution_constraint_id=1, timestamp=1, breakdown_key=1)
    with pytest.raises(ReportError, match=r"^row 2: ") as caught:
        events = [collected(data), CollectedEvent(data, match_key)]
        assemble_fanout_query(QUERY, events, NETWORK, Randomness())
    assert caught.value.reason == reason


def test_query_and_network_must_go_together() -> None:
    for query in (
        replace(QUERY, match_key_bits=21),
        replace(QUERY, sharing="two-party"),
        replace(QUERY, context=replace(HOME, network_name="other.example")),
    ):
        with pytest.raises(ParameterError):
            assemble_fanout_query(query, [], NETWORK, Randomness())
    with pytest.raises(ParameterError, match="context is for network"):
        encrypt_match_key(1, replace(HOME, network_name="other.example"), NETWORK, Randomness())
    with pytest.raises(ParameterError):
        encrypt_match_key(1 << MATCH_KEY_BITS, HOME, NETWORK, Randomness())


def test_queries_out_of_range() -> None:
    for change in (
        {"fanout": "both"},
        {"form": "loose"},
        {"match_key_bits": 0},
        {"match_key_bits": 257},
    ):
        with pytest.raises(ParameterError):
            replace(QUERY, **change)
    for width in (0, 65, True):
        with pytest.raises(ParameterError, match="timestamp_bits"):
            replace(WIDTHS, timestamp_bits=width)
    for context in ({"site": ""}, {"site": "a b"}, {"site": "a" * 256}, {"epoch": -1}):
        with pytest.raises(ParameterError):
            replace(HOME, **context)


def test_a_name_has_one_spelling() -> None:
    for name in ("caf\u00e9.example", "straße.example", "例え.example", "ф.example", "a-b_1:443"):
        assert ReportContext.read(Reader(replace(HOME, site=name).to_bytes(), "it")).site == name
    for name in ("News.example", "cafe\u0301.example", "É.example", "İ.example", "\u212b.example"):
        with pytest.raises(ParameterError, match=r"lower-case text .* form C"):
            replace(HOME, site=name)
        data = HOME.to_bytes().replace(encode_string(HOME.site), _as_string(name))
        with pytest.raises(ReportError) as caught:
            ReportContext.read(Reader(data, "it"))
        assert caught.value.reason == Reason.MALFORMED


def _as_string(name: str) -> bytes:
    return bytes([len(name.encode())]) + name.encode()


def _sealed(*parts: SealedShares | None) -> EncryptedMatchKey:
    """A good match key with some of its three parts replaced."""
    good = small_world().match_keys[0].sealed
    changed = tuple(part or good[place] for place, part in enumerate(parts))
    return EncryptedMatchKey(HOME, changed)


@pytest.mark.parametrize(
    ("match_key", "reason"),
    [
        (_sealed(None, None), Reason.MALFORMED),
        (_sealed(), Reason.MALFORMED),
        (_sealed(None, None, None, SealedShares(1, bytes(86))), Reason.MALFORMED),
        (_sealed(None, SealedShares(9, bytes(86)), None), Reason.UNKNOWN_KEY),
        (_sealed(None, None, SealedShares(1, b"")), Reason.MALFORMED),
        (_sealed(None, None, SealedShares(1, bytes(85))), Reason.MALFORMED),
        (_sealed(SealedShares(1, bytes(87)), None, None), Reason.MALFORMED),
        (_sealed(*[SealedShares(1, bytes(65_535))] * 3), Reason.MALFORMED),
        (_sealed(None, SealedShares(2, bytes(86)), None), Reason.UNKNOWN_KEY),
    ],
)
def test_a_match_key_of_another_shape_is_refused_with_its_row_before_any_work(
    match_key: EncryptedMatchKey, reason: Reason
) -> None:
    network, own = add_key(NETWORK, OWN[1])
    network, _ = retire_key(network, own, 2, budget_closes=5, now=5)
    data = SourceData(attribution_constraint_id=1, timestamp=1, breakdown_key=1)
    events = [CollectedEvent(data, _sealed(None, None, None)), CollectedEvent(data, match_key)]
    with pytest.raises(ReportError, match=r"^row 2: ") as caught:
        assemble_fanout_query(QUERY, events, network, Randomness())
    assert caught.value.reason == reason
    good = _sealed(None, SealedShares(1, bytes(86)), None)  # whether it opens, the helpers will see
    assemble_fanout_query(QUERY, [CollectedEvent(data, good)], network, Randomness())


def test_a_match_key_under_an_older_active_key_is_taken() -> None:
    """A rotation loses no report: the length is that of the key used, not of the newest."""
    network, own = add_key(NETWORK, OWN[1], "MLKEM768-X25519")
    events = [collected(SourceData(attribution_constraint_id=1, timestamp=1, breakdown_key=1))]
    streams = assemble_fanout_query(QUERY, events, network, Randomness())
    rows = decrypt_reports(read_query_stream(streams[1]), own)
    assert [type(row) for row in rows] == [GenericReportShares]
    assert read_query_stream(streams[1]).key_fingerprint == network.helpers[1][1].fingerprint
