"""Reach and frequency in the clear: what every protocol must agree with when there is no noise."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from ipa.halo.impressions import EVERYTHING, Impression, Selection, select
from ipa.halo.set_expressions import SetExpression, evaluate, names_of


def audience(
    impressions: Iterable[Impression], selections: Sequence[Selection] = EVERYTHING
) -> frozenset[str]:
    """The persons who have at least one impression that is meant."""
    return frozenset(impression.person for impression in select(impressions, selections))


def reach(
    impressions: Iterable[Impression],
    selections: Sequence[Selection] = EVERYTHING,
    *,
    among: Collection[str] | None = None,
) -> int:
    """How many persons were reached, of those in `among` if it is given."""
    reached = audience(impressions, selections)
    return len(reached if among is None else reached & frozenset(among))


def frequency_histogram(
    impressions: Iterable[Impression],
    max_frequency: int,
    selections: Sequence[Selection] = EVERYTHING,
    *,
    among: Collection[str] | None = None,
) -> list[int]:
    """How many persons were reached once, twice, ..., `max_frequency` times or more.

    Entry i belongs to frequency i + 1. Persons outside `among`, if it is given, do not count.
    """
    times = Counter(impression.person for impression in select(impressions, selections))
    histogram = [0] * max_frequency
    for person, frequency in times.items():
        if among is None or person in among:
            histogram[min(frequency, max_frequency) - 1] += 1
    return histogram


def expression_reach(
    impressions: Sequence[Impression],
    expression: SetExpression,
    sets: Mapping[str, Selection],
) -> int:
    """How many persons are in a set expression over the audiences of the named selections."""
    audiences = {name: audience(impressions, [sets[name]]) for name in names_of(expression)}
    return len(evaluate(expression, audiences))
