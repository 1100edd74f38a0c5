"""The query in the clear, one function per step: what the protocols must compute, bit for bit.

Each function says a step of the specification as directly as Python allows, and knows nothing of
sharing or protocols. `ipa.oracle.sql` computes the whole query a second, independent way.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from ipa.errors import MismatchError
from ipa.events import Event, SourceEvent, check_events
from ipa.parameters import Aggregate, Attribution, Capping, QueryParameters


@dataclass(frozen=True, slots=True)
class Row:
    """A generic report in the clear (spec: Oblivious source and trigger reports).

    Source rows have trigger_value 0, trigger rows breakdown_key 0.
    """

    match_key: int
    attribution_constraint_id: int
    timestamp: int
    is_trigger: bool
    breakdown_key: int
    trigger_value: int

    @property
    def group(self) -> tuple[int, int]:
        """What a trigger and its source have in common: (match key, attribution constraint ID)."""
        return (self.match_key, self.attribution_constraint_id)

    @property
    def sort_key(self) -> tuple[int, int, int, bool, int]:
        """The order of rows: triggers before sources of equal time (SPEC_NOTES: equal-times).

        So the sources before a trigger are those strictly earlier, and the last one is the one
        with the largest (timestamp, breakdown_key).
        """
        return (*self.group, self.timestamp, not self.is_trigger, self.breakdown_key)


def rows_from_events(events: Iterable[Event], aggregate: Aggregate) -> list[Row]:
    """One row per event, in order; for the aggregate "count" every trigger value is 1."""
    rows = []
    for event in events:
        key = (event.match_key, event.attribution_constraint_id, event.timestamp)
        if isinstance(event, SourceEvent):
            rows.append(Row(*key, False, event.breakdown_key, 0))
        else:
            rows.append(Row(*key, True, 0, 1 if aggregate == "count" else event.trigger_value))
    return rows


def sort_rows(rows: Iterable[Row]) -> list[Row]:
    """The rows by (match key, constraint ID, timestamp, is source, breakdown key), stably."""
    return sorted(rows, key=lambda row: row.sort_key)


def rows_within_bound(rows: Iterable[Row], most: int | None) -> list[Row]:
    """The rows that take part if a match key may have `most` of them, in order; all for None.

    A row takes part if at most `most` rows of its match key come before it or are equal to it in the
    order of the sort. Triggers that differ in the value alone are equal (SPEC_NOTES: report-bound).
    """
    rows = list(rows)
    if most is None:
        return rows
    keys = defaultdict(list)
    for row in sort_rows(rows):
        keys[row.match_key].append(row.sort_key)
    return [row for row in rows if bisect_right(keys[row.match_key], row.sort_key) <= most]


def same_group_bits(rows: Sequence[Row]) -> list[int]:
    """The spec's helper bit: 1 where match key and constraint ID equal those of the row before."""
    return [int(i > 0 and rows[i].group == rows[i - 1].group) for i in range(len(rows))]


def same_match_key_bits(rows: Sequence[Row]) -> list[int]:
    """1 where the match key equals that of the row before: what the cap must go by.

    The spec has one helper bit only; the cap with it would let a match key spend the cap once per
    constraint ID (SPEC_NOTES: two-helper-bits).
    """
    return [int(i > 0 and rows[i].match_key == rows[i - 1].match_key) for i in range(len(rows))]


def last_touch_credits(rows: Sequence[Row]) -> list[int]:
    """Per row, the sum of the trigger values attributed to it; 0 on trigger rows.

    A trigger is attributed to the source with the same match key and constraint ID, a strictly
    earlier timestamp and the largest (timestamp, breakdown key) among those; else to none. Of
    several identical sources the last row takes it. The rows may be in any order.
    """
    sources = defaultdict(list)
    for index, row in enumerate(rows):
        if not row.is_trigger:
            sources[row.group].append((row.timestamp, row.breakdown_key, index))
    for touches in sources.values():
        touches.sort()
    credits = [0] * len(rows)
    for row in rows:
        if row.is_trigger and row.group in sources:
            touches = sources[row.group]
            earlier = bisect_left(touches, (row.timestamp, 0, 0))
            if earlier:
                _, _, index = touches[earlier - 1]
                credits[index] += row.trigger_value
    return credits


def attributed_credits(
    rows: Sequence[Row], attribution: Attribution, window: int | None
) -> list[int]:
    """Per row, what the triggers attribute to it, by any of the ways (SPEC_NOTES: other-attributions).

    The sources that may have a trigger have its match key and constraint ID and are strictly earlier,
    by `window` at most. In the order of (timestamp, breakdown key) and then of the rows, "last-touch"
    takes the last of them and "first-touch" the first; "equal-credit" gives each floor(value / m),
    m being how many they are, and the last one what is left over as well.
    """
    sources = defaultdict(list)
    for index, row in enumerate(rows):
        if not row.is_trigger:
            sources[row.group].append((row.timestamp, row.breakdown_key, index))
    credits = [0] * len(rows)
    for row in rows:
        if not row.is_trigger:
            continue
        earliest = 0 if window is None else row.timestamp - window
        touches = sorted(
            touch for touch in sources[row.group] if earliest <= touch[0] < row.timestamp
        )
        if not touches:
            continue
        each = row.trigger_value // len(touches) if attribution == "equal-credit" else 0
        for _, _, index in touches:
            credits[index] += each
        _, _, index = touches[0] if attribution == "first-touch" else touches[-1]
        credits[index] += row.trigger_value - each * len(touches)
    return credits


@dataclass(frozen=True)
class LastTouchPass:
    """One pass of the spec's last-touch algorithm: for each row, its state after the pass.

    `distance` is that to the row each row looked at; `flag` whether it took that row's credit.
    """

    distance: int
    flag: tuple[int, ...]
    stop: tuple[int, ...]
    credit: tuple[int, ...]


def last_touch_passes(
    helper_bits: Sequence[int], trigger_bits: Sequence[int], values: Sequence[int]
) -> list[LastTouchPass]:
    """The ceil(log2 n) passes over n sorted rows (spec: Oblivious Last Touch Attribution).

    After the last pass the credit on source rows is `last_touch_credits`; the credit on trigger
    rows is meaningless. The stop bit takes the successor's stop bit in, as the spec's formula says
    and its table does not (SPEC_NOTES: last-touch-table).

    Raises: MismatchError when the lengths differ.
    """
    n = len(helper_bits)
    _check_lengths("trigger_bits", trigger_bits, n)
    _check_lengths("values", values, n)
    stop, credit = [1] * n, list(values)
    passes = []
    distance = 1
    while distance < n:
        # Rows past the end belong to no group.
        beyond = [0] * distance
        helper_ahead = [*helper_bits[distance:], *beyond]
        trigger_ahead = [*trigger_bits[distance:], *beyond]
        stop_ahead = [*stop[distance:], *beyond]
        credit_ahead = [*credit[distance:], *beyond]
        flag = [s & h & t for s, h, t in zip(stop, helper_ahead, trigger_ahead, strict=True)]
        credit = [c + f * a for c, f, a in zip(credit, flag, credit_ahead, strict=True)]
        stop = [f & s for f, s in zip(flag, stop_ahead, strict=True)]
        passes.append(LastTouchPass(distance, tuple(flag), tuple(stop), tuple(credit)))
        distance *= 2
    return passes


def cap_credits(
    rows: Sequence[Row], credits: Sequence[int], cap: int, capping: Capping
) -> list[int]:
    """The credits, reduced so that those of one match key sum to at most `cap`.

    With T the sum of a match key's credits (spec: User Level Sensitivity Capping) and S its running
    total by (constraint ID, timestamp, breakdown key), "proportional" makes each floor(cap S / T)
    less the same for the row before, if T > cap, so that they add up to the cap
    (SPEC_NOTES: rounding); "truncate" lets each keep what those before it left of the cap.

    Raises: MismatchError for another number of credits.
    """
    _check_lengths("credits", credits, len(rows))
    capped = list(credits)
    if capping == "truncate":
        left: defaultdict[int, int] = defaultdict(lambda: cap)
        for index in sorted(range(len(rows)), key=lambda index: rows[index].sort_key):
            match_key = rows[index].match_key
            capped[index] = min(credits[index], left[match_key])
            left[match_key] -= capped[index]
        return capped
    totals: defaultdict[int, int] = defaultdict(int)
    for row, credit in zip(rows, credits, strict=True):
        totals[row.match_key] += credit
    so_far: defaultdict[int, int] = defaultdict(int)
    for index in sorted(range(len(rows)), key=lambda index: rows[index].sort_key):
        match_key = rows[index].match_key
        total, before = totals[match_key], so_far[match_key]
        so_far[match_key] += credits[index]
        if total > cap:
            capped[index] = cap * so_far[match_key] // total - cap * before // total
    return capped


def sums_per_breakdown(rows: Sequence[Row], credits: Sequence[int], breakdowns: int) -> list[int]:
    """The sum of credits per breakdown key, 0 to breakdowns - 1 (spec: Computing the Aggregates).

    Raises: MismatchError when the lengths differ.
    """
    _check_lengths("credits", credits, len(rows))
    sums = [0] * breakdowns
    for row, credit in zip(rows, credits, strict=True):
        sums[row.breakdown_key] += credit
    return sums


def query_in_steps(events: Sequence[Event], parameters: QueryParameters) -> list[int]:
    """The whole query, step after step: one exact sum per breakdown key, without noise.

    Raises: EventError for a bad event.
    """
    check_events(events, parameters)
    rows = sort_rows(rows_from_events(events, parameters.aggregate))
    rows = rows_within_bound(rows, parameters.max_reports_per_match_key)
    credits = attributed_credits(rows, parameters.attribution, parameters.attribution_window)
    credits = cap_credits(rows, credits, parameters.cap, parameters.capping)
    return sums_per_breakdown(rows, credits, parameters.breakdowns)


def moments_in_steps(events: Sequence[Event], parameters: QueryParameters) -> dict[str, list[int]]:
    """The exact statistics of a moments query: people, totals, squares, and cross_products.

    The last has an entry for each pair a < b of breakdown keys, in the order (0, 1), (0, 2), ...

    Raises: EventError for a bad event.
    """
    check_events(events, parameters)
    rows = sort_rows(rows_from_events(events, parameters.aggregate))
    rows = rows_within_bound(rows, parameters.max_reports_per_match_key)
    credits = attributed_credits(rows, parameters.attribution, parameters.attribution_window)
    credits = cap_credits(rows, credits, parameters.cap, parameters.capping)
    keys = range(parameters.breakdowns)
    of_person: defaultdict[int, list[int]] = defaultdict(lambda: [0] * parameters.breakdowns)
    for row, credit in zip(rows, credits, strict=True):
        of_person[row.match_key][row.breakdown_key] += credit
    people = list(of_person.values())
    return {
        "people": [sum(person[b] > 0 for person in people) for b in keys],
        "totals": [sum(person[b] for person in people) for b in keys],
        "squares": [sum(person[b] ** 2 for person in people) for b in keys],
        "cross_products": [
            sum(person[a] * person[b] for person in people) for a, b in combinations(keys, 2)
        ],
    }


def _check_lengths(name: str, column: Sequence[int], rows: int) -> None:
    if len(column) != rows:
        raise MismatchError(f"{name} must have one entry per row: {rows}, not {len(column)}")
