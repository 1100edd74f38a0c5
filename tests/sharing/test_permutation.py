"""Permutations of rows as strings of bytes, and their tags: the shuffle's local mathematics."""

from collections import Counter
from itertools import permutations

import pytest
from check_mathematics import sum_of_products
from hypothesis import given
from hypothesis import strategies as st
from strategies import ROWS, SEEDS, Simulation, below, examples

from ipa.errors import MismatchError, RandomnessReuseError, SecrecyError
from ipa.network.simulation import pairwise_keys
from ipa.sharing import prss as prss_module
from ipa.sharing.bits import bytes_per_row, columns_from_rows, table_from_columns
from ipa.sharing.dealing import reconstruct_for_testing
from ipa.sharing.prss import Prss
from ipa.sharing.rows.permutation import SORT_KEY_BYTES, move_rows, split_rows, uniform_permutation
from ipa.sharing.rows.row_tags import tag_errors, tag_summand, words_per_row
from ipa.sharing.rows.shared_rows import SharedRows
from ipa.sharing.verification.binary_field import MODULI, BinaryField

MANY_ROWS = ROWS | st.sampled_from([511, 512, 513, 1030])


@examples(50)
@given(MANY_ROWS, st.integers(1, 9), st.integers(0, 9))
def test_splitting_rows(rows: int, kept: int, dropped: int) -> None:
    strings = [row.to_bytes(kept, "little") for row in range(min(rows, 1 << 8 * kept))]
    packed = b"".join([string + b"\xff" * dropped for string in strings])
    assert split_rows(packed, kept + dropped, dropped) == strings


def test_moving_rows() -> None:
    assert move_rows([b"a", b"b", b"c"], [2, 0, 1]) == b"cab"


def sort_keys(*numbers: int) -> bytes:
    return b"".join([helper.to_bytes(SORT_KEY_BYTES, "little") for helper in numbers])


def test_a_permutation_is_the_order_of_its_sort_keys() -> None:
    assert uniform_permutation(b"") == []
    assert uniform_permutation(sort_keys(300, 2**63, 1)) == [2, 0, 1]
    assert uniform_permutation(sort_keys(3, 7, 3)) is None


def test_the_holders_of_a_key_draw_the_same_permutation_and_bytes() -> None:
    parties = {helper: Prss(*keys) for helper, keys in pairwise_keys(1).items()}
    drawn = {h: prss.random_permutations("step", 50) for h, prss in parties.items()}
    masks = {
        h: prss.masked_bytes("step", bytes(40), b"\xff" * 40, 1) for h, prss in parties.items()
    }
    for helper, right in ((1, 2), (2, 3), (3, 1)):
        assert drawn[helper][1] == drawn[right][0]
        assert masks[helper][1] == bytes(255 - byte for byte in masks[right][0])
    assert len({tuple(own) for own, _ in drawn.values()}) == 3
    assert len({own for own, _ in masks.values()}) == 3
    assert all(sorted(own) == list(range(50)) for own, _ in drawn.values())
    with pytest.raises(RandomnessReuseError):
        parties[1].random_permutations("step", 1)
    with pytest.raises(RandomnessReuseError):
        parties[1].masked_bytes("step", b"", b"", 1)


def test_equal_sort_keys_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first draw of every key has equal sort keys here."""
    honest, attempts = prss_module._keystream_over, Counter[bytes]()

    def stream(key: bytes, label: bytes, data: bytes) -> bytes:
        attempts[label.split(b" ipa", 1)[0]] += 1
        return data if label.startswith(b"permutation 0 ") else honest(key, label, data)

    monkeypatch.setattr(prss_module, "_keystream_over", stream)
    own, right = Prss(*pairwise_keys(1)[1]).random_permutations("step", 9)
    assert sorted(own) == sorted(right) == list(range(9))
    assert own != right
    assert attempts == {b"permutation 0": 2, b"permutation 1": 2}


def test_permutations_are_uniform() -> None:
    """Chi-square over the 24 permutations of 4 rows; 3,600 draws, 99.99 % below 60."""
    prss, runs = Prss(*pairwise_keys(7)[2]), 1800
    drawn = [tuple(p) for k in range(runs) for p in prss.random_permutations("step", 4, k)]
    counts, expected = Counter(drawn), 2 * runs / 24
    assert sum((counts[p] - expected) ** 2 / expected for p in permutations(range(4))) < 60


@examples(60)
@given(st.data(), SEEDS, st.sampled_from(sorted(MODULI)), st.integers(0, 12), st.integers(1, 150))
def test_tags(data: st.DataObject, seed: int, degree: int, rows: int, width: int) -> None:
    """The helpers' summands of a tag add up to the sum of key times word."""
    field, simulation = BinaryField(degree), Simulation(seed)
    count = words_per_row(field, width)
    assert (count - 1) * degree < width <= count * degree
    values = data.draw(st.lists(below(1 << width), min_size=rows, max_size=rows))
    keys = data.draw(st.lists(below(1 << degree), min_size=count, max_size=count))
    shared_keys, table = simulation.numbers(field, keys), simulation.bits(values, width)
    total = [0] * degree
    for h in table.holders:
        summand = tag_summand(field, shared_keys.shares_of(h), table.shares_of(h), rows)
        total = [a ^ b for a, b in zip(total, summand, strict=True)]
    tags = [
        sum_of_products(field, keys, [value >> j * degree & field.order - 1 for j in range(count)])
        for value in values
    ]
    assert total == columns_from_rows(tags, degree)
    tagged = columns_from_rows(values, width) + total
    assert tag_errors(field, keys, tagged, rows) == [0] * degree
    if rows:
        wrong = data.draw(st.integers(0, width + degree - 1))
        tagged[wrong] ^= 1
        weight = (
            field.multiply(keys[wrong // degree], 1 << wrong % degree)
            if wrong < width
            else 1 << wrong - width
        )
        errors = tag_errors(field, keys, tagged, rows)
        assert errors == [weight >> bit & 1 for bit in range(degree)]


@examples(50)
@given(st.data(), SEEDS, st.integers(1, 12), st.integers(1, 20))
def test_taking_rows(data: st.DataObject, seed: int, rows: int, width: int) -> None:
    values = data.draw(st.lists(below(1 << width), min_size=rows, max_size=rows))
    places = data.draw(st.lists(st.integers(0, rows - 1), max_size=20))
    kept = data.draw(st.integers(0, width))
    table, size = Simulation(seed).bits(values, width), bytes_per_row(width)
    shares = {}
    for helper in table.holders:
        own, right = (table_from_columns(share, rows) for share in table.shares_of(helper))
        both = zip(split_rows(own, size), split_rows(right, size), strict=True)
        shares[helper] = [a + b for a, b in both]
    moved = SharedRows(table.network_name, rows, width, shares)
    taken = moved.take(places, kept)
    assert (taken.rows, taken.width) == (len(places), kept)
    assert reconstruct_for_testing(taken) == [values[place] % (1 << kept) for place in places]
    with pytest.raises(MismatchError, match=f"{width + 1} columns of a table of {width}"):
        moved.take(places, width + 1)
    assert repr(moved) == f"<SharedRows: {rows} rows x {width} bits, shares of H1, H2, H3>"
    with pytest.raises(SecrecyError):
        bool(moved)
