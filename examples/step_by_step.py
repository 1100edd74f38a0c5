"""A walk through a query: each step on its own, with what every helper party sees of it.

    python examples/step_by_step.py

The helpers see random bits at every step; only where
this script, unlike anybody in a deployment, puts all three helpers' shares together does a table of
numbers appear. The events are those of the specification's worked example.
"""

import argparse
from dataclasses import fields

from ipa import (
    GenericReports,
    SharedBits,
    reconstruct_for_testing,
    share_events,
    simulated_network,
)
from ipa.events.worked_example import WORKED_EXAMPLE
from ipa.events.worked_example import WORKED_EXAMPLE_PARAMETERS as PARAMETERS
from ipa.parties import HELPERS, right_of
from ipa.protocols.aggregation import sums_per_breakdown
from ipa.protocols.capping import cap_credits
from ipa.protocols.helper_bits import helper_bits
from ipa.protocols.last_touch import attribute_last_touch
from ipa.protocols.padding import pad_reports
from ipa.protocols.report_sorting import sort_reports
from ipa.release import combine_at_collector, shares_for_collector
from ipa.sharing.bits import rows_from_columns
from ipa.sharing.randomness import Randomness


def main() -> None:
    """Run every step of `ipa.query.query`, and show what it does."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    network = simulated_network(seed=1)

    print("1. Clients share every field; a helper gets two of the three shares of each.")
    reports = share_events(
        network.name, WORKED_EXAMPLE, PARAMETERS, Randomness.from_seed(1, "clients")
    )
    show("match keys, in the order the events came", reports.match_key)

    print(
        "2. The helpers add neutral reports up to a power of two, for the sorting network, and sort."
    )
    ordered = sort_reports(network, pad_reports(network, reports))
    show("match keys after the sort: new random shares in every row", ordered.match_key)
    show_reports(ordered)

    print("3. Helper bits: does a row continue the group, or the match key, of the row before?")
    same = helper_bits(network, ordered)
    show("same match key and attribution constraint", same.same_match_key_and_constraint)
    show("same match key", same.same_match_key)

    print("4. Last touch attribution: triggers hand their values to the last source before them.")
    credit = attribute_last_touch(
        network, same.same_match_key_and_constraint, ordered.is_trigger, ordered.trigger_value
    )
    show("credit", credit)

    print(f"5. Capping: no match key keeps more than {PARAMETERS.cap}.")
    capped = cap_credits(
        network,
        same.same_match_key,
        credit,
        PARAMETERS.cap,
        PARAMETERS.capping,
    )
    show("capped credit", capped)

    print("6. Aggregation: one sum per breakdown key, still shared.")
    sums = sums_per_breakdown(
        network, ordered.breakdown_key, capped, PARAMETERS.breakdowns, width=16
    )
    show("sums", sums)

    print("7. Release: the report collector, and nobody else, puts the helpers' shares together.")
    print(
        "  ",
        combine_at_collector(shares_for_collector(network, sums), PARAMETERS.breakdowns),
    )


def show(title: str, value: SharedBits) -> None:
    """Print what each helper holds of `value`, and what nobody sees: the value."""
    print(f"   {title}: {value!r}")
    for helper in HELPERS:
        own, right = value.shares_of(helper)
        print(f"     H{helper} holds share {helper}:", *rows_from_columns(own, value.rows))
        print(f"        and share {right_of(helper)}:", *rows_from_columns(right, value.rows))
    print("     put together, as nobody can:", *reconstruct_for_testing(value))
    print()


def show_reports(reports: GenericReports) -> None:
    """Print all fields of shared reports, put together."""
    columns = [
        (field.name, reconstruct_for_testing(getattr(reports, field.name)))
        for field in fields(reports)
    ]
    print("   the sorted reports, put together, as nobody can:")
    for name, values in columns:
        print(f"     {name:>26}", *(f"{value:>5}" for value in values))
    print()


if __name__ == "__main__":
    main()
