"""A plan: what each cap keeps, and the error it leaves."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from ipa.display.bars import bars
from ipa.display.markup import Markup
from ipa.display.numbers import amount, decimal, plural
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


def plan_html(
    plans: Sequence[CapOutcome], best: CapOutcome | None, unit: Decimal | int = 1
) -> Markup:
    """A row per cap; the one with the least error is marked.

    All numbers but `kept` are multiplied by `unit`, how much of a table's unit one of the query's is.
    """
    shown = plans[:MOST_ENTRIES]
    place = next((row for row, plan in enumerate(shown) if plan == best), None)
    columns = [Column(name, "number") for name in ("cap", "kept", "bias", "noise", "error")]
    columns += [Column("error of a sum"), Column("")]
    scale = float(unit)
    pictures = bars([plan.error for plan in shown], marked=place)
    rows = (
        (
            amount(plan.cap * unit),
            f"{plan.kept:.1%}",
            *(decimal(each * scale) for each in (plan.bias, plan.noise, plan.error)),
            bar,
            "least error" if row == place else "",
        )
        for row, (plan, bar) in enumerate(zip(shown, pictures, strict=True))
    )
    whose = "its unit" if unit == 1 else "the table's unit"
    says = f"bias, noise and error are root mean squares of one sum, in {whose}"
    title = f"Plan of {plural(len(plans), 'cap')}"
    return framed(title, table(columns, rows, len(plans), what="caps"), note(says))
