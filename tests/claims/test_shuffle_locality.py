"""No helper peeks: shuffle and sort with helpers apart give the shares that the simulation gives."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import get_args

import pytest

from ipa.network.channel import Channel, in_memory_channels
from ipa.network.costs import cost_of
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.simulation import pairwise_keys, simulated_network
from ipa.network.sockets import local_socket_channels
from ipa.parameters import Security
from ipa.parties import HELPERS
from ipa.protocols.circuits.shuffle import shuffle
from ipa.protocols.circuits.shuffle_sort import shuffle_sort
from ipa.sharing.dealing import only_helper, share_rows
from ipa.sharing.prss import Prss
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import ColumnPair, SharedBits

TIMEOUT = 60
Outcome = tuple[dict[str, dict[int, ColumnPair]], int, int]


def run(network: HelperPartyNetwork, table: SharedBits) -> Outcome:
    """Shuffle and sort: what the local helpers hold, and the bytes and rounds it took."""
    values = {
        "shuffled": shuffle(network, table).take(range(table.rows), table.width),
        "sorted": shuffle_sort(network, table, 5),
    }
    cost = cost_of(network.costs)
    shares = {name: {h: v.shares_of(h) for h in v.holders} for name, v in values.items()}
    return shares, cost.bytes_sent, cost.rounds


@pytest.mark.parametrize("kind", ["memory", "sockets"])
@pytest.mark.parametrize("security", get_args(Security))
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 17, 150])
def test_three_threads(rows: int, security: Security, kind: str) -> None:
    simulation = simulated_network(rows, security=security)
    values = [7 * row % 23 for row in range(rows)]
    table = share_rows(simulation.name, values, 9, Randomness.from_seed(rows, "client"))
    expected, sent, rounds = run(simulation, table)

    def one(helper: int, channel: Channel) -> Outcome:
        party = HelperParty(helper, Prss(*pairwise_keys(rows)[helper]), channel)
        network = HelperPartyNetwork(simulation.name, [party], security=security)
        outcome = run(network, only_helper(table, helper))
        assert channel.is_drained()
        return outcome

    with ExitStack() as stack:
        channels: dict[int, Channel] = in_memory_channels(TIMEOUT)
        if kind == "sockets":
            ends = local_socket_channels(TIMEOUT)
            channels = {helper: stack.enter_context(end) for helper, end in ends.items()}
        with ThreadPoolExecutor(3) as pool:
            parts = list(pool.map(one, HELPERS, [channels[helper] for helper in HELPERS]))
    for helper, (held, _, own_rounds) in zip(HELPERS, parts, strict=True):
        assert own_rounds == rounds
        for name, shares in expected.items():
            assert held[name] == {helper: shares[helper]}
    assert sum(part[1] for part in parts) == sent
