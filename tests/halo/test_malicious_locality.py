"""No worker of the malicious-secure share shuffle peeks: workers apart give what the simulation gives.

Each of three threads has one worker and nothing of the others but their messages.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from malicious_shuffle_cases import NOISE, TINY, VECTORS, dealt, opened_by, parameters_for

from ipa.errors import MisbehaviourError
from ipa.halo.malicious_share_shuffle import MaliciousShareShuffle, malicious_share_shuffle
from ipa.network.channel import Channel, in_memory_channels
from ipa.network.costs import cost_of
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.simulation import pairwise_keys, simulated_network
from ipa.network.sockets import local_socket_channels
from ipa.noise.digitwise_laplace import DigitwiseLaplace
from ipa.parties import HELPERS
from ipa.sharing.dealing import only_helper
from ipa.sharing.prss import Prss
from ipa.sharing.shared_bits import SharedBits

TIMEOUT = 60


def opened_apart(
    channels: Mapping[int, Channel],
    tables: Sequence[SharedBits],
    parameters: MaliciousShareShuffle,
    seed: int,
) -> dict[int, tuple[list[int], int]]:
    """What each worker opens, and how many bytes it sends."""

    def run(helper: int) -> tuple[list[int], int]:
        channel = channels[helper]
        party = HelperParty(helper, Prss(*pairwise_keys(seed)[helper]), channel)
        network = HelperPartyNetwork(f"simulation-{seed}", [party], security="malicious")
        mine = [only_helper(table, helper) for table in tables]
        opened = malicious_share_shuffle(network, mine, parameters)
        assert channel.is_drained()
        return opened, cost_of(network.costs).bytes_sent

    with ThreadPoolExecutor(3) as pool:
        running = {helper: pool.submit(run, helper) for helper in HELPERS}
        return {helper: future.result() for helper, future in running.items()}


def check_apart(
    kind: str,
    vectors: Sequence[Sequence[int]],
    most: int,
    noise: DigitwiseLaplace | None,
    seed: int,
) -> None:
    parameters = parameters_for(vectors, most, noise)
    expected, simulation = opened_by(vectors, parameters, seed)
    tables = dealt(simulated_network(seed), vectors, parameters)
    with ExitStack() as stack:
        channels: dict[int, Channel] = in_memory_channels(TIMEOUT)
        if kind == "sockets":
            ends = local_socket_channels(TIMEOUT)
            channels = {helper: stack.enter_context(end) for helper, end in ends.items()}
        found = opened_apart(channels, tables, parameters, seed)
    assert all(opened == expected for opened, _ in found.values())
    sent = sum(each for _, each in found.values())
    assert sent == cost_of(simulation.network.costs).bytes_sent


@pytest.mark.parametrize("kind", ["memory", "sockets"])
@pytest.mark.parametrize("noise", [None, NOISE])
@pytest.mark.parametrize("most", [0, 3])
def test_three_workers_apart(kind: str, noise: DigitwiseLaplace | None, most: int) -> None:
    vectors = VECTORS if most else [[min(1, value) for value in vector] for vector in VECTORS]
    check_apart(kind, vectors, most, noise, 7)


@given(
    st.integers(0, 9).flatmap(
        lambda rows: st.lists(
            st.lists(st.integers(0, 3), min_size=rows, max_size=rows), min_size=1, max_size=4
        )
    ),
    st.sampled_from([None, TINY]),
    st.integers(0, 2**32),
)
@settings(max_examples=10)
def test_three_workers_apart_on_any_vectors(
    vectors: list[list[int]], noise: DigitwiseLaplace | None, seed: int
) -> None:
    check_apart("memory", vectors, 3, noise, seed)


def test_a_worker_that_is_gone_is_noticed_by_the_others() -> None:
    parameters = parameters_for(VECTORS, 3, NOISE)
    tables = dealt(simulated_network(7), VECTORS, parameters)
    with ExitStack() as stack:
        ends = local_socket_channels(TIMEOUT)
        channels = {helper: stack.enter_context(end) for helper, end in ends.items()}
        channels[2].close()

        def run(helper: int) -> None:
            with channels[helper]:
                party = HelperParty(helper, Prss(*pairwise_keys(7)[helper]), channels[helper])
                network = HelperPartyNetwork("simulation-7", [party], security="malicious")
                mine = [only_helper(table, helper) for table in tables]
                malicious_share_shuffle(network, mine, parameters)

        with ThreadPoolExecutor(2) as pool:
            running = [pool.submit(run, helper) for helper in (1, 3)]
            errors = [future.exception() for future in running]
    assert all(isinstance(error, MisbehaviourError) for error in errors)
