"""What several queries promise together: basic composition.

Queries that are (e1, d1)- and (e2, d2)-differentially private are together (e1 + e2, d1 + d2)-
differentially private, whatever their mechanisms and however the second depends on the answer to the
first. So the epsilons add up and the deltas add up (SPEC_NOTES: epsilon-unit).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ipa.budget.delta import delta_text
from ipa.budget.epsilon import decimal_text
from ipa.display.records import record_html


@dataclass(frozen=True, kw_only=True)
class EpsilonDelta:
    """What is granted, spent or left: an epsilon and a delta, each an exact number of at least 0."""

    epsilon: Fraction
    delta: Fraction

    _repr_html_ = record_html

    def texts(self) -> dict[str, str]:
        """Both as decimals, by their names."""
        return {"epsilon": decimal_text(self.epsilon), "delta": delta_text(self.delta)}


def composed(parts: Iterable[EpsilonDelta]) -> EpsilonDelta:
    """What the parts are together, by basic composition: the sums of the epsilons and of the deltas."""
    known = tuple(parts)
    return EpsilonDelta(
        epsilon=sum((part.epsilon for part in known), Fraction(0)),
        delta=sum((part.delta for part in known), Fraction(0)),
    )


def left_of(granted: EpsilonDelta, spent: EpsilonDelta) -> EpsilonDelta:
    """What may still be spent; 0 where more was spent than granted."""
    return EpsilonDelta(
        epsilon=max(granted.epsilon - spent.epsilon, Fraction(0)),
        delta=max(granted.delta - spent.delta, Fraction(0)),
    )


def exceeded(wanted: EpsilonDelta, allowed: EpsilonDelta) -> Literal["epsilon", "delta"] | None:
    """Of which more is wanted than allowed; None where both suffice."""
    if wanted.epsilon > allowed.epsilon:
        return "epsilon"
    return "delta" if wanted.delta > allowed.delta else None
