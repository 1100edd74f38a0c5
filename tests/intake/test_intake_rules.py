"""A report that breaks one rule is dropped alone: the others' sums stay what they are."""

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

from ipa.client.configuration import NetworkConfiguration, generate_configuration
from ipa.client.encrypted_match_key import EncryptedMatchKey, ReportContext, encrypt_match_key
from ipa.client.fanout_query import Fanout
from ipa.client.keys import generate_key
from ipa.client.rejection import Reason
from ipa.client.report_collector import CollectedEvent, SourceData, TriggerData, additional_data
from ipa.client.rotation import add_key, retire_key
from ipa.errors import ReportError
from ipa.events import TriggerEvent
from ipa.oracle.steps import query_in_steps
from ipa.sharing.randomness import Randomness

MATCH_KEY_BITS = PARAMETERS.match_key_bits


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


def test_a_key_of_another_helper_does_not_open_a_report() -> None:
    own = replace(world().keys[1], keys=(generate_key(1),))
    stream = replace(world().stream(2), key_fingerprint=own.keys[0].public().fingerprint)
    keys = (world().keys[0], own, world().keys[2])
    result = answer(replace(with_stream(world(), 2, stream), keys=keys))
    assert result.dropped == {Reason.CANNOT_DECRYPT: len(EVENTS)}
