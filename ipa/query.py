"""The whole query: from shared reports to one sum per breakdown key."""

from collections.abc import Iterable
from dataclasses import replace

from ipa.attribution import attribute
from ipa.errors import ParameterError
from ipa.events import Event, check_events, listed_events
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.network_argument import check_network
from ipa.network.simulation import (
    DEFAULT_OPTIONS,
    RunOptions,
    checked_run_options,
    new_run_name,
)
from ipa.parameters import QueryParameters, bits_for, check_parameters_type
from ipa.protocols.aggregation import sums_per_breakdown
from ipa.protocols.capping import cap_credits
from ipa.protocols.noise import add_noise
from ipa.protocols.primitives.abort import aborting_together, agree_to_release
from ipa.protocols.primitives.input_check import check_inputs
from ipa.protocols.verification.product_check import check_products
from ipa.release import combine_at_collector, shares_for_collector
from ipa.reports import GenericReports, share_events
from ipa.result import QueryResult as QueryResult
from ipa.result import check_noise_is_said
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import ColumnPair, SharedBits


def query(
    network: HelperPartyNetwork,
    reports: GenericReports,
    parameters: QueryParameters,
    query_id: str = "",
) -> SharedBits:
    """The sum per breakdown key, still shared: row b is breakdown key b (spec: Protocol).

    `reports` is any number of shared reports in any order. No width can be exceeded by any values that
    clients send. With `parameters.epsilon` the sums have noise and are signed; without, they are exact
    and unsigned. The helpers go on only if they have the same `parameters` and the same `query_id`,
    that of the ledger or none. In a malicious-secure network every product has been checked and all
    honest helpers have accepted when this returns.

    Cost: that of the steps, a round for the input check, and in a malicious-secure network that of
        the batch checks and two rounds of agreement; measured in COSTS.md.
    Reveals: what sort_rows reveals, which says nothing of the reports: random permutations or nothing.
    Raises: ParameterError, before anything, when the network's security is not the one that
        `parameters` names; MisbehaviourError when a helper deviates. By the very last message one
        honest helper alone can be made to abort, and then the report collector gets no result
        (SPEC_NOTES: security-model).
    """
    check_security(network, parameters)
    with aborting_together(network), network.step("query"):
        check_inputs(network, reports.fields, [parameters.to_bytes(), query_id.encode()])
        if parameters.aggregate == "count":
            reports = replace(reports, trigger_value=reports.is_trigger)
        attributed = attribute(network, reports, parameters)
        capped = cap_credits(
            network,
            attributed.same_match_key,
            attributed.credit,
            parameters.cap,
            parameters.capping,
            attributed.longest,
        )
        width = bits_for(capped.rows * ((1 << reports.trigger_value.width) - 1))
        sums = sums_per_breakdown(
            network,
            attributed.breakdown_key,
            capped,
            parameters.breakdowns,
            width,
            parameters.sort,
        )
        noisy = add_noise(network, sums, parameters)
        network.trace(credit=attributed.credit, capped=capped, sums=sums, noisy_sums=noisy)
        check_products(network)
        agree_to_release(network)
        return noisy


def check_security(network: HelperPartyNetwork, parameters: QueryParameters) -> None:
    """A query must not run with less security than it says, nor claim less than it has.

    Raises: ParameterError when the network's security is another than the parameters', and for what is
        no network or are no parameters.
    """
    check_parameters_type(parameters)
    check_network(network)
    if network.is_malicious_secure != (parameters.security == "malicious"):
        offered = "malicious" if network.is_malicious_secure else "semi-honest"
        raise ParameterError(
            f"the query asks for {parameters.security} security, the network is {offered}: "
            f"make it with security={parameters.security!r}"
        )


def run_query(
    events: Iterable[Event],
    parameters: QueryParameters,
    *,
    no_noise: bool = False,
    apart: bool = False,
    options: RunOptions = DEFAULT_OPTIONS,
) -> QueryResult:
    """Run a query over events in the clear, simulating clients, three helpers and the collector.

    `parameters.epsilon` says how much noise the sums get. Without it `no_noise` must be True: exact
    sums are for tests and teaching only. `apart=True` is short for those `options`: each helper is a
    process of its own.

    Raises: EventError for a bad event, ParameterError for parameters that do not go together; both
        before any protocol work.
    """
    check_noise_is_said(parameters, no_noise)
    options = checked_run_options(options)
    checked = listed_events(events)
    check_events(checked, parameters)
    if apart:
        options = replace(options, apart=True)
    name = new_run_name(options.seed)
    randomness = Randomness.from_seed(options.seed, "client shares")
    reports = share_events(name, checked, parameters, randomness)
    pairs, costs = options.run(name, parameters.security, released_sums, reports, parameters)
    sums = combine_at_collector(pairs, parameters.breakdowns, signed=parameters.epsilon is not None)
    return QueryResult(sums, len(checked), parameters, costs)


def released_sums(
    network: HelperPartyNetwork, reports: GenericReports, parameters: QueryParameters
) -> dict[int, ColumnPair]:
    """The part of the local helpers in a query: what each sends to the report collector.

    Raises: the errors of `query`.
    """
    return shares_for_collector(network, query(network, reports, parameters))
