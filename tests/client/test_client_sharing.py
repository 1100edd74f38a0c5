"""Client-side sharing, its randomness, and match key compression."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linear_hash_cases import (
    CompressionMatrix,
    compress_match_key_columns,
    compress_match_key_share,
    random_matrix,
)

from ipa.errors import MismatchError, ParameterError
from ipa.sharing.additive import combine_additive, share_additive, share_additive_two_party
from ipa.sharing.linear_hash import (
    collision_probability,
    compressed_bits_for,
    expected_collisions,
)
from ipa.sharing.randomness import Randomness
from ipa.sharing.xor import combine_xor, replicated_pairs, share_xor, share_xor_two_party

SEEDS = st.one_of(st.none(), st.integers(0), st.binary())
MODULI = st.sampled_from([2, 3, 7, 1 << 8, 1 << 32, (1 << 61) - 1]) | st.integers(2, 1 << 80)


@given(data=st.data(), width=st.integers(1, 130), seed=SEEDS)
def test_xor_shares_combine_to_the_value(
    data: st.DataObject, width: int, seed: int | bytes | None
) -> None:
    value = data.draw(st.integers(0, 2**width - 1))
    randomness = Randomness.from_seed(seed, "test")
    for shares in (
        share_xor(value, width, randomness),
        share_xor_two_party(value, width, randomness),
    ):
        assert all(0 <= share < 1 << width for share in shares)
        assert combine_xor(shares, width) == value


@given(data=st.data(), modulus=MODULI, seed=SEEDS)
def test_additive_shares_combine_to_the_value(
    data: st.DataObject, modulus: int, seed: int | bytes | None
) -> None:
    value = data.draw(st.integers(0, modulus - 1))
    randomness = Randomness.from_seed(seed, "test")
    for shares in (
        share_additive(value, modulus, randomness),
        share_additive_two_party(value, modulus, randomness),
    ):
        assert all(0 <= share < modulus for share in shares)
        assert combine_additive(shares, modulus) == value


def test_any_two_of_three_shares_are_uniform_and_do_not_depend_on_the_value() -> None:
    randomness = Randomness.from_seed(1, "test")
    rounds = 3600
    for value in (0, 1, 2):
        xor: list[Counter[tuple[int, int]]] = [Counter(), Counter(), Counter()]
        additive: list[Counter[tuple[int, int]]] = [Counter(), Counter(), Counter()]
        for _ in range(rounds):
            pairs = replicated_pairs(share_xor(value, 2, randomness))
            sums = replicated_pairs(share_additive(value, 3, randomness))
            for helper in range(3):
                xor[helper][pairs[helper]] += 1
                additive[helper][sums[helper]] += 1
        for counts, cells in [(c, 16) for c in xor] + [(c, 9) for c in additive]:
            expected = rounds / cells
            assert len(counts) == cells
            # Chi-square far beyond its 99.99% point (about 45 for 15 degrees of freedom).
            assert sum((n - expected) ** 2 / expected for n in counts.values()) < 50


def test_replicated_pairs_overlap_in_a_ring() -> None:
    assert replicated_pairs((1, 2, 3)) == ((1, 2), (2, 3), (3, 1))


@pytest.mark.parametrize(
    ("value", "width"), [(2, 1), (-1, 8), (256, 8), (True, 1), (0, 0), (0, -1), (0, 1 << 17)]
)
def test_xor_sharing_refuses_what_does_not_fit(value: int, width: int) -> None:
    for call in (share_xor, share_xor_two_party):
        with pytest.raises(ParameterError):
            call(value, width, Randomness())
    with pytest.raises(ParameterError):
        combine_xor((value, 0, 0), width)


@pytest.mark.parametrize(("value", "modulus"), [(7, 7), (-1, 7), (0, 1), (0, 0), (False, 2)])
def test_additive_sharing_refuses_what_does_not_fit(value: int, modulus: int) -> None:
    for call in (share_additive, share_additive_two_party):
        with pytest.raises(ParameterError):
            call(value, modulus, Randomness())
    with pytest.raises(ParameterError):
        combine_additive((value, 0, 0), modulus)


def test_combining_needs_two_or_three_shares() -> None:
    for shares in ((), (1,), (1, 1, 1, 1)):
        with pytest.raises(ParameterError, match="two or three"):
            combine_xor(shares, 1)
        with pytest.raises(ParameterError, match="two or three"):
            combine_additive(shares, 2)


def test_errors_do_not_contain_the_value() -> None:
    for call in (share_xor, share_additive):
        with pytest.raises(ParameterError) as caught:
            call(987654321, 3, Randomness())
        assert "987654321" not in str(caught.value)


@given(
    seed=st.integers(0) | st.binary(),
    label=st.text(max_size=5),
    sizes=st.lists(st.integers(0, 9000)),
)
def test_seeded_streams_repeat_whatever_the_pieces(
    seed: int | bytes, label: str, sizes: list[int]
) -> None:
    sizes = sizes[:4]
    pieces = Randomness.from_seed(seed, label)
    whole = Randomness.from_seed(seed, label).random_bytes(sum(sizes))
    assert b"".join(pieces.random_bytes(size) for size in sizes) == whole


def test_streams_differ_by_seed_and_label_and_without_a_seed() -> None:
    seeds: list[int | bytes | None] = [0, 1, 256, b"", b"\0", b"\1", b"int\1", None, None]
    drawn = [Randomness.from_seed(seed, "a").random_bytes(16) for seed in seeds]
    drawn += [Randomness.from_seed(1, label).random_bytes(16) for label in ("", "b", "ab")]
    drawn += [Randomness().random_bytes(16), Randomness().random_bytes(16)]
    assert len(set(drawn)) == len(drawn)
    # The label and the seed cannot run into each other.
    first = Randomness.from_seed(b"bc", "a").random_bytes(16)
    assert first != Randomness.from_seed(b"c", "ab").random_bytes(16)


@given(seed=SEEDS, width=st.integers(0, 100), bound=st.integers(1, 1 << 70))
def test_random_numbers_are_in_range(seed: int | bytes | None, width: int, bound: int) -> None:
    randomness = Randomness.from_seed(seed, "range")
    assert 0 <= randomness.random_bits(width) < 1 << width
    assert 0 <= randomness.random_below(bound) < bound


def test_random_numbers_reach_every_value() -> None:
    randomness = Randomness.from_seed(3, "range")
    assert {randomness.random_below(5) for _ in range(200)} == set(range(5))
    assert {randomness.random_bits(3) for _ in range(200)} == set(range(8))


def test_randomness_refuses_nonsense() -> None:
    for seed in (-1, 1.5, "seed", True):
        with pytest.raises(ParameterError, match="seed"):
            Randomness.from_seed(seed, "x")  # type: ignore[arg-type]
    for call in (Randomness().random_bits, Randomness().random_bytes):
        with pytest.raises(ParameterError, match="negative"):
            call(-1)
    with pytest.raises(ParameterError, match="at least 1"):
        Randomness().random_below(0)


@given(data=st.data(), input_bits=st.integers(1, 70), output_bits=st.integers(1, 70))
def test_compressed_shares_are_shares_of_the_compressed_match_key(
    data: st.DataObject, input_bits: int, output_bits: int
) -> None:
    matrix = random_matrix(input_bits, output_bits, Randomness.from_seed(data.draw(SEEDS), "m"))
    keys = data.draw(st.lists(st.integers(0, 2**input_bits - 1), max_size=5))
    # The definition: row j of the matrix times the match key, bit by bit.
    expected = [
        sum(
            (sum((image >> j & 1) & (key >> i & 1) for i, image in enumerate(matrix.images)) & 1)
            << j
            for j in range(output_bits)
        )
        for key in keys
    ]
    assert [compress_match_key_share(key, matrix) for key in keys] == expected
    for key, digest in zip(keys, expected, strict=True):
        shares = share_xor(key, input_bits, Randomness())
        compressed = tuple(compress_match_key_share(share, matrix) for share in shares)
        assert combine_xor(compressed, output_bits) == digest
    columns = [
        sum((key >> i & 1) << row for row, key in enumerate(keys)) for i in range(input_bits)
    ]
    compressed_columns = compress_match_key_columns(columns, matrix)
    assert len(compressed_columns) == output_bits
    rows = [
        sum((column >> row & 1) << j for j, column in enumerate(compressed_columns))
        for row in range(len(keys))
    ]
    assert rows == expected


def test_collisions_are_as_often_as_computed() -> None:
    randomness = Randomness.from_seed(8, "collisions")
    users, bits, rounds = 8, 6, 2000
    keys = [3, 5, 6, 9, 100, 200, 77, 255]  # 3 ^ 5 ^ 6 = 0: not independent
    pairs = colliding = 0
    for _ in range(rounds):
        matrix = random_matrix(8, bits, randomness)
        counts = Counter(compress_match_key_share(key, matrix) for key in keys)
        found = sum(n * (n - 1) // 2 for n in counts.values())
        pairs += found
        colliding += found > 0
    expected = expected_collisions(users, bits)
    assert expected == Fraction(28, 64)
    # Five standard deviations of a mean of 2,000 counts with variance below 1.
    assert abs(pairs / rounds - expected) < 5 / rounds**0.5
    assert colliding / rounds < collision_probability(users, bits) + 5 / (4 * rounds) ** 0.5


@given(
    users=st.integers(0, 10**9),
    probability=st.fractions(Fraction(1, 10**12), 1, max_denominator=10**12),
)
def test_the_width_for_a_probability_is_the_smallest(users: int, probability: Fraction) -> None:
    if probability == 0:
        return
    bits = compressed_bits_for(users, probability)
    assert expected_collisions(users, bits) <= probability
    assert bits == 1 or expected_collisions(users, bits - 1) > probability


def test_the_width_for_a_probability_at_its_edges() -> None:
    assert compressed_bits_for(0, Fraction(1, 2**200)) == compressed_bits_for(1, Fraction(1)) == 1
    assert compressed_bits_for(2, Fraction(1, 2**20)) == 20
    assert compressed_bits_for(2, Fraction(1, 2**20 + 1)) == 21
    assert compressed_bits_for(2, Fraction(1, 2**20 - 1)) == 20
    assert compressed_bits_for(2, Fraction(2, 2**21 + 1)) == 21  # just over 20 bits, by half a hash
    assert compressed_bits_for(1 << 20, Fraction(1, 1 << 20)) == 59
    assert compressed_bits_for(2, Fraction(1, 2**256)) == 256
    assert compressed_bits_for(10**6, Fraction(5)) == 37
    for users, probability in (
        (-1, Fraction(1, 2)),
        (2.0, Fraction(1, 2)),
        (2, Fraction(0)),
        (2, Fraction(-1)),
        (2, 0.5),
        (2, Fraction(1, 2**256 + 1)),
    ):
        with pytest.raises(ParameterError):
            compressed_bits_for(users, probability)  # type: ignore[arg-type]


def test_collision_probability_at_its_edges() -> None:
    assert collision_probability(0, 8) == collision_probability(1, 8) == 0
    assert collision_probability(2, 8) == Fraction(1, 256)
    assert collision_probability(10**6, 32) == 1
    assert collision_probability(10**6, 64) < Fraction(1, 10**7)
    with pytest.raises(ParameterError, match="negative"):
        expected_collisions(-1, 8)
    with pytest.raises(ParameterError, match="output_bits"):
        collision_probability(5, 0)


def test_matrices_and_shares_that_do_not_fit() -> None:
    for arguments in ((0, 1, ()), (257, 1, (0,) * 257), (1, 0, (0,)), (2, 1, (0,)), (1, 1, (2,))):
        with pytest.raises(ParameterError):
            CompressionMatrix(*arguments)
    matrix = CompressionMatrix(3, 2, (1, 2, 3))
    for share in (8, -1):
        with pytest.raises(ParameterError):
            compress_match_key_share(share, matrix)
    with pytest.raises(MismatchError):
        compress_match_key_columns([1, 2], matrix)
