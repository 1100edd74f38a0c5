"""Blocks: every bit has one place, the same for x, y and z; and soundness follows the layout."""

from collections import Counter
from math import ceil, log2
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from malicious_cases import MaliciousSimulation, column_errors, raised
from strategies import SEEDS, examples

from ipa.errors import VerificationError
from ipa.network.costs import cost_of
from ipa.network.product_log import CheckRules
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.verification.bit_check import soundness_error
from ipa.protocols.verification.product_blocks import arrange, blocks_of
from ipa.sharing.bits import bytes_per_column, ones
from ipa.sharing.verification import blocks
from ipa.sharing.verification.blocks import (
    choose_layout,
    most_products,
    to_blocks,
    to_byte_blocks,
)

ROWS = st.sampled_from([0, 1, 2, 3, 127, 128, 129, 4096]) | st.integers(0, 700)
COUNTS = st.sampled_from([1, 2, 3, 8, 9, 60, 133])
FACTORS = st.dictionaries(st.tuples(ROWS, COUNTS), st.integers(0, 40), max_size=6)
SHAPES = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, 64, 100, 129, 1000]),
        st.lists(st.integers(0, 6), min_size=1, max_size=20),
    ),
    min_size=1,
    max_size=4,
)
"""Tables of products: the rows, and which column of x multiplies each column of y."""


@examples(100)
@given(FACTORS)
def test_the_layout_holds_every_bit(factors: dict[tuple[int, int], int]) -> None:
    layout = choose_layout(factors)
    placed: dict[int, Counter[int]] = {}
    for (rows, count), number in factors.items():
        if rows * number:
            products = layout.products_for(count)
            assert count <= products
            assert not any(count <= other < products for other in layout.sections)
            placed.setdefault(products, Counter())[rows] += number
    assert layout.length % 8 == 0
    for products, columns in placed.items():
        bits = sum(rows * number for rows, number in columns.items())
        section = layout.sections[products]
        found = to_blocks(
            {rows: [ones(rows)] * number for rows, number in columns.items()},
            layout.length,
            section.blocks,
        )
        # Ones everywhere, and none on top of another.
        assert sum(block.bit_count() for block in found) == bits
        assert len(found) == section.blocks == section.groups << section.variables
        assert all(block >> layout.length == 0 for block in found)
    gates = sum(rows * count * number for (rows, count), number in factors.items())
    assert (not layout.sections) == (gates == 0)


@examples(60)
@given(st.dictionaries(ROWS.filter(bool), st.integers(1, 12), min_size=1, max_size=4), st.randoms())
def test_every_bit_has_a_place_of_its_own(widths: dict[int, int], random: Random) -> None:
    """Blocks are linear in the columns, keep products, and tell any two tables apart."""
    layout = choose_layout({(rows, 1): width for rows, width in widths.items()})
    count = layout.sections[1].blocks

    def laid_out(table: dict[int, list[int]]) -> list[int]:
        return to_blocks(table, layout.length, count)

    def table() -> dict[int, list[int]]:
        return {
            rows: [random.getrandbits(rows) for _ in range(width)] for rows, width in widths.items()
        }

    x, y = table(), table()
    products = {r: [a & b for a, b in zip(x[r], y[r], strict=True)] for r in widths}
    sums = {r: [a ^ b for a, b in zip(x[r], y[r], strict=True)] for r in widths}
    pairs = list(zip(laid_out(x), laid_out(y), strict=True))
    assert laid_out(products) == [a & b for a, b in pairs]
    assert laid_out(sums) == [a ^ b for a, b in pairs]
    assert (laid_out(x) == laid_out(y)) == (x == y)
    in_bytes = {
        rows: [column.to_bytes(bytes_per_column(rows), "little") for column in columns]
        for rows, columns in x.items()
    }
    as_bytes = to_byte_blocks(in_bytes, layout.length, count)
    assert [int.from_bytes(block, "little") for block in as_bytes] == laid_out(x)
    assert all(8 * len(block) <= layout.length for block in as_bytes)


@examples(40)
@given(SEEDS, SHAPES, st.sampled_from([1, 1 << 16]))
def test_the_blocks_of_a_batch_are_its_products(
    seed: int, shapes: list[tuple[int, list[int]]], gates_per_product: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_GATES_PER_PRODUCT", gates_per_product)
        simulation = MaliciousSimulation(seed, CheckRules(batch_gates=1 << 30))
        ones_made = 0
        for rows, factors in shapes:
            table = simulation.randomness.random_bits
            x = simulation.bits([table(7) for _ in range(rows)], 7)
            y = simulation.bits([table(len(factors)) for _ in range(rows)], len(factors))
            z = multiply(simulation.network, x, y, factors)
            ones_made += sum(column.bit_count() for column in in_clear(z.shares_of))
        batch = simulation.network.products.pending_bits
        layout, arrangements = arrange(batch)
        held = {helper: blocks_of(batch, layout, arrangements, helper) for helper in (1, 2, 3)}
        simulation.finish()
    found = 0
    for section in range(len(arrangements)):
        x_blocks = in_clear(lambda helper, s=section: held[helper][s].x)
        for j in range(arrangements[section].section.products):
            y_blocks = in_clear(lambda helper, s=section, j=j: held[helper][s].ys[j])
            z_blocks = in_clear(
                lambda helper, s=section, j=j: [
                    [int.from_bytes(block, "little") for block in share]
                    for share in held[helper][s].zs[j]
                ]
            )
            assert z_blocks == [a & b for a, b in zip(x_blocks, y_blocks, strict=True)]
            found += sum(block.bit_count() for block in z_blocks)
    assert found == ones_made


def in_clear(shares_of) -> list[int]:  # type: ignore[no-untyped-def]
    """The XOR of the three helpers' first shares; each second one is the right helper's first."""
    assert all(list(shares_of(h)[1]) == list(shares_of(h % 3 + 1)[0]) for h in (1, 2, 3))
    return [a ^ b ^ c for a, b, c in zip(*(shares_of(h)[0] for h in (1, 2, 3)), strict=True)]


@examples(60)
@given(SEEDS, SHAPES, st.sampled_from([1, 1 << 16]), st.data())
def test_an_error_in_any_gate_is_found(
    seed: int, shapes: list[tuple[int, list[int]]], gates_per_product: int, data: st.DataObject
) -> None:
    """Whatever its table, its factor, its place, and the section these come to."""
    wrong = data.draw(st.integers(0, len(shapes) - 1))
    rows, factors = shapes[wrong]
    column = data.draw(st.integers(0, len(factors) - 1))
    row = data.draw(st.integers(0, rows - 1))
    step = "multiply" if wrong == 0 else f"multiply#{wrong + 1}"
    attack = column_errors(2, step, [0] * column + [1 << row])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_GATES_PER_PRODUCT", gates_per_product)
        for attacked in (None, attack):
            simulation = MaliciousSimulation(seed, attack=attacked)
            for count, chosen in shapes:
                x = simulation.bits([57 + r for r in range(count)], 7 + 5)
                y = simulation.bits(list(range(count)), len(chosen) + 10)
                multiply(simulation.network, x, y[: len(chosen)], chosen)
            error = raised(simulation.finish)
            assert (error is None) if attacked is None else isinstance(error, VerificationError)


def test_a_large_batch_has_factors_of_many_products() -> None:
    assert [most_products(gates) for gates in (0, 1, (1 << 14) - 1, 1 << 14)] == [1, 1, 1, 2]
    assert most_products(1 << 40) == 256
    layout = choose_layout({(8192, 133): 24, (8192, 2): 2500, (8192, 1): 400})
    variables = {products: s.variables for products, s in layout.sections.items()}
    assert variables == {1: 6, 2: 6, 256: 2}
    # A section for a few factors would cost more than it saves: they join those with more products.
    few = choose_layout({(8192, 133): 24, (8192, 2): 2500, (8192, 1): 20})
    assert list(few.sections) == [2, 256]


@pytest.mark.parametrize("rows", [1000, 4080, 16352, 46025, 65504, 142910])
def test_blocks_are_full(rows: int) -> None:
    """The products of a level of comparisons: hardly any place is left empty, whatever the rows are."""
    layout = choose_layout({(rows, 1): 8, (rows, 2): 120})
    places = sum(section.blocks for section in layout.sections.values()) * layout.length
    assert 0.97 * places < 128 * rows <= places


@examples(60)
@given(FACTORS)
def test_no_other_length_or_number_of_variables_is_estimated_faster(
    factors: dict[tuple[int, int], int],
) -> None:
    layout = choose_layout(factors)
    columns: dict[int, Counter[int]] = {}
    for (rows, count), number in factors.items():
        if rows * number:
            columns.setdefault(1 << (count - 1).bit_length(), Counter())[rows] += number
    least = blocks._time_of_layout(layout)
    for length in (1 << k for k in range(7, 17)) if columns else ():
        assert least <= blocks._time_of_layout(blocks._laid_out(columns, length))


@examples(15)
@given(SEEDS, SHAPES, st.sampled_from([1, 1 << 16]))
def test_rounds_and_soundness_follow_the_layout(
    seed: int, shapes: list[tuple[int, list[int]]], gates_per_product: int
) -> None:
    """The bound counts as many halvings, variables and products as the check really has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_GATES_PER_PRODUCT", gates_per_product)
        simulation = MaliciousSimulation(seed)
        for rows, factors in shapes:
            x = simulation.bits([0] * rows, 7)
            multiply(simulation.network, x, simulation.bits([0] * rows, len(factors)), factors)
        layout, _ = arrange(simulation.network.products.pending_bits)
        simulation.finish()
    paths = [path for path in simulation.network.costs if path.startswith("check/bits/halve")]
    halvings = len({path.split("/")[2] for path in paths})
    assert halvings == ceil(log2(max(1, layout.length / 64))) + ceil(log2(layout.groups))
    cost = cost_of(simulation.network.costs, "check")
    values_and_point = 3 if layout.variables else 0
    assert cost.rounds == 2 + values_and_point + 3 * halvings + 5
    hashed = -(-layout.length // 128) + layout.groups + layout.products - 1
    error = hashed + 2 * layout.variables + 2 * halvings + 4
    assert soundness_error(layout, 1 << 64) == error / 2**64
    values = sum(3**section.variables for section in layout.sections.values())
    assert cost.bytes_sent < 3 * (8 * (values + 4 * halvings + 17 + 4 * 64) + 2 * halvings + 90)
