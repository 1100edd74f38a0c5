"""The comparisons after a shuffle: each is needed, none tells of the rows, and errors seldom pass."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from malicious_cases import ChangeMessage, MaliciousSimulation, raised
from shuffle_attack_cases import (
    MESSAGES,
    ROW_BYTES,
    ROW_CHANGES,
    VALUES,
    WIDTH,
    ChangeRows,
    corrupted_comparisons_pass,
    flipped,
    run,
)
from strategies import examples

from ipa.network.channel import Message
from ipa.network.product_log import CheckRules
from ipa.parties import HELPERS, right_of
from ipa.protocols.circuits import shuffle as shuffle_module
from ipa.protocols.circuits.shuffle import shuffle
from ipa.sharing.verification.binary_field import BinaryField


@pytest.mark.parametrize(("place", "sender", "receiver"), MESSAGES)
def test_each_comparison_of_honest_helpers_is_needed(
    place: str, sender: int, receiver: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the same changes pass, and the helpers end up with other rows."""
    monkeypatch.setattr(shuffle_module, "_COMPARED", dict.fromkeys(shuffle_module._COMPARED, ()))
    change = ROW_CHANGES["all rows alike"]
    interceptor = ChangeRows((place, sender, receiver), change)
    simulation = MaliciousSimulation(1, interceptors=[interceptor])
    result = shuffle(simulation.network, simulation.bits(VALUES, WIDTH)).take(range(4), WIDTH)
    shares = {h: result.shares_of(h) for h in HELPERS if h != sender}
    known = {h: own for h, (own, _) in shares.items()} | {
        right_of(h): right for h, (_, right) in shares.items()
    }
    columns = [a ^ b ^ c for a, b, c in zip(*known.values(), strict=True)]
    assert len(known) == 3
    rows = [sum((column >> r & 1) << k for k, column in enumerate(columns)) for r in range(4)]
    assert sorted(rows) == sorted(value ^ 1 for value in VALUES)


@pytest.mark.parametrize("compares_first", [True, False])
def test_a_guess_where_a_row_went_is_no_test(
    compares_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H2 changes a row before the second pass and takes it back after, where it guesses it is.

    With the comparison of the first list that always aborts. Without, the guess is confirmed half of
    the time, for two rows, which would tell H2 of the permutation that it must not know.
    """
    corrupted_comparisons_pass(monkeypatch, 2)
    if not compares_first:
        final = {(1, 3): (shuffle_module._FINAL,), (3, 1): (shuffle_module._FINAL,)}
        monkeypatch.setattr(shuffle_module, "_COMPARED", {**shuffle_module._COMPARED, **final})
    passed = 0
    for seed in range(40):
        changes = [
            ChangeRows((place, 2, 3), lambda rows: flipped(rows, 0, 0))
            for place in ("first", "last")
        ]
        simulation = MaliciousSimulation(seed, interceptors=changes)
        passed += raised(partial(run, simulation, [3, 4])) is None
    assert passed == 0 if compares_first else 8 < passed < 32


@pytest.mark.parametrize("compares_first", [True, False])
def test_a_guess_where_a_tag_went_is_no_test(
    compares_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for H3: an error in what it adds to a row's tag, taken back after the last pass.

    H1 and H2 alone draw the permutation of the first pass, so they must compare its table.
    """
    corrupted_comparisons_pass(monkeypatch, 3)
    if not compares_first:
        final = {(1, 2): (shuffle_module._FINAL,), (2, 1): (shuffle_module._FINAL,)}
        monkeypatch.setattr(shuffle_module, "_COMPARED", {**shuffle_module._COMPARED, **final})
    passed = 0
    for seed in range(40):
        taken_back = ChangeRows(("last", 3, 2), lambda rows: flipped(rows, 0, ROW_BYTES - 8))
        simulation = MaliciousSimulation(seed, interceptors=[wrong_tag, taken_back])
        passed += raised(partial(run, simulation, [3, 4])) is None
    assert passed == 0 if compares_first else 8 < passed < 32


def wrong_tag(message: Message) -> list[Message]:
    """Change the lowest bit of the first row's tag in what H3 sends of it."""
    if message.step != "shuffle/tag":
        return [message]
    return [replace(message, payload=bytes([message.payload[0] ^ 1]) + message.payload[1:])]


ROWS = st.lists(st.integers(0, 1023), min_size=4, max_size=4)


@examples(40)
@given(
    ROWS,
    ROWS,
    st.integers(0, 2**32),
    st.sampled_from(MESSAGES),
    st.sampled_from(sorted(ROW_CHANGES)),
)
def test_whether_it_aborts_says_nothing_of_the_rows(
    first: list[int],
    second: list[int],
    seed: int,
    message: tuple[str, int, int],
    change: str,
) -> None:
    def outcome(values: list[int], own_seed: int) -> tuple[object, ...]:
        interceptor = ChangeRows(message, ROW_CHANGES[change])
        simulation = MaliciousSimulation(own_seed, interceptors=[interceptor])
        error = raised(lambda: run(simulation, values))
        assume(interceptor.changed)
        assert error is not None
        return type(error), str(error), error.detected_by, simulation.transcript.shape()

    assert outcome(first, seed) == outcome(second, seed + 1) == outcome([7] * 4, seed + 2)


def test_soundness_in_a_small_field() -> None:
    """Over GF(2^8) a changed bit of a row passes once in 256 times, one of a tag never."""
    passed = {"row": 0, "tag": 0}
    runs = 1000
    for part, byte in (("row", 0), ("tag", 1)):
        for seed in range(runs):
            rules, tamper = CheckRules(bit_field=BinaryField(8)), ChangeMessage(1, "flip", 8 * byte)
            simulation = MaliciousSimulation(seed, rules, [tamper])
            network, table = simulation.network, simulation.bits([9], 8)
            passed[part] += raised(partial(shuffle, network, table)) is None
    assert passed["tag"] == 0
    assert 0 < passed["row"] < 14
