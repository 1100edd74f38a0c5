"""Step 1 of the query: sorting the reports (spec: Oblivious Sorting)."""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import Sort
from ipa.protocols.circuits.sorting import sort_rows
from ipa.reports import GenericReports
from ipa.sharing.joining import join_columns
from ipa.sharing.shared_bits import SharedBits


def sort_reports(
    network: HelperPartyNetwork, reports: GenericReports, sort: Sort = "bitonic"
) -> GenericReports:
    """The reports sorted by (match key, attribution constraint ID, time, is source, breakdown key).

    At equal times triggers come before sources, so that a trigger is attributed only to strictly
    earlier sources; among sources of equal time the largest breakdown key comes last and so is the
    one before the next trigger (SPEC_NOTES: ties). The bitonic network takes a power of two of rows.

    Cost: that of sort_rows, with all fields but the trigger value as the key.
    Reveals: what sort_rows reveals; no helper can link a sorted row to an input row.
    """
    key = (
        reports.breakdown_key,
        ~reports.is_trigger,
        reports.timestamp,
        reports.attribution_constraint_id,
        reports.match_key,
    )
    table = join_columns(*key, reports.trigger_value)
    ordered = sort_rows(network, table, sum(field.width for field in key), sort)
    parts: list[SharedBits] = []
    start = 0
    for field in (*key, reports.trigger_value):
        parts.append(ordered[start : start + field.width])
        start += field.width
    breakdown_key, is_source, timestamp, constraint, match_key, trigger_value = parts
    ordered_reports = GenericReports(
        match_key, constraint, timestamp, ~is_source, breakdown_key, trigger_value
    )
    network.trace(**vars(ordered_reports))
    return ordered_reports
