"""Reports with two shares, end to end: the same answers, from fewer bytes, and what is lost by it."""

import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import (
    EVENTS,
    HOME,
    PARAMETERS,
    World,
    answer,
    assert_only_dropped,
    make_world,
    opened_events,
    take_in,
    with_record,
    with_records,
    with_stream,
    without_sites,
)

from ipa.attacks import tamper
from ipa.client.encrypted_match_key import ReportContext
from ipa.client.fanout_query import Fanout, Form
from ipa.client.rejection import Reason
from ipa.client.report_format import read_record, write_record
from ipa.client.report_size import report_size, report_size_for_all
from ipa.errors import IpaError, MisbehaviourError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.intake.query_comparison import compare_queries
from ipa.intake.report_decryption import GenericReportShares
from ipa.intake.report_intake import OpenedRow, open_reports, take_in_reports
from ipa.network.channel import in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.simulation import pairwise_keys, simulated_network
from ipa.oracle.steps import query_in_steps
from ipa.parties import HELPERS
from ipa.protocols.primitives.opening import open_bits
from ipa.sharing.bits import rows_from_columns
from ipa.sharing.prss import Prss

BITS = st.integers(0, 7)
EVENT = st.builds(
    SourceEvent, BITS, BITS, st.integers(0, 1023), st.integers(0, 3), st.just(HOME.site)
) | st.builds(
    TriggerEvent, BITS, BITS, st.integers(0, 1023), st.integers(0, 127), st.just(HOME.site)
)


def two_party_world(form: Form = "packed") -> World:
    return make_world(EVENTS, form=form, sharing="two-party")


@settings(max_examples=25)
@given(
    events=st.lists(EVENT, max_size=9),
    fanout=st.sampled_from(["source", "trigger"]),
    form=st.sampled_from(["packed", "per-field"]),
)
def test_the_answer_of_two_shares_is_the_oracle_s(
    events: list[Event], fanout: Fanout, form: Form
) -> None:
    made = make_world(events, fanout, form, "two-party")
    assert opened_events(take_in(made)) == without_sites(events)
    result = answer(made)
    assert (result.dropped, result.submitted) == ({}, len(events))
    assert result.result.sums == query_in_steps(events, PARAMETERS)


def test_a_malicious_secure_query_over_two_shares() -> None:
    result = answer(two_party_world(), security="malicious")
    assert result.result.sums == query_in_steps(EVENTS, PARAMETERS)


@pytest.mark.parametrize("form", ["packed", "per-field"])
def test_helper_3_is_sent_no_share_and_the_others_one(form: Form) -> None:
    made = two_party_world(form)
    network = simulated_network()
    streams = dict(zip(HELPERS, made.streams, strict=True))
    keys = {own.helper: own for own in made.keys}
    submitters = dict.fromkeys(HELPERS, HOME.report_collector)
    opened = {
        helper: opened_rows(open_reports(own))
        for helper, own in compare_queries(network, streams, keys, submitters).items()
    }
    for first, second, third in zip(*opened.values(), strict=True):
        assert len(first.match_key) == len(second.match_key) == 1
        assert len(first.attributes) == len(second.attributes) == 1
        assert (third.match_key, third.nonces, third.attributes) == ((), (), ())
        assert first.nonces == second.nonces
        assert first.is_trigger == second.is_trigger == third.is_trigger
    assert len({row.nonces for row in opened[1]}) == len(EVENTS)
    match_keys = [
        a.match_key[0] ^ b.match_key[0] for a, b in zip(opened[1], opened[2], strict=True)
    ]
    assert match_keys == [event.match_key for event in EVENTS]


def opened_rows(rows: list[OpenedRow]) -> list[GenericReportShares]:
    return [row for row in rows if isinstance(row, GenericReportShares)]


@pytest.mark.parametrize("form", ["packed", "per-field"])
def test_sizes_of_two_share_reports_are_as_computed(form: Form) -> None:
    made = two_party_world(form)
    for row, event in enumerate(EVENTS):
        kind: Fanout = "source" if isinstance(event, SourceEvent) else "trigger"
        records = [made.stream(helper).records[row] for helper in HELPERS]
        sizes = [report_size(made.query, kind, helper=helper).total for helper in HELPERS]
        assert [2 + len(record) for record in records] == sizes
        assert report_size_for_all(made.query, kind) == sum(sizes)


def test_two_shares_of_two_devices_are_not_taken_for_one_report() -> None:
    """Swapped at one helper: the nonces differ, whatever the shares are."""
    for helper in (1, 2):
        changed = with_records(two_party_world(), helper, lambda r: (r[2], r[1], r[0], *r[3:]))
        assert_only_dropped(answer(changed), dict.fromkeys((0, 2), Reason.INCONSISTENT))


def test_a_report_of_another_kind_or_context_to_helper_3_is_dropped() -> None:
    made = two_party_world()
    record = made.stream(3).records[0]
    for other in (b"\2" + record[1:], record[:4] + b"\1" + record[5:]):
        changed = with_record(made, 3, 0, other)
        kept = answer(changed)
        assert sum(kept.dropped.values()) == 1
        assert kept.result.sums == query_in_steps(EVENTS[1:], PARAMETERS)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b"\1\0\0\0", Reason.MALFORMED),
        (b"\1\0\0\0\0\0", Reason.MALFORMED),
        (b"\3\0\0\0\0", Reason.MALFORMED),
        (b"\1\0\0\0\x63", Reason.MALFORMED),
        (b"\1\0\0\0\1", Reason.WRONG_SITE),
    ],
)
def test_helper_3_validates_what_it_is_sent(change: bytes, reason: Reason) -> None:
    assert_only_dropped(answer(with_record(two_party_world(), 3, 0, change)), {0: reason})


def test_helper_3_refuses_a_record_with_ciphertexts() -> None:
    made = two_party_world()
    changed = with_record(made, 3, 0, made.stream(1).records[0])
    assert_only_dropped(answer(changed), {0: Reason.MALFORMED})


def test_a_replay_of_two_shares_counts_once() -> None:
    changed = two_party_world()
    for helper in HELPERS:
        changed = with_records(changed, helper, lambda records: [*records, records[1]])
    result = answer(changed)
    assert result.dropped == {Reason.DUPLICATE: 1}
    assert result.result.sums == query_in_steps(EVENTS, PARAMETERS)


@pytest.mark.parametrize("helper", [1, 2])
def test_what_one_holder_cannot_open_is_dropped(helper: int) -> None:
    made = two_party_world()
    record = read_record(made.stream(helper).records[4], made.query)
    longer = write_record(replace(record, data=(record.data[0] + b"\0",)))
    changed = with_record(made, helper, 4, longer)
    assert_only_dropped(answer(changed), {4: Reason.CANNOT_DECRYPT})


@pytest.mark.parametrize("sender", [1, 2])
def test_a_message_of_the_conversion_that_is_changed_aborts(sender: int) -> None:
    attack = tamper(sender, "intake/two-party", "flip")
    assert attack.tampering is not None
    with pytest.raises(MisbehaviourError):
        answer(two_party_world(), attack.tampering)
    assert attack.tampering.tampered


@pytest.mark.parametrize("liar", [1, 2])
def test_a_holder_s_lie_about_its_share_is_a_client_s_lie(liar: int) -> None:
    """What two shares cannot give: helper 1 or 2 adds 64 to a value blindly, and nobody sees it."""
    made = two_party_world()
    row = 1
    context: ReportContext = replace(HOME, site=EVENTS[row].site)
    assert context in made.stream(liar).contexts
    network = simulated_network()
    streams = dict(zip(HELPERS, made.streams, strict=True))
    keys = {own.helper: own for own in made.keys}
    own = compare_queries(network, streams, keys, dict.fromkeys(HELPERS, HOME.report_collector))
    honest = open_reports(own[liar])

    def lying(of: object) -> list[OpenedRow]:
        rows = open_reports(of)  # type: ignore[arg-type]
        if of is own[liar]:
            found = honest[row]
            assert isinstance(found, GenericReportShares)
            rows[row] = replace(found, attributes=(found.attributes[0] ^ 64,))
        return rows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ipa.intake.report_intake.open_reports", lying)
        intake = take_in_reports(network, own)
    before, changed = without_sites(EVENTS)[row], opened_events(intake)[row]
    assert isinstance(before, TriggerEvent)
    assert changed == replace(before, trigger_value=before.trigger_value ^ 64)
    assert intake.dropped == {}


def test_one_local_helper_per_network_takes_in_two_shares() -> None:
    made = two_party_world()
    channels, prss_keys = in_memory_channels(timeout=5), pairwise_keys()
    found: dict[int, list[int] | IpaError] = {}

    def run(helper: int) -> None:
        party = HelperParty(helper, Prss(*prss_keys[helper]), channels[helper])
        network = HelperPartyNetwork("threads", [party])
        try:
            own = compare_queries(
                network,
                {helper: made.streams[helper - 1]},
                {helper: made.keys[helper - 1]},
                {helper: HOME.report_collector},
            )
            reports = take_in_reports(network, own).reports
            found[helper] = rows_from_columns(open_bits(network, reports.match_key), reports.rows)
        except IpaError as error:
            found[helper] = error

    threads = [threading.Thread(target=run, args=(helper,)) for helper in HELPERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {helper: [event.match_key for event in EVENTS] for helper in HELPERS}


def test_the_streams_of_one_sharing_are_refused_in_a_network_of_the_other() -> None:
    made = two_party_world()
    other = make_world(EVENTS)
    mixed = replace(made, keys=tuple(replace(own, sharing="three-party") for own in made.keys))
    with pytest.raises(IpaError, match="two-party sharing"):
        answer(mixed)
    renamed = with_stream(other, 1, replace(other.stream(1), query=made.query))
    with pytest.raises(IpaError, match="two-party sharing"):
        answer(renamed)
