"""PRSS: three helpers derive correlated randomness from pairwise keys, once for each use."""

import os
from collections import Counter
from functools import reduce
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import RINGS, ROWS, SEEDS, examples

from ipa.errors import ParameterError, RandomnessReuseError
from ipa.network.channel import in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.simulation import pairwise_keys
from ipa.parties import HELPERS, left_of, right_of
from ipa.sharing.prss import KEY_BYTES, Prss, ReproducibleKey
from ipa.sharing.rings import PRIME_FIELD, IntegersModulo

STEPS = st.text(max_size=12)


def three_helpers(seed: int) -> dict[int, Prss]:
    return {helper: Prss(*keys) for helper, keys in pairwise_keys(seed).items()}


@given(SEEDS)
def test_each_key_is_shared_by_two_neighbours(seed: int) -> None:
    keys = pairwise_keys(seed)
    assert len({own for own, _ in keys.values()}) == 3
    for helper in HELPERS:
        assert keys[helper][1] == keys[right_of(helper)][0]
        assert left_of(right_of(helper)) == helper


def test_keys_without_a_seed_are_fresh() -> None:
    assert pairwise_keys() != pairwise_keys()
    assert pairwise_keys(1) == pairwise_keys(1) != pairwise_keys(2)


@examples(60)
@given(SEEDS, STEPS, st.integers(0, 9), ROWS, st.integers(0, 3))
def test_random_columns_are_replicated(
    seed: int, step: str, width: int, rows: int, index: int
) -> None:
    pairs = {
        helper: prss.random_columns(step, width, rows, index)
        for helper, prss in three_helpers(seed).items()
    }
    for helper in HELPERS:
        own, right = pairs[helper]
        assert len(own) == len(right) == width
        assert right == pairs[right_of(helper)][0]
        assert all(column >> rows == 0 for column in own + right)


@examples(60)
@given(SEEDS, STEPS, st.integers(0, 9), ROWS, st.integers(0, 3))
def test_zero_columns_sum_to_zero(seed: int, step: str, width: int, rows: int, index: int) -> None:
    summands = [
        prss.zero_columns(step, width, rows, index) for prss in three_helpers(seed).values()
    ]
    assert [reduce(xor, column) for column in zip(*summands, strict=True)] == [0] * width
    assert all(len(columns) == width for columns in summands)
    assert all(column >> rows == 0 for columns in summands for column in columns)


@examples(60)
@given(SEEDS, RINGS, st.integers(0, 9))
def test_elements_are_replicated_and_zero_elements_sum_to_zero(
    seed: int, ring: IntegersModulo, count: int
) -> None:
    helpers = three_helpers(seed)
    pairs = {h: prss.random_elements("random", ring, count) for h, prss in helpers.items()}
    for helper in HELPERS:
        assert pairs[helper][1] == pairs[right_of(helper)][0]
        assert len(pairs[helper][0]) == count
        assert all(map(ring.contains, pairs[helper][0]))
    zeros = [prss.zero_elements("zero", ring, count) for prss in helpers.values()]
    assert [sum(column) % ring.modulus for column in zip(*zeros, strict=True)] == [0] * count


@given(SEEDS, STEPS, st.integers(0, 3))
def test_drawing_twice_from_one_step_and_index_raises(seed: int, step: str, index: int) -> None:
    prss = Prss(*pairwise_keys(seed)[1])
    prss.zero_columns(step, 1, 8, index)
    prss.zero_columns(step, 1, 8, index + 1)
    for draw_again in (
        lambda: prss.zero_columns(step, 2, 8, index),
        lambda: prss.random_columns(step, 1, 8, index),
        lambda: prss.random_elements(step, PRIME_FIELD, 1, index),
        lambda: prss.zero_elements(step, PRIME_FIELD, 1, index),
    ):
        with pytest.raises(RandomnessReuseError, match=f"index {index} was used"):
            draw_again()


@given(SEEDS, st.lists(st.tuples(STEPS, st.integers(0, 20)), unique=True, max_size=8))
def test_steps_indices_helpers_and_seeds_draw_different_randomness(
    seed: int, draws: list[tuple[str, int]]
) -> None:
    values = [
        prss.zero_columns(step, 1, 128, index)[0]
        for number in (seed, seed + 1)
        for prss in three_helpers(number).values()
        for step, index in draws
    ]
    assert max(Counter(values).values(), default=1) == 1


def test_a_zero_summand_is_uniform_as_far_as_one_key_can_tell() -> None:
    """Each bit of a helper's summands is one about half of the time: 6 sigma of 2^17 bits."""
    for prss in three_helpers(1).values():
        columns = prss.zero_columns("step", 2, 1 << 16)
        assert abs(sum(column.bit_count() for column in columns) - (1 << 16)) < 6 * 181


def test_pinned_values() -> None:
    """Helpers of two implementations must agree, so the derivation is pinned.

    The values were computed apart from the library, by encrypting the counter blocks 0, 1, .. one
    by one with the key HMAC-SHA256(pairwise key, label)[:16], where the label is "ipa prss", index,
    the session's length, the session and the step, separated by blanks.
    """
    prss = Prss(ReproducibleKey(range(32)), ReproducibleKey(range(32, 64))).for_session("run 1")
    own, right = prss.random_columns("query/sort", 1, 64)
    assert (own, right) == ([0x6316857B7495F9E4], [0x9C6EED3E069610D5])
    assert prss.zero_columns("query/sort", 1, 64, index=1) == [0x92724B33D3ECB886]


@pytest.mark.parametrize("size", [0, KEY_BYTES - 1, KEY_BYTES + 1])
def test_keys_of_another_length_are_refused(size: int) -> None:
    good = bytes(KEY_BYTES)
    for keys in ((bytes(size), good), (good, bytes(size))):
        with pytest.raises(ParameterError, match="32 bytes"):
            Prss(*keys)


def test_repr_shows_no_key() -> None:
    prss = Prss(b"\xab" * 32, b"\xcd" * 32)
    prss.zero_columns("step", 1, 1)
    assert repr(prss) == "<Prss: two pairwise keys, 1 draws>"


def test_another_session_gives_other_randomness_under_the_same_keys() -> None:
    keys = Prss(ReproducibleKey(range(32)), ReproducibleKey(range(32, 64)))
    monday, tuesday = keys.for_session("monday"), keys.for_session("tuesday")
    again = keys.for_session("monday")
    assert monday.random_columns("step", 1, 64) == again.random_columns("step", 1, 64)
    assert monday.random_columns("other", 1, 64) != tuesday.random_columns("other", 1, 64)
    assert monday.zero_columns("zero", 1, 64) != tuesday.zero_columns("zero", 1, 64)


def test_a_name_is_not_used_twice_under_the_same_keys() -> None:
    keys = os.urandom(KEY_BYTES), os.urandom(KEY_BYTES)
    Prss(*keys).for_session("monday")
    for prss in (Prss(*keys), Prss(*keys).for_session("tuesday")):
        with pytest.raises(RandomnessReuseError, match="under the same pairwise keys"):
            prss.for_session("monday")
    Prss(*keys).for_session("wednesday")
    Prss(os.urandom(KEY_BYTES), keys[1]).for_session("monday")  # another helper's, or another run
    Prss(keys[0], os.urandom(KEY_BYTES)).for_session("monday")


def test_a_run_under_keys_from_a_seed_can_be_repeated() -> None:
    for _ in range(2):
        assert Prss(*pairwise_keys(1)[1]).for_session("monday")
    fresh = pairwise_keys()
    parties = [HelperParty(1, Prss(*fresh[1]), in_memory_channels()[1])]
    HelperPartyNetwork("monday", parties)
    with pytest.raises(RandomnessReuseError):
        HelperPartyNetwork("monday", parties)
