"""Tracing hands out the values between the steps, and changes nothing."""

from dataclasses import replace

import pytest

import ipa
from ipa.events.worked_example import WORKED_EXAMPLE as EVENTS
from ipa.events.worked_example import WORKED_EXAMPLE_PARAMETERS as PARAMETERS
from ipa.network.costs import Cost
from ipa.network.trace import Trace
from ipa.oracle.steps import (
    last_touch_passes,
    rows_from_events,
    same_group_bits,
    same_match_key_bits,
    sort_rows,
)
from ipa.parameters import Security, Sort
from ipa.protocols import sort_reports
from ipa.protocols.circuits import revealed_order
from ipa.protocols.circuits.bitonic_sort import bitonic_sort as sort_shared_rows
from ipa.protocols.circuits.bitonic_sort import bitonic_stages
from ipa.protocols.circuits.shuffle_sort import shuffle_sort
from ipa.protocols.helper_bits import helper_bits
from ipa.protocols.last_touch import attribute_last_touch

reconstructed = ipa.reconstruct_for_testing


def costs_without_seconds(costs: dict[str, Cost]) -> dict[str, Cost]:
    return {step: replace(cost, seconds=0) for step, cost in costs.items()}


def shared_sort(values: list[int], trace: Trace) -> None:
    network = ipa.simulated_network(1, on_value=trace)
    table = ipa.share_rows(network, values, 5, ipa.Randomness.from_seed(1, "x"))
    sort_shared_rows(network, table, 5)


def test_the_table_between_any_two_stages_of_the_sort() -> None:
    """Each stage compares rows 2^distance apart and puts them in order, upwards or downwards."""
    trace, values = Trace(), [13, 2, 29, 7, 7, 0, 31, 4]
    shared_sort(values, trace)
    tables = [reconstructed(table) for table in trace.named("table")]
    stages = list(bitonic_stages(3))
    assert len(tables) == len(stages) + 1
    assert tables[0] == values and tables[-1] == sorted(values)
    for (block, distance), before, after in zip(stages, tables, tables[1:], strict=False):
        expected = list(before)
        for low in range(8):
            high = low ^ 1 << distance
            if low < high:
                pair = sorted((before[low], before[high]), reverse=bool(low >> block & 1))
                expected[low], expected[high] = pair
        assert after == expected
    assert [traced.step for traced in trace.values[:3]] == ["sort", "sort/stage-0", "sort/stage-1"]


def inversions(values: list[int]) -> int:
    return sum(a > b for place, a in enumerate(values) for b in values[place + 1 :])


@pytest.mark.parametrize("far", [1 << 13, 100])
def test_the_shuffled_table_and_the_order_after_every_division(
    monkeypatch: pytest.MonkeyPatch, far: int
) -> None:
    """Each division brings the rows nearer to their order, and the last level puts them in it."""
    monkeypatch.setattr(revealed_order, "_FAR", far)  # from 100 on rows are moved in between
    trace, values = Trace(), [37 * row % 512 for row in range(400)]
    network = ipa.simulated_network(1, on_value=trace)
    table = ipa.share_rows(network, values, 9, ipa.Randomness.from_seed(1, "x"))
    ordered = shuffle_sort(network, table, 9)
    (shuffled,) = (reconstructed(shown) for shown in trace.named("table"))
    assert sorted(shuffled) == sorted(values) and shuffled != values
    orders = [reconstructed(order) for order in trace.named("order")]
    assert len(orders) > 1
    so_far = [[shuffled[place] for place in order] for order in orders]
    left = [inversions(shown) for shown in (shuffled, *so_far)]
    assert left == sorted(set(left), reverse=True) and left[-1] == 0
    assert reconstructed(ordered) == so_far[-1] == sorted(values)
    assert {traced.step for traced in trace.values} == {"sort"}


def test_few_rows_are_in_order_after_one_level() -> None:
    trace = Trace()
    network = ipa.simulated_network(1, on_value=trace)
    randomness = ipa.Randomness.from_seed(1, "x")
    for rows, named in ((2, ["table", "order"]), (1, [])):
        trace.values.clear()
        shuffle_sort(network, ipa.share_rows(network, range(rows), 5, randomness), 5)
        assert [traced.name for traced in trace.values] == named


def test_flag_and_credit_of_each_pass() -> None:
    events = EVENTS[:8]
    trace = Trace()
    network = ipa.simulated_network(1, on_value=trace)
    reports = ipa.share_events(network, events, PARAMETERS, ipa.Randomness.from_seed(1, "x"))
    ordered = sort_reports(network, reports)
    bits = helper_bits(network, ordered)
    attribute_last_touch(
        network, bits.same_match_key_and_constraint, ordered.is_trigger, ordered.trigger_value
    )
    rows = sort_rows(rows_from_events(events, "sum"))
    same = same_group_bits(rows)
    triggers, values = [int(row.is_trigger) for row in rows], [row.trigger_value for row in rows]
    passes = last_touch_passes(same, triggers, values)
    assert [reconstructed(flag) for flag in trace.named("flag")] == [list(p.flag) for p in passes]
    credits = [reconstructed(credit) for credit in trace.named("result")]
    assert credits == [list(p.credit) for p in passes]
    assert reconstructed(trace.named("same_match_key")[0]) == same_match_key_bits(rows)
    assert reconstructed(trace.named("match_key")[0]) == [row.match_key for row in rows]


@pytest.mark.parametrize("sort", ["bitonic", "shuffle"])
@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_tracing_changes_no_cost_no_message_and_no_result(security: Security, sort: Sort) -> None:
    parameters = ipa.QueryParameters(breakdowns=4, cap=200, security=security, sort=sort)
    trace = Trace()
    heard, quiet = ipa.Transcript(), ipa.Transcript()
    results = [
        ipa.run_query(EVENTS[:4], parameters, no_noise=True, options=options)
        for options in (
            ipa.RunOptions(seed=3, interceptors=[heard], on_value=trace),
            ipa.RunOptions(seed=3, interceptors=[quiet]),
            ipa.RunOptions(seed=3, on_value=trace),
        )
    ]
    assert heard.messages == quiet.messages
    costs = [costs_without_seconds(result.costs) for result in results]
    assert costs[0] == costs[1] == costs[2]
    assert [result.sums for result in results] == [results[0].sums] * 3
    names = {traced.name for traced in trace.values}
    assert {
        "table",
        "flag",
        "result",
        "capped",
        "sums",
        "noisy_sums",
        "timestamp",
        "totals",
    } <= names
    assert ("order" in names) == (sort == "shuffle")
    assert reconstructed(trace.named("sums")[0]) == results[0].sums


def test_nobody_listening_makes_nothing() -> None:
    network = ipa.simulated_network(1)
    assert not network.is_traced
    assert ipa.simulated_network(1, on_value=Trace()).is_traced


def test_a_trace_shows_names_and_no_secret() -> None:
    trace = Trace()
    assert repr(trace) == "<Trace of 0 values: none>"
    shared_sort([21, 21], trace)
    assert repr(trace) == "<Trace of 2 values: 2 table>"
    assert "sort/stage-0: table" in trace._repr_html_()
    assert "10101" not in trace._repr_html_() and f"{21:02x} =" not in trace._repr_html_()
