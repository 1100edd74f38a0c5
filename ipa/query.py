"""The whole query: from shared reports to one sum per breakdown key."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ipa.errors import ParameterError
from ipa.events import Event, check_events
from ipa.network.costs import Cost, cost_of
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.simulation import DEFAULT_OPTIONS, RunOptions
from ipa.parameters import NO_TERMS, PrivacyTerms, QueryParameters
from ipa.protocols.aggregation import sums_per_breakdown
from ipa.protocols.capping import cap_credits
from ipa.protocols.helper_bits import helper_bits
from ipa.protocols.last_touch import attribute_last_touch
from ipa.protocols.padding import pad_reports
from ipa.protocols.primitives.abort import aborting_together, agree_to_release
from ipa.protocols.primitives.input_check import check_inputs
from ipa.protocols.report_sorting import sort_reports
from ipa.protocols.verification.product_check import check_products
from ipa.release import combine_at_collector, shares_for_collector
from ipa.reports import GenericReports, share_events
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import SharedBits


def query(
    network: HelperPartyNetwork,
    reports: GenericReports,
    parameters: QueryParameters,
    terms: PrivacyTerms = NO_TERMS,
) -> SharedBits:
    """The sum per breakdown key, still shared: row b is breakdown key b (spec: Protocol).

    `reports` is any number of shared reports in any order. The sums are exact; no width can be
    exceeded by any values that clients send. The helpers go on only if they have the same
    `parameters` and the same `terms`. In a malicious-secure network every product has been
    checked and all honest helpers have accepted when this returns.

    Cost: that of the steps, a round for the input check, and in a malicious-secure network that of
        the batch checks and two rounds of agreement; measured in COSTS.md.
    Reveals: nothing.
    Raises: ParameterError, before anything, when the network's security is not the one that
        `parameters` names; MisbehaviourError when a helper deviates. By the very last message one
        honest helper alone can be made to abort, and then the report collector gets no result
        (SPEC_NOTES: security-model).
    """
    _check_security(network, parameters)
    with aborting_together(network), network.step("query"):
        check_inputs(network, reports.fields, [parameters.to_bytes(), terms.to_bytes()])
        if parameters.aggregate == "count":
            reports = replace(reports, trigger_value=reports.is_trigger)
        ordered = sort_reports(network, pad_reports(network, reports))
        bits = helper_bits(network, ordered)
        credit = attribute_last_touch(
            network, bits.same_match_key_and_constraint, ordered.is_trigger, ordered.trigger_value
        )
        capped = cap_credits(
            network, bits.same_match_key, credit, parameters.cap, parameters.capping
        )
        sums = sums_per_breakdown(
            network, ordered.breakdown_key, capped, parameters.breakdowns, credit.width
        )
        check_products(network)
        agree_to_release(network)
        return sums


def _check_security(network: HelperPartyNetwork, parameters: QueryParameters) -> None:
    """A query must not run with less security than it says, nor claim less than it has."""
    if network.is_malicious_secure != (parameters.security == "malicious"):
        offered = "malicious" if network.is_malicious_secure else "semi-honest"
        raise ParameterError(
            f"the query asks for {parameters.security} security, the network is {offered}: "
            f"make it with security={parameters.security!r}"
        )


@dataclass(frozen=True)
class QueryResult:
    """What a query released, and what it cost.

    `sums[b]` is the sum (or count) attributed to breakdown key b. `rows` is the number of reports.
    `costs` is by step path; `ipa.network.costs.cost_of(result.costs)` is the total.
    """

    sums: list[int]
    rows: int
    parameters: QueryParameters
    costs: dict[str, Cost]

    def __repr__(self) -> str:
        total = cost_of(self.costs)
        return (
            f"QueryResult(sums={self.sums}, rows={self.rows}, "
            f"security={self.parameters.security!r}, {total.and_gates} AND gates, "
            f"{total.rounds} rounds, {total.bytes_sent} bytes, {total.seconds:.2f} s)"
        )


def run_query(
    events: Iterable[Event],
    parameters: QueryParameters,
    *,
    no_noise: bool = False,
    options: RunOptions = DEFAULT_OPTIONS,
) -> QueryResult:
    """Run a query over events in the clear, simulating clients, three helpers and the collector.

    `no_noise` must be True: sums without differentially private noise are for tests and teaching
    only.

    Raises: ParameterError unless `no_noise` is said, and EventError for a bad event, both before any
        protocol work.
    """
    if not no_noise:
        raise ParameterError("noise is not available: say no_noise=True to release exact sums")
    checked: Sequence[Event] = list(events)
    check_events(checked, parameters)
    network = options.new_network(parameters.security)
    randomness = Randomness.from_seed(options.seed, "client shares")
    reports = share_events(network, checked, parameters, randomness)
    result = query(network, reports, parameters)
    sums = combine_at_collector(shares_for_collector(network, result), parameters.breakdowns)
    return QueryResult(sums, len(checked), parameters, network.costs)
