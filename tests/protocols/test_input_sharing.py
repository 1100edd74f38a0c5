"""What the helpers put in themselves: shared right, at the cost said, and shown to nobody."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from noise_cases import SECURITIES, in_threads
from strategies import ROWS, SEEDS, Simulation, examples

from ipa.errors import ChannelError
from ipa.network.channel import Message
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.simulation import simulated_network
from ipa.parameters import Security
from ipa.parties import HELPERS, left_of, right_of
from ipa.protocols.primitives.input_sharing import share_own_columns
from ipa.sharing.bits import Columns, bytes_per_column, columns_from_rows, ones
from ipa.sharing.dealing import reconstruct_columns_for_testing
from ipa.sharing.joining import join_columns
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import SharedBits

Inputs = dict[int, Columns]
RUNS = 400


def inputs(seed: int, width: int, rows: int) -> Inputs:
    randomness = Randomness.from_seed(seed, "inputs")
    return {h: [randomness.random_bits(rows) for _ in range(width)] for h in HELPERS}


@examples(60)
@given(SEEDS, ROWS, st.integers(0, 9), st.sampled_from(SECURITIES))
def test_each_table_is_the_input_of_its_helper(
    seed: int, rows: int, width: int, security: Security
) -> None:
    simulation = Simulation(seed, security)
    own = inputs(seed, width, rows)
    tables = share_own_columns(simulation.network, own, width, rows)
    assert [reconstruct_columns_for_testing(table) for table in tables] == [
        own[helper] for helper in HELPERS
    ]
    assert {(table.rows, table.width) for table in tables} == {(rows, width)}


@examples(40)
@given(SEEDS, ROWS, st.integers(0, 9))
def test_one_round_and_a_bit_for_each_bit_and_the_same_for_all_inputs(
    seed: int, rows: int, width: int
) -> None:
    shapes = []
    for number in (seed, seed + 1):
        simulation = Simulation(number)
        share_own_columns(simulation.network, inputs(number, width, rows), width, rows)
        cost = simulation.cost
        assert (cost.rounds, cost.messages, cost.and_gates) == (1, 3, 0)
        assert cost.bytes_sent == 3 * width * bytes_per_column(rows)
        shapes.append(simulation.transcript.shape())
    assert shapes[0] == shapes[1]
    assert [(sender, receiver) for _, sender, receiver, _ in shapes[0]] == [
        (helper, left_of(helper)) for helper in HELPERS
    ]


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize(("rows", "width"), [(0, 3), (1, 1), (9, 5)])
def test_a_helper_alone_holds_what_it_holds_in_the_simulation(
    security: Security, rows: int, width: int
) -> None:
    own = inputs(rows, width, rows)
    simulation = Simulation(rows, security)
    together = join_columns(*share_own_columns(simulation.network, own, width, rows))

    def run(network: HelperPartyNetwork) -> SharedBits:
        (helper,) = network.helpers
        return join_columns(*share_own_columns(network, {helper: own[helper]}, width, rows))

    apart = in_threads(rows, security, run)
    assert apart == {helper: together.shares_of(helper) for helper in HELPERS}


def held(seed: int, own: Inputs) -> dict[int, dict[int, tuple[int, int]]]:
    """By owner, by helper: the two shares of a table of one column."""
    tables = share_own_columns(simulated_network(seed), own, 1, 64)
    return {
        owner: {h: (table.shares_of(h)[0][0], table.shares_of(h)[1][0]) for h in HELPERS}
        for owner, table in zip(HELPERS, tables, strict=True)
    }


def test_who_holds_what() -> None:
    """The owner and its left neighbour the masked input, the owner and its right one the mask."""
    own = inputs(1, 1, 64)
    for owner, shares in held(1, own).items():
        masked, mask = shares[owner]
        assert masked ^ mask == own[owner][0]
        assert shares[right_of(owner)] == (mask, 0)
        assert shares[left_of(owner)] == (0, masked)
        assert 0 not in (masked, mask)


def test_the_masks_of_no_two_helpers_and_no_two_runs_are_the_same() -> None:
    """Else what a neighbour hears twice would show it the difference of two inputs."""
    nothing: Inputs = {helper: [0] for helper in HELPERS}
    masks = [shares[owner][1] for seed in range(9) for owner, shares in held(seed, nothing).items()]
    network = simulated_network(1)
    for _ in range(2):
        tables = share_own_columns(network, nothing, 1, 64)
        masks += [t.shares_of(h)[1][0] for h, t in zip(HELPERS, tables, strict=True)]
    assert len(set(masks)) == len(masks) - 3  # seed 1 occurs twice
    two_columns = share_own_columns(network, {h: [0, 0] for h in HELPERS}, 2, 64)
    for owner, table in zip(HELPERS, two_columns, strict=True):
        own, right = table.shares_of(owner)
        assert own == right
        assert own[0] != own[1]


@pytest.mark.parametrize("value", [0, 1])
def test_every_bit_that_another_helper_holds_is_a_fair_coin(value: int) -> None:
    """64 bits in each of 400 runs; by Hoeffding one of 384 counts is off by 60 in 2 * 10^-5."""
    counts = {(owner, helper): [0] * 64 for owner in HELPERS for helper in HELPERS}
    for seed in range(RUNS):
        own = {helper: [value * ones(64)] for helper in HELPERS}
        for owner, shares in held(seed, own).items():
            for helper, (first, second) in shares.items():
                if helper != owner:
                    for bit in range(64):
                        counts[owner, helper][bit] += (first ^ second) >> bit & 1
    for (owner, helper), of_bits in counts.items():
        if owner != helper:
            assert all(abs(count - RUNS / 2) < 60 for count in of_bits)


@pytest.mark.parametrize("sender", HELPERS)
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda payload: payload[:-1], "bytes"),
        (lambda payload: payload + b"\x00", "bytes"),
        (lambda payload: bytes([payload[0] | 0x80]) + payload[1:], "padding bits are set"),
    ],
)
def test_a_malformed_message_is_noticed_by_its_receiver(
    sender: int, change: Callable[[bytes], bytes], problem: str
) -> None:
    def intercept(message: Message) -> list[Message]:
        if message.sender != sender:
            return [message]
        return [Message(message.step, sender, message.receiver, change(message.payload))]

    network = simulated_network(1, [intercept])
    own = {helper: columns_from_rows([1, 2, 3], 2) for helper in HELPERS}
    with pytest.raises(ChannelError, match=problem) as caught:
        share_own_columns(network, own, 2, 3)
    assert caught.value.step == "share-inputs"
    assert caught.value.detected_by == (left_of(sender),)
