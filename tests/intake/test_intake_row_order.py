"""Rows that stand in another order at one helper are dropped: no sum changes silently."""

import random
from dataclasses import replace
from functools import partial

import pytest
from intake_cases import (
    EVENTS,
    PARAMETERS,
    answer,
    assert_only_dropped,
    make_world,
    with_bytes,
    with_record,
    with_records,
    world,
)

from ipa.client.rejection import Reason
from ipa.oracle.steps import query_in_steps
from ipa.parties import HELPERS


@pytest.mark.parametrize("helper", [1, 2, 3])
def test_rows_in_another_order_are_dropped(helper: int) -> None:
    changed = with_records(world(), helper, lambda r: (r[1], r[0], *r[2:6], r[7], r[6]))
    rows = dict.fromkeys((0, 1, 6, 7), Reason.INCONSISTENT)
    assert_only_dropped(answer(changed), rows)


@pytest.mark.parametrize("helper", [1, 2, 3])
def test_two_reports_of_one_kind_swapped_at_one_helper_are_dropped(helper: int) -> None:
    changed = with_records(world(), helper, lambda r: (r[2], r[1], r[0], *r[3:]))
    assert_only_dropped(answer(changed), dict.fromkeys((0, 2), Reason.INCONSISTENT))


@pytest.mark.parametrize("helper", [1, 2, 3])
def test_another_report_s_record_at_one_helper_is_dropped(helper: int) -> None:
    """Row 0 a second time in row 2, or row 2 in row 0: to the others it is another report."""
    for row, other in ((2, 0), (0, 2)):
        changed = with_record(world(), helper, row, world().stream(helper).records[other])
        assert_only_dropped(answer(changed), {row: Reason.INCONSISTENT})


@pytest.mark.parametrize("copied", [(1, 5, 7), (1, 1, 7), (5, 7, 5), (1, None, None), (1, 1, None)])
def test_a_row_that_copies_good_rows_takes_none_of_them_with_it(
    copied: tuple[int | None, ...],
) -> None:
    """In front of them, at each helper a copy of another row, or no report at all."""
    changed = world()
    for helper, row in zip(HELPERS, copied, strict=True):
        record = b"" if row is None else world().stream(helper).records[row]
        changed = with_records(changed, helper, partial(in_front, record))
    result = answer(changed)
    reason = Reason.MALFORMED if None in copied else Reason.INCONSISTENT
    assert (result.dropped, result.result.rows) == ({reason: 1}, len(EVENTS))
    assert result.result.sums == query_in_steps(EVENTS, PARAMETERS)


def in_front(record: bytes, records: tuple[bytes, ...]) -> list[bytes]:
    return [record, *records]


@pytest.mark.parametrize("helper", [1, 2, 3])
def test_the_same_fields_shared_anew_for_one_helper_are_dropped(helper: int) -> None:
    """Another sharing of the same events under the same keys: every row differs."""
    old = world()
    again = make_world(EVENTS)
    mixed = with_bytes(again, helper, old.streams[helper - 1])
    keys = tuple((old if own == helper else again).keys[own - 1] for own in HELPERS)
    result = answer(replace(mixed, keys=keys))
    assert result.dropped == {Reason.INCONSISTENT: len(EVENTS)}
    assert result.result.sums == [0, 0, 0, 0]


def in_order(order: list[int], records: tuple[bytes, ...]) -> list[bytes]:
    return [records[row] for row in order]


def test_any_shuffle_at_any_helper_never_changes_a_sum_silently() -> None:
    source = random.Random(11)
    for _ in range(30):
        orders = [source.sample(range(8), 8) if source.random() < 0.5 else None for _ in HELPERS]
        changed = world()
        for helper, order in zip(HELPERS, orders, strict=True):
            if order is not None:
                changed = with_records(changed, helper, partial(in_order, order))
        places = [order or list(range(8)) for order in orders]
        kept = [row[0] for row in zip(*places, strict=True) if len(set(row)) == 1]
        result = answer(changed)
        assert result.dropped.get(Reason.INCONSISTENT, 0) == 8 - len(kept)
        assert result.result.sums == query_in_steps([EVENTS[row] for row in kept], PARAMETERS)
