"""Scans over the rows of groups: each equals Python's arithmetic, on few rows and on many."""

from itertools import pairwise

from cost_formulas import rows_are_many_from
from hypothesis import given
from hypothesis import strategies as st
from strategies import MANY, SEEDS, Simulation, below, columns_of_numbers, examples

from ipa.protocols.circuits.scan import (
    last_of_group,
    running_totals,
    saturating_totals,
    totals_to_come,
)
from ipa.sharing.dealing import reconstruct_for_testing

secret = reconstruct_for_testing
NARROW = st.integers(1, 12)


@st.composite
def groups_of_rows(draw: st.DrawFn) -> tuple[list[range], int | None]:
    """Groups one after another, and the most rows that one has, or more, or no such bound."""
    longest = draw(st.sampled_from([1, 2, 3, 4, 5, 8, 40]))
    sizes = draw(st.lists(st.integers(1, longest) | st.just(longest), max_size=12))
    starts = [sum(sizes[:k]) for k in range(len(sizes) + 1)]
    return [range(a, b) for a, b in pairwise(starts)], draw(st.sampled_from([longest, None]))


@examples(150)
@given(st.data(), SEEDS, groups_of_rows(), NARROW, st.integers(0, 8), MANY)
def test_scans(
    data: st.DataObject,
    seed: int,
    grouped: tuple[list[range], int | None],
    width: int,
    more: int,
    many: int,
) -> None:
    groups, longest = grouped
    same = [int(r > g.start) for g in groups for r in g]
    (values,) = data.draw(columns_of_numbers(len(same), width))
    so_far = [sum(values[g.start : r + 1]) for g in groups for r in g]
    to_come = [sum(values[r : g.stop]) for g in groups for r in g]
    simulation = Simulation(seed)
    network, x, y = simulation.network, simulation.bits(same, 1), simulation.bits(values, width)
    wide = width + more
    with rows_are_many_from(many):
        totals = running_totals(network, x, y, wide, longest)
        assert totals.width == wide
        assert secret(totals) == [total % 2**wide for total in so_far]
        totals = totals_to_come(network, x.successors(1), y, wide, longest)
        assert totals.width == wide
        assert secret(totals) == [total % 2**wide for total in to_come]
        last = last_of_group(network, x, y, longest)
        assert secret(last) == [values[g[-1]] for g in groups for _ in g]


@examples(150)
@given(st.data(), SEEDS, groups_of_rows(), st.integers(2, 9), MANY)
def test_saturating_totals(
    data: st.DataObject,
    seed: int,
    grouped: tuple[list[range], int | None],
    width: int,
    many: int,
) -> None:
    """Exact up to the limit, and else known to be no less; also where totals meet it exactly."""
    groups, longest = grouped
    rows = sum(map(len, groups))
    limit_bits = data.draw(st.integers(1, width - 1))
    limit = 1 << limit_bits
    near = st.sampled_from([0, 1, limit // 2, limit - 2, limit - 1, limit, (1 << width) - 1])
    values = data.draw(st.lists(near | below(1 << width), min_size=rows, max_size=rows))
    simulation = Simulation(seed)
    same = simulation.bits([int(r > g.start) for g in groups for r in g], 1)
    given = simulation.bits(values, width)
    with rows_are_many_from(many):
        totals = saturating_totals(simulation.network, same, given, limit_bits, longest)
    assert totals.width == limit_bits + 1
    so_far = [sum(values[g.start : r + 1]) for g in groups for r in g]
    assert [min(total, limit) for total in secret(totals)] == [min(t, limit) for t in so_far]
