"""Blocks: every bit has one place, the same for x, y and z; and soundness follows the layout."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from malicious_cases import MaliciousSimulation
from strategies import SEEDS, examples

from ipa.network.costs import cost_of
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.verification.bit_check import soundness_error
from ipa.sharing.bits import ones
from ipa.sharing.verification.blocks import choose_layout, to_blocks

ROWS = st.sampled_from([0, 1, 2, 3, 127, 128, 129, 4096]) | st.integers(0, 700)
WIDTHS = st.dictionaries(ROWS, st.integers(0, 40), max_size=6)


@examples(100)
@given(WIDTHS)
def test_the_layout_holds_every_bit(widths: dict[int, int]) -> None:
    layout = choose_layout(widths)
    bits = sum(rows * width for rows, width in widths.items())
    blocks = to_blocks({rows: [ones(rows)] * width for rows, width in widths.items()}, layout)
    assert len(blocks) == layout.blocks == layout.groups << layout.variables
    assert all(block >> layout.length == 0 for block in blocks)
    # Ones everywhere, and none on top of another.
    assert sum(block.bit_count() for block in blocks) == bits
    assert layout.length & (layout.length - 1) == 0
    assert (layout.blocks == 0) == (bits == 0)


@examples(60)
@given(st.dictionaries(ROWS, st.integers(1, 12), min_size=1, max_size=4), st.randoms())
def test_every_bit_has_a_place_of_its_own(widths: dict[int, int], random: Random) -> None:
    """Blocks are linear in the columns, keep products, and tell any two tables apart."""
    layout = choose_layout(widths)

    def table() -> dict[int, list[int]]:
        return {
            rows: [random.getrandbits(rows) if rows else 0 for _ in range(width)]
            for rows, width in widths.items()
        }

    x, y = table(), table()
    products = {r: [a & b for a, b in zip(x[r], y[r], strict=True)] for r in widths}
    sums = {r: [a ^ b for a, b in zip(x[r], y[r], strict=True)] for r in widths}
    pairs = list(zip(to_blocks(x, layout), to_blocks(y, layout), strict=True))
    assert to_blocks(products, layout) == [a & b for a, b in pairs]
    assert to_blocks(sums, layout) == [a ^ b for a, b in pairs]
    assert (to_blocks(x, layout) == to_blocks(y, layout)) == (x == y)


def test_repeated_columns_are_stacked_like_others() -> None:
    for rows in (1, 3, 64, 128, 1000):
        for width in (1, 2, 127, 128, 129, 300):
            columns = [ones(rows)] * width
            columns[width // 2] = 1
            layout = choose_layout({rows: width})
            blocks = to_blocks({rows: columns}, layout)
            assert sum(block.bit_count() for block in blocks) == rows * (width - 1) + 1


@examples(15)
@given(
    SEEDS,
    st.lists(
        st.tuples(st.sampled_from([1, 2, 3, 100, 129, 1000]), st.integers(1, 30)),
        min_size=1,
        max_size=4,
    ),
)
def test_rounds_and_soundness_follow_the_layout(seed: int, shapes: list[tuple[int, int]]) -> None:
    """The bound counts as many halvings and variables as the check really has."""
    simulation = MaliciousSimulation(seed)
    widths: dict[int, int] = {}
    for rows, width in shapes:
        x = simulation.bits([0] * rows, width)
        multiply(simulation.network, x, x)
        widths[rows] = widths.get(rows, 0) + width
    simulation.finish()
    layout = choose_layout(widths)
    paths = [path for path in simulation.network.costs if path.startswith("check/bits/halve")]
    halvings = len({path.split("/")[2] for path in paths})
    assert halvings == (layout.length * layout.groups - 1).bit_length()
    cost = cost_of(simulation.network.costs, "check")
    values_and_point = 3 if layout.variables else 0
    assert cost.rounds == 2 + values_and_point + 3 * halvings + 5
    hashed = -(-layout.length // 128) + layout.groups
    error = hashed + 2 * layout.variables + 2 * halvings + 2
    assert soundness_error(layout, 1 << 64) >= error / 2**64
    assert cost.bytes_sent < 3 * (8 * (3**layout.variables + 4 * halvings + 20) + 2 * halvings + 90)
