"""A plan: what each cap keeps, and the error it leaves."""

from collections.abc import Sequence
from typing import Protocol

from ipa.display.bars import bars
from ipa.display.markup import Markup
from ipa.display.numbers import count, decimal, plural
from ipa.display.style import framed, note
from ipa.display.tables import MOST_ENTRIES, Column, table


class CapOutcome(Protocol):
    """What is planned for a cap, as far as it is shown."""

    @property
    def cap(self) -> int:
        """The cap."""

    @property
    def kept(self) -> float:
        """How much of the credit is left."""

    @property
    def bias(self) -> float:
        """What the cap takes away."""

    @property
    def noise(self) -> float:
        """What the noise does."""

    @property
    def error(self) -> float:
        """What both do."""


def plan_html(plans: Sequence[CapOutcome], best: CapOutcome | None) -> Markup:
    """A row per cap; the one with the least error is marked."""
    shown = plans[:MOST_ENTRIES]
    place = next((row for row, plan in enumerate(shown) if plan == best), None)
    numbers = ("kept", "bias", "noise", "error")
    columns = [Column("cap", "number"), *(Column(name, "number") for name in numbers)]
    columns += [Column("error of a sum"), Column("")]
    pictures = bars([plan.error for plan in shown], marked=place)
    rows = (
        (
            count(plan.cap),
            f"{plan.kept:.1%}",
            decimal(plan.bias),
            decimal(plan.noise),
            decimal(plan.error),
            bar,
            "least error" if row == place else "",
        )
        for row, (plan, bar) in enumerate(zip(shown, pictures, strict=True))
    )
    says = "bias, noise and error are root mean squares of one sum, in its unit"
    title = f"Plan of {plural(len(plans), 'cap')}"
    return framed(title, table(columns, rows, len(plans), what="caps"), note(says))
