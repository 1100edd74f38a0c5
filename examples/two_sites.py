"""From two sites' events on people's devices to sums per breakdown key, and nobody saw a match key.

    python examples/two_sites.py

Two sites show advertisements and sell things. The news site asks a source fanout query (what did
my impressions lead to, anywhere?), the shop a trigger fanout query (which impressions, anywhere,
led to my sales?). Both answers are compared with SQL over the events in the clear: they differ by
the noise, and never by more than the noise can be.
"""

import argparse
import random
import sys
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ipa import Event, QueryParameters, SourceEvent, generate_events
from ipa.budget import (
    BudgetTerms,
    CollectorShare,
    Commitment,
    EpochClock,
    EpsilonDelta,
    create_ledgers,
    delta_text,
    remaining,
)
from ipa.budget.ledger_directory import Ledgers
from ipa.client.configuration import HelperKeys, NetworkConfiguration, generate_configuration
from ipa.client.encrypted_match_key import ReportContext
from ipa.client.fanout_query import Fanout, FanoutQuery, FieldWidths
from ipa.client.report_collector import CollectedEvent, additional_data, assemble_fanout_query
from ipa.client.user_agent import UserAgent
from ipa.noise.choice import noise_for
from ipa.oracle.sql import query_sql
from ipa.report_query import Payment, ReportQueryResult, run_report_query
from ipa.sharing.randomness import Randomness

NEWS, SHOP = "news.example", "shop.example"
PROVIDER = "login.example"
EPOCH = 7
NOW = 1_700_000_000
CLOCK = EpochClock(start=NOW - EPOCH * 604_800)  # epochs of a week; the seventh begins now
PARAMETERS = QueryParameters(breakdowns=8, cap=200, epsilon=Fraction(1, 4))
QUERIES: tuple[tuple[str, Fanout], ...] = ((NEWS, "source"), (SHOP, "trigger"))


def main() -> int:
    """Set the world up, ask both queries, and say whether both answers are right."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    network, helper_keys = generate_configuration("helpers.example")
    events = events_of_two_sites()
    devices = devices_of(events, network)
    print(f"{len(events)} events of {len(devices)} people on {NEWS} and {SHOP}\n")
    with tempfile.TemporaryDirectory() as directory:
        terms = BudgetTerms(site_epsilon=Fraction(1), clock=CLOCK)
        ledgers = create_ledgers(Path(directory) / "ledger", terms, network_name=network.name)
        right = [
            ask(site, fanout, events, devices, network, helper_keys, ledgers)
            for site, fanout in QUERIES
        ]
    return 0 if all(right) else 1


def events_of_two_sites() -> list[Event]:
    """Synthetic events, each on one of the sites."""
    rng = random.Random(1)
    events = generate_events(400, users=60, breakdowns=PARAMETERS.breakdowns, seed=3)
    return [replace(event, site=rng.choice([NEWS, SHOP])) for event in events]


def devices_of(events: list[Event], network: NetworkConfiguration) -> dict[int, UserAgent]:
    """A device per person: a match key provider sets the match key, the next epoch begins."""
    devices = {}
    for match_key in {event.match_key for event in events}:
        device = UserAgent([network], [PROVIDER], epoch=EPOCH - 1)
        device.set_match_key(PROVIDER, match_key)
        device.advance_epoch()
        devices[match_key] = device
    return devices


def commitment_to(collector: str, site: str, network: NetworkConfiguration) -> Commitment:
    """What a site commits to for the epoch: all of its budget to one report collector."""
    share = CollectorShare(
        report_collector=collector,
        network_name=network.name,
        match_key_provider=PROVIDER,
        epsilon=Fraction(1),
    )
    return Commitment(site=site, epoch=EPOCH, shares=(share,))


def events_for(site: str, fanout: Fanout, events: list[Event]) -> list[Event]:
    """The site's own events of the query's kind, and the other kind's from everywhere."""
    return [
        event
        for event in events
        if event.site == site or isinstance(event, SourceEvent) == (fanout == "trigger")
    ]


def ask(
    site: str,
    fanout: Fanout,
    events: list[Event],
    devices: dict[int, UserAgent],
    network: NetworkConfiguration,
    helper_keys: tuple[HelperKeys, ...],
    ledgers: Ledgers,
) -> bool:
    """A fanout query of a site: commit, collect, submit, and compare the answer with SQL."""
    collector = f"reports.{site}"
    ledgers[0].board.commit(commitment_to(collector, site, network), now=NOW)
    wanted = events_for(site, fanout, events)
    collected = [
        CollectedEvent(
            additional_data(event),
            devices[event.match_key].get_encrypted_match_key(
                event.site, collector, PROVIDER, on_behalf_of=site, network_name=network.name
            ),
        )
        for event in wanted
    ]
    context = ReportContext(
        network_name=network.name,
        match_key_provider=PROVIDER,
        report_collector=collector,
        on_behalf_of=site,
        site=site,
        epoch=EPOCH,
    )
    query = FanoutQuery(context=context, fanout=fanout, widths=FieldWidths.of(PARAMETERS))
    streams = assemble_fanout_query(query, collected, network, Randomness())
    payment = Payment(ledgers=ledgers, query_id=f"{site}-1", charged_at=NOW)
    answer = run_report_query(
        streams, helper_keys, PARAMETERS, submitter=collector, payment=payment
    )
    left = remaining(ledgers[0], site=site, epoch=EPOCH, report_collector=collector)
    return compared_with_sql(answer, query, wanted, left)


def compared_with_sql(
    answer: ReportQueryResult, query: FanoutQuery, wanted: list[Event], left: EpsilonDelta
) -> bool:
    """Print the answer beside the exact sums; whether it is as near as the noise takes it."""
    expected = query_sql(wanted, PARAMETERS)
    noise = noise_for(PARAMETERS)
    reach = 0 if noise is None else noise.largest
    pairs = zip(answer.result.sums, expected, strict=True)
    right = all(abs(noisy - exact) <= reach for noisy, exact in pairs)
    print(f"{query.fanout} fanout query of {query.context.site}")
    print(f"  reports: {answer.submitted} submitted, {sum(answer.dropped.values())} dropped")
    print(f"  sums:    {answer.result.sums}")
    print(f"  SQL:     {expected}: {'as near as the noise takes it' if right else 'DIFFERENT'}")
    print(f"  epsilon: {PARAMETERS.epsilon} charged, {left.epsilon} remaining")
    print(
        f"  delta:   {delta_text(PARAMETERS.delta)} charged, {delta_text(left.delta)} remaining\n"
    )
    return right


if __name__ == "__main__":
    sys.exit(main())
