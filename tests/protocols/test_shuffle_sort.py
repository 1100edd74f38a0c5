"""Sorting by a shuffle and opened comparisons: the right order, whatever the keys."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import permutations
from math import log2
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import ROWS, SEEDS, Simulation, columns_of_numbers, examples

from ipa.errors import ParameterError
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import Security
from ipa.protocols.circuits import revealed_order
from ipa.protocols.circuits import shuffle_sort as shuffle_sort_module
from ipa.protocols.circuits.comparison import first_difference_gates
from ipa.protocols.circuits.shuffle_sort import shuffle_sort
from ipa.protocols.primitives.opening import open_bits
from ipa.sharing.dealing import reconstruct_for_testing
from ipa.sharing.rows.shared_rows import SharedRows
from ipa.sharing.shared_bits import SharedBits

secret = reconstruct_for_testing


def oracle(values: list[int], key_bits: int) -> list[int]:
    """A stable sort: rows with equal keys stay in their order."""
    return sorted(values, key=lambda value: value % (1 << key_bits))


def check_sorting(
    values: list[int], width: int, key_bits: int, seed: int, security: Security = "semi-honest"
) -> Simulation:
    simulation = Simulation(seed, security)
    result = shuffle_sort(simulation.network, simulation.bits(values, width), key_bits)
    assert (result.rows, result.width) == (len(values), width)
    assert secret(result) == oracle(values, key_bits)
    return simulation


@examples(100)
@given(st.data(), SEEDS, ROWS, st.integers(1, 20), st.integers(0, 12))
def test_sorting(data: st.DataObject, seed: int, rows: int, key_bits: int, others: int) -> None:
    (values,) = data.draw(columns_of_numbers(rows, key_bits + others))
    check_sorting(values, key_bits + others, key_bits, seed)


@examples(15)
@given(st.data(), SEEDS, st.sampled_from([0, 1, 2, 3, 5, 12, 20]), st.integers(1, 20))
def test_sorting_in_a_malicious_secure_network(
    data: st.DataObject, seed: int, rows: int, key_bits: int
) -> None:
    (values,) = data.draw(columns_of_numbers(rows, key_bits + 3))
    check_sorting(values, key_bits + 3, key_bits, seed, "malicious")


KINDS: dict[str, Callable[[range], Sequence[int]]] = {
    "equal": lambda n: [77] * len(n),
    "sorted": list,
    "reversed": lambda n: list(reversed(n)),
    "two values": lambda n: [row % 2 for row in n],
    "random": lambda n: random.Random(1).sample(n, len(n)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [64, 300, 1023, 5000, 9000])
def test_sorting_many_rows(rows: int, kind: str) -> None:
    """The upper columns say which row it was, so that the order of equal keys shows."""
    keys = list(KINDS[kind](range(rows)))
    values = [(row % 512 << 14) + key for row, key in enumerate(keys)]
    check_sorting(values, 23, 14, rows)


@pytest.mark.parametrize("key_bits", [0, 5])
def test_a_key_that_is_no_part_of_the_table_is_refused(key_bits: int) -> None:
    simulation = Simulation(1)
    with pytest.raises(ParameterError, match=f"a key of {key_bits} bits in a table of 4 columns"):
        shuffle_sort(simulation.network, simulation.bits([1, 2, 3], 4), key_bits)
    assert not simulation.network.costs


@pytest.fixture
def many_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search trees for the smallest segments, as large tables have them."""
    monkeypatch.setattr(revealed_order, "_SHORT", 1)
    monkeypatch.setattr(revealed_order, "_PAIRS_PER_ROW", 0)
    monkeypatch.setattr(revealed_order, "_FEW_PAIRS", 0)
    monkeypatch.setattr(revealed_order, "_TREES", ((16, 2, 2), (4, 2, 1), (0, 1, 1)))


@pytest.mark.usefixtures("many_levels")
@given(st.data(), SEEDS, ROWS, st.integers(1, 6), st.integers(0, 4))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sorting_in_many_levels(
    data: st.DataObject, seed: int, rows: int, key_bits: int, others: int
) -> None:
    (values,) = data.draw(columns_of_numbers(rows, key_bits + others))
    check_sorting(values, key_bits + others, key_bits, seed)


@pytest.mark.parametrize("limits", [(8, 0, 0), (1, 0, 0), (3, 1, 50), (8, 2, 10**6)])
def test_any_limits_give_the_same_order(
    limits: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when more pairs are left than the limit and no segment is long."""
    for name, limit in zip(("_SHORT", "_PAIRS_PER_ROW", "_FEW_PAIRS"), limits, strict=True):
        monkeypatch.setattr(revealed_order, name, limit)
    values = random.Random(1).choices(range(64), k=250)
    check_sorting(values, 9, 5, 1)


class Opened:
    """Remembers every column that the sort opens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.columns: list[int] = []

        def remembering(network: HelperPartyNetwork, x: SharedBits) -> list[int]:
            columns = open_bits(network, x)
            self.columns += columns
            return columns

        monkeypatch.setattr(revealed_order, "open_bits", remembering)

    def take(self) -> tuple[int, ...]:
        """What was opened since the last time."""
        columns, self.columns = self.columns, []
        return tuple(columns)


@pytest.mark.usefixtures("many_levels")
@pytest.mark.parametrize("security", get_args(Security))
def test_equal_rankings_open_the_same_and_send_the_same_shapes(
    security: Security, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys of one order, ties and all, give one transcript; those of another order do not."""
    opened, shapes, recorder = [], [], Opened(monkeypatch)
    for keys in (
        [5, 5, 9, 0, 9, 9, 3],
        [50, 51, 90, 0, 91, 92, 4],
        [1, 1, 1, 0, 1, 1, 1],
        [10, 11, 40, 9, 41, 42, 12],
    ):
        simulation = check_sorting(keys, 7, 7, 4, security)
        opened.append(recorder.take())
        shapes.append(simulation.transcript.shape())
    assert opened[0] == opened[1]
    assert shapes[0] == shapes[1]
    assert opened[0] != opened[2]


ONE_ROW_EACH = {
    "zeros": [0, 0, 0, 0],
    "equal": [3, 3, 3, 3],
    "sorted": [1, 2, 3, 4],
    "tied": [2, 1, 2, 1],
    "odd": [9, 0, 4, 2],
}


@pytest.mark.usefixtures("many_levels")
@pytest.mark.parametrize("keys", ONE_ROW_EACH.values(), ids=ONE_ROW_EACH)
def test_the_revealed_order_is_uniform_whatever_the_keys(
    keys: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chi-square over the 24 orders of 4 rows; 99.99 % below 60 for 23 degrees of freedom."""
    counts: Counter[tuple[int, ...]] = Counter()

    def counting(network: HelperPartyNetwork, table: SharedRows, width: int) -> list[int]:
        order = revealed_order.reveal_order(network, table, width)
        counts[tuple(order)] += 1
        return order

    monkeypatch.setattr(shuffle_sort_module, "reveal_order", counting)
    runs = 480
    for seed in range(runs):
        check_sorting(keys, 4, 4, seed)
    expected = runs / 24
    orders = permutations(range(4))
    assert sum((counts[order] - expected) ** 2 / expected for order in orders) < 60


@pytest.mark.usefixtures("many_levels")
def test_opened_bits_are_distributed_alike_for_equal_and_for_random_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All columns opened in a run, as one outcome, over the same seeds for four kinds of keys.

    Two samples of one distribution: chi-square of homogeneity, 99.99 % below 2.3 times the degrees
    of freedom from 20 of them on.
    """
    samples: list[Counter[tuple[int, ...]]] = []
    recorder = Opened(monkeypatch)
    for keys in ONE_ROW_EACH.values():
        outcomes: Counter[tuple[int, ...]] = Counter()
        for seed in range(240):
            check_sorting(keys, 4, 4, 1000 * len(samples) + seed)
            outcomes[recorder.take()] += 1
        samples.append(outcomes)
    for other in samples[1:]:
        seen = samples[0] | other
        statistic = sum((samples[0][o] - other[o]) ** 2 / (samples[0][o] + other[o]) for o in seen)
        assert len(seen) < 60
        assert statistic < 2.3 * len(seen)


def test_nothing_is_opened_where_no_two_rows_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first row of each segment is its splitter here: it is compared with no other row."""
    monkeypatch.setattr(revealed_order, "_SHORT", 1)
    monkeypatch.setattr(revealed_order, "_PAIRS_PER_ROW", 0)
    monkeypatch.setattr(revealed_order, "_FEW_PAIRS", 0)
    monkeypatch.setattr(revealed_order, "_TREES", ((0, 1, 1),))
    recorder = Opened(monkeypatch)
    for seed in range(30):
        check_sorting([3, 1, 2], 2, 2, seed)
        first, *others = recorder.take()
        assert first in (0b000, 0b010, 0b100, 0b110)
        if others:  # both others are on one side, and one of them is its splitter
            assert others in ([0b00], [0b10])
            assert first in (0b000, 0b110)


@pytest.mark.parametrize(
    ("rows", "levels"), [(2, 1), (128, 1), (140, 5), (500, 12), (1000, 13), (3000, 17)]
)
def test_costs(rows: int, levels: int) -> None:
    """Levels and comparisons stay within bounds; rounds and gates follow from them exactly."""
    key_bits, number_bits = 20, (rows - 1).bit_length()
    compared = key_bits + number_bits
    for seed in range(4):
        values = [row % 1000 for row in range(rows)]
        simulation = check_sorting(values, 24, key_bits, seed)
        cost = simulation.cost
        opened = [path for path in simulation.network.costs if path.endswith("/open")]
        comparisons, rest = divmod(cost.and_gates, first_difference_gates(compared))
        assert rest == 0
        assert len(opened) <= levels
        assert rows - 1 <= comparisons <= 1.2 * rows * log2(rows) + (1 << 13)
        assert cost.rounds == 2 + len(opened) * (1 + (compared - 1).bit_length())


def test_a_table_of_one_row_needs_no_messages() -> None:
    for values in ([], [3]):
        assert not check_sorting(values, 2, 2, 1).network.costs
