"""Columns handed over as they are: the same shares, results and costs as columns that travel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ROWS, SEEDS, examples

from ipa.events.workload import generate_events
from ipa.network.channel import Message, in_memory_channels
from ipa.network.costs import Cost
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.interception import Transcript
from ipa.network.simulation import RunOptions, pairwise_keys, simulated_network
from ipa.parameters import QueryParameters, Security
from ipa.parties import HELPERS
from ipa.protocols.circuits.multiplication import multiply
from ipa.protocols.verification.product_check import check_products
from ipa.query import run_query
from ipa.sharing.dealing import share_rows
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import ColumnPair


def without_seconds(costs: dict[str, Cost]) -> dict[str, tuple[int, int, int, int]]:
    return {
        step: (cost.rounds, cost.messages, cost.bytes_sent, cost.and_gates)
        for step, cost in costs.items()
    }


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_a_query_is_the_same_whether_or_not_somebody_listens(security: str) -> None:
    parameters = QueryParameters(breakdowns=4, cap=9, security=security)  # type: ignore[arg-type]
    events = generate_events(50, breakdowns=4, seed=2)
    transcript = Transcript()
    alone = run_query(events, parameters, no_noise=True, options=RunOptions(seed=3))
    listened = RunOptions(seed=3, interceptors=[transcript])
    heard = run_query(events, parameters, no_noise=True, options=listened)
    assert alone.sums == heard.sums
    assert without_seconds(alone.costs) == without_seconds(heard.costs)
    assert sum(cost.messages for cost in heard.costs.values()) == len(transcript.messages)
    sent = sum(len(message.payload) for message in transcript.messages)
    assert sum(cost.bytes_sent for cost in alone.costs.values()) == sent


@examples(40)
@given(SEEDS, ROWS, st.integers(0, 9), st.booleans())
def test_products_have_the_same_shares(seed: int, rows: int, width: int, checked: bool) -> None:
    found: list[tuple[list[ColumnPair], list[object]]] = []
    for interceptors in ([], [Transcript()]):
        security: Security = "malicious" if checked else "semi-honest"
        network = simulated_network(seed, interceptors, security=security)
        assert network.hands_over == (not interceptors)
        randomness = Randomness.from_seed(seed, "client shares")
        values = [randomness.random_bits(width) for _ in range(rows)]
        x = share_rows(network.name, values, width, randomness)
        product = multiply(network, x, x)
        in_bytes = [table.z for table in network.products.pending_bits]
        check_products(network)
        found.append(([product.shares_of(helper) for helper in HELPERS], list(in_bytes)))
    assert found[0] == found[1]


def test_only_who_is_unheard_in_one_process_hands_over() -> None:
    keys, channels = pairwise_keys(1), in_memory_channels()
    parties = [HelperParty(helper, Prss(*keys[helper]), channels[helper]) for helper in HELPERS]
    assert HelperPartyNetwork("run", parties).hands_over
    assert not HelperPartyNetwork("run", parties[:1]).hands_over
    assert not HelperPartyNetwork("run", parties[1:]).hands_over
    assert simulated_network(1).hands_over
    assert not simulated_network(1, [lambda message: (message,)]).hands_over

    class OtherChannel:
        def send(self, message: Message) -> None: ...

        def receive(self, sender: int) -> Message | None: ...

        def is_drained(self) -> bool:
            return True

    other = [*parties[:2], HelperParty(3, Prss(*keys[3]), OtherChannel())]
    assert not HelperPartyNetwork("run", other).hands_over


def test_a_value_goes_to_the_left_and_counts_as_a_message_of_its_size() -> None:
    network = simulated_network(1)
    with network.step("pass"):
        assert network.hand_left({1: "a", 2: "b", 3: "c"}, 5) == {1: "b", 2: "c", 3: "a"}
    cost = network.costs["pass"]
    assert (cost.rounds, cost.messages, cost.bytes_sent) == (1, 3, 15)
