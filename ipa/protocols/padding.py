"""Padding: as many neutral reports as sorting needs."""

from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import Sort
from ipa.protocols.circuits.constants import public_number
from ipa.protocols.circuits.sorting import rows_to_sort
from ipa.reports import GenericReports
from ipa.sharing.joining import join_rows
from ipa.sharing.shared_bits import SharedBits


def pad_reports(
    network: HelperPartyNetwork, reports: GenericReports, sort: Sort = "bitonic"
) -> GenericReports:
    """The reports and public ones below them, as many as `rows_to_sort` says; at least one row.

    A padding report is a trigger report of value 0 with every other field 0: it adds 0 to whatever
    it is attributed to, and a trigger never stands between another trigger and its source. (A
    padding source report could take credit.) Sends nothing. Source: SPEC_NOTES: padding.
    """
    missing = rows_to_sort(reports.rows, sort) - reports.rows
    if not missing:
        return reports

    def padded(field: SharedBits, value: int) -> SharedBits:
        """The field, and `value` in every row that is missing."""
        return join_rows(field, public_number(network, missing, value, field.width))

    return GenericReports(
        match_key=padded(reports.match_key, 0),
        attribution_constraint_id=padded(reports.attribution_constraint_id, 0),
        timestamp=padded(reports.timestamp, 0),
        is_trigger=padded(reports.is_trigger, 1),
        breakdown_key=padded(reports.breakdown_key, 0),
        trigger_value=padded(reports.trigger_value, 0),
    )
