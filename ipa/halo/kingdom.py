"""The Kingdom in memory: who asks, who has data, and how far each measurement is.

It never holds data: requisitions are fulfilled at the workers, and results arrive sealed to the
consumer who asked. Every change of state is one method; what a state does not allow raises
ParameterError and changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, get_args

from ipa.client.keys import PublicKey
from ipa.display.records import record_html
from ipa.errors import BudgetError, ParameterError
from ipa.halo.buckets import BucketLedger, Charge
from ipa.ranges import check_integer

ProtocolName = Literal["hmss", "hmss-malicious", "llv2", "reach-only-llv2", "direct"]

RESULT_INFO = b"ipa halo result"
"""What a result is sealed for, in front of the measurement's name."""


class MeasurementState(StrEnum):
    """How far a measurement is; the last three are final."""

    PENDING_REQUISITION_PARAMS = "pending requisition params"
    PENDING_REQUISITION_FULFILLMENT = "pending requisition fulfillment"
    PENDING_PARTICIPANT_CONFIRMATION = "pending participant confirmation"
    PENDING_COMPUTATION = "pending computation"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the measurement any more."""
        return self in (self.SUCCEEDED, self.FAILED, self.CANCELLED)


class RequisitionState(StrEnum):
    """How far one data provider's part is; the last three are final."""

    PENDING_PARAMS = "pending params"
    UNFULFILLED = "unfulfilled"
    FULFILLED = "fulfilled"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One question of one consumer to some data providers, and how far it is."""

    name: str
    consumer: str
    protocol: ProtocolName
    requisitions: Mapping[str, RequisitionState]
    charge: Charge | None
    state: MeasurementState
    ready: frozenset[int] = frozenset()
    confirmed: frozenset[int] = frozenset()
    reason: str = ""
    sealed_result: bytes | None = field(default=None, repr=False)

    _repr_html_ = record_html


def choose_protocol(providers: int, *, share_shuffle: bool, reach_only: bool) -> ProtocolName:
    """The protocol for so many data providers; `share_shuffle` says whether all of them are capable."""
    if providers == 1:
        return "direct"
    if share_shuffle:
        return "hmss"
    return "reach-only-llv2" if reach_only else "llv2"


class Kingdom:
    """Consumers, data providers, measurements and their requisitions, with `workers` workers.

    A ledger, if given, is charged for a measurement when all of its requisitions are fulfilled, and
    before any computation starts; where the budget does not suffice, the measurement fails.
    """

    def __init__(self, workers: int = 3, ledger: BucketLedger | None = None) -> None:
        check_integer("workers", workers, 2)
        self.workers = frozenset(range(1, workers + 1))
        self._ledger = ledger
        self._consumers: dict[str, PublicKey] = {}
        self._providers: dict[str, bool] = {}
        self._measurements: dict[str, Measurement] = {}

    def add_consumer(self, name: str, key: PublicKey) -> None:
        """Register a measurement consumer and the key that its results are sealed to."""
        _check_new(name, self._consumers, "consumer")
        self._consumers[name] = key

    def add_provider(self, name: str, *, share_shuffle: bool = True) -> None:
        """Register a data provider; `share_shuffle` says whether it can make shares for that."""
        _check_new(name, self._providers, "data provider")
        self._providers[name] = share_shuffle

    def consumer_key(self, measurement: str) -> PublicKey:
        """The key that the measurement's result must be sealed to."""
        return self._consumers[self.measurement(measurement).consumer]

    def measurement(self, name: str) -> Measurement:
        """The measurement as it is now.

        Raises: ParameterError when there is none.
        """
        if name not in self._measurements:
            raise ParameterError(f"there is no measurement {name!r}")
        return self._measurements[name]

    def create(
        self,
        name: str,
        *,
        consumer: str,
        providers: Iterable[str],
        reach_only: bool = False,
        protocol: ProtocolName | None = None,
        charge: Charge | None = None,
    ) -> Measurement:
        """Create a measurement and a requisition to each data provider; the protocol is chosen if not given.

        Raises: ParameterError for a name in use, an unknown consumer or provider, a provider named
            twice, or a protocol that these providers cannot take part in.
        """
        names = list(providers)
        _check_new(name, self._measurements, "measurement")
        for kind, known, asked in (
            ("consumer", set(self._consumers), [consumer]),
            ("data provider", set(self._providers), names),
        ):
            for one in asked:
                if one not in known:
                    raise ParameterError(f"there is no {kind} {one!r}")
        if not names or len(set(names)) < len(names):
            raise ParameterError("a measurement needs at least one data provider, and each once")
        capable = all(self._providers[provider] for provider in names)
        chosen = protocol or choose_protocol(
            len(names), share_shuffle=capable, reach_only=reach_only
        )
        check_protocol(chosen, len(names), share_shuffle=capable)
        state, pending = (
            MeasurementState.PENDING_REQUISITION_PARAMS,
            RequisitionState.PENDING_PARAMS,
        )
        if chosen == "direct":  # no worker takes part
            state = MeasurementState.PENDING_REQUISITION_FULFILLMENT
            pending = RequisitionState.UNFULFILLED
        measurement = Measurement(
            name=name,
            consumer=consumer,
            protocol=chosen,
            requisitions=dict.fromkeys(names, pending),
            charge=charge,
            state=state,
        )
        return self._put(measurement)

    def set_requisition_params(self, name: str, worker: int) -> Measurement:
        """A worker has published what providers need (its keys); after the last, they may fulfil."""
        measurement = self._in(name, MeasurementState.PENDING_REQUISITION_PARAMS)
        ready = self._with_worker(measurement.ready, worker)
        measurement = replace(measurement, ready=ready)
        if ready == self.workers:
            measurement = replace(
                measurement,
                state=MeasurementState.PENDING_REQUISITION_FULFILLMENT,
                requisitions=dict.fromkeys(measurement.requisitions, RequisitionState.UNFULFILLED),
            )
        return self._put(measurement)

    def fulfil(self, name: str, provider: str) -> Measurement:
        """A data provider's data have arrived at the workers; the last one lets the rest begin.

        Raises: ParameterError for a requisition that is not unfulfilled: a second fulfilment changes
            nothing.
        """
        measurement = self._unfulfilled(name, provider)
        requisitions = {**measurement.requisitions, provider: RequisitionState.FULFILLED}
        measurement = replace(measurement, requisitions=requisitions)
        if set(requisitions.values()) != {RequisitionState.FULFILLED}:
            return self._put(measurement)
        if measurement.protocol in ("llv2", "reach-only-llv2"):
            state = MeasurementState.PENDING_PARTICIPANT_CONFIRMATION
            return self._put(replace(measurement, state=state))
        return self._start(measurement)

    def refuse(self, name: str, provider: str, reason: str) -> Measurement:
        """A data provider will not fulfil: the measurement fails, the other requisitions are withdrawn."""
        measurement = self._unfulfilled(name, provider)
        requisitions = {**measurement.requisitions, provider: RequisitionState.REFUSED}
        refused = replace(measurement, requisitions=requisitions)
        return self._end(refused, MeasurementState.FAILED, f"{provider} refused: {reason}")

    def confirm(self, name: str, worker: int) -> Measurement:
        """A worker has what it needs and will take part; after the last, the computation begins."""
        measurement = self._in(name, MeasurementState.PENDING_PARTICIPANT_CONFIRMATION)
        confirmed = self._with_worker(measurement.confirmed, worker)
        measurement = replace(measurement, confirmed=confirmed)
        return self._start(measurement) if confirmed == self.workers else self._put(measurement)

    def deliver(self, name: str, sealed_result: bytes) -> Measurement:
        """The result has arrived, sealed to the consumer."""
        measurement = self._in(name, MeasurementState.PENDING_COMPUTATION)
        done = replace(measurement, sealed_result=sealed_result)
        return self._end(done, MeasurementState.SUCCEEDED, "")

    def fail(self, name: str, reason: str) -> Measurement:
        """A worker gives up; requisitions not fulfilled are withdrawn."""
        return self._end(self._unfinished(name), MeasurementState.FAILED, reason)

    def cancel(self, name: str, consumer: str) -> Measurement:
        """The consumer who asked no longer wants the result; requisitions not fulfilled are withdrawn."""
        measurement = self._unfinished(name)
        if measurement.consumer != consumer:
            raise ParameterError(f"measurement {name!r} is not {consumer!r}'s to cancel")
        return self._end(measurement, MeasurementState.CANCELLED, "cancelled by the consumer")

    def _start(self, measurement: Measurement) -> Measurement:
        if self._ledger is not None and measurement.charge is not None:
            try:
                self._ledger.charge(measurement.name, measurement.charge)
            except BudgetError as error:
                return self._end(measurement, MeasurementState.FAILED, str(error))
        return self._put(replace(measurement, state=MeasurementState.PENDING_COMPUTATION))

    def _end(self, measurement: Measurement, state: MeasurementState, reason: str) -> Measurement:
        open_states = (RequisitionState.PENDING_PARAMS, RequisitionState.UNFULFILLED)
        requisitions = {
            provider: RequisitionState.WITHDRAWN if known in open_states else known
            for provider, known in measurement.requisitions.items()
        }
        ended = replace(measurement, state=state, reason=reason, requisitions=requisitions)
        return self._put(ended)

    def _put(self, measurement: Measurement) -> Measurement:
        self._measurements[measurement.name] = measurement
        return measurement

    def _in(self, name: str, state: MeasurementState) -> Measurement:
        measurement = self.measurement(name)
        if measurement.state != state:
            raise ParameterError(f"measurement {name!r} is {measurement.state}, not {state}")
        return measurement

    def _unfinished(self, name: str) -> Measurement:
        measurement = self.measurement(name)
        if measurement.state.is_final:
            raise ParameterError(f"measurement {name!r} is {measurement.state} already")
        return measurement

    def _unfulfilled(self, name: str, provider: str) -> Measurement:
        measurement = self.measurement(name)
        if provider not in measurement.requisitions:
            raise ParameterError(f"measurement {name!r} has no requisition to {provider!r}")
        known = measurement.requisitions[provider]
        if known != RequisitionState.UNFULFILLED:
            raise ParameterError(f"the requisition of {name!r} to {provider!r} is {known}")
        return measurement

    def _with_worker(self, workers: frozenset[int], worker: int) -> frozenset[int]:
        if worker not in self.workers or worker in workers:
            raise ParameterError(f"worker {worker} is unknown, or has done this already")
        return workers | {worker}


def check_protocol(protocol: ProtocolName, providers: int, *, share_shuffle: bool) -> None:
    """Check that so many data providers can take part in the protocol.

    Raises: ParameterError when they cannot.
    """
    if protocol not in get_args(ProtocolName):
        names = ", ".join(get_args(ProtocolName))
        raise ParameterError(f"the protocol must be one of {names}, not {protocol!r}")
    if protocol == "direct" and providers != 1:
        raise ParameterError(
            f"protocol direct is for one data provider, not {providers}: nobody may see the data of "
            "several; choose hmss or llv2"
        )
    if protocol in ("hmss", "hmss-malicious") and not share_shuffle:
        raise ParameterError(
            f"protocol {protocol} needs data providers that can all make shares for it"
        )


def _check_new(name: str, known: Mapping[str, object], kind: str) -> None:
    if not name or name in known:
        raise ParameterError(f"a {kind} needs a name of its own, not {name!r}")
