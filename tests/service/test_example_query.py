"""The example's query over HTTP and TLS: three services answer what the simulation answers."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from service_cases import COLLECTOR, Parties, new_parties, serving_options

import ipa
from ipa.client.configuration import generate_configuration
from ipa.client.services import split_address
from ipa.commands.collect import streams_of_own_query
from ipa.names import host_itself
from ipa.parameters import QueryParameters, Security
from ipa.parties import HELPERS
from ipa.report_query import run_report_query
from ipa.service.asked import Asked
from ipa.service.collector import ask_services
from ipa.service.helper_server import HelperServer
from ipa.service.local_services import free_addresses
from ipa.service.run import HelperPart

SEED = 7
EVENTS = ipa.read_events_csv(Path(__file__).parents[2] / "examples" / "events.csv")
PARAMETERS = QueryParameters(breakdowns=16, cap=100)


@dataclass(frozen=True)
class Example:
    """The parties of a network that serves, and the streams of the example's query."""

    parties: Parties
    streams: tuple[bytes, bytes, bytes]


@pytest.fixture(scope="module")
def example() -> Iterator[Example]:
    """Three services on loopback, which draw what the simulation of the seed draws."""
    parties = new_parties(free_addresses(), generate_configuration("helpers.example"))
    with ExitStack() as stack:
        for helper in HELPERS:
            part = HelperPart(
                keys=parties.keys[helper - 1],
                ledger=None,
                registrable_domain=host_itself,
                seed=SEED,
            )
            address = split_address(parties.configuration.services[helper - 1].address)
            server = HelperServer(
                part,
                parties.configuration,
                parties.identities[helper],
                address,
                serving_options(),
            )
            stack.callback(server.stop, 0)
        streams = streams_of_own_query(EVENTS, PARAMETERS, parties.configuration, COLLECTOR)
        yield Example(parties, streams)


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
@pytest.mark.parametrize("epsilon", [None, 1])
def test_the_example_is_answered_as_in_the_simulation_of_the_same_seed(
    example: Example, security: Security, epsilon: int | None
) -> None:
    parameters = replace(PARAMETERS, security=security, epsilon=epsilon)
    asked = Asked(query_id=f"{security}-{epsilon or 0}", submitter=COLLECTOR, parameters=parameters)
    parties = example.parties
    found = ask_services(
        parties.configuration, parties.collectors[COLLECTOR], example.streams, asked
    )
    simulated = run_report_query(
        example.streams,
        parties.keys,
        parameters,
        submitter=COLLECTOR,
        no_budget=True,
        no_noise=epsilon is None,
        options=ipa.RunOptions(seed=SEED),
    )
    exact = ipa.query_sql(EVENTS, PARAMETERS)
    assert found.result.sums == simulated.result.sums
    assert (found.result.rows, found.dropped) == (len(EVENTS), simulated.dropped)
    assert (found.result.sums == exact) == (epsilon is None)
