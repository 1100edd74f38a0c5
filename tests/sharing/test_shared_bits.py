"""Replicated shares: dealing, local operations against plain Python, and everything they refuse."""

from collections import Counter

import pytest
from check_mathematics import add_public
from hypothesis import given
from hypothesis import strategies as st
from strategies import RINGS, ROWS, SEEDS, WIDTHS, Simulation, below, columns_of_numbers, examples

from ipa.errors import MismatchError, ParameterError, SecrecyError
from ipa.parties import HELPERS, right_of
from ipa.sharing.bits import columns_from_rows, ones
from ipa.sharing.dealing import (
    deal_columns,
    deal_elements,
    only_helper,
    reconstruct_columns_for_testing,
    reconstruct_for_testing,
)
from ipa.sharing.joining import interleave_rows, join_columns, join_rows
from ipa.sharing.randomness import Randomness
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo
from ipa.sharing.shared_bits import SharedBits
from ipa.sharing.shared_elements import SharedElements, join_elements

secret = reconstruct_for_testing


@examples(60)
@given(st.data(), SEEDS, ROWS, WIDTHS)
def test_dealing_bits(data: st.DataObject, seed: int, rows: int, width: int) -> None:
    (values,) = data.draw(columns_of_numbers(rows, width))
    columns = columns_from_rows(values, width)
    pairs = deal_columns(columns, rows, Randomness.from_seed(seed, "dealing"))
    shares = {helper: pairs[helper][0] for helper in HELPERS}
    for helper in HELPERS:
        assert pairs[helper][1] == shares[right_of(helper)]
    together = [a ^ b ^ c for a, b, c in zip(*(shares[h] for h in HELPERS), strict=True)]
    assert together == columns
    shared = SharedBits("network", rows, width, pairs)
    assert secret(shared) == values
    assert reconstruct_columns_for_testing(shared) == columns


@examples(60)
@given(st.data(), SEEDS, RINGS)
def test_dealing_numbers(data: st.DataObject, seed: int, ring: IntegersModulo) -> None:
    values = data.draw(st.lists(below(ring.modulus), max_size=9))
    pairs = deal_elements(ring, values, Randomness.from_seed(seed, "dealing"))
    for helper in HELPERS:
        assert pairs[helper][1] == pairs[right_of(helper)][0]
    sums = [sum(summands) for summands in zip(*(pairs[h][0] for h in HELPERS), strict=True)]
    assert [total % ring.modulus for total in sums] == values
    assert secret(SharedElements("network", ring, len(values), pairs)) == values


def test_each_share_alone_is_uniform() -> None:
    """One value shared very often: every bit of every share is one about half of the time."""
    pairs = deal_columns([0, ones(1 << 16)], 1 << 16, Randomness.from_seed(1, "dealing"))
    for pair in pairs.values():
        for column in (column for share in pair for column in share):
            assert abs(column.bit_count() - (1 << 15)) < 6 * 128


@pytest.mark.parametrize("value", [-1, 7, 8])
def test_dealing_refuses_what_is_no_element(value: int) -> None:
    with pytest.raises(ParameterError, match="row 1: not an element of Z/7"):
        deal_elements(IntegersModulo(7), [0, value], Randomness())


@examples(60)
@given(st.data(), SEEDS, ROWS, WIDTHS)
def test_local_operations_on_bits(data: st.DataObject, seed: int, rows: int, width: int) -> None:
    a, b = data.draw(columns_of_numbers(rows, width, width))
    public = data.draw(st.lists(st.integers(0, ones(rows)), min_size=width, max_size=width))
    plain = [sum((public[j] >> r & 1) << j for j in range(width)) for r in range(rows)]
    simulation = Simulation(seed)
    x, y = simulation.bits(a, width), simulation.bits(b, width)
    pairs = list(zip(a, b, strict=True))
    assert secret(x ^ y) == [p ^ q for p, q in pairs]
    assert secret(~x) == [p ^ ones(width) for p in a]
    assert secret(x.xor_public(public)) == [p ^ q for p, q in zip(a, plain, strict=True)]
    assert secret(x.and_public(public)) == [p & q for p, q in zip(a, plain, strict=True)]
    assert secret(join_columns(x, y)) == [p | q << width for p, q in pairs]
    assert secret(join_rows(x, y, x)) == a + b + a
    assert secret(x) == a  # nothing was changed in place


@examples(60)
@given(st.data(), SEEDS, ROWS, WIDTHS)
def test_moving_columns(data: st.DataObject, seed: int, rows: int, width: int) -> None:
    values, others = data.draw(columns_of_numbers(rows, width, width))
    x = Simulation(seed).bits(values, width)
    position = data.draw(st.integers(-width, width - 1))
    assert secret(x[position]) == [value >> position % width & 1 for value in values]
    assert x[position].width == 1
    bounds = st.none() | st.integers(-width - 2, width + 2)
    part = slice(data.draw(bounds), data.draw(bounds))
    chosen = range(width)[part]
    assert x[part].width == len(chosen)
    assert secret(x[part]) == [bits_at(value, chosen) for value in values]
    positions = data.draw(st.lists(st.integers(0, width - 1), max_size=9))
    assert secret(x.select(positions)) == [bits_at(value, positions) for value in values]
    replaced = data.draw(st.lists(st.integers(0, width - 1), unique=True, max_size=9))
    y = Simulation(seed).bits(others, width).select(range(len(replaced)))
    expected = [
        bits_at(
            value | other << width,
            [width + replaced.index(j) if j in replaced else j for j in range(width)],
        )
        for value, other in zip(values, others, strict=True)
    ]
    assert secret(x.with_columns(replaced, y)) == expected


def bits_at(value: int, positions: range | list[int]) -> int:
    return sum((value >> position & 1) << j for j, position in enumerate(positions))


@examples(60)
@given(st.data(), SEEDS, ROWS, WIDTHS)
def test_moving_rows(data: st.DataObject, seed: int, rows: int, width: int) -> None:
    (values,) = data.draw(columns_of_numbers(rows, width))
    x = Simulation(seed).bits(values, width)
    start, stop = data.draw(st.integers(0, rows + 3)), data.draw(st.integers(0, rows + 3))
    assert secret(x.take_rows(start, stop)) == values[start:stop]
    distance = data.draw(st.integers(0, rows + 3))
    blank = [0] * distance
    assert secret(x.successors(distance)) == (values + blank)[distance:]
    assert secret(x.predecessors(distance)) == (blank + values)[:rows]
    for moved in (x.take_rows(start, stop), x.successors(distance), x.predecessors(distance)):
        for helper in HELPERS:
            own, right = moved.shares_of(helper)
            assert all(column >> moved.rows == 0 for column in own + right)


@examples(60)
@given(st.data(), SEEDS, ROWS, WIDTHS)
def test_every_other_row(data: st.DataObject, seed: int, rows: int, width: int) -> None:
    (values,) = data.draw(columns_of_numbers(rows, width))
    x = Simulation(seed).bits(values, width)
    even, odd = x.every_other_row()
    assert (even.rows, odd.rows) == ((rows + 1) // 2, rows // 2)
    assert (secret(even), secret(odd)) == (values[::2], values[1::2])
    together = interleave_rows(even, odd)
    assert (together.rows, secret(together)) == (rows, values)


def test_only_halves_of_a_table_are_interleaved() -> None:
    simulation = Simulation(1)
    even = simulation.bits([1, 2, 3], 2)
    others = [simulation.bits([1] * rows, 2) for rows in (0, 1, 4)]
    for odd in (*others, simulation.bits([1] * 3, 3), only_helper(simulation.bits([1] * 3, 2), 1)):
        with pytest.raises(MismatchError):
            interleave_rows(even, odd)
    stranger = SharedBits("another", 3, 2, {h: even.shares_of(h) for h in HELPERS})
    with pytest.raises(MismatchError, match="only tables of one network"):
        interleave_rows(even, stranger)


@examples(60)
@given(st.data(), SEEDS, ROWS, st.integers(1, 5), st.integers(1, 5))
def test_stacking_columns(
    data: st.DataObject, seed: int, rows: int, count: int, groups: int
) -> None:
    (values,) = data.draw(columns_of_numbers(rows, count * groups))
    stacked = Simulation(seed).bits(values, count * groups).stack_columns(count)
    assert (stacked.rows, stacked.width) == (rows * count, groups)
    assert secret(stacked) == [
        bits_at(value, range(k, count * groups, count)) for k in range(count) for value in values
    ]


@examples(60)
@given(st.data(), SEEDS, RINGS, st.integers(0, 9))
def test_local_operations_on_numbers(
    data: st.DataObject, seed: int, ring: IntegersModulo, count: int
) -> None:
    m = ring.modulus
    numbers = st.lists(below(m), min_size=count, max_size=count)
    a, b = data.draw(numbers), data.draw(numbers)
    simulation = Simulation(seed)
    x, y = simulation.numbers(ring, a), simulation.numbers(ring, b)
    pairs = list(zip(a, b, strict=True))
    assert secret(x + y) == [(p + q) % m for p, q in pairs]
    assert secret(x - y) == [(p - q) % m for p, q in pairs]
    assert secret(x.scale(b)) == [p * q % m for p, q in pairs]
    assert secret(x.total()) == [sum(a) % m]
    assert secret(add_public(x, b)) == [(p + q) % m for p, q in pairs]
    assert secret(join_elements(x, y, x)) == a + b + a
    bounds = st.none() | st.integers(-count - 2, count + 2)
    part = slice(data.draw(bounds), data.draw(bounds))
    assert secret(x[part]) == a[part]
    assert x[part].count == len(a[part])
    if count:
        position = data.draw(st.integers(-count, count - 1))
        assert secret(x[position]) == [a[position]]
    assert secret(x) == a


def test_columns_and_elements_beyond_the_end() -> None:
    simulation = Simulation(1)
    x, y = simulation.bits([1, 2], 3), simulation.numbers(PRIME_FIELD, [1, 2])
    for position in (3, -4):
        with pytest.raises(IndexError, match="3 columns"):
            x[position]
    for position in (2, -3):
        with pytest.raises(IndexError, match="list of 2"):
            y[position]


@given(SEEDS, st.sampled_from(HELPERS))
def test_one_helper_s_view(seed: int, helper: int) -> None:
    x = Simulation(seed).bits([1, 2, 3], 2)
    view = only_helper(x, helper)
    assert view.holders == (helper,)
    assert view.shares_of(helper) == x.shares_of(helper)
    with pytest.raises(MismatchError, match="are not here"):
        view.shares_of(right_of(helper))
    with pytest.raises(SecrecyError, match="not in this process"):
        reconstruct_for_testing(view)


@given(SEEDS, st.sampled_from(HELPERS), st.sampled_from([0, 1]), st.integers(0, 2))
def test_copies_that_differ_are_noticed(seed: int, helper: int, which: int, row: int) -> None:
    simulation = Simulation(seed)
    bits, numbers = simulation.bits([1, 2, 3], 2), simulation.numbers(IntegersModulo(7), [1, 2, 3])
    # Helpers that hold a share in common hold one list here: change a copy.
    columns = {helper: bits.shares_of(helper) for helper in HELPERS}
    columns[helper] = ([*columns[helper][0]], [*columns[helper][1]])
    columns[helper][which][1] ^= 1 << row
    elements = {helper: numbers.shares_of(helper) for helper in HELPERS}
    elements[helper] = ([*elements[helper][0]], [*elements[helper][1]])
    elements[helper][which][row] = (elements[helper][which][row] + 1) % 7
    for value in (
        SharedBits(bits.network_name, 3, 2, columns),
        SharedElements(bits.network_name, IntegersModulo(7), 3, elements),
    ):
        with pytest.raises(MismatchError, match="different copies"):
            reconstruct_for_testing(value)


@examples(20)
@given(SEEDS, RINGS, st.sampled_from([0, 1]))
def test_every_share_of_an_element_is_random(seed: int, ring: IntegersModulo, value: int) -> None:
    """No share is the same constant in many sharings, and none is another, whatever is shared."""
    count = 200
    pairs = deal_elements(ring, [value] * count, Randomness.from_seed(seed, "deal"))
    shares = [pairs[helper][0] for helper in HELPERS]
    for share in shares:
        assert max(Counter(share).values()) < count * (0.75 if ring.modulus == 2 else 0.6)
    for first, second in ((0, 1), (1, 2), (2, 0)):
        equal = sum(a == b for a, b in zip(shares[first], shares[second], strict=True))
        assert equal < 0.75 * count
    for helper in HELPERS:
        assert pairs[helper][1] == pairs[helper % 3 + 1][0]


@given(SEEDS, st.sampled_from([0, 1]))
def test_every_share_of_a_bit_is_random(seed: int, value: int) -> None:
    rows = 200
    column = [((1 << rows) - 1) * value]
    pairs = deal_columns(column, rows, Randomness.from_seed(seed, "deal"))
    shares = [pairs[helper][0][0] for helper in HELPERS]
    for first, second in ((0, 1), (1, 2), (2, 0)):
        assert 50 < shares[first].bit_count() < 150
        assert 50 < (shares[first] ^ shares[second]).bit_count() < 150
