"""Attribution: from reports in any order to sorted rows with the credit of each source.

Three ways, each from sorting to credits. The specification's is the last touch; the other two, and
the window, are what it leaves to later work (SPEC_NOTES: other-attributions).
"""

from dataclasses import dataclass, replace

from ipa.display.records import fields_html
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import QueryParameters, Sort, bits_for
from ipa.protocols.attribution_window import drop_late_triggers, expiry
from ipa.protocols.circuits.addition import subtract
from ipa.protocols.circuits.constants import zero_extend
from ipa.protocols.circuits.scan import last_of_group, running_totals
from ipa.protocols.circuits.scan_sizes import longest_group
from ipa.protocols.equal_credit import credits_between, sources_so_far, split_values
from ipa.protocols.first_touch import attribute_first_touch
from ipa.protocols.helper_bits import HelperBits, helper_bits
from ipa.protocols.last_touch import attribute_last_touch
from ipa.protocols.padding import pad_reports
from ipa.protocols.report_bound import BoundedColumns, bound_reports
from ipa.protocols.report_sorting import sort_reports
from ipa.reports import GenericReports
from ipa.sharing.joining import join_columns
from ipa.sharing.shared_bits import SharedBits


@dataclass(frozen=True)
class AttributedReports:
    """Rows in which those of one match key stand together, with the credit of each."""

    breakdown_key: SharedBits
    same_match_key: SharedBits
    credit: SharedBits
    longest: int
    """No match key has more rows than this."""

    _repr_html_ = fields_html


def attribute(
    network: HelperPartyNetwork, reports: GenericReports, parameters: QueryParameters
) -> AttributedReports:
    """Pad reports as sorting needs it, sort them, and attribute every trigger to its sources.

    A source may have a trigger of its match key and constraint ID if it is strictly earlier, and by
    `parameters.attribution_window` at most. Of a match key only the first
    `parameters.max_reports_per_match_key` reports take part. Credits are bits_for(n * (2^v - 1)) bits
    wide, for values of v bits and at most n rows of a match key.

    Reveals: what sort_rows reveals.
    """
    padded = pad_reports(network, reports, parameters.sort)
    if parameters.attribution == "last-touch":
        return _last_touch(network, padded, padded.rows - reports.rows, parameters)
    ways = {"first-touch": _first_touch, "equal-credit": _equal_credit}
    return ways[parameters.attribution](
        network, padded, parameters.attribution_window, parameters.sort
    )


def _last_touch(
    network: HelperPartyNetwork,
    reports: GenericReports,
    padding: int,
    parameters: QueryParameters,
) -> AttributedReports:
    window = parameters.attribution_window
    ordered = sort_reports(network, reports, parameters.sort)
    bits = helper_bits(network, ordered, padding)
    longest = longest_group(ordered.rows, parameters.max_reports_per_match_key)
    given = BoundedColumns(
        bits.same_match_key_and_constraint, bits.same_match_key, ordered.trigger_value
    )
    bounded = bound_reports(network, given, ordered.is_trigger, ordered.timestamp, longest)
    same, value = bounded.same_match_key_and_constraint, bounded.trigger_value
    if window is not None:
        value = drop_late_triggers(
            network, same, ordered.is_trigger, ordered.timestamp, value, window, longest
        )
    credit = attribute_last_touch(network, same, ordered.is_trigger, value, longest)
    return AttributedReports(ordered.breakdown_key, bounded.same_match_key, credit, longest)


def _first_touch(
    network: HelperPartyNetwork, reports: GenericReports, window: int | None, sort: Sort
) -> AttributedReports:
    time = expiry(network, reports.is_trigger, reports.timestamp, window)
    ordered = sort_reports(network, replace(reports, timestamp=time), sort)
    bits = helper_bits(network, ordered)
    same = bits.same_match_key_and_constraint
    credit = attribute_first_touch(
        network, same, ordered.is_trigger, ordered.timestamp, ordered.trigger_value, window
    )
    return AttributedReports(ordered.breakdown_key, bits.same_match_key, credit, ordered.rows)


def _equal_credit(
    network: HelperPartyNetwork, reports: GenericReports, window: int | None, sort: Sort
) -> AttributedReports:
    """Each source gets what the triggers up to its expiry give, less what those up to its time give."""
    if window is not None:
        return _equal_credit_in_window(network, reports, window, sort)
    ordered = sort_reports(network, reports, sort)
    bits = helper_bits(network, ordered)
    sources = sources_so_far(network, bits.same_match_key_and_constraint, ordered.is_trigger)
    given = _give(network, ordered, bits, ordered.trigger_value, sources)
    up_to_end = last_of_group(network, bits.same_match_key_and_constraint, given.total)
    credit = credits_between(network, ordered.is_trigger, up_to_end, given.total, given.left_over)
    return AttributedReports(ordered.breakdown_key, bits.same_match_key, credit, ordered.rows)


def _equal_credit_in_window(
    network: HelperPartyNetwork, reports: GenericReports, window: int, sort: Sort
) -> AttributedReports:
    """Sorted by expiry to count the sources that have expired, by time to give, and by expiry to take.

    What belongs to a row goes along with its trigger value. The groups are the same rows each time,
    so the helper bits are, too.
    """
    expires = expiry(network, reports.is_trigger, reports.timestamp, window)
    by_expiry, (value, time) = _sort_with(
        network, replace(reports, timestamp=expires), sort, reports.trigger_value, reports.timestamp
    )
    bits = helper_bits(network, by_expiry)
    same = bits.same_match_key_and_constraint
    expired = sources_so_far(network, same, by_expiry.is_trigger)
    by_time, (value, expired, expires) = _sort_with(
        network, replace(by_expiry, timestamp=time), sort, value, expired, by_expiry.timestamp
    )
    sources = subtract(network, sources_so_far(network, same, by_time.is_trigger), expired)
    given = _give(network, by_time, bits, value, sources)
    last, (each, total, left_over) = _sort_with(
        network, replace(by_time, timestamp=expires), sort, given.each, given.total, given.left_over
    )
    up_to_end = running_totals(network, same, each)
    credit = credits_between(network, last.is_trigger, up_to_end, total, left_over)
    return AttributedReports(last.breakdown_key, bits.same_match_key, credit, last.rows)


@dataclass(frozen=True)
class _Given:
    """What triggers give each source, the running total of it, and what is left over for the last.

    All are as wide as the largest total.
    """

    each: SharedBits
    total: SharedBits
    left_over: SharedBits


def _give(
    network: HelperPartyNetwork,
    ordered: GenericReports,
    bits: HelperBits,
    value: SharedBits,
    sources: SharedBits,
) -> _Given:
    same = bits.same_match_key_and_constraint
    width = bits_for(value.rows * ((1 << value.width) - 1))
    shares = split_values(network, value, sources)
    each = zero_extend(network, shares.each, width)
    left_over = attribute_last_touch(network, same, ordered.is_trigger, shares.left_over)
    total = running_totals(network, same, shares.each, width)
    return _Given(each, total, zero_extend(network, left_over, width))


def _sort_with(
    network: HelperPartyNetwork, reports: GenericReports, sort: Sort, *carried: SharedBits
) -> tuple[GenericReports, list[SharedBits]]:
    """The reports sorted, and what is carried along with each row in place of its trigger value."""
    loaded = replace(reports, trigger_value=join_columns(*carried))
    ordered = sort_reports(network, loaded, sort)
    parts, start = [], 0
    for table in carried:
        parts.append(ordered.trigger_value[start : start + table.width])
        start += table.width
    return ordered, parts
