"""The shuffle: the same rows, in an order that is uniformly random to every single helper."""

from collections import Counter
from itertools import permutations
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ROWS, SEEDS, Simulation, columns_of_numbers, examples

from ipa.errors import MismatchError
from ipa.network.channel import in_memory_channels
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import InterceptedChannel, Transcript
from ipa.network.simulation import pairwise_keys
from ipa.parameters import Security
from ipa.parties import HELPERS, left_of, right_of
from ipa.protocols.circuits.shuffle import shuffle
from ipa.sharing.dealing import reconstruct_for_testing, share_rows
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import SharedBits

SECURITIES = get_args(Security)
ORDERS = list(permutations(range(3)))


def shuffled(simulation: Simulation, values: list[int], width: int) -> list[int]:
    table = shuffle(simulation.network, simulation.bits(values, width))
    assert (table.rows, table.width) == (len(values), width)
    return reconstruct_for_testing(table.take(range(len(values)), width))


@pytest.mark.parametrize("security", SECURITIES)
@given(st.data(), SEEDS, ROWS, st.integers(1, 80))
@examples(30)
def test_the_rows_are_the_same(
    security: Security, data: st.DataObject, seed: int, rows: int, width: int
) -> None:
    (values,) = data.draw(columns_of_numbers(rows, width))
    assert sorted(shuffled(Simulation(seed, security), values, width)) == sorted(values)


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize("rows", [50, 600])
def test_the_order_is_that_of_the_three_permutations(security: Security, rows: int) -> None:
    """Drawn again here as the helpers draw them: p2 first, then p1, then p3."""
    values = list(range(rows))
    result = shuffled(Simulation(3, security), values, 10)
    for key in (2, 1, 3):
        drawn = Prss(*pairwise_keys(3)[key]).for_session("simulation-3")
        values = [values[place] for place in drawn.random_permutations("shuffle/pass", rows)[0]]
    assert result == values


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize(("rows", "width"), [(0, 5), (1, 8), (17, 9), (40, 64), (9, 130)])
def test_costs(security: Security, rows: int, width: int) -> None:
    simulation = Simulation(1, security)
    shuffled(simulation, [0] * rows, width)
    size, cost = -(-width // 8), simulation.cost
    rounds, messages, sent = 2, 4, 4 * rows * size
    if security == "malicious":  # tag; ready, keys; digests
        rounds, messages = rounds + 4, messages + 1 + 6 + 6 + 6
        words = -(-8 * size // 64)
        sent += 64 * max(1, -(-rows // 8)) + 4 * rows * 8 + 6 + 6 * 8 * words + 6 * 32
    assert (cost.rounds, cost.messages, cost.bytes_sent) == (rounds, messages, sent)
    assert cost.and_gates == 0


@pytest.mark.parametrize("security", SECURITIES)
@examples(15)
@given(st.data(), SEEDS, SEEDS, ROWS, st.integers(1, 20))
def test_what_is_sent_has_one_shape(
    security: Security, data: st.DataObject, seed: int, other_seed: int, rows: int, width: int
) -> None:
    first, second = data.draw(columns_of_numbers(rows, width, width))
    one, other = Simulation(seed, security), Simulation(other_seed, security)
    shuffled(one, first, width)
    shuffled(other, second, width)
    assert one.transcript.shape() == other.transcript.shape()


def network_with_keys(
    keys: dict[int, bytes], transcript: Transcript, security: Security = "semi-honest"
) -> HelperPartyNetwork:
    channels = in_memory_channels()
    parties = [
        HelperParty(
            helper,
            Prss(keys[helper], keys[right_of(helper)]),
            InterceptedChannel(channels[helper], [transcript]),
        )
        for helper in HELPERS
    ]
    return HelperPartyNetwork("keys", parties, security=security)


@pytest.mark.parametrize("unknown", HELPERS)
def test_the_order_is_uniform_to_the_helper_that_lacks_one_key(unknown: int) -> None:
    """Two keys stay the same, the third varies; chi-square over 6 orders, 99.99 % below 26."""
    fixed = {helper: pairwise_keys(1)[helper][0] for helper in HELPERS}
    counts: Counter[tuple[int, ...]] = Counter()
    for run in range(600):
        keys = fixed | {unknown: pairwise_keys(run)[unknown][0]}
        network = network_with_keys(keys, Transcript())
        table = share_rows(network.name, [0, 1, 2], 2, Randomness.from_seed(1, "client"))
        counts[tuple(reconstruct_for_testing(shuffle(network, table).take(range(3), 2)))] += 1
    assert sum((counts[order] - 100) ** 2 / 100 for order in ORDERS) < 26


def received_bits(
    receiver: int, runs: int, rows: int, security: Security
) -> list[dict[tuple[str, int], int]]:
    """Every bit of rows and tags that a helper receives while only the key it lacks varies.

    All rows are zero, all shares of them too, and the two keys it knows are always the same.
    """
    fixed = {helper: pairwise_keys(1)[helper][0] for helper in HELPERS}
    views: list[dict[tuple[str, int], int]] = []
    for run in range(runs):
        transcript, view = Transcript(), {}
        keys = fixed | {left_of(receiver): pairwise_keys(run)[left_of(receiver)][0]}
        network = network_with_keys(keys, transcript, security)
        nothing = dict.fromkeys(HELPERS, ([0] * 8, [0] * 8))
        shuffle(network, SharedBits(network.name, rows, 8, nothing))
        for message in transcript.messages:
            part = message.step.removeprefix("shuffle/")
            if message.receiver == receiver and part in ("tag", "pass/first", "pass/last"):
                bits = int.from_bytes(message.payload, "little")
                for place in range(8 * len(message.payload)):
                    view[part, place] = bits >> place & 1
        views.append(view)
    return views


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize("receiver", [2, 3])
def test_each_bit_that_a_helper_receives_is_random_to_it(receiver: int, security: Security) -> None:
    """A bit that its own keys and shares determine would be a one in all of 200 runs, or in none."""
    views = received_bits(receiver, 200, 8, security)
    row_bits = 2 * 8 * (8 if security == "semi-honest" else 72)
    tag_bits = 8 * 64 if (receiver, security) == (2, "malicious") else 0
    assert len(views[0]) == row_bits + tag_bits
    for bit in views[0]:
        assert 60 < sum(view[bit] for view in views) < 140


@pytest.mark.parametrize("receiver", [2, 3])
def test_all_bits_that_a_helper_receives_are_random_together(receiver: int) -> None:
    """No sum of them is always the same, as it would be if two messages had one mask."""
    views = received_bits(receiver, 100, 3, "semi-honest")
    vectors = [sum(bit << k for k, bit in enumerate(view.values())) for view in views]
    basis: list[int] = []
    for vector in vectors:
        vector ^= vectors[0]
        for pivot in basis:
            vector = min(vector, vector ^ pivot)
        if vector:
            basis.append(vector)
    assert len(basis) == 2 * 3 * 8


def test_a_table_of_another_network_is_refused() -> None:
    with pytest.raises(MismatchError, match="networks differ"):
        shuffle(Simulation(1).network, Simulation(2).bits([1, 2], 2))


def test_a_message_goes_along_its_route() -> None:
    """Only the two helpers of a route have to do with it."""
    simulation = Simulation(1)
    network, routes = simulation.network, ((1, 2), (3, 2), (2, 1))
    with network.step("test"):
        payloads = {route: bytes(route) for route in routes}
        assert network.send_along(routes, payloads, 2) == payloads
    assert simulation.transcript.shape() == [("test", a, b, 2) for a, b in routes]
    assert (simulation.cost.rounds, simulation.cost.bytes_sent) == (1, 6)
