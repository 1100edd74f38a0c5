"""Devices, a report collector and helpers in one place, and what changes to their streams do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from ipa.client.configuration import HelperKeys, NetworkConfiguration, generate_configuration
from ipa.client.encrypted_match_key import ReportContext, encrypt_match_key
from ipa.client.fanout_query import (
    Fanout,
    FanoutQuery,
    FieldWidths,
    Form,
    QueryStream,
    context_table,
    read_query_stream,
    write_query_stream,
)
from ipa.client.rejection import Reason
from ipa.client.report_collector import (
    CollectedEvent,
    additional_data,
    assemble_fanout_query,
    seal_report,
)
from ipa.client.shares import Sharing
from ipa.client.user_agent import ON_DEVICE
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.intake.query_comparison import compare_queries
from ipa.intake.report_intake import Intake, take_in_reports
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.interception import Interceptor
from ipa.network.simulation import RunOptions, simulated_network
from ipa.oracle.steps import query_in_steps
from ipa.parameters import QueryParameters, Security
from ipa.report_query import ReportQueryResult, run_report_query
from ipa.sharing.dealing import reconstruct_for_testing
from ipa.sharing.randomness import Randomness

PARAMETERS = QueryParameters(
    breakdowns=4,
    cap=60,
    security="semi-honest",
    match_key_bits=12,
    attribution_constraint_id_bits=3,
    timestamp_bits=10,
    value_bits=7,
)
HOME = ReportContext(
    network_name="net.example",
    match_key_provider=ON_DEVICE,
    report_collector="collector.example",
    on_behalf_of="news.example",
    site="news.example",
    epoch=7,
)
SHOP = replace(HOME, site="shop.example")

# Every report below changes the sums when it is left out.
EVENTS: tuple[Event, ...] = (
    SourceEvent(0xABC, 1, 10, 0, HOME.site),
    TriggerEvent(0xABC, 1, 20, 5, SHOP.site),
    SourceEvent(0x001, 2, 10, 1, HOME.site),
    TriggerEvent(0x001, 2, 11, 7, SHOP.site),
    SourceEvent(0x001, 3, 1, 2, HOME.site),
    TriggerEvent(0x001, 3, 9, 50, HOME.site),
    SourceEvent(0x002, 0, 3, 3, HOME.site),
    TriggerEvent(0x002, 0, 1023, 127, SHOP.site),
)


@dataclass(frozen=True)
class World:
    """A network, a query over EVENTS, and its three streams."""

    network: NetworkConfiguration
    keys: tuple[HelperKeys, ...]
    query: FanoutQuery
    streams: tuple[bytes, bytes, bytes]

    def stream(self, helper: int) -> QueryStream:
        return read_query_stream(self.streams[helper - 1])


def make_world(
    events: Sequence[Event],
    fanout: Fanout = "source",
    form: Form = "packed",
    sharing: Sharing = "three-party",
) -> World:
    """Encrypt the events' match keys on their sites and assemble a query of HOME's."""
    network, keys = generate_configuration(
        HOME.network_name, match_key_bits=PARAMETERS.match_key_bits, sharing=sharing
    )
    query = FanoutQuery(
        context=HOME,
        fanout=fanout,
        widths=FieldWidths.of(PARAMETERS),
        match_key_bits=PARAMETERS.match_key_bits,
        form=form,
        sharing=sharing,
    )
    randomness = Randomness()
    collected = [
        CollectedEvent(
            additional_data(event),
            encrypt_match_key(event.match_key, replace(HOME, site=event.site), network, randomness),
        )
        for event in events
    ]
    streams = assemble_fanout_query(query, collected, network, randomness)
    return World(network, keys, query, streams)


@cache
def world() -> World:
    """The query over EVENTS."""
    return make_world(EVENTS)


def answer(
    world: World,
    *interceptors: Interceptor,
    submitter: str = HOME.report_collector,
    security: Security = "semi-honest",
) -> ReportQueryResult:
    """The whole query."""
    return run_report_query(
        world.streams,
        world.keys,
        replace(PARAMETERS, security=security),
        submitter=submitter,
        no_budget=True,
        no_noise=True,
        options=RunOptions(interceptors=interceptors),
    )


def take_in(world: World, network: HelperPartyNetwork | None = None) -> Intake:
    """The intake alone, in lockstep."""
    network = network or simulated_network()
    keys = {own.helper: own for own in world.keys}
    streams = dict(zip((1, 2, 3), world.streams, strict=True))
    submitters = dict.fromkeys(streams, world.query.context.report_collector)
    return take_in_reports(network, compare_queries(network, streams, keys, submitters))


def opened_events(intake: Intake) -> list[Event]:
    """The reports that were kept, put together; sites are not in them."""
    columns = [reconstruct_for_testing(field) for field in intake.reports.fields]
    events: list[Event] = []
    for match_key, constraint, timestamp, is_trigger, breakdown_key, value in zip(
        *columns, strict=True
    ):
        if is_trigger:
            assert breakdown_key == 0
            events.append(TriggerEvent(match_key, constraint, timestamp, value))
        else:
            assert value == 0
            events.append(SourceEvent(match_key, constraint, timestamp, breakdown_key))
    return events


def without_sites(events: Sequence[Event]) -> list[Event]:
    return [replace(event, site="") for event in events]


def without_rows(*rows: int) -> list[Event]:
    """EVENTS without the rows, counted from 0."""
    return [event for row, event in enumerate(EVENTS) if row not in rows]


def with_records(
    world: World, helper: int, change: Callable[[tuple[bytes, ...]], Sequence[bytes]]
) -> World:
    """The world with the records in one helper's stream changed."""
    stream = world.stream(helper)
    return with_stream(world, helper, replace(stream, records=tuple(change(stream.records))))


def with_stream(world: World, helper: int, stream: QueryStream) -> World:
    """The world with one helper's stream replaced."""
    return with_bytes(world, helper, write_query_stream(stream))


def with_bytes(world: World, helper: int, data: bytes) -> World:
    """The world with one helper's stream replaced by any bytes."""
    first, second, third = (
        data if number == helper else stream for number, stream in enumerate(world.streams, 1)
    )
    return replace(world, streams=(first, second, third))


def with_record(world: World, helper: int, row: int, record: bytes) -> World:
    """The world with one record in one helper's stream replaced."""
    return with_records(world, helper, lambda r: (*r[:row], record, *r[row + 1 :]))


def assert_only_dropped(result: ReportQueryResult, dropped: dict[int, Reason]) -> None:
    """The rows (from 0) were dropped for their reasons, and the sums are those of the others."""
    expected: dict[Reason, int] = {}
    for reason in dropped.values():
        expected[reason] = expected.get(reason, 0) + 1
    assert result.dropped == expected
    assert result.result.rows == len(EVENTS) - len(dropped)
    assert result.submitted == len(EVENTS)
    assert result.result.sums == query_in_steps(without_rows(*dropped), PARAMETERS)


def with_report(
    world: World,
    row: int,
    event: CollectedEvent,
    query: FanoutQuery,
    randomness: Randomness | None = None,
) -> World:
    """A row of all three streams replaced by a report that a collector sealed without any check."""
    table = context_table([*world.stream(1).contexts, event.match_key.context])
    records = seal_report(event, table, query, world.network, randomness or Randomness())
    for helper in (1, 2, 3):
        stream = replace(world.stream(helper), contexts=tuple(table))
        world = with_record(with_stream(world, helper, stream), helper, row, records[helper - 1])
    return world
