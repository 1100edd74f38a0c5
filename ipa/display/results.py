"""Results: sums with bars and intervals, what noise is in them, and what they cost."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from ipa.display.bars import bars
from ipa.display.costs import CostOfStep, costs_tree
from ipa.display.markup import Markup
from ipa.display.numbers import amount, count, decimal
from ipa.display.style import framed, note
from ipa.display.tables import MOST_ENTRIES, Column, facts, folded, table


class Noise(Protocol):
    """The noise in a result, as far as it is shown."""

    @property
    def mechanism(self) -> str:
        """How it is made."""

    @property
    def epsilon(self) -> Fraction:
        """What it promises."""

    @property
    def delta(self) -> Fraction:
        """With what exception."""

    @property
    def standard_deviation(self) -> float:
        """How far it is from 0."""

    @property
    def interval_95(self) -> int:
        """Within which it is 95 % of the time."""


def result_html(
    title: str,
    keys: Iterable[object],
    numbers: Sequence[int],
    *,
    heads: tuple[str, str],
    noise: Noise | None,
    says_noise: bool = True,
    about: Iterable[tuple[str, object]],
    costs: Mapping[str, CostOfStep],
) -> Markup:
    """Numbers by key: each with its bar and, with noise, the interval it is in without noise.

    `heads` are the heads of the two columns, `about` what else there is to say of the result,
    with `says_noise` False also what noise it has.
    """
    reach = 0 if noise is None else noise.interval_95
    columns = [Column(heads[0]), Column(heads[1], "number")]
    cells: list[Iterable[object]] = [keys, map(count, numbers)]
    if noise is not None:
        columns.append(Column("95 % interval", "number"))
        cells.append(f"{count(each - reach)} to {count(each + reach)}" for each in numbers)
    columns.append(Column(""))
    cells.append(bars(numbers[:MOST_ENTRIES], reach))
    rows = list(zip(*cells, strict=False))
    shown = table(columns, rows, len(numbers), what="breakdown keys")
    said = noise_note(noise) if says_noise else ""
    return framed(title, shown, said, facts(about), folded_costs(costs))


class LabelledSum(Protocol):
    """A sum by its label, as far as it is shown."""

    @property
    def label(self) -> Hashable:
        """What it is the sum of."""

    @property
    def total(self) -> Decimal | int:
        """The sum, with noise."""

    @property
    def low(self) -> Decimal | int:
        """The lower end of its interval."""

    @property
    def high(self) -> Decimal | int:
        """The upper end."""


def labelled_html(
    sums: Sequence[LabelledSum], heads: tuple[str, str], noise: Noise | None
) -> Markup:
    """Sums by label in the unit of a table, each with its bar and, with noise, its interval.

    `heads` are the heads of the two columns.
    """
    columns = [Column(heads[0]), Column(heads[1], "number")]
    shown = sums[:MOST_ENTRIES]
    cells: list[Iterable[object]] = [(each.label for each in shown)]
    cells.append(amount(each.total) for each in shown)
    if noise is not None:
        columns.append(Column("95 % interval", "number"))
        cells.append(f"{amount(each.low)} to {amount(each.high)}" for each in shown)
    columns.append(Column(""))
    reach = max((float(each.high - each.total) for each in shown), default=0)
    cells.append(bars([float(each.total) for each in shown], reach))
    made = table(columns, zip(*cells, strict=True), len(sums), what="labels")
    return framed(f"{heads[1].capitalize()} by {heads[0]}", made, _promise(noise))


def _promise(noise: Noise | None) -> Markup:
    """The noise, without how large it is in steps."""
    if noise is None:
        return noise_note(noise)
    return note(
        f"noise: {noise.mechanism}, epsilon {decimal(noise.epsilon)}, delta {decimal(noise.delta)}"
    )


def noise_note(noise: Noise | None, of: str = "") -> Markup:
    """What the noise promises, or that there is none; `of` says in which numbers it is."""
    if noise is None:
        return note(f"{of}no noise: exact, and not private")
    return note(
        f"{of}noise: {noise.mechanism}, epsilon {decimal(noise.epsilon)}, delta {decimal(noise.delta)}, "
        f"standard deviation {decimal(noise.standard_deviation)}, "
        f"95 % of the time within {count(noise.interval_95)}"
    )


def folded_costs(costs: Mapping[str, CostOfStep]) -> Markup:
    """The costs by step, folded away; nothing where there are none."""
    return folded("costs by step", costs_tree(costs)) if costs else Markup("")


def statistics_html(
    title: str,
    columns: Sequence[tuple[str, Sequence[object]]],
    noises: Iterable[tuple[str, Noise | None]],
    costs: Mapping[str, CostOfStep],
) -> Markup:
    """Several numbers by breakdown key, and the noise in each of them, by its name."""
    (_, first) = columns[0]
    heads = [Column("breakdown key"), *(Column(head, "number") for head, _ in columns)]
    rows = ((key, *row) for key, row in enumerate(zip(*(each for _, each in columns), strict=True)))
    shown = table(heads, rows, len(first), what="breakdown keys")
    said = (noise_note(noise, f"{name}: ") for name, noise in noises)
    return framed(title, shown, *said, folded_costs(costs))
