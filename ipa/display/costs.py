"""Costs as a tree of steps, each with what is below it folded away."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ipa.display.markup import Markup, element
from ipa.display.numbers import count, plural, seconds
from ipa.display.style import framed, note
from ipa.display.tables import more

MOST_CHILDREN = 32
"""Steps shown below one step."""

_FEW = 3
"""So many numbered steps stand by themselves; more are folded into one."""


_NUMBERS = 4
_FIVE_NUMBERS = "grid-template-columns:minmax(14em,22em) 5em 7em 8em 8em 6em"


class CostOfStep(Protocol):
    """What a step cost, as far as it is shown."""

    rounds: int
    bytes_sent: int
    and_gates: int
    ring_products: int
    seconds: float


@dataclass
class _Node:
    """A step, with the steps below it; the numbers are of all of them together."""

    name: str
    rounds: int = 0
    bytes_sent: int = 0
    and_gates: int = 0
    ring_products: int = 0
    seconds: float = 0.0
    children: "dict[str, _Node]" = field(default_factory=dict)
    is_group: bool = False

    def add(self, cost: CostOfStep) -> None:
        """Add what a step in it cost."""
        self.rounds += cost.rounds
        self.bytes_sent += cost.bytes_sent
        self.and_gates += cost.and_gates
        self.ring_products += cost.ring_products
        self.seconds += cost.seconds


def costs_html(costs: Mapping[str, CostOfStep], title: str = "Costs by step") -> Markup:
    """The tree of steps. A step that was taken again counts with the first time."""
    return framed(title, costs_tree(costs))


def costs_tree(costs: Mapping[str, CostOfStep]) -> Markup:
    """The tree without a frame of its own."""
    root = _Node("all steps")
    for path, cost in costs.items():
        node = root
        node.add(cost)
        for part in path.split("/"):
            name = part.partition("#")[0]
            node = node.children.setdefault(name, _Node(name))
            node.add(cost)
    has_rings = root.ring_products > 0
    names = ["rounds", "bytes sent", "AND gates", *["ring products"] * has_rings, "seconds"]
    head = _line(0, "step", names)
    says = "bytes of all local helpers together, AND gates counted once"
    children = (_entry(child, 1, has_rings) for child in _grouped(root.children.values()))
    body = [element("div", head, class_="leaf"), _entry(root, 0, has_rings, closed=True), *children]
    return element("div", *body, note(says), class_="tree")


def _entry(node: _Node, depth: int, has_rings: bool, *, closed: bool = False) -> Markup:
    numbers = [count(node.rounds), count(node.bytes_sent), count(node.and_gates)]
    numbers += [count(node.ring_products)] * has_rings
    line = _line(depth, node.name, [*numbers, seconds(node.seconds)])
    if closed or not node.children:
        return element("div", line, class_="leaf")
    below = list(node.children.values())
    children = below if node.is_group else _grouped(below)
    shown = (_entry(child, depth + 1, has_rings) for child in children[:MOST_CHILDREN])
    rest = more(len(children) - MOST_CHILDREN, "steps")
    return element("details", element("summary", line), *shown, rest)


def _line(depth: int, name: str, numbers: Sequence[str]) -> Markup:
    cells = (element("span", number, class_="number") for number in numbers)
    first = element("span", name, style=f"padding-left:{depth}em")
    # The style sheet has room for four numbers; few steps have a fifth.
    columns = _FIVE_NUMBERS if len(numbers) > _NUMBERS else None
    return element("span", first, *cells, class_="step", style=columns)


def _grouped(children: Iterable[_Node]) -> list[_Node]:
    """The steps, with those that differ in their number alone put under one, if there are many."""
    stems: dict[str, list[_Node]] = {}
    for child in children:
        match = re.fullmatch(r"(.+)-\d+", child.name)
        stems.setdefault(match[1] if match else child.name, []).append(child)
    grouped: list[_Node] = []
    for stem, nodes in stems.items():
        if len(nodes) <= _FEW:
            grouped += nodes
            continue
        together = _Node(f"{stem}: {plural(len(nodes), 'step')}", is_group=True)
        for node in nodes:
            together.add(node)
            together.children[node.name] = node
        grouped.append(together)
    return grouped
