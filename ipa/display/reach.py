"""Reach and frequency: how many persons, and how often each of them."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Protocol

from ipa.display.costs import CostOfStep
from ipa.display.markup import Markup
from ipa.display.numbers import decimal
from ipa.display.results import result_html


class Specification(Protocol):
    """What was asked, as far as it is shown."""

    @property
    def epsilon(self) -> Fraction | None:
        """The epsilon of the noise."""


class Reach(Protocol):
    """What was measured."""

    @property
    def reach(self) -> int:
        """How many persons."""

    @property
    def frequency(self) -> tuple[int, ...] | None:
        """How many of them once, twice, ..."""

    @property
    def protocol(self) -> str:
        """How it was measured."""

    @property
    def specification(self) -> Specification:
        """What was asked."""

    @property
    def providers(self) -> Sequence[str]:
        """Whose impressions."""

    @property
    def costs(self) -> Mapping[str, CostOfStep]:
        """The workers' costs."""


def reach_html(result: Reach) -> Markup:
    """The reach and the frequencies, each with its bar."""
    counts = result.frequency or ()
    times = [str(number) for number in range(1, len(counts))]
    times += [f"{len(counts)} or more"] if counts else []
    epsilon = result.specification.epsilon
    return result_html(
        "Reach and frequency" if counts else "Reach",
        ["reach", *times],
        [result.reach, *counts],
        heads=("times reached", "persons"),
        noise=None,
        says_noise=False,
        about=(
            ("protocol", result.protocol),
            ("data providers", ", ".join(result.providers)),
            ("epsilon", "none: exact" if epsilon is None else decimal(epsilon)),
        ),
        costs=result.costs,
    )
