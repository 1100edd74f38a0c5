"""An attack report: what was tampered with, who noticed, and where."""

from collections.abc import Mapping
from typing import Protocol

from ipa.display.markup import Markup, element
from ipa.display.numbers import plural
from ipa.display.style import framed
from ipa.display.tables import Column, facts, table
from ipa.parties import HELPERS


class Corruption(Protocol):
    """What a corrupted helper does."""

    @property
    def helper(self) -> int:
        """Which helper."""

    @property
    def what(self) -> str:
        """What it does."""


class Report(Protocol):
    """What became of the attacked query, as far as it is shown."""

    @property
    def outcome(self) -> str:
        """Aborted or released."""

    @property
    def step(self) -> str:
        """Where it was noticed."""

    @property
    def detected_by(self) -> tuple[int, ...]:
        """Which helpers noticed."""

    @property
    def errors(self) -> Mapping[int, Exception]:
        """What each honest helper says."""

    @property
    def result_is_right(self) -> bool | None:
        """Whether a released result is right."""

    @property
    def tampered(self) -> int:
        """How often the helper deviated."""

    @property
    def attack(self) -> Corruption | None:
        """What was done."""


def attack_html(report: Report) -> Markup:
    """The attack, its end, and a row per helper."""
    attack = report.attack
    corrupted = None if attack is None else attack.helper
    done = "unknown" if attack is None else f"H{attack.helper} {attack.what}"
    lines = [
        ("attack", done),
        ("tampered with", plural(report.tampered, "time")),
        ("outcome", element("strong", _outcome(report))),
        ("noticed where", report.step or "nowhere"),
    ]
    rows = [
        (
            f"H{helper}",
            "corrupted" if helper == corrupted else "honest",
            "yes" if helper in report.detected_by else "no",
            report.errors.get(helper, "") if helper != corrupted else "",
        )
        for helper in HELPERS
    ]
    columns = [Column("helper"), Column(""), Column("noticed"), Column("error", wide=True)]
    return framed("Attack report", facts(lines), table(columns, rows, len(rows)))


def _outcome(report: Report) -> str:
    if report.outcome == "aborted":
        return "aborted: no result came out"
    return "released: the right result" if report.result_is_right else "released: A WRONG RESULT"
