"""A measurement from impressions to reach and frequency, with simulated providers and workers.

`run_measurement` plays every part: the consumer asks the Kingdom, the data providers fulfil their
requisitions, the workers compute, the result goes to the consumer sealed.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from ipa.client.keys import generate_key
from ipa.display.reach import reach_html
from ipa.errors import BudgetError, ParameterError
from ipa.halo.buckets import BucketLedger, Charge, buckets_of
from ipa.halo.groups import GroupName
from ipa.halo.impressions import EVERYTHING, Impression, Selection, check_impressions, select
from ipa.halo.kingdom import (
    RESULT_INFO,
    Kingdom,
    Measurement,
    MeasurementState,
    ProtocolName,
    check_protocol,
)
from ipa.halo.noise import Mechanism, PrivacyParameters
from ipa.halo.protocols import PROTOCOLS, Outcome, Settings, Task, check_task
from ipa.halo.registers import WHOLE, SamplingInterval, rank_population, sampled_persons
from ipa.halo.sketch import SketchParameters
from ipa.network.costs import Cost
from ipa.network.interception import Interceptor
from ipa.ranges import check_integer
from ipa.sharing.randomness import Randomness

DELTA = Fraction(1, 10**9)
"""Delta of a measurement that does not say its own."""

MAX_FREQUENCY = 1000
"""The largest maximum frequency."""

_KEY_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class MeasurementSpecification:
    """What is asked: of which impressions, up to which frequency, with how much noise.

    An impression counts that any of `selections` means. Frequencies of `max_frequency` and more are
    one; with None only the reach is measured. `epsilon` and `delta` are those of the whole
    measurement, for adding or taking away all impressions of one person; half of each goes to the
    reach and half to the frequencies. Without `epsilon` the result is exact.

    Raises: ParameterError for a number out of range, or no selection.
    """

    selections: tuple[Selection, ...] = EVERYTHING
    max_frequency: int | None = None
    interval: SamplingInterval = WHOLE
    epsilon: Fraction | None = None
    delta: Fraction = DELTA

    def __post_init__(self) -> None:
        if not self.selections:
            raise ParameterError("a measurement needs at least one selection of impressions")
        if self.max_frequency is not None:
            check_integer("max_frequency", self.max_frequency, 1, MAX_FREQUENCY)
        if self.epsilon is not None:
            PrivacyParameters(self.epsilon, self.delta)


@dataclass(frozen=True)
class MeasurementResult:
    """What the consumer reads: persons reached, and how many of them once, twice, ..., F or more.

    `frequency` sums to `reach`, except that it is all 0 where no frequency was counted; it is None
    where only the reach was measured. `costs` are the workers', by step.
    """

    reach: int
    frequency: tuple[int, ...] | None
    protocol: ProtocolName
    specification: MeasurementSpecification
    providers: tuple[str, ...]
    costs: dict[str, Cost] = field(repr=False, compare=False, default_factory=dict)

    _repr_html_ = reach_html


def run_measurement(
    impressions: Sequence[Impression],
    specification: MeasurementSpecification,
    protocol: ProtocolName = "hmss",
    *,
    no_noise: bool = False,
    population: Collection[str] | None = None,
    hash_key: bytes | None = None,
    sketch: SketchParameters = SketchParameters(),  # noqa: B008 - frozen
    group: GroupName = "p256",
    workers: int = 3,
    mechanism: Mechanism | None = None,
    consumer: str = "consumer",
    name: str = "measurement",
    ledger: BucketLedger | None = None,
    seed: int | None = None,
    interceptors: Iterable[Interceptor] = (),
) -> MeasurementResult:
    """Answer one question over impressions in the clear.

    A result without noise must be asked for by `no_noise`, and one with noise needs an epsilon.
    `population` are all persons there are, by default those who have impressions; hmss keeps a
    register for each. `hash_key` decides which register a person has and who is sampled: the data
    providers have one for all measurements that are to be compared, by default a fresh one.
    `sketch` and `group` are for the Liquid Legions protocols, which take any number of `workers`; hmss
    and hmss-malicious have three, direct none. The noise's `mechanism` is gaussian or geometric, by
    default gaussian; hmss-malicious has geometric only. A `ledger` is charged before anything is
    computed. A `seed` makes the run reproducible, and its secrets guessable.

    Cost: see ipa.halo.protocols.
    Raises: EventError for a bad impression, ParameterError for what cannot be, BudgetError when the
        ledger refuses; ChannelError when a worker misbehaves in a way that shows.
    """
    check_impressions(impressions)
    _check_noise_is_said(specification, no_noise, ledger)
    settings = Settings(
        hash_key=hash_key or fresh_hash_key(seed),
        sketch=sketch,
        group=group,
        workers=workers,
        mechanism=mechanism or default_mechanism(protocol),
        seed=seed,
        interceptors=tuple(interceptors),
    )
    task = _task(impressions, specification, population, settings)
    check_protocol(protocol, len(task.impressions), share_shuffle=True)
    check_task(protocol, task)
    charge = _charge(impressions, specification, consumer)
    return _ask(Kingdom(workers, ledger), (name, consumer, protocol), specification, charge, task)


def _check_noise_is_said(
    specification: MeasurementSpecification, no_noise: bool, ledger: BucketLedger | None
) -> None:
    """Check that the noise, or that there is none, was asked for, and that only noise is charged.

    Raises: ParameterError.
    """
    if no_noise == (specification.epsilon is not None):
        raise ParameterError("say either an epsilon, for noise, or no_noise, for an exact result")
    if no_noise and ledger is not None:
        raise ParameterError("an exact result has no price: no ledger can be charged for it")


def default_mechanism(protocol: ProtocolName) -> Mechanism:
    """The mechanism of a measurement that does not say one."""
    return "geometric" if protocol == "hmss-malicious" else "gaussian"


def fresh_hash_key(seed: int | None = None) -> bytes:
    """A key for the hashes of persons, from a seed or from the operating system."""
    return Randomness.from_seed(seed, "halo hash key").random_bytes(_KEY_BYTES)


def data_providers(impressions: Iterable[Impression], selections: Sequence[Selection]) -> list[str]:
    """Who gets a requisition: the publishers that the selections name, or all there are."""
    named = [selection.publishers for selection in selections]
    if all(publishers is not None for publishers in named):
        return sorted(frozenset().union(*(publishers or () for publishers in named)))
    everyone = {impression.publisher for impression in impressions}
    return sorted(everyone) or ["nobody"]  # an empty file has one data provider without data


def apportion(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split `total` in proportion to the weights, by largest remainders; all 0 without weights."""
    if not any(weights):
        return (0,) * len(weights)
    shares = [divmod(total * weight, sum(weights)) for weight in weights]
    missing = total - sum(share for share, _ in shares)
    by_remainder = sorted(range(len(shares)), key=lambda place: -shares[place][1])
    more = set(by_remainder[:missing])
    return tuple(share + (place in more) for place, (share, _) in enumerate(shares))


def _task(
    impressions: Sequence[Impression],
    specification: MeasurementSpecification,
    population: Collection[str] | None,
    settings: Settings,
) -> Task:
    """Each data provider's impressions that are meant and sampled."""
    persons = {item.person for item in impressions} if population is None else population
    ranks = rank_population(persons, settings.hash_key)
    if any(item.person not in ranks for item in impressions):
        raise ParameterError("an impression's person is not in the population")
    sampled = sampled_persons(ranks, specification.interval)
    among = frozenset(sampled)
    chosen: dict[str, list[Impression]] = {
        provider: [] for provider in data_providers(impressions, specification.selections)
    }
    for impression in select(impressions, specification.selections):
        if impression.person in among:
            chosen[impression.publisher].append(impression)
    return Task(
        impressions=chosen,
        registers=sampled,
        max_frequency=specification.max_frequency,
        width=specification.interval.width,
        privacy=_privacy(specification),
        settings=settings,
    )


def _ask(
    kingdom: Kingdom,
    question: tuple[str, str, ProtocolName],
    specification: MeasurementSpecification,
    charge: Charge | None,
    task: Task,
) -> MeasurementResult:
    """The consumer's part: register a key, create the measurement, open what is delivered."""
    name, consumer, protocol = question
    private_key = generate_key(1)
    kingdom.add_consumer(consumer, private_key.public())
    for provider in task.impressions:
        kingdom.add_provider(provider)
    kingdom.create(
        name, consumer=consumer, providers=task.impressions, protocol=protocol, charge=charge
    )
    outcome = _compute(kingdom, name, task)
    sealed = kingdom.measurement(name).sealed_result or b""
    said = json.loads(private_key.open(sealed, RESULT_INFO + name.encode()))
    frequency = None if said["frequency"] is None else tuple(said["frequency"])
    providers = tuple(task.impressions)
    return MeasurementResult(
        said["reach"], frequency, protocol, specification, providers, outcome.costs
    )


def _compute(kingdom: Kingdom, name: str, task: Task) -> Outcome:
    """Every step of the measurement's life, up to the sealed result.

    Raises: BudgetError.
    """
    measurement = kingdom.measurement(name)
    if measurement.state is MeasurementState.PENDING_REQUISITION_PARAMS:
        for worker in sorted(kingdom.workers):
            kingdom.set_requisition_params(name, worker)
    for provider in measurement.requisitions:
        measurement = kingdom.fulfil(name, provider)
    if measurement.state is MeasurementState.PENDING_PARTICIPANT_CONFIRMATION:
        for worker in sorted(kingdom.workers):
            measurement = kingdom.confirm(name, worker)
    if measurement.state is MeasurementState.FAILED:
        raise BudgetError(measurement.reason)
    outcome = PROTOCOLS[measurement.protocol](task)
    _deliver(kingdom, measurement, outcome)
    return outcome


def _deliver(kingdom: Kingdom, measurement: Measurement, outcome: Outcome) -> None:
    """Seal the result to the consumer: the Kingdom cannot read it."""
    name, histogram = measurement.name, outcome.histogram
    frequency = None if histogram is None else apportion(outcome.reach, histogram)
    plain = json.dumps({"reach": outcome.reach, "frequency": frequency}).encode()
    sealed = kingdom.consumer_key(name).seal(plain, RESULT_INFO + name.encode())
    kingdom.deliver(name, sealed)


def _privacy(specification: MeasurementSpecification) -> PrivacyParameters | None:
    if specification.epsilon is None:
        return None
    return PrivacyParameters(specification.epsilon, specification.delta)


def _charge(
    impressions: Iterable[Impression], specification: MeasurementSpecification, consumer: str
) -> Charge | None:
    """What the measurement costs: its epsilon and delta in every bucket of its days and interval."""
    if specification.epsilon is None:
        return None
    known = [impression.day for impression in impressions] or [0]
    buckets = frozenset().union(
        *(
            buckets_of(consumer, chosen.days or (min(known), max(known)), specification.interval)
            for chosen in specification.selections
        )
    )
    return Charge(buckets, specification.epsilon, specification.delta)
