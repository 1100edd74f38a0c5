"""What a query is asked: the parameters, each by the name under which it is given."""

from fractions import Fraction
from typing import Protocol

from ipa.display.markup import Markup
from ipa.display.numbers import count, decimal
from ipa.display.style import framed
from ipa.display.tables import facts

_WIDTHS = ("match_key_bits", "attribution_constraint_id_bits", "timestamp_bits", "value_bits")


class Parameters(Protocol):
    """The parameters of a query, as far as they are shown."""

    @property
    def breakdowns(self) -> int:
        """How many sums."""

    @property
    def cap(self) -> int:
        """What a match key adds at most."""

    @property
    def capping(self) -> str:
        """How that is kept."""

    @property
    def aggregate(self) -> str:
        """What is added up."""

    @property
    def attribution(self) -> str:
        """Which sources get credit."""

    @property
    def attribution_window(self) -> int | None:
        """How much earlier they may be."""

    @property
    def max_reports_per_match_key(self) -> int | None:
        """How many reports of a match key take part."""

    @property
    def epsilon(self) -> Fraction | int | None:
        """What the noise promises."""

    @property
    def delta(self) -> Fraction:
        """With what exception."""

    @property
    def mechanism(self) -> str:
        """How the noise is made."""

    @property
    def match_keys_can_collide(self) -> bool:
        """Whether two people may share one cap."""

    @property
    def sensitivity(self) -> int:
        """By how much one person can change the sums."""

    @property
    def sort(self) -> str:
        """How rows are put in order."""

    @property
    def security(self) -> str:
        """Against what a helper may do."""


def parameters_html(asked: Parameters) -> Markup:
    """A line for each thing that is asked, the widths of all fields in one."""
    window, most = asked.attribution_window, asked.max_reports_per_match_key
    lines = [
        ("breakdowns", count(asked.breakdowns)),
        ("cap", f"{count(asked.cap)} ({asked.capping})"),
        ("aggregate", asked.aggregate),
        ("attribution", asked.attribution),
        ("attribution window", "no limit" if window is None else count(window)),
        ("max reports per match key", "no limit" if most is None else count(most)),
        ("noise", _noise(asked)),
        ("match keys can collide", "yes" if asked.match_keys_can_collide else "no"),
        ("sensitivity", count(asked.sensitivity)),
        ("sort", asked.sort),
        ("security", asked.security),
        *((name.replace("_", " "), getattr(asked, name)) for name in _WIDTHS),
    ]
    return framed("Query parameters", facts(lines))


def _noise(asked: Parameters) -> str:
    if asked.epsilon is None:
        return "none: exact, and not private"
    delta = asked.delta if asked.mechanism == "laplace" else 0
    return f"{asked.mechanism}, epsilon {decimal(asked.epsilon)}, delta {decimal(delta)}"
