"""A helper party network: who is here, with which keys, in which step, and what it has cost."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ipa.display.costs import CostOfStep, costs_tree
from ipa.display.disclosure import keys_shown
from ipa.display.markup import Markup
from ipa.display.numbers import count
from ipa.display.style import framed
from ipa.display.tables import facts, folded


class Products(Protocol):
    """The products of a network, as far as they are shown."""

    keeps_products: bool
    gates_made: int
    gates_checked: int
    elements_made: int
    elements_checked: int


def network_html(
    title: str,
    helpers: Sequence[int],
    path: str,
    products: Products,
    costs: Mapping[str, CostOfStep],
) -> Markup:
    """The network as it is now."""
    lines: list[tuple[str, object]] = [
        (f"H{helper}", "keys " + " and ".join(keys_shown(helper))) for helper in helpers
    ]
    lines.append(("step", path or "none"))
    if products.keeps_products:
        lines.append(("AND gates", _made(products.gates_made, products.gates_checked)))
        if products.elements_made:
            lines.append(
                ("ring products", _made(products.elements_made, products.elements_checked))
            )
    return framed(title, facts(lines), folded("costs by step", costs_tree(costs)))


def _made(made: int, checked: int) -> str:
    return f"{count(made)} made, {count(checked)} of them checked"
