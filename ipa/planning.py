"""Planning a query: which cap, before any budget is spent.

A low cap takes away from people with high totals (bias), a high one needs more noise (variance). On
events in the clear, of an earlier epoch or made up, both can be computed for every cap, and so the
error of each sum: its root mean square is sqrt(bias^2 + variance of the noise).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import sqrt

from ipa.display.plans import plan_html
from ipa.errors import ParameterError
from ipa.events import Event, check_events, listed_events
from ipa.events.encoding import EventEncoder
from ipa.events.frames import DataFrame, FrameLibrary, new_frame
from ipa.oracle import (
    attributed_credits,
    query_in_steps,
    rows_from_events,
    rows_within_bound,
    sort_rows,
    sums_per_breakdown,
)
from ipa.parameters import QueryParameters, check_parameters_type
from ipa.result import noise_in


@dataclass(frozen=True)
class CapPlan:
    """What a query with this cap would release of the planned events.

    All are of one sum, in its unit: `bias` is the root mean square, over the breakdown keys, of what
    capping takes away; `noise` the standard deviation of the noise; `error` that of both together.
    `kept` is the share of all credit that is left after capping, from 0 to 1.
    """

    cap: int
    kept: float
    bias: float
    noise: float
    error: float


class CapPlans(list[CapPlan]):
    """Plans for several caps; a notebook shows them as a table with the best one marked."""

    def _repr_html_(self) -> str:
        return plan_html(self, best_cap(self) if self else None)


@dataclass(frozen=True)
class CapSweep:
    """The plans of several caps, by size of the cap, in the unit of a table.

    `unit` is how much of the table's unit one of the query's is: 0.01 for values in steps of a cent. A
    notebook shows them as it does `CapPlans`, in the table's unit.
    """

    plans: CapPlans
    unit: Decimal | int = 1

    def _repr_html_(self) -> str:
        return plan_html(self.plans, best_cap(self.plans) if self.plans else None, self.unit)

    @property
    def best_cap(self) -> Decimal | int:
        """The cap with the least error, in the table's unit, as `EventEncoder.parameters` takes it."""
        return best_cap(self.plans).cap * self.unit

    def to_frame(self, *, library: FrameLibrary = "pandas") -> DataFrame:
        """A frame with a row for each cap: cap, kept, and bias, noise and error of one sum.

        All but `kept` are in the table's unit.

        Raises: ParameterError where the library is not installed.
        """
        unit = float(self.unit)
        whole = isinstance(self.unit, int)
        columns: dict[str, Sequence[object]] = {
            "cap": [plan.cap if whole else float(plan.cap * self.unit) for plan in self.plans],
            "kept": [plan.kept for plan in self.plans],
            "bias": [plan.bias * unit for plan in self.plans],
            "noise": [plan.noise * unit for plan in self.plans],
            "error": [plan.error * unit for plan in self.plans],
        }
        return new_frame(columns, library)


def sweep_caps(
    events: Iterable[Event],
    parameters: QueryParameters,
    caps: Iterable[Decimal | int | str],
    encoder: EventEncoder | None = None,
) -> CapSweep:
    """`plan_caps` for a table: what capping takes away at each cap, what noise adds, and both.

    With the `encoder` of the events, caps are in the table's unit, and so is the answer.

    Raises: as `plan_caps`; ParameterError for a cap that is no whole number of the encoder's steps.
    """
    check_parameters_type(parameters)
    if encoder is None:
        encoder = EventEncoder(breakdown_labels=range(parameters.breakdowns))
    steps = encoder.caps_in_steps(caps, parameters.aggregate)
    plans = plan_caps(events, parameters, sorted(set(steps)))
    return CapSweep(plans, encoder.in_unit(1, parameters.aggregate))


def plan_caps(
    events: Iterable[Event], parameters: QueryParameters, caps: Iterable[int]
) -> CapPlans:
    """For each cap what capping and noise do to the sums of `events`, in the clear.

    `parameters.epsilon` must be there; its cap is not used. The events are seen in the clear: plan with
    those of an epoch that may be seen, or with made-up ones, since the plan itself is not private.

    Raises: ParameterError for a cap out of range, for no cap, or for parameters without epsilon;
        EventError for a bad event.
    """
    check_parameters_type(parameters)
    plans = [replace(parameters, cap=cap) for cap in caps]
    if not plans:
        raise ParameterError("there must be at least one cap to plan with")
    if parameters.epsilon is None:
        raise ParameterError("a plan needs an epsilon: without noise the best cap is none")
    events = listed_events(events)
    whole = _uncapped_sums(events, parameters)
    return CapPlans(_plan(events, asked, whole) for asked in plans)


def best_cap(plans: Sequence[CapPlan]) -> CapPlan:
    """The plan with the least error; of equals, the one with the smallest cap."""
    return min(plans, key=lambda plan: (plan.error, plan.cap))


def _plan(events: Sequence[Event], asked: QueryParameters, whole: Sequence[int]) -> CapPlan:
    capped = query_in_steps(events, asked)
    lost = [before - after for before, after in zip(whole, capped, strict=True)]
    bias = sqrt(sum(loss * loss for loss in lost) / len(lost))
    noise = noise_in(asked)
    deviation = 0.0 if noise is None else noise.standard_deviation
    kept = sum(capped) / sum(whole) if any(whole) else 1.0
    return CapPlan(asked.cap, kept, bias, deviation, sqrt(bias * bias + deviation * deviation))


def _uncapped_sums(events: Sequence[Event], parameters: QueryParameters) -> list[int]:
    check_events(events, parameters)
    rows = sort_rows(rows_from_events(events, parameters.aggregate))
    rows = rows_within_bound(rows, parameters.max_reports_per_match_key)
    credits = attributed_credits(rows, parameters.attribution, parameters.attribution_window)
    return sums_per_breakdown(rows, credits, parameters.breakdowns)
