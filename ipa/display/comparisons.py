"""Two views compared: the frequencies of ones, part by part, and the verdict."""

from collections.abc import Sequence
from typing import Protocol

from ipa.display.bars import bars
from ipa.display.markup import Markup, element
from ipa.display.records import html_of
from ipa.display.style import framed, note
from ipa.display.tables import MOST_ENTRIES, Column, folded, table


class Part(Protocol):
    """A part of both views."""

    @property
    def what(self) -> str:
        """What it is."""

    @property
    def tests(self) -> int:
        """How many frequencies."""

    @property
    def first(self) -> float:
        """Ones with the first secret."""

    @property
    def second(self) -> float:
        """Ones with the second."""

    @property
    def difference(self) -> float:
        """The largest difference."""

    @property
    def differs(self) -> bool:
        """Whether it is too large."""


class Comparison(Protocol):
    """A comparison, as far as it is shown."""

    @property
    def verdict(self) -> str:
        """What was found."""

    @property
    def bound(self) -> float:
        """From where on a difference tells the secrets apart."""

    @property
    def runs(self) -> int:
        """How many runs of each."""

    @property
    def parts(self) -> Sequence[Part]:
        """The parts."""

    @property
    def examples(self) -> Sequence[object]:
        """A view of each secret."""


def comparison_html(comparison: Comparison) -> Markup:
    """The verdict, a row per part, those that differ first, and a view of each secret."""
    parts = sorted(comparison.parts, key=lambda part: not part.differs)[:MOST_ENTRIES]
    columns = [
        Column("what the helper sees"),
        Column("frequencies", "number"),
        Column("ones, first secret", "number"),
        Column("second", "number"),
        Column("largest difference", "number"),
        Column(""),
        Column(""),
    ]
    differences = [part.difference for part in parts]
    rows = (
        (
            part.what,
            f"{part.tests:,}",
            f"{part.first:.1%}",
            f"{part.second:.1%}",
            f"{part.difference:.1%}",
            bar,
            "differs" if part.differs else "",
        )
        for part, bar in zip(parts, bars(differences, most=1), strict=True)
    )
    shown = table(columns, rows, len(comparison.parts), what="parts")
    says = (
        f"A difference of {comparison.bound:.0%} or more in one frequency tells the secrets apart; "
        f"less is what {comparison.runs:,} runs differ by."
    )
    views = [
        folded(f"a view of the {which} secret", html_of(view))
        for which, view in zip(("first", "second"), comparison.examples, strict=True)
    ]
    verdict = element("strong", comparison.verdict)
    return framed("Views of two secrets", element("div", verdict), shown, note(says), *views)
