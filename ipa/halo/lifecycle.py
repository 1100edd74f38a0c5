"""How far a measurement and its requisitions are, and by which protocol it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from ipa.budget.bucket_ledger import BucketCharge
from ipa.display.records import record_html

ProtocolName = Literal["hmss", "hmss-malicious", "llv2", "reach-only-llv2", "direct"]


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
    charge: BucketCharge | None
    state: MeasurementState
    ready: frozenset[int] = frozenset()
    confirmed: frozenset[int] = frozenset()
    reason: str = ""
    sealed_result: bytes | None = field(default=None, repr=False)

    _repr_html_ = record_html
