"""What a measurement asks, and what the consumer is told."""

from dataclasses import dataclass, field
from fractions import Fraction

from ipa.display.reach import reach_html
from ipa.errors import ParameterError
from ipa.halo.impressions import EVERYTHING, Selection
from ipa.halo.lifecycle import ProtocolName
from ipa.halo.noise import PrivacyParameters
from ipa.halo.registers import WHOLE, SamplingInterval
from ipa.network.costs import Cost
from ipa.ranges import check_integer

DELTA = Fraction(1, 10**9)
"""Delta of a measurement that does not say its own."""


MAX_FREQUENCY = 1000
"""The largest maximum frequency."""


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
