"""`ipa collect`: plays the devices and the report collector; events in, three query streams out."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from ipa.client.configuration import NetworkConfiguration
from ipa.client.encrypted_match_key import ReportContext
from ipa.client.fanout_query import FanoutQuery, FieldWidths, Form
from ipa.client.key_files import load_configuration
from ipa.client.report_collector import CollectedEvent, additional_data, assemble_fanout_query
from ipa.client.user_agent import ON_DEVICE, UserAgent
from ipa.commands.directories import new_directory, write_streams
from ipa.commands.options import (
    add_site_argument,
    read_events,
    registrable_domain,
    source_name,
)
from ipa.errors import InputError, ParameterError
from ipa.events import Event
from ipa.names import check_identifier, site_of
from ipa.parameters import MAX_BREAKDOWNS, Fanout, QueryParameters
from ipa.sharing.randomness import Randomness

_BREAKDOWN_KEY_BITS = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ipa collect`."""
    parser.add_argument(
        "events",
        metavar="EVENTS.csv",
        help="the events, perhaps with a column `site`; - is standard input",
    )
    query = parser.add_argument_group("query")
    query.add_argument(
        "--network", type=Path, required=True, metavar="FILE", help="NETWORK_DIR/network.json"
    )
    query.add_argument(
        "--site", required=True, metavar="S", help="who asks; events without a site happen here"
    )
    query.add_argument(
        "--fanout",
        choices=get_args(Fanout),
        required=True,
        help="source: all source reports are of this site; trigger: all trigger reports are",
    )
    query.add_argument(
        "--out", type=Path, required=True, metavar="QUERY_DIR", help="a new directory"
    )
    query.add_argument(
        "--report-collector", metavar="R", help="who collects for the site (default: the site)"
    )
    query.add_argument(
        "--match-key-provider",
        default=ON_DEVICE,
        metavar="P",
        help="who sets the match keys; devices have random ones of their own by default",
    )
    add_site_argument(query)
    query.add_argument(
        "--epoch", type=int, default=1, metavar="E", help="when the events happened (%(default)s)"
    )
    query.add_argument(
        "--form",
        choices=get_args(Form),
        default=FanoutQuery.form,
        help="how the collector encrypts its fields (default: %(default)s)",
    )
    _add_width_arguments(parser)


def _add_width_arguments(parser: argparse.ArgumentParser) -> None:
    widths = parser.add_argument_group("widths of the fields, in bits")
    for name in ("attribution_constraint_id", "timestamp", "value"):
        widths.add_argument(
            f"--{name.replace('_', '-')}-bits",
            type=int,
            default=getattr(QueryParameters, f"{name}_bits"),
            metavar="W",
            help="default: %(default)s",
        )
    widths.add_argument(
        "--breakdown-key-bits",
        type=int,
        default=_BREAKDOWN_KEY_BITS,
        metavar="W",
        help="at least what the query needs (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Encrypt every event on its device and site, and write the streams, all or none.

    Raises: ParameterError for options, InputError for events, a network or a directory that are wrong.
    """
    check_identifier("--site", arguments.site)
    domain_of = registrable_domain(arguments)
    site = site_of(arguments.site, domain_of)
    configuration = load_configuration(arguments.network)
    limits = _limits(arguments, configuration)
    named = arguments.report_collector
    collector = site if named is None else named
    query = FanoutQuery(
        context=ReportContext(
            network_name=configuration.name,
            match_key_provider=arguments.match_key_provider,
            report_collector=collector,
            on_behalf_of=site,
            site=site,
            epoch=arguments.epoch,
        ),
        fanout=arguments.fanout,
        widths=FieldWidths.of(limits),
        match_key_bits=configuration.match_key_bits,
        form=arguments.form,
        sharing=configuration.sharing,
    )
    if arguments.epoch == 0 and arguments.match_key_provider != ON_DEVICE:
        raise ParameterError(
            "--epoch must be at least 1 with --match-key-provider: match keys are set in the epoch "
            "before"
        )
    with new_directory(arguments.out) as directory:
        events = read_events(arguments.events, limits, domain_of)
        try:
            collected = encrypt_events(events, query.context, configuration)
            streams = assemble_fanout_query(query, collected, configuration, Randomness())
        except InputError as error:
            raise InputError(f"{source_name(arguments.events)}: {error}") from None
        write_streams(directory, streams, collector)
    print(
        f"{arguments.out}: {len(events):,} reports for {query.fanout} fanout query of "
        f"{query.context.site}, {len(streams[0]):,} bytes per helper"
    )
    return 0


def streams_of_own_query(
    events: Sequence[Event],
    parameters: QueryParameters,
    configuration: NetworkConfiguration,
    site: str,
    report_collector: str | None = None,
) -> tuple[bytes, bytes, bytes]:
    """The three streams of a source fanout query of a site, in epoch 1, about events on its devices.

    The site is its own report collector unless another one is named. The fields have the widths of the
    parameters.
    """
    context = ReportContext(
        network_name=configuration.name,
        match_key_provider=ON_DEVICE,
        report_collector=site if report_collector is None else report_collector,
        on_behalf_of=site,
        site=site,
        epoch=1,
    )
    query = FanoutQuery(
        context=context,
        fanout="source",
        widths=FieldWidths.of(parameters),
        match_key_bits=configuration.match_key_bits,
        sharing=configuration.sharing,
    )
    collected = encrypt_events(events, context, configuration)
    return assemble_fanout_query(query, collected, configuration, Randomness())


def encrypt_events(
    events: Sequence[Event], context: ReportContext, configuration: NetworkConfiguration
) -> list[CollectedEvent]:
    """What the devices hand the report collector: an encrypted match key for every event.

    Every match key is a device of its own. With a match key provider, the provider has set that
    match key in the epoch before. Without one, the device has a random match key, and the events'
    match keys only say which events are of one device. `context` is the query's. An event with a
    site of its own happens there instead.

    Raises: ParameterError for a site that cannot be one.
    """
    devices: dict[int, UserAgent] = {}
    collected = []
    for event in events:
        device = devices.get(event.match_key)
        if device is None:
            device = devices[event.match_key] = _device(event.match_key, context, configuration)
        encrypted = device.get_encrypted_match_key(
            event.site or context.site,
            context.report_collector,
            context.match_key_provider,
            on_behalf_of=context.on_behalf_of,
            network_name=configuration.name,
        )
        collected.append(CollectedEvent(additional_data(event), encrypted))
    return collected


def _device(
    match_key: int, context: ReportContext, configuration: NetworkConfiguration
) -> UserAgent:
    provider = context.match_key_provider
    if provider == ON_DEVICE:
        return UserAgent([configuration], epoch=context.epoch)
    device = UserAgent([configuration], [provider], epoch=context.epoch - 1)
    device.set_match_key(provider, match_key)
    device.advance_epoch()
    return device


def _limits(arguments: argparse.Namespace, configuration: NetworkConfiguration) -> QueryParameters:
    """The widths as parameters that the events are checked against.

    Raises: ParameterError for a width out of range.
    """
    bits, largest = arguments.breakdown_key_bits, MAX_BREAKDOWNS.bit_length() - 1
    if not 1 <= bits <= largest:
        raise ParameterError(f"breakdown_key_bits must be from 1 to {largest}, not {bits}")
    return QueryParameters(
        breakdowns=1 << bits,
        cap=1,  # says nothing about events
        match_key_bits=configuration.match_key_bits,
        attribution_constraint_id_bits=arguments.attribution_constraint_id_bits,
        timestamp_bits=arguments.timestamp_bits,
        value_bits=arguments.value_bits,
    )
