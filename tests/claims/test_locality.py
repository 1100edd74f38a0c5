"""No helper peeks: helpers apart give, bit for bit, the shares that the simulation gives.

Every step and the whole query run with one local helper in each of three threads or processes, which
have nothing of each other but the messages. What each ends up holding is compared with what the
helper of that number holds in a simulation with the same seed.
"""

import multiprocessing
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from step_cases import STEP_CASES, Tables, shared
from strategies import SEEDS, Simulation, examples, small_queries

from ipa.errors import ChannelError, MisbehaviourError
from ipa.events import Event
from ipa.events.workload import generate_events
from ipa.network.channel import Channel, in_memory_channels
from ipa.network.costs import cost_of
from ipa.network.helper_party_network import HelperParty, HelperPartyNetwork
from ipa.network.simulation import pairwise_keys, simulated_network
from ipa.network.sockets import SocketChannel, connected_sockets, local_socket_channels
from ipa.oracle.sql import query_sql
from ipa.parameters import QueryParameters, Security
from ipa.parties import HELPERS
from ipa.protocols.circuits.conversion import bits_from_elements, elements_from_bits
from ipa.protocols.primitives.opening import open_bits
from ipa.protocols.verification.product_check import check_products
from ipa.query import query
from ipa.release import combine_at_collector
from ipa.reports import GenericReports
from ipa.sharing.dealing import only_helper
from ipa.sharing.prss import Prss
from ipa.sharing.rings import PRIME_FIELD
from ipa.sharing.shared_bits import ColumnPair
from ipa.sharing.shared_elements import ElementPair

TIMEOUT = 60

Held = dict[str, dict[int, ColumnPair | ElementPair]]
"""By name of the value, by helper: the pair of shares."""


@dataclass(frozen=True)
class Job:
    """One helper's part, or the whole simulation's: what to run on which shares."""

    seed: int
    network_name: str
    reports: GenericReports
    tables: dict[str, Tables]
    parameters: QueryParameters


def run_everything(network: HelperPartyNetwork, job: Job) -> tuple[Held, int]:
    """Every step and the query; what the local helpers hold of each result, and the bytes sent."""
    parameters = job.parameters
    result = query(network, job.reports, parameters)
    holders = result.holders
    shares: Held = {"query": {h: result.shares_of(h) for h in holders}}
    for case in STEP_CASES:
        with network.step(case.name.replace(" ", "-")):
            results = case.run(network, job.tables[case.name], parameters)
        for place, table in enumerate(results):
            shares[f"{case.name} {place}"] = {h: table.shares_of(h) for h in holders}
    credit = job.reports.trigger_value
    numbers = elements_from_bits(network, credit, PRIME_FIELD)
    back = bits_from_elements(network, numbers)
    shares["numbers"] = {h: numbers.shares_of(h) for h in holders}
    shares["back"] = {h: back.shares_of(h) for h in holders}
    check_products(network)
    opened = open_bits(network, back)
    shares["opened"] = dict.fromkeys(holders, (opened, opened))
    return shares, cost_of(network.costs).bytes_sent


def simulate(events: list[Event], parameters: QueryParameters, seed: int) -> tuple[Held, int, Job]:
    dealer = Simulation(seed)
    tables = {
        case.name: shared(dealer.bits, case.inputs(events, parameters)) for case in STEP_CASES
    }
    reports = dealer.reports(events, parameters)
    job = Job(seed, dealer.network.name, reports, tables, parameters)
    network = simulated_network(seed, security=parameters.security)
    held, size = run_everything(network, job)
    return held, size, job


def part_of(job: Job, helper: int) -> Job:
    """What one helper is given: its own shares of the reports and of every step's input."""
    tables = {
        step: {name: only_helper(table, helper) for name, table in inputs.items()}
        for step, inputs in job.tables.items()
    }
    return replace(job, reports=job.reports.only(helper), tables=tables)


def run_one(helper: int, channel: Channel, job: Job) -> tuple[Held, int]:
    party = HelperParty(helper, Prss(*pairwise_keys(job.seed)[helper]), channel)
    network = HelperPartyNetwork(job.network_name, [party], security=job.parameters.security)
    result = run_everything(network, job)
    assert channel.is_drained()
    return result


def check_parts(parts: Mapping[int, tuple[Held, int]], expected: Held, size: int) -> None:
    for helper in HELPERS:
        held, _ = parts[helper]
        assert held.keys() == expected.keys()
        for name in expected:
            assert held[name].keys() == {helper}
            assert held[name][helper] == expected[name][helper], (name, helper)
    assert sum(sent for _, sent in parts.values()) == size


def run_in_threads(channels: Mapping[int, Channel], job: Job) -> dict[int, tuple[Held, int]]:
    with ThreadPoolExecutor(3) as pool:
        running = {
            helper: pool.submit(run_one, helper, channels[helper], part_of(job, helper))
            for helper in HELPERS
        }
        return {helper: future.result() for helper, future in running.items()}


def check_in_threads(
    kind: str, events: list[Event], parameters: QueryParameters, seed: int
) -> None:
    expected, size, job = simulate(events, parameters, seed)
    with ExitStack() as stack:
        channels: dict[int, Channel] = in_memory_channels(TIMEOUT)
        if kind == "sockets":
            ends = local_socket_channels(TIMEOUT)
            channels = {helper: stack.enter_context(end) for helper, end in ends.items()}
        check_parts(run_in_threads(channels, job), expected, size)
    pairs = {h: (list(own), list(right)) for h, (own, right) in expected["query"].items()}
    assert combine_at_collector(pairs, parameters.breakdowns) == query_sql(events, parameters)


@pytest.mark.parametrize("kind", ["memory", "sockets"])
@examples(6)
@given(seed=SEEDS, case=small_queries(max_events=12))
def test_three_threads_on_small_inputs(
    kind: str, seed: int, case: tuple[list[Event], QueryParameters]
) -> None:
    check_in_threads(kind, *case, seed)


def parameters_of(count: int, security: Security) -> QueryParameters:
    return QueryParameters(
        breakdowns=5,
        cap=100,
        capping="truncate" if count % 2 else "proportional",
        security=security,
        match_key_bits=16,
        timestamp_bits=20,
    )


@pytest.mark.parametrize("kind", ["memory", "sockets"])
@pytest.mark.parametrize(
    ("count", "security"),
    [
        (0, "semi-honest"),
        (1, "semi-honest"),
        (3, "malicious"),
        (33, "semi-honest"),
        (100, "malicious"),
        (300, "semi-honest"),
    ],
)
def test_three_threads(kind: str, count: int, security: Security) -> None:
    events = generate_events(count, users=10, breakdowns=5, seed=count, match_key_bits=16)
    check_in_threads(kind, events, parameters_of(count, security), count)


def helper_process(
    helper: int,
    connections: dict[int, socket.socket],
    job: Job,
    results: "multiprocessing.Queue[tuple[int, tuple[Held, int]]]",
) -> None:
    with SocketChannel(helper, connections, TIMEOUT) as channel:
        results.put((helper, run_one(helper, channel, job)))


@pytest.mark.parametrize(("count", "security"), [(3, "semi-honest"), (200, "malicious")])
def test_three_processes_over_sockets(count: int, security: Security) -> None:
    """Spawned, not forked: a process starts with nothing but what it is handed."""
    events = generate_events(count, users=10, breakdowns=5, seed=count, match_key_bits=16)
    expected, size, job = simulate(events, parameters_of(count, security), count)
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[tuple[int, tuple[Held, int]]] = context.Queue()
    ends = connected_sockets()
    processes = [
        context.Process(target=helper_process, args=(h, ends[h], part_of(job, h), results))
        for h in HELPERS
    ]
    for process in processes:
        process.start()
    for connections in ends.values():
        for connection in connections.values():
            connection.close()
    parts = dict(results.get(timeout=TIMEOUT) for _ in HELPERS)
    for process in processes:
        process.join(TIMEOUT)
        assert process.exitcode == 0
    check_parts(parts, expected, size)


def test_a_helper_that_is_gone_is_noticed_by_the_others() -> None:
    parameters = parameters_of(4, "semi-honest")
    events = generate_events(4, users=2, breakdowns=5, seed=1, match_key_bits=16)
    _, _, job = simulate(events, parameters, 1)
    with ExitStack() as stack:
        ends = local_socket_channels(TIMEOUT)
        channels = {helper: stack.enter_context(end) for helper, end in ends.items()}
        channels[3].close()

        def run_and_leave(helper: int) -> None:
            with channels[helper]:
                run_one(helper, channels[helper], part_of(job, helper))

        with ThreadPoolExecutor(2) as pool:
            running = [pool.submit(run_and_leave, helper) for helper in (1, 2)]
            errors = [future.exception() for future in running]
    assert all(isinstance(error, MisbehaviourError) for error in errors)
    assert any(isinstance(error, ChannelError) for error in errors)
