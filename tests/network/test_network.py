"""The network: paths of steps, costs, rings of neighbours, errors that name who noticed."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEEDS, Simulation

from ipa.errors import ChannelError, MismatchError, ParameterError
from ipa.network.channel import Message, in_memory_channels
from ipa.network.costs import Cost, cost_of, costs_by_step
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.simulation import pairwise_keys, simulated_network
from ipa.parties import HELPERS, left_of, right_of
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.dealing import reconstruct_for_testing
from ipa.sharing.prss import Prss


def test_steps_nest_and_a_path_entered_again_is_numbered() -> None:
    begun: list[str] = []
    network = simulated_network(1, on_step=begun.append)
    with network.step("a") as outer:
        assert outer == network.path == "a"
        for expected in ("a/b", "a/b#2", "a/b#3"):
            with network.step("b") as inner:
                assert inner == network.path == expected
    with network.step("a") as again, network.step("b"):
        assert again == "a#2"
        assert network.path == "a#2/b"
    assert network.path == ""
    assert begun == ["a", "a/b", "a/b#2", "a/b#3", "a#2", "a#2/b"]


def test_a_step_is_left_when_it_raises() -> None:
    network = simulated_network(1)
    with pytest.raises(KeyError), network.step("a"), network.step("b"):
        raise KeyError
    assert network.path == ""


def test_seconds_of_a_step_leave_out_the_steps_inside_it() -> None:
    simulation = Simulation(1)
    x = simulation.bits([0] * 40_000, 64)
    with simulation.network.step("outer"):
        multiply(simulation.network, x, x)
    costs = simulation.network.costs
    assert costs["outer/multiply"].seconds > 0.0
    assert costs["outer"].seconds < costs["outer/multiply"].seconds
    assert cost_of(costs, "outer").seconds == pytest.approx(
        costs["outer"].seconds + costs["outer/multiply"].seconds
    )


def test_totals_of_costs_by_prefix_and_depth() -> None:
    costs = {
        "query/sort/a": Cost(1, 2, 3, 4, 5, 6.0),
        "query/sort": Cost(10, 20, 30, 40, 50, 60.0),
        "query/sorted": Cost(rounds=100),
        "query": Cost(rounds=1000),
    }
    assert cost_of(costs, "query/sort") == Cost(11, 22, 33, 44, 55, 66.0)
    assert cost_of(costs).rounds == 1111
    assert cost_of(costs, "nothing") == Cost()
    assert {path: cost.rounds for path, cost in costs_by_step(costs, 2).items()} == {
        "query/sort": 11,
        "query/sorted": 100,
        "query": 1000,
    }


@given(SEEDS, st.binary(max_size=20))
def test_sending_left_and_exchanging(seed: int, payload: bytes) -> None:
    simulation = Simulation(seed)
    network = simulation.network
    size = len(payload) + 1
    payloads = {helper: payload + bytes([helper]) for helper in HELPERS}
    others = {helper: payload + bytes([helper + 3]) for helper in HELPERS}
    with network.step("left"):
        received = network.send_left(payloads, size)
    assert received == {helper: payloads[right_of(helper)] for helper in HELPERS}
    with network.step("both"):
        from_right, from_left = network.exchange(payloads, others, size)
    assert from_right == {helper: payloads[right_of(helper)] for helper in HELPERS}
    assert from_left == {helper: others[left_of(helper)] for helper in HELPERS}
    left, both = network.costs["left"], network.costs["both"]
    assert (left.rounds, left.messages, left.bytes_sent) == (1, 3, 3 * size)
    assert (both.rounds, both.messages, both.bytes_sent) == (1, 6, 6 * size)
    assert all(party.channel.is_drained() for party in network.parties.values())


@given(st.sampled_from(HELPERS), st.sampled_from(["drop", "shorten", "rename"]))
def test_a_wrong_message_names_the_step_and_who_noticed(liar: int, lie: str) -> None:
    def tamper(message: Message) -> Iterable[Message]:
        if message.sender != liar:
            return [message]
        changed = {
            "drop": [],
            "shorten": [Message(message.step, liar, message.receiver, message.payload[1:])],
            "rename": [Message("elsewhere", liar, message.receiver, message.payload)],
        }
        return changed[lie]

    network = simulated_network(1, [tamper])
    payloads = dict.fromkeys(HELPERS, b"xy")
    with pytest.raises(ChannelError) as error, network.step("left"):
        network.send_left(payloads, 2)
    assert (error.value.step, error.value.detected_by) == ("left", (left_of(liar),))
    network = simulated_network(1, [tamper])
    with pytest.raises(ChannelError) as error, network.step("both"):
        network.exchange(payloads, payloads, 2)
    assert liar not in error.value.detected_by
    assert error.value.detected_by


@given(SEEDS)
def test_a_seed_makes_a_run_reproducible_bit_for_bit(seed: int) -> None:
    def run(helper: int) -> list[Message]:
        simulation = Simulation(helper)
        x = simulation.bits([1, 2, 3], 64)
        multiply(simulation.network, x, x)
        return simulation.transcript.messages

    assert run(seed) == run(seed)
    assert [m.payload for m in run(seed)] != [m.payload for m in run(seed + 1)]


def test_networks_without_a_seed_differ_and_do_not_mix() -> None:
    first, second = simulated_network(), simulated_network()
    assert first.name != second.name
    x = Simulation(1).bits([1], 1)
    with pytest.raises(MismatchError, match="networks differ"):
        first.check_owns(x)
    with pytest.raises(MismatchError, match="networks differ"):
        multiply(first, x, x)
    assert first.costs == {}


def test_a_helper_may_have_two_of_the_local_parties() -> None:
    """Local helpers are any one to three; the others' messages come through the channel."""
    ends, keys = in_memory_channels(timeout=10), pairwise_keys(1)
    parties = {h: HelperParty(h, Prss(*keys[h]), ends[h]) for h in HELPERS}
    assert [repr(party) for party in parties.values()] == [
        f"<HelperParty H{helper}>" for helper in HELPERS
    ]
    pair, single = (
        HelperPartyNetwork("one", [parties[1], parties[2]]),
        HelperPartyNetwork("one", [parties[3]]),
    )
    assert repr(pair) == "<HelperPartyNetwork one: local helpers H1, H2, semi-honest security>"
    pair._send({1: b"a", 2: b"b"}, left_of)
    assert single.send_left({3: b"c"}, 1) == {3: b"a"}
    assert pair._receive(right_of, 1) == {1: b"b", 2: b"c"}


@pytest.mark.parametrize("numbers", [[], [0], [4], [1, 2, 3, 4]])
def test_a_network_has_one_to_three_helpers(numbers: list[int]) -> None:
    ends, keys = in_memory_channels(), pairwise_keys(1)
    parties = [HelperParty(helper, Prss(*keys[1]), ends[1]) for helper in numbers]
    with pytest.raises(ParameterError, match="one to three local helpers"):
        HelperPartyNetwork("network", parties)


def test_seeded_run_gives_right_products() -> None:
    simulation = Simulation(5)
    x, y = simulation.bits([1, 2, 3], 2), simulation.bits([3, 3, 1], 2)
    assert reconstruct_for_testing(multiply(simulation.network, x, y)) == [1, 2, 1]


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ParameterError, match="seed must be an integer of at least 0, not -1"):
        simulated_network(-1)
