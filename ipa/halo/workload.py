"""Synthetic impressions that behave like real ones: overlapping audiences, a few heavy viewers."""

import random

from ipa.halo.impressions import Impression
from ipa.ranges import check_integer

DIGITAL_MEDIA = ("video", "display", "audio")
TELEVISION = "tv"
"""The medium of the last publisher of a workload, whose audience is a panel: few people, often seen."""

_PANEL_SHARE = 0.1
_FAVOURITE_SHARE = 0.7


def generate_impressions(
    count: int,
    *,
    persons: int | None = None,
    publishers: int = 3,
    campaigns: int = 2,
    days: int = 28,
    seed: int = 0,
) -> list[Impression]:
    """Exactly `count` impressions of at most `persons` persons; the same for the same arguments.

    Some persons see far more than most (a heavy tail), and each has a favourite publisher but is
    seen at others too, so that audiences overlap. With two publishers or more the last one is a
    television panel, which sees only a tenth of the persons. Persons, publishers and campaigns are
    numbered from 1 (`publisher-1`, `campaign-1`), days from 0. `persons` is a third of `count` by
    default.

    Raises: ParameterError for a number out of range.
    """
    if persons is None:
        persons = max(1, count // 3) if type(count) is int else 1
    limits = {"count": (count, 0), "persons": (persons, 1), "publishers": (publishers, 1)}
    limits |= {"campaigns": (campaigns, 1), "days": (days, 1), "seed": (seed, 0)}
    for name, (value, least) in limits.items():
        check_integer(name, value, least)
    # Nothing here is secret. random() alone is drawn from: its sequence is the same in every Python.
    rng = random.Random(seed)
    return [_impression(rng, persons, publishers, campaigns, days) for _ in range(count)]


def _impression(
    rng: random.Random, persons: int, publishers: int, campaigns: int, days: int
) -> Impression:
    person = int(rng.random() ** 2 * persons)
    panel = publishers - 1 if publishers > 1 and person % round(1 / _PANEL_SHARE) == 0 else None
    if rng.random() < _FAVOURITE_SHARE:
        publisher = panel if panel is not None else person % max(1, publishers - 1)
    else:
        publisher = int(rng.random() * (publishers if panel is not None else publishers - 1 or 1))
    is_panel = publishers > 1 and publisher == publishers - 1
    medium = TELEVISION if is_panel else DIGITAL_MEDIA[publisher % len(DIGITAL_MEDIA)]
    return Impression(
        person=str(person + 1),
        publisher=f"publisher-{publisher + 1}",
        campaign=f"campaign-{1 + int(rng.random() ** 1.5 * campaigns)}",
        medium=medium,
        day=int(rng.random() * days),
    )
