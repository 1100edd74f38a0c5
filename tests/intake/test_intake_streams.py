"""Streams that do not belong together, streams of every size, and one helper per process."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import (
    EVENTS,
    HOME,
    PARAMETERS,
    SHOP,
    World,
    answer,
    make_world,
    opened_events,
    take_in,
    with_bytes,
    with_record,
    with_records,
    with_stream,
    without_sites,
    world,
)

from ipa.client.configuration import generate_configuration
from ipa.client.fanout_query import Fanout, Form, QueryStream
from ipa.client.rejection import Reason
from ipa.errors import IpaError, ReportError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.intake.query_comparison import compare_queries
from ipa.intake.report_intake import Intake, take_in_reports
from ipa.network.channel import in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.simulation import pairwise_keys, simulated_network
from ipa.oracle.steps import query_in_steps
from ipa.parties import HELPERS
from ipa.protocols.primitives.opening import open_bits
from ipa.reports import GenericReports
from ipa.sharing.bits import rows_from_columns
from ipa.sharing.prss import Prss


@st.composite
def fanouts_and_events(draw: st.DrawFn) -> tuple[Fanout, list[Event]]:
    """Events that may be in a query of HOME's, of either kind."""
    fanout: Fanout = draw(st.sampled_from(["source", "trigger"]))
    bits = st.integers(0, 7)
    sites = {
        "source": HOME.site if fanout == "source" else SHOP.site,
        "trigger": HOME.site if fanout == "trigger" else SHOP.site,
    }
    source = st.builds(
        SourceEvent, bits, bits, st.integers(0, 1023), st.integers(0, 3), st.just(sites["source"])
    )
    trigger = st.builds(
        TriggerEvent,
        bits,
        bits,
        st.integers(0, 1023),
        st.integers(0, 127),
        st.just(sites["trigger"]),
    )
    return fanout, draw(st.lists(source | trigger, max_size=9))


@settings(max_examples=40)
@given(drawn=fanouts_and_events(), form=st.sampled_from(["packed", "per-field"]))
def test_the_answer_is_the_oracle_s(drawn: tuple[Fanout, list[Event]], form: Form) -> None:
    fanout, events = drawn
    made = make_world(events, fanout, form)
    assert opened_events(take_in(made)) == without_sites(events)
    result = answer(made)
    assert (result.dropped, result.submitted) == ({}, len(events))
    assert result.result.sums == query_in_steps(events, PARAMETERS)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 8])
def test_every_size(size: int) -> None:
    events = EVENTS[:size]
    result = answer(make_world(events))
    assert (result.result.rows, result.dropped) == (size, {})
    assert result.result.sums == query_in_steps(events, PARAMETERS)


def other_query(stream: QueryStream) -> QueryStream:
    return replace(stream, query=replace(stream.query, fanout="trigger"))


def other_site(stream: QueryStream) -> QueryStream:
    context = replace(stream.query.context, site="other.example", on_behalf_of="other.example")
    return replace(stream, query=replace(stream.query, context=context))


def other_width(stream: QueryStream) -> QueryStream:
    widths = replace(stream.query.widths, value_bits=8)
    return replace(stream, query=replace(stream.query, widths=widths))


def other_contexts(stream: QueryStream) -> QueryStream:
    return replace(stream, contexts=stream.contexts[::-1])


def more_contexts(stream: QueryStream) -> QueryStream:
    return replace(stream, contexts=(*stream.contexts, HOME))


def one_less(stream: QueryStream) -> QueryStream:
    return replace(stream, records=stream.records[:-1])


def one_more(stream: QueryStream) -> QueryStream:
    return replace(stream, records=(*stream.records, b""))


@pytest.mark.parametrize("helper", [1, 2, 3])
@pytest.mark.parametrize(
    ("change", "what"),
    [
        (other_query, "queries"),
        (other_site, "queries"),
        (other_width, "queries"),
        (other_contexts, "contexts"),
        (more_contexts, "contexts"),
        (one_less, "numbers of reports"),
        (one_more, "numbers of reports"),
    ],
)
def test_streams_of_different_queries_are_refused_before_a_report_is_opened(
    change: Callable[[QueryStream], QueryStream], what: str, helper: int
) -> None:
    changed = with_stream(world(), helper, change(world().stream(helper)))
    with pytest.raises(ReportError, match=f"the helpers were sent different {what}"):
        answer(changed)


@pytest.mark.parametrize("helper", [1, 2, 3])
def test_a_stream_that_cannot_be_read_refuses_the_query(helper: int) -> None:
    for data in (b"", b"IPAQ", world().streams[helper - 1][:-1], world().streams[helper % 3]):
        with pytest.raises(ReportError, match=f"the stream of helper {helper}: "):
            answer(with_bytes(world(), helper, data))


def test_keys_of_another_network_refuse_the_query() -> None:
    _, keys = generate_configuration("other.example", match_key_bits=12)
    with pytest.raises(ReportError, match=r"'net.example', not 'other.example'"):
        answer(replace(world(), keys=keys))


@pytest.mark.parametrize("helper", [1, 2, 3])
def test_keys_of_another_network_of_that_name_refuse_the_query(helper: int) -> None:
    """Of all its helpers or of one alone: before a report is opened."""
    _, others = generate_configuration(HOME.network_name, match_key_bits=12)
    mixed = tuple((others if own == helper else world().keys)[own - 1] for own in HELPERS)
    for keys, first in ((others, 1), (mixed, helper)):
        with pytest.raises(ReportError, match=f"stream of helper {first}: .* of that name"):
            answer(replace(world(), keys=keys))


def in_threads(made: World) -> dict[int, Intake | IpaError]:
    """The intake with one local helper per network; then the match keys are opened to compare."""
    channels, prss_keys = in_memory_channels(timeout=5), pairwise_keys()
    results: dict[int, Intake | IpaError] = {}

    def run(helper: int) -> None:
        party = HelperParty(helper, Prss(*prss_keys[helper]), channels[helper])
        network = HelperPartyNetwork("threads", [party])
        try:
            streams = compare_queries(
                network,
                {helper: made.streams[helper - 1]},
                {helper: made.keys[helper - 1]},
                {helper: HOME.report_collector},
            )
            results[helper] = intake = take_in_reports(network, streams)
            opened[helper] = [
                rows_from_columns(open_bits(network, field), intake.reports.rows)
                for field in intake.reports.fields
            ]
        except IpaError as error:
            results[helper] = error

    opened: dict[int, list[list[int]]] = {}
    threads = [threading.Thread(target=run, args=(helper,)) for helper in HELPERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if opened:
        lockstep = take_in(made, simulated_network())
        assert opened == dict.fromkeys(HELPERS, _opened(lockstep.reports))
    return results


def _opened(reports: GenericReports) -> list[list[int]]:
    network = simulated_network()
    network.name = reports.match_key.network_name
    return [rows_from_columns(open_bits(network, f), reports.rows) for f in reports.fields]


def test_one_local_helper_per_network_takes_in_the_same() -> None:
    changed = with_record(world(), 2, 4, b"")
    changed = with_records(changed, 3, lambda r: (r[2], r[1], r[0], *r[3:]))
    for result in in_threads(changed).values():
        assert isinstance(result, Intake)
        assert result.dropped == {Reason.MALFORMED: 1, Reason.INCONSISTENT: 2}
        assert (result.submitted, result.reports.rows) == (8, 5)


def test_all_helpers_refuse_streams_that_differ() -> None:
    for change in (one_less, other_query, more_contexts):
        results = in_threads(with_stream(world(), 1, change(world().stream(1))))
        assert [type(results[helper]) for helper in HELPERS] == [ReportError] * 3
        assert len({str(error) for error in results.values()}) == 1


def test_all_helpers_refuse_a_stream_that_one_cannot_read() -> None:
    results = in_threads(with_bytes(world(), 2, b"IPAQ"))
    assert [type(results[helper]) for helper in HELPERS] == [ReportError] * 3
    assert "helper 2 cannot read" in str(results[1])
    assert "the stream of helper 2: " in str(results[2])


def test_all_helpers_refuse_a_query_for_a_key_that_one_does_not_have() -> None:
    network, _ = generate_configuration(HOME.network_name, match_key_bits=12)
    stream = replace(world().stream(2), key_fingerprint=network.encryption_key(2).fingerprint)
    results = in_threads(with_stream(world(), 2, stream))
    assert [type(results[helper]) for helper in HELPERS] == [ReportError] * 3
    assert "another network of that name" in str(results[2])
