"""The honest implementation of every step: `clear/` by the protocols themselves, the rest as it is.

What the reference takes from the oracle, this computes on shares among three simulated helpers and puts
together at the end, so that comparing the two compares the protocols with the oracle.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count

from ipa.attribution import attribute
from ipa.conformance.clear_inputs import aggregate_input, asked, cap_input, passes_input
from ipa.conformance.json_values import Json, event_to_json, integers, numbers, refused_at
from ipa.conformance.noise_values import noise_from_json
from ipa.conformance.reference import STEPS, Answer, answer_by
from ipa.errors import RefusedCaseError
from ipa.events import Event, SourceEvent, TriggerEvent
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.simulation import RunOptions, simulated_network
from ipa.noise.width import signed_width
from ipa.parameters import QueryParameters, bits_for
from ipa.protocols.aggregation import sums_per_breakdown
from ipa.protocols.capping import cap_credits
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.circuits.scan import look_ahead
from ipa.protocols.helper_bits import helper_bits
from ipa.protocols.noise import laplace_noise_from_words
from ipa.protocols.padding import pad_reports
from ipa.protocols.report_sorting import sort_reports
from ipa.query import run_query
from ipa.release import combine_at_collector
from ipa.reports import GenericReports, share_events
from ipa.sharing.dealing import reconstruct_for_testing, share_rows
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import SharedBits

_SEEDS = count()


def _network() -> HelperPartyNetwork:
    return simulated_network(next(_SEEDS))


def _deal(network: HelperPartyNetwork, values: Sequence[int], width: int) -> SharedBits:
    return share_rows(network, values, width, Randomness())


def _sorted_reports(
    network: HelperPartyNetwork, events: Sequence[Event], parameters: QueryParameters
) -> tuple[GenericReports, int]:
    """The reports in order, and how many padding reports stand before them."""
    reports = share_events(network, events, parameters, Randomness())
    padded = pad_reports(network, reports)
    return sort_reports(network, padded), padded.rows - reports.rows


def _sort(given: Json) -> Json:
    events, parameters = asked(given)
    network = _network()
    ordered, padding = _sorted_reports(network, events, parameters)
    columns = [reconstruct_for_testing(field) for field in ordered.fields]
    rows = sorted(zip(*columns, strict=True), key=lambda row: _padding_first(row))[padding:]
    return {
        "events": [
            event_to_json(
                TriggerEvent(m, c, t, v) if is_trigger else SourceEvent(m, c, t, breakdown)
            )
            for m, c, t, is_trigger, breakdown, v in rows
        ]
    }


def _padding_first(row: tuple[int, ...]) -> bool:
    """Padding is among the first rows, where triggers of its key and other values may stand before it."""
    return row != (0, 0, 0, 1, 0, 0)


def _helper_bits(given: Json) -> Json:
    events, parameters = asked(given)
    network = _network()
    ordered, padding = _sorted_reports(network, events, parameters)
    bits = helper_bits(network, ordered, padding)
    return {
        "same_match_key_and_constraint": reconstruct_for_testing(
            bits.same_match_key_and_constraint
        )[padding:],
        "same_match_key": reconstruct_for_testing(bits.same_match_key)[padding:],
    }


def _last_touch_passes(given: Json) -> Json:
    same, triggers, values = passes_input(given)
    network, rows = _network(), len(values)
    linked = multiply(network, _deal(network, same, 1), _deal(network, triggers, 1))
    flag = linked.successors(1)
    width = bits_for(sum(values))
    credit = _deal(network, values, width)
    passes, distance = [], 1
    while distance < rows:
        flags = reconstruct_for_testing(flag)
        flag, credit = look_ahead(network, flag, credit, distance, width)
        totals = numbers(reconstruct_for_testing(credit))
        passes.append({"distance": distance, "flag": flags, "credit": totals})
        distance *= 2
    return {"passes": passes}


def _attribute(given: Json) -> Json:
    """Each event's place in the order of breakdown keys, then rows, is a breakdown key of its own."""
    events, parameters = asked(given)
    if not events:
        return {"credits": []}
    places = sorted(range(len(events)), key=lambda i: (getattr(events[i], "breakdown_key", 0), i))
    ranks = {event: rank for rank, event in enumerate(places)}
    renamed = [
        replace(event, breakdown_key=ranks[i]) if isinstance(event, SourceEvent) else event
        for i, event in enumerate(events)
    ]
    alone = replace(parameters, breakdowns=len(events))
    network = _network()
    reports = share_events(network, renamed, alone, Randomness())
    if parameters.aggregate == "count":
        reports = replace(reports, trigger_value=reports.is_trigger)
    attributed = attribute(network, reports, alone)
    by_rank = [0] * (1 << alone.breakdown_key_bits)
    keys = reconstruct_for_testing(attributed.breakdown_key)
    for key, credit in zip(keys, reconstruct_for_testing(attributed.credit), strict=True):
        by_rank[key] += credit
    is_source = [isinstance(event, SourceEvent) for event in events]
    return {"credits": numbers([by_rank[ranks[i]] * is_source[i] for i in range(len(events))])}


def _cap(given: Json) -> Json:
    same, credits, cap, capping = cap_input(given)
    network = _network()
    credit = _deal(network, credits, bits_for(sum(credits)))
    capped = cap_credits(network, _deal(network, same, 1), credit, cap, capping)
    return {"credits": numbers(reconstruct_for_testing(capped))}


def _aggregate(given: Json) -> Json:
    keys, credits, breakdowns = aggregate_input(given)
    network = _network()
    key_bits = max(1, bits_for(max([breakdowns - 1, *keys])))
    key = _deal(network, keys, key_bits)
    credit = _deal(network, credits, bits_for(max(credits, default=0)))
    width = bits_for(sum(credits))
    sums = sums_per_breakdown(network, key, credit, breakdowns, max(width, credit.width))
    return {"sums": numbers(reconstruct_for_testing(sums))}


def _noise(given: Json) -> Json:
    noise, words = noise_from_json(given), integers(given["words"])
    if len(words) != 2 * noise.digits:
        raise RefusedCaseError("input", "mismatch")
    network = _network()
    with refused_at("input", "range"):
        shared = _deal(network, words, noise.precision)
    width = signed_width(0, noise.largest)
    drawn = laplace_noise_from_words(network, shared, 1, width, noise)
    pairs = {helper: drawn.shares_of(helper) for helper in network.helpers}
    (value,) = combine_at_collector(pairs, 1, signed=True)
    return {"thresholds": numbers(noise.thresholds), "noise": value}


def _query(given: Json) -> Json:
    events, parameters = asked(given)
    options = RunOptions(seed=next(_SEEDS))
    return {"sums": numbers(run_query(events, parameters, no_noise=True, options=options).sums)}


BY_PROTOCOLS: Mapping[str, Callable[[Json], Json]] = {
    "clear/sort": _sort,
    "clear/helper-bits": _helper_bits,
    "clear/last-touch-passes": _last_touch_passes,
    "clear/attribute": _attribute,
    "clear/cap": _cap,
    "clear/aggregate": _aggregate,
    "clear/noise": _noise,
    "clear/query": _query,
}
"""By name, what answers a case of the steps that the reference takes from the oracle."""


def honest_answer(step: str, given: Json) -> Answer:
    """The answer of this library's protocols and formats."""
    return answer_by(BY_PROTOCOLS.get(step, STEPS[step].output), given)
