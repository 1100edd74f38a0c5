"""Each rule of intake has a report that breaks only that rule; random bytes raise nothing else."""

import random
from dataclasses import replace

import pytest
from broken_stream_cases import Case, broken_reports, broken_streams
from client_cases import (
    ELSEWHERE,
    EVENTS,
    HOME,
    WIDTHS,
    decrypt_reports,
    fixed_network,
    small_world,
    split_attributes,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ipa.client.encrypted_match_key import EncryptedMatchKey
from ipa.client.fanout_query import Fanout, Form, read_query_stream
from ipa.client.keys import KemName
from ipa.client.rejection import Reason
from ipa.client.report_collector import CollectedEvent, SourceData, TriggerData, seal_report
from ipa.client.rotation import add_key, retire_key
from ipa.client.validation import check_context
from ipa.errors import ReportError
from ipa.intake.report_decryption import GenericReportShares, StreamDecryptor, decrypt_report
from ipa.sharing.randomness import Randomness
from ipa.sharing.xor import combine_xor


def reasons(results: list[GenericReportShares | ReportError]) -> tuple[str | None, ...]:
    return tuple(r.reason if isinstance(r, ReportError) else None for r in results)


@pytest.mark.parametrize("form", ["packed", "per-field"])
@pytest.mark.parametrize("kem", ["X25519", "MLKEM768-X25519"])
def test_three_helpers_hold_replicated_shares_of_the_events(form: Form, kem: KemName) -> None:
    world = small_world(form, kem)
    results = [decrypt_reports(world.stream(i), world.helper_keys[i - 1]) for i in (1, 2, 3)]
    for row, (match_key, _, data) in enumerate(EVENTS):
        held = [result[row] for result in results]
        shares = [share for share in held if isinstance(share, GenericReportShares)]
        assert len(shares) == 3
        is_source = isinstance(data, SourceData)
        assert [share.is_trigger for share in shares] == [not is_source] * 3
        for this, right in ((0, 1), (1, 2), (2, 0)):
            assert shares[this].match_key[1] == shares[right].match_key[0]
            assert shares[this].attributes[1] == shares[right].attributes[0]
        assert combine_xor(tuple(s.match_key[0] for s in shares), 20) == match_key
        combined = combine_xor(tuple(s.attributes[0] for s in shares), 55)
        last = (data.breakdown_key, 0) if isinstance(data, SourceData) else (0, data.trigger_value)
        expected = (data.attribution_constraint_id, data.timestamp, *last)
        assert split_attributes(combined, WIDTHS) == expected


@pytest.mark.parametrize("case", broken_streams(), ids=lambda case: case.name)
def test_broken_stream_is_refused_as_a_whole(case: Case) -> None:
    own = small_world().helper_keys[0]
    with pytest.raises(ReportError) as caught:
        decrypt_reports(read_query_stream(case.stream), own)
    assert caught.value.reason == case.reasons[0]


@pytest.mark.parametrize("case", broken_reports(), ids=lambda case: case.name)
def test_broken_report_is_refused_alone(case: Case) -> None:
    world = small_world()
    good = decrypt_reports(world.stream(), world.helper_keys[0])
    results = decrypt_reports(read_query_stream(case.stream), world.helper_keys[0])
    assert reasons(results) == case.reasons
    for result, before in zip(results, good, strict=True):
        assert isinstance(result, ReportError) or result == before


def test_every_reason_has_a_case() -> None:
    seen = {reason for case in broken_streams() + broken_reports() for reason in case.reasons}
    found_at_intake = {Reason.DUPLICATE, Reason.INCONSISTENT}
    assert seen == {*Reason, None} - found_at_intake


def test_report_under_a_retired_key_is_refused_and_under_an_old_active_one_accepted() -> None:
    world = small_world()
    network, own = add_key(world.network, world.helper_keys[0])
    assert reasons(decrypt_reports(world.stream(), own)) == (None,) * 4
    network, own = retire_key(network, own, 1, budget_closes=5, now=5)
    with pytest.raises(ReportError, match="it was retired") as caught:
        decrypt_reports(world.stream(), own)
    assert caught.value.reason == Reason.UNKNOWN_KEY
    renewed = replace(world.stream(), key_fingerprint=network.encryption_key(1).fingerprint)
    assert reasons(decrypt_reports(renewed, own)) == (Reason.UNKNOWN_KEY,) * 4


def test_keys_of_another_network_of_that_name_refuse_the_stream_and_open_nothing() -> None:
    network, others = fixed_network(filler=2)
    assert network.name == small_world().network.name
    stream = small_world().stream()
    with pytest.raises(ReportError, match="another network of that name") as caught:
        decrypt_reports(stream, others[0])
    assert caught.value.reason == Reason.UNKNOWN_KEY
    lying = replace(stream, key_fingerprint=network.encryption_key(1).fingerprint)
    assert reasons(decrypt_reports(lying, others[0])) == (Reason.CANNOT_DECRYPT,) * 4


def test_a_fingerprint_is_of_one_key_alone() -> None:
    first = small_world().network.encryption_key(1)
    hybrid = small_world("packed", "MLKEM768-X25519").network.encryption_key(1)
    others = [
        first,
        hybrid,
        small_world().network.encryption_key(2),
        replace(first, key_id=2),
        replace(hybrid, encoded=hybrid.encoded[::-1]),
    ]
    assert len({key.fingerprint for key in others}) == len(others)
    assert first.fingerprint == replace(first, status="retired").fingerprint


@given(
    kind=st.sampled_from(["source", "trigger"]),
    fanout=st.sampled_from(["source", "trigger"]),
    at_home=st.booleans(),
)
def test_site_rule(kind: Fanout, fanout: Fanout, at_home: bool) -> None:
    query = replace(small_world().query, fanout=fanout)
    context = HOME if at_home else ELSEWHERE
    if kind == fanout and not at_home:
        with pytest.raises(ReportError) as caught:
            check_context(context, kind, query)
        assert caught.value.reason == Reason.WRONG_SITE
    else:
        check_context(context, kind, query)


@pytest.mark.parametrize("fanout", ["source", "trigger"])
def test_site_rule_does_not_depend_on_the_reports_before(fanout: Fanout) -> None:
    """A context good for a report of one kind, seen first, is still refused for the other kind."""
    world = small_world()
    query = replace(world.query, fanout=fanout)
    data: list[SourceData | TriggerData] = [
        SourceData(attribution_constraint_id=1, timestamp=2, breakdown_key=3),
        TriggerData(attribution_constraint_id=1, timestamp=2, trigger_value=3),
    ]
    own, foreign = data if fanout == "source" else reversed(data)
    contexts = {ELSEWHERE: 0}
    streams = []
    for order in ((foreign, own), (own, foreign)):
        sealed = [
            seal_report(
                CollectedEvent(part, world.match_keys[1]),
                contexts,
                query,
                world.network,
                Randomness(),
            )
            for part in order
        ]
        streams.append(
            replace(
                world.stream(),
                query=query,
                contexts=tuple(contexts),
                records=tuple(row[0] for row in sealed),
            )
        )
    found = [reasons(decrypt_reports(stream, world.helper_keys[0])) for stream in streams]
    assert found == [(None, Reason.WRONG_SITE), (Reason.WRONG_SITE, None)]


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=300))
def test_random_bytes_raise_only_report_errors(data: bytes) -> None:
    world = small_world()
    decryption = StreamDecryptor(world.stream(), world.helper_keys[0])
    with pytest.raises(ReportError):
        decrypt_report(data, decryption)
    with pytest.raises(ReportError):
        EncryptedMatchKey.from_bytes(data)
    for head in (b"", b"IPAQ\1\1", world.streams[0][: 72 + len(data)]):
        with pytest.raises(ReportError):
            read_query_stream(head + data)


@pytest.mark.parametrize("form", ["packed", "per-field"])
def test_ten_thousand_mutated_records_raise_only_report_errors(form: Form) -> None:
    world = small_world(form)
    decryption = StreamDecryptor(world.stream(), world.helper_keys[0])
    records = world.stream().records
    source = random.Random(4)
    for _ in range(5000):
        row = source.randrange(len(records))
        changed = mutate(records[row], source)
        try:
            result = decrypt_report(changed, decryption)
        except ReportError as error:
            assert error.reason in set(Reason)
        else:
            # A changed record is accepted only if what was changed does not matter: nothing.
            assert changed == records[row], result


def test_mutated_streams_never_change_what_the_other_reports_say() -> None:
    world = small_world()
    own = world.helper_keys[0]
    good = decrypt_reports(world.stream(), own)
    source = random.Random(5)
    for _ in range(300):
        changed = mutate(world.streams[0], source)
        try:
            results = decrypt_reports(read_query_stream(changed), own)
        except ReportError:
            continue
        accepted = [r for r in results if not isinstance(r, ReportError)]
        assert all(result in good for result in accepted)


def mutate(data: bytes, source: random.Random) -> bytes:
    """Flip a bit, cut, insert, or overwrite a stretch."""
    at = source.randrange(len(data))
    match source.randrange(4):
        case 0:
            return data[:at] + bytes([data[at] ^ 1 << source.randrange(8)]) + data[at + 1 :]
        case 1:
            return data[:at] + data[at + source.randrange(1, 9) :]
        case 2:
            return data[:at] + source.randbytes(source.randrange(1, 9)) + data[at:]
        case _:
            length = source.randrange(1, 9)
            return data[:at] + source.randbytes(length) + data[at + length :]


def test_shares_and_errors_show_no_secret() -> None:
    world = small_world()
    result = decrypt_reports(world.stream(), world.helper_keys[0])[0]
    assert repr(result) == "GenericReportShares(is_trigger=False)"
