"""Ads seen on phones, purchases made at a till: a match key provider links the two, and nobody else.

    python examples/offline_purchases.py

People sign in to a match key provider on their devices, and show the same account at a shop's till.
For each purchase the shop asks the provider for an encrypted match key, adds time and amount, and
asks a trigger fanout query: which of my ads led to purchases offline? The provider learns of the
purchase, not of the ads; the shop learns the sums. They are compared with SQL over the events.
"""

import argparse
import random
import sys
from collections.abc import Sequence

from ipa import Event, QueryParameters, SourceEvent, TriggerEvent, query_sql
from ipa.client import (
    CollectedEvent,
    FanoutQuery,
    FieldWidths,
    HelperKeys,
    MatchKeyProvider,
    NetworkConfiguration,
    ReportContext,
    UserAgent,
    additional_data,
    assemble_fanout_query,
    generate_configuration,
)
from ipa.report_query import run_report_query
from ipa.sharing.randomness import Randomness

NEWS, SHOP = "news.example", "shop.example"
EPOCH, PEOPLE = 7, 40
PARAMETERS = QueryParameters(breakdowns=4, cap=500)


def ask(
    collected: Sequence[CollectedEvent],
    provider: str,
    network: NetworkConfiguration,
    helper_keys: Sequence[HelperKeys],
) -> list[int]:
    """The shop's trigger fanout query: the value of purchases by the ads that led to them."""
    context = ReportContext(
        network_name=network.name,
        match_key_provider=provider,
        report_collector=SHOP,
        on_behalf_of=SHOP,
        site=SHOP,
        epoch=EPOCH,
    )
    query = FanoutQuery(context=context, fanout="trigger", widths=FieldWidths.of(PARAMETERS))
    streams = assemble_fanout_query(query, collected, network, Randomness())
    answer = run_report_query(
        streams, helper_keys, PARAMETERS, submitter=SHOP, no_budget=True, no_noise=True
    )
    return answer.result.sums


def main() -> int:
    """Show the ads, sell, ask, and say whether the answer is right."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    network, helper_keys = generate_configuration("helpers.example")
    provider = MatchKeyProvider("login.example")
    accounts = [f"person-{number}@mail.example" for number in range(PEOPLE)]
    devices = {
        account: UserAgent([network], [provider.name], epoch=EPOCH - 1) for account in accounts
    }
    for account, device in devices.items():
        provider.set_match_key_on(device, account)
        device.advance_epoch()

    rng = random.Random(5)
    events: list[Event] = []
    collected = []
    for number, account in enumerate(accounts):
        ad = SourceEvent(number, 0, rng.randrange(1000), rng.randrange(4), NEWS)
        seen = devices[account].get_encrypted_match_key(
            NEWS, SHOP, provider.name, on_behalf_of=SHOP, network_name=network.name
        )
        bought = TriggerEvent(number, 0, rng.randrange(1000), rng.randrange(1, 200), SHOP)
        sold = provider.encrypt_offline(
            account, network, site=SHOP, report_collector=SHOP, on_behalf_of=SHOP, epoch=EPOCH
        )
        events += [ad, bought]
        collected += [
            CollectedEvent(additional_data(ad), seen),
            CollectedEvent(additional_data(bought), sold),
        ]

    sums = ask(collected, provider.name, network, helper_keys)
    expected = query_sql(events, PARAMETERS)
    right = sums == expected
    print(f"{PEOPLE} people, an ad each on {NEWS} and a purchase each at the till of {SHOP}")
    print(f"  sums: {sums}")
    print(f"  SQL:  {expected}: {'the same' if right else 'DIFFERENT'}")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
