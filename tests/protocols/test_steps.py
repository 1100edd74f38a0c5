"""Each step of the query, run by three simulated helpers, against its oracle."""

import random
from dataclasses import replace
from typing import get_args

import pytest
from cost_formulas import rows_are_many_from
from hypothesis import given
from hypothesis import strategies as st
from step_cases import STEP_CASES, StepCase, shared
from step_inputs import PADDING, report_inputs
from strategies import MANY, SEEDS, Simulation, columns_of_numbers, examples, small_queries
from test_spec_example import AGGREGATES, EVENTS

from ipa.errors import ParameterError
from ipa.events import Event
from ipa.events.workload import generate_events
from ipa.oracle import steps as oracle
from ipa.oracle.steps import Row
from ipa.parameters import Capping, QueryParameters, bits_for
from ipa.protocols.aggregation import sums_by_one_hot, sums_by_sorting, sums_per_breakdown
from ipa.protocols.capping import cap_credits
from ipa.protocols.helper_bits import helper_bits
from ipa.protocols.last_touch import attribute_last_touch
from ipa.protocols.padding import pad_reports
from ipa.protocols.report_sorting import sort_reports
from ipa.reports import GenericReports
from ipa.sharing.dealing import reconstruct_for_testing

secret = reconstruct_for_testing

Case = tuple[list[Event], QueryParameters]


def shared_rows(
    simulation: Simulation, rows: list[Row], parameters: QueryParameters
) -> GenericReports:
    return GenericReports(**shared(simulation.bits, report_inputs(rows, parameters)))


def opened_rows(reports: GenericReports) -> list[Row]:
    columns = [secret(field) for field in reports.fields]
    return [Row(m, c, t, bool(i), b, v) for m, c, t, i, b, v in zip(*columns, strict=True)]


def check_step(simulation: Simulation, case: StepCase, query_case: Case) -> None:
    """The results are the oracle's, of the shapes that the step says."""
    events, parameters = query_case
    inputs = case.inputs(events, parameters)
    results = case.run(simulation.network, shared(simulation.bits, inputs), parameters)
    opened = [secret(result) for result in results]
    expected = case.oracle(events, parameters)
    assert case.comparable(opened, inputs) == case.comparable(expected, inputs)
    assert [(r.rows, r.width) for r in results] == case.shapes(inputs, parameters)


@pytest.mark.parametrize("case", STEP_CASES, ids=str)
@examples(60)
@given(seed=SEEDS, query_case=small_queries(), many=MANY)
def test_a_step_is_its_oracle(case: StepCase, seed: int, query_case: Case, many: int) -> None:
    with rows_are_many_from(many):
        check_step(Simulation(seed), case, query_case)


@pytest.mark.parametrize("case", STEP_CASES, ids=str)
@pytest.mark.parametrize("capping", ["proportional", "truncate"])
@pytest.mark.parametrize(("count", "users"), [(1000, 300), (2500, 12), (2048, 1)])
def test_a_step_on_many_rows(case: StepCase, count: int, users: int, capping: Capping) -> None:
    events = generate_events(count, users=users, breakdowns=37, seed=count)
    parameters = QueryParameters(breakdowns=37, cap=500, capping=capping)
    check_step(Simulation(count), case, (events, parameters))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 9])
def test_padding_makes_the_next_power_of_two(count: int) -> None:
    simulation = Simulation(1)
    rows = [Row(1, 1, 1, False, 1, 0)] * count
    parameters = QueryParameters(breakdowns=2, cap=1)
    padded = opened_rows(pad_reports(simulation.network, shared_rows(simulation, rows, parameters)))
    size = next(2**k for k in range(99) if 2**k >= count)
    assert padded == rows + [PADDING] * (size - count)
    assert simulation.transcript.messages == []


@examples(60)
@given(SEEDS, small_queries())
def test_padding_cannot_change_a_result(seed: int, case: Case) -> None:
    events, parameters = case
    rows = oracle.rows_from_events(events, "sum")
    padded = oracle.sort_rows([*rows, *[PADDING] * (seed % 9)])
    credits = oracle.last_touch_credits(padded)
    credits = oracle.cap_credits(padded, credits, parameters.cap, parameters.capping)
    sums = oracle.sums_per_breakdown(padded, credits, parameters.breakdowns)
    parameters = replace(
        parameters, aggregate="sum", attribution="last-touch", attribution_window=None
    )
    assert sums == oracle.query_in_steps(events, parameters)


def check_attribution(simulation: Simulation, rows: list[Row], parameters: QueryParameters) -> None:
    bits = parameters.value_bits
    credit = attribute_last_touch(
        simulation.network,
        simulation.bits(oracle.same_group_bits(rows), 1),
        simulation.bits([row.is_trigger for row in rows], 1),
        simulation.bits([row.trigger_value for row in rows], bits),
    )
    assert secret(credit) == oracle.last_touch_credits(rows)
    assert credit.width == bits_for(len(rows) * ((1 << bits) - 1))


def check_aggregation(
    simulation: Simulation, keys: list[int], credits: list[int], breakdowns: int, key_bits: int
) -> None:
    rows = [Row(0, 0, 0, False, key, 0) for key in keys if key < breakdowns]
    counted = [c for key, c in zip(keys, credits, strict=True) if key < breakdowns]
    expected = oracle.sums_per_breakdown(rows, counted, breakdowns)
    width = max(1, bits_for(sum(credits)))
    key, credit = simulation.bits(keys, key_bits), simulation.bits(credits, width)
    for way in (sums_by_one_hot, sums_by_sorting, sums_per_breakdown):
        sums = way(simulation.network, key, credit, breakdowns, width)
        assert (sums.rows, sums.width) == (breakdowns, width)
        assert secret(sums) == expected


@examples(60)
@given(SEEDS, small_queries())
def test_helper_bits_of_rows_in_any_order(seed: int, case: Case) -> None:
    rows = oracle.rows_from_events(case[0], "sum")
    simulation = Simulation(seed)
    same = helper_bits(simulation.network, shared_rows(simulation, rows, case[1]))
    assert secret(same.same_match_key_and_constraint) == oracle.same_group_bits(rows)
    assert secret(same.same_match_key) == oracle.same_match_key_bits(rows)


@examples(60)
@given(st.data(), SEEDS, st.integers(1, 40), st.integers(1, 8), MANY)
def test_last_touch_attribution_follows_the_spec_s_passes_on_any_bits(
    data: st.DataObject, seed: int, rows: int, bits: int, many: int
) -> None:
    same, triggers, values = data.draw(columns_of_numbers(rows, 1, 1, bits))
    passes = oracle.last_touch_passes(same, triggers, values)
    last = passes[-1].credit if passes else tuple(values)
    simulation = Simulation(seed)
    tables = simulation.bits(same, 1), simulation.bits(triggers, 1), simulation.bits(values, bits)
    with rows_are_many_from(many):
        credit = attribute_last_touch(simulation.network, *tables)
    assert secret(credit) == [0 if t else c for t, c in zip(triggers, last, strict=True)]


@examples(80)
@given(st.data(), SEEDS, st.integers(0, 40), st.integers(1, 12), st.integers(1, 9))
def test_aggregation(data: st.DataObject, seed: int, rows: int, breakdowns: int, bits: int) -> None:
    """Keys from the number of breakdowns up, as dishonest clients send, count nowhere."""
    key_bits = max(1, bits_for(breakdowns - 1)) + data.draw(st.integers(0, 1))
    keys, credits = data.draw(columns_of_numbers(rows, key_bits, bits))
    check_aggregation(Simulation(seed), keys, credits, breakdowns, key_bits)


@pytest.mark.parametrize("bits", [1, 16, 64])
@pytest.mark.parametrize("count", [1, 2, 3, 31, 32, 33])
def test_credit_is_wide_enough_for_the_largest_values(bits: int, count: int) -> None:
    """One source and triggers that all have the largest value: the sum must not wrap."""
    rows = [Row(1, 1, 0, False, 0, 0)] + [Row(1, 1, 1, True, 0, (1 << bits) - 1)] * (count - 1)
    parameters = QueryParameters(breakdowns=1, cap=1, value_bits=bits)
    check_attribution(Simulation(1), rows, parameters)


def test_the_way_to_aggregate_is_chosen_by_work() -> None:
    """Few breakdowns are routed, many sorted: earlier than by gates alone, for few rows."""
    chosen, fewest_gates = [], []
    for breakdowns in (1, 16, 32, 64, 500):
        gates = {}
        key_bits = max(1, bits_for(breakdowns - 1))
        for way in (sums_by_one_hot, sums_by_sorting, sums_per_breakdown):
            simulation = Simulation(1)
            key, credit = simulation.bits([0] * 512, key_bits), simulation.bits([1] * 512, 12)
            way(simulation.network, key, credit, breakdowns, 21)
            gates[way.__name__] = simulation.cost.and_gates
        picked = gates.pop("sums_per_breakdown")
        chosen += [name for name in gates if gates[name] == picked]
        fewest_gates.append(min(gates, key=lambda name: gates[name]))
    routed, by_sorting = "sums_by_one_hot", "sums_by_sorting"
    assert chosen == [routed, routed, routed, by_sorting, by_sorting]
    assert fewest_gates == [routed, routed, routed, routed, by_sorting]


@pytest.mark.parametrize("breakdowns", [0, 9, 100])
def test_more_breakdowns_than_keys_are_refused(breakdowns: int) -> None:
    simulation = Simulation(1)
    key, credit = simulation.bits([0] * 4, 3), simulation.bits([1] * 4, 5)
    with pytest.raises(ParameterError, match="breakdowns must be from 1 to 8"):
        sums_per_breakdown(simulation.network, key, credit, breakdowns, 8)
    assert not simulation.network.costs


@pytest.mark.parametrize("order_seed", range(3))
def test_the_spec_s_worked_example(order_seed: int) -> None:
    """Every table of the example that is right in the spec; test_spec_example.py has those."""
    events = EVENTS[:]
    random.Random(order_seed).shuffle(events)
    parameters = QueryParameters(breakdowns=4, cap=100, match_key_bits=14, timestamp_bits=10)
    simulation = Simulation(order_seed)
    network = simulation.network
    ordered = sort_reports(network, pad_reports(network, simulation.reports(events, parameters)))
    rows, padding = opened_rows(ordered)[7:], opened_rows(ordered)[:7]
    assert padding == [PADDING] * 7
    assert rows == oracle.sort_rows(oracle.rows_from_events(EVENTS, "sum"))
    same = helper_bits(network, ordered)
    assert secret(same.same_match_key_and_constraint)[7:] == [0, 1, 1, 1, 1, 0, 1, 0, 0]
    assert secret(same.same_match_key)[7:] == [0, 1, 1, 1, 1, 1, 1, 0, 0]
    credit = attribute_last_touch(
        network, same.same_match_key_and_constraint, ordered.is_trigger, ordered.trigger_value
    )
    assert secret(credit)[7:] == [0, 295, 0, 0, 0, 0, 0, 0, 0]
    sums = sums_per_breakdown(network, ordered.breakdown_key, credit, 4, credit.width)
    assert secret(sums) == AGGREGATES
    for capping in get_args(Capping):
        capped = cap_credits(network, same.same_match_key, credit, 100, capping)
        assert secret(capped)[7:] == [0, 100, 0, 0, 0, 0, 0, 0, 0]


def test_a_cap_by_match_key_spans_constraints() -> None:
    """With the bit of attribution in the cap's place each constraint would get a cap of its own."""
    rows = [Row(5, constraint, 0, False, 0, 0) for constraint in range(3)]
    answers: dict[Capping, list[int]] = {"truncate": [7, 3, 0], "proportional": [3, 3, 4]}
    for capping, expected in answers.items():
        simulation = Simulation(1)
        parameters = QueryParameters(breakdowns=1, cap=10)
        same = helper_bits(simulation.network, shared_rows(simulation, rows, parameters))
        credit = simulation.bits([7, 7, 7], 5)
        capped = cap_credits(simulation.network, same.same_match_key, credit, 10, capping)
        assert secret(capped) == expected
