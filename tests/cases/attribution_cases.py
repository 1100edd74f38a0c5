"""The ways of attribution beside the specification's, registered like every other step."""

from dataclasses import replace

from cost_formulas import (
    Formula,
    addition,
    attribution,
    copies,
    division,
    log2,
    nearest,
    plus,
    remainder,
    sorting,
    times,
    totals,
)
from step_cases_base import StepCase, Tables
from step_inputs import (
    Columns,
    Inputs,
    credit_bits,
    ordered,
    padded,
    report_inputs,
    rows_in,
    rows_of,
)

from ipa.attribution import attribute
from ipa.events import Event
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.oracle import steps as oracle
from ipa.oracle.steps import Row
from ipa.parameters import Attribution, QueryParameters, bits_for
from ipa.protocols.attribution_window import drop_late_triggers
from ipa.protocols.circuits.comparison import first_difference_gates
from ipa.protocols.first_touch import attribute_first_touch
from ipa.reports import GenericReports
from ipa.sharing.shared_bits import SharedBits


def comparison(width: int) -> Formula:
    """Greater than, or at least: an extra lowest bit decides where numbers are equal."""
    return log2(width + 1), first_difference_gates(width + 1)


def a_window(p: QueryParameters) -> int:
    """Some window of the timestamps' width."""
    return max(1, p.latest_time // 2)


# The window of the last touch


def window_inputs(events: list[Event], p: QueryParameters) -> Inputs:
    """Sorted rows with times."""
    rows = ordered(events)
    return {
        "same": (oracle.same_group_bits(rows), 1),
        "is_trigger": ([int(row.is_trigger) for row in rows], 1),
        "timestamp": ([row.timestamp for row in rows], p.timestamp_bits),
        "trigger_value": ([row.trigger_value for row in rows], p.value_bits),
    }


def attributed_alone(row: Row, rows: list[Row], window: int | None) -> int:
    """What of a trigger's value is attributed if there is no other trigger."""
    alone = [other for other in rows if not other.is_trigger]
    return sum(oracle.attributed_credits([*alone, row], "last-touch", window))


def window_oracle(events: list[Event], p: QueryParameters) -> Columns:
    """Each value that is attributed with the window; of no meaning where there is no source."""
    rows = ordered(events)
    return [[attributed_alone(row, rows, a_window(p)) if row.is_trigger else 0 for row in rows]]


def where_there_is_a_source(results: Columns, inputs: Inputs) -> Columns:
    """Values of triggers behind a source of their group; a value elsewhere is attributed to nothing."""
    open_group, kept = False, []
    same, is_trigger = inputs["same"][0], inputs["is_trigger"][0]
    for value, goes_on, trigger in zip(results[0], same, is_trigger, strict=True):
        open_group = (open_group and bool(goes_on)) or not trigger
        kept.append(value if open_group and trigger else 0)
    return [kept]


def window_cost(inputs: Inputs, p: QueryParameters) -> Formula:
    """The latest source's time, a deadline, a comparison and a mask."""
    t = p.timestamp_bits
    rows = rows_in(inputs)
    per_row = plus(addition(t + 1, rows), comparison(t + 1), (1, p.value_bits))
    return plus(nearest(rows, t), times(rows, per_row))


WINDOW_CASE = StepCase(
    "attribution window",
    inputs=window_inputs,
    run=lambda network, x, p: [
        drop_late_triggers(
            network, x["same"], x["is_trigger"], x["timestamp"], x["trigger_value"], a_window(p)
        )
    ],
    oracle=window_oracle,
    shapes=lambda inputs, p: [(rows_in(inputs), p.value_bits)],
    cost=window_cost,
    comparable=where_there_is_a_source,
)


# First touch


def by_expiry(events: list[Event], p: QueryParameters, window: int | None) -> list[tuple[Row, int]]:
    """Rows with their expiries, in the order that first touch attribution takes."""
    later = p.latest_time + 1 if window is None else window

    def expiry(row: Row) -> int:
        return row.timestamp if row.is_trigger else row.timestamp + later

    rows = [(row, expiry(row)) for row in padded(rows_of(events))]
    return sorted(
        rows, key=lambda pair: (*pair[0].group, pair[1], not pair[0].is_trigger, pair[0].sort_key)
    )


def first_touch_case(name: str, *, with_window: bool) -> StepCase:
    """First touch attribution, with some window or none."""

    def window(p: QueryParameters) -> int | None:
        return a_window(p) if with_window else None

    def inputs(events: list[Event], p: QueryParameters) -> Inputs:
        pairs = by_expiry(events, p, window(p))
        rows = [row for row, _ in pairs]
        return {
            "same": (oracle.same_group_bits(rows), 1),
            "is_trigger": ([int(row.is_trigger) for row in rows], 1),
            "expiry": ([expiry for _, expiry in pairs], p.timestamp_bits + 1),
            "trigger_value": ([row.trigger_value for row in rows], p.value_bits),
        }

    def run(network: HelperPartyNetwork, x: Tables, p: QueryParameters) -> list[SharedBits]:
        tables = x["same"], x["is_trigger"], x["expiry"], x["trigger_value"]
        return [attribute_first_touch(network, *tables, window(p))]

    def its_oracle(events: list[Event], p: QueryParameters) -> Columns:
        rows = [row for row, _ in by_expiry(events, p, window(p))]
        return [oracle.attributed_credits(rows, "first-touch", window(p))]

    def cost(inputs: Inputs, p: QueryParameters) -> Formula:
        rows, expiry = rows_in(inputs), p.timestamp_bits + 1
        width = credit_bits(rows, p)
        eligible = plus(addition(expiry + 1, rows), comparison(expiry + 1))
        masks = plus((1, p.value_bits), (1, 1), (1, width))
        scans = plus(nearest(rows, expiry), totals(rows, rows, p.value_bits, width))
        return plus(scans, times(rows, plus(eligible, masks)))

    return StepCase(
        name,
        inputs=inputs,
        run=run,
        oracle=its_oracle,
        shapes=lambda inputs, p: [(rows_in(inputs), credit_bits(rows_in(inputs), p))],
        cost=cost,
    )


# Equal credit, from reports in any order to credits


def rows_in_any_order(results: Columns, _: Inputs) -> Columns:
    """Of equal sources any may stand first, and have what is left over."""
    return [list(row) for row in sorted(zip(*results, strict=True))]


def equal_credit_sorts(
    rows: int, p: QueryParameters, width: int, *, with_window: bool
) -> list[Formula]:
    count = bits_for(rows)
    key = 1 + p.breakdown_key_bits + p.timestamp_bits
    key += p.attribution_constraint_id_bits + p.match_key_bits
    if not with_window:
        return [sorting(rows, key, key + p.value_bits)]
    loads = (
        (key + 1, p.value_bits + p.timestamp_bits),
        (key, p.value_bits + count + p.timestamp_bits + 1),
        (key + 1, 3 * width),
    )
    return [sorting(rows, bits, bits + load) for bits, load in loads]


def equal_credit_counting(
    rows: int, p: QueryParameters, width: int, *, with_window: bool
) -> Formula:
    """Helper bits, counts of sources, the split, totals, what is left over, and the credits."""
    m, c, v = p.match_key_bits, p.attribution_constraint_id_bits, p.value_bits
    count = max(1, bits_for(rows))
    rest = min(count, v)
    bits = 1 + log2(m) + log2(c), m + c - 1
    divided = plus(division(v, count, rows), remainder(count, rows))
    split = plus(divided, (log2(count), count - 1), (1, v), (1, rest))
    credits = plus(addition(width, rows), addition(width, rows), (1, width))
    counted = totals(rows, rows, 1, count)
    parts = [counted, totals(rows, rows, v, width), attribution(rows, rest)]
    each = [bits, split, credits]
    if with_window:
        parts += [counted, totals(rows, rows, width, width)]
        each += [addition(count, rows), addition(p.timestamp_bits + 1, rows)]
    else:
        parts.append(copies(rows, rows, width))
    return plus(*parts, times(rows, plus(*each)))


def equal_credit_case(name: str, *, with_window: bool) -> StepCase:
    """Equal credit attribution as a whole, with some window or none, sorted by the bitonic network."""
    way: Attribution = "equal-credit"

    def asked(p: QueryParameters) -> QueryParameters:
        window = a_window(p) if with_window else None
        return replace(p, attribution=way, attribution_window=window, sort="bitonic")

    def run(network: HelperPartyNetwork, x: Tables, p: QueryParameters) -> list[SharedBits]:
        attributed = attribute(network, GenericReports(**x), asked(p))
        return [attributed.breakdown_key, attributed.credit]

    def its_oracle(events: list[Event], p: QueryParameters) -> Columns:
        rows = ordered(events)
        credits = oracle.attributed_credits(rows, way, asked(p).attribution_window)
        return [[row.breakdown_key for row in rows], credits]

    def cost(inputs: Inputs, p: QueryParameters) -> Formula:
        rows = rows_in(inputs)
        width = credit_bits(rows, p)
        return plus(
            *equal_credit_sorts(rows, p, width, with_window=with_window),
            equal_credit_counting(rows, p, width, with_window=with_window),
        )

    return StepCase(
        name,
        inputs=lambda events, p: report_inputs(padded(rows_of(events)), p),
        run=run,
        oracle=its_oracle,
        shapes=lambda inputs, p: [
            (rows_in(inputs), p.breakdown_key_bits),
            (rows_in(inputs), credit_bits(rows_in(inputs), p)),
        ],
        cost=cost,
        comparable=rows_in_any_order,
    )


ATTRIBUTION_CASES = (
    WINDOW_CASE,
    first_touch_case("first touch", with_window=False),
    first_touch_case("first touch in a window", with_window=True),
    equal_credit_case("equal credit", with_window=False),
    equal_credit_case("equal credit in a window", with_window=True),
)
