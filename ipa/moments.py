"""The moments query: how many people contribute to each breakdown key, and how much each of them.

What capping takes away cannot be seen in capped sums. This query tells it privately: for each breakdown
key the number of contributing people, the sum of their capped totals and of the squares, with noise;
from these, estimates of mean and variance, and so of a better cap (spec: Privacy Preserving Mean and
Covariance Estimation; SPEC_NOTES: moments). Covariances between breakdown keys for up to 16 of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Literal

from ipa.attribution import attribute
from ipa.display.numbers import decimal
from ipa.display.results import statistics_html
from ipa.errors import ParameterError
from ipa.events import Event, check_events, listed_events
from ipa.network.costs import Cost
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.network.simulation import (
    DEFAULT_OPTIONS,
    RunOptions,
    checked_run_options,
    new_run_name,
)
from ipa.parameters import QueryParameters, bits_for
from ipa.protocols.aggregation import sums_per_breakdown
from ipa.protocols.capping import cap_credits
from ipa.protocols.circuits.addition import multiply_integers
from ipa.protocols.moments import cross_products, is_positive, person_totals
from ipa.protocols.noise import add_noise
from ipa.protocols.primitives.abort import aborting_together, agree_to_release
from ipa.protocols.primitives.input_check import check_inputs
from ipa.protocols.verification.product_check import check_products
from ipa.query import check_security
from ipa.release import combine_at_collector, shares_for_collector
from ipa.reports import GenericReports, share_events
from ipa.result import check_noise_is_said, noise_in
from ipa.sharing.randomness import Randomness
from ipa.sharing.shared_bits import ColumnPair, SharedBits

Statistic = Literal["people", "totals", "squares", "cross_products"]

MAX_CAP = (1 << 31) - 1
"""The largest cap of a moments query: squares of it must be a sensitivity."""

MAX_COVARIANCE_BREAKDOWNS = 16


def statistics(parameters: QueryParameters, covariance: bool) -> dict[Statistic, QueryParameters]:
    """For each statistic the parameters of its noise: an equal share of epsilon and delta, its cap.

    A person has a total t_b for each breakdown key, which add up to the cap at most. So at most
    min(breakdowns, cap) numbers of people change by 1, the totals by the cap, the squares by cap^2
    and the products of two totals by cap^2 / 2, all added up.

    Raises: ParameterError for a cap above MAX_CAP, or covariances of more than 16 breakdown keys.
    """
    if parameters.cap > MAX_CAP:
        raise ParameterError(f"the cap of a moments query must be at most {MAX_CAP}")
    if covariance and not 2 <= parameters.breakdowns <= MAX_COVARIANCE_BREAKDOWNS:
        raise ParameterError(
            f"covariances are for 2 to {MAX_COVARIANCE_BREAKDOWNS} breakdown keys, "
            f"not {parameters.breakdowns}"
        )
    cap = parameters.cap
    caps: dict[Statistic, int] = {
        "people": min(parameters.breakdowns, cap),
        "totals": cap,
        "squares": cap * cap,
    }
    if covariance:
        caps["cross_products"] = max(1, cap * cap // 2)
    shares = {
        name: replace(
            parameters,
            cap=sensitivity,
            delta=parameters.delta / len(caps),
            epsilon=None
            if parameters.epsilon is None
            else Fraction(parameters.epsilon) / len(caps),
        )
        for name, sensitivity in caps.items()
    }
    if covariance:
        pairs = len(list(combinations(range(parameters.breakdowns), 2)))
        shares["cross_products"] = replace(shares["cross_products"], breakdowns=pairs)
    return shares


def moments_query(
    network: HelperPartyNetwork,
    reports: GenericReports,
    parameters: QueryParameters,
    *,
    covariance: bool = False,
) -> dict[Statistic, SharedBits]:
    """The statistics, still shared: a row per breakdown key, or per pair of them for cross_products.

    As in `ipa.query.query`, every product has been checked and all honest helpers have accepted when
    this returns from a malicious-secure network, and the noise is that of each statistic's parameters.

    Reveals: what sort_rows reveals, as ipa.query.query.
    Raises: MisbehaviourError when a helper deviates; ParameterError, before anything, for parameters that
        do not allow the query or the network.
    """
    check_security(network, parameters)
    shares = statistics(parameters, covariance)
    with aborting_together(network), network.step("moments"):
        kind = b"moments with covariance" if covariance else b"moments"
        check_inputs(network, reports.fields, [kind, parameters.to_bytes()])
        if parameters.aggregate == "count":
            reports = replace(reports, trigger_value=reports.is_trigger)
        attributed = attribute(network, reports, parameters)
        same, key = attributed.same_match_key, attributed.breakdown_key
        capped = cap_credits(
            network,
            same,
            attributed.credit,
            parameters.cap,
            parameters.capping,
            attributed.longest,
        )
        sums = _sums(network, same, key, capped, parameters)
        if covariance:
            width = bits_for(capped.rows * parameters.cap**2)
            sums["cross_products"] = cross_products(
                network, same, key, capped, parameters.breakdowns, width
            )
        noisy = {name: add_noise(network, sums[name], shares[name]) for name in shares}
        check_products(network)
        agree_to_release(network)
        return noisy


def _sums(
    network: HelperPartyNetwork,
    same_match_key: SharedBits,
    breakdown_key: SharedBits,
    capped: SharedBits,
    parameters: QueryParameters,
) -> dict[Statistic, SharedBits]:
    """The sums over people, per breakdown key, of 1, the total and its square."""
    people = person_totals(network, same_match_key, breakdown_key, capped, parameters.sort)
    rows = capped.rows
    per_person: dict[Statistic, tuple[SharedBits, int]] = {
        "people": (is_positive(network, people.total), rows),
        "totals": (people.total, rows * parameters.cap),
        "squares": (
            multiply_integers(network, people.total, people.total),
            rows * parameters.cap**2,
        ),
    }
    return {
        name: sums_per_breakdown(
            network,
            people.breakdown_key,
            value,
            parameters.breakdowns,
            max(value.width, bits_for(largest)),
            parameters.sort,
        )
        for name, (value, largest) in per_person.items()
    }


@dataclass(frozen=True)
class MomentsResult:
    """What a moments query released: numbers with noise, unless the parameters have no epsilon.

    `people[b]`, `totals[b]` and `squares[b]` are of the people who contribute to breakdown key b;
    `cross_products[a, b]`, for a < b, is over all people, and None without covariances.
    """

    people: list[int]
    totals: list[int]
    squares: list[int]
    cross_products: dict[tuple[int, int], int] | None
    rows: int
    parameters: QueryParameters
    costs: dict[str, Cost]

    def _repr_html_(self) -> str:
        keys = range(len(self.people))
        columns: list[tuple[str, Sequence[object]]] = [
            ("people", [f"{number:,}" for number in self.people]),
            ("sum of totals", [f"{number:,}" for number in self.totals]),
            ("sum of squares", [f"{number:,}" for number in self.squares]),
            ("mean", [_shown(self.mean(key)) for key in keys]),
            ("variance", [_shown(self.variance(key)) for key in keys]),
        ]
        asked = statistics(self.parameters, self.cross_products is not None)
        noises = [(name.replace("_", " "), noise_in(share)) for name, share in asked.items()]
        return statistics_html("Moments", columns, noises, self.costs)

    def mean(self, breakdown_key: int) -> float | None:
        """An estimate of the mean capped total of a contributing person; None without people."""
        people = self.people[breakdown_key]
        return self.totals[breakdown_key] / people if people > 0 else None

    def variance(self, breakdown_key: int) -> float | None:
        """An estimate of the variance of the capped totals, at least 0; None without people."""
        mean = self.mean(breakdown_key)
        if mean is None:
            return None
        return max(0.0, self.squares[breakdown_key] / self.people[breakdown_key] - mean * mean)

    def covariance(self, a: int, b: int, population: int) -> float:
        """An estimate of the covariance of a person's totals for two breakdown keys.

        `population` is how many people there are, those with a total of 0 too.

        Raises: ParameterError without covariances, for one breakdown key twice, or without people.
        """
        if self.cross_products is None or a == b or population < 1:
            raise ParameterError(
                "a covariance needs covariance=True, two breakdown keys and people"
            )
        product = self.cross_products[min(a, b), max(a, b)]
        return product / population - self.totals[a] * self.totals[b] / population**2


def _shown(estimate: float | None) -> str:
    return "none" if estimate is None else decimal(estimate)


def run_moments_query(
    events: Iterable[Event],
    parameters: QueryParameters,
    *,
    covariance: bool = False,
    no_noise: bool = False,
    options: RunOptions = DEFAULT_OPTIONS,
) -> MomentsResult:
    """Run a moments query over events in the clear, simulating clients, three helpers and the collector.

    Raises: EventError for a bad event, ParameterError for parameters that do not go together; both
        before any protocol work.
    """
    check_noise_is_said(parameters, no_noise)
    shares = statistics(parameters, covariance)
    options = checked_run_options(options)
    checked = listed_events(events)
    check_events(checked, parameters)
    name = new_run_name(options.seed)
    randomness = Randomness.from_seed(options.seed, "client shares")
    reports = share_events(name, checked, parameters, randomness)
    held, costs = options.run(
        name, parameters.security, released_moments, reports, parameters, covariance
    )
    released = {
        statistic: combine_at_collector(
            {helper: pairs[statistic] for helper, pairs in held.items()},
            asked.breakdowns,
            signed=asked.epsilon is not None,
        )
        for statistic, asked in shares.items()
    }
    return moments_result(released, len(checked), parameters, costs)


def released_moments(
    network: HelperPartyNetwork,
    reports: GenericReports,
    parameters: QueryParameters,
    covariance: bool,
) -> dict[int, dict[Statistic, ColumnPair]]:
    """The part of the local helpers in a moments query: what each sends to the report collector.

    Raises: the errors of `moments_query`.
    """
    shared = moments_query(network, reports, parameters, covariance=covariance)
    pairs = {name: shares_for_collector(network, value) for name, value in shared.items()}
    return {
        helper: {name: held[helper] for name, held in pairs.items()} for helper in network.helpers
    }


def moments_result(
    released: Mapping[Statistic, list[int]],
    rows: int,
    parameters: QueryParameters,
    costs: dict[str, Cost],
) -> MomentsResult:
    """The result from the released lists."""
    products = released.get("cross_products")
    pairs = combinations(range(parameters.breakdowns), 2)
    return MomentsResult(
        released["people"],
        released["totals"],
        released["squares"],
        None if products is None else dict(zip(pairs, products, strict=True)),
        rows,
        parameters,
        costs,
    )
