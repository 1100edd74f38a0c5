"""What a run cost: rounds, bytes sent, AND gates, ring products and seconds, per step.

Bytes are counted from the payloads handed to the channel. Rounds count the times the helpers wait
for messages one after another. AND gates and ring products are counted once, not per helper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipa.display.costs import costs_html
from ipa.display.numbers import plural
from ipa.errors import ParameterError


@dataclass
class Cost:
    """Totals of one step, or of several. `bytes_sent` is over the local helpers together."""

    rounds: int = 0
    bytes_sent: int = 0
    messages: int = 0
    and_gates: int = 0
    ring_products: int = 0
    seconds: float = 0.0

    def add(self, other: "Cost") -> None:
        """Add another step's totals to these."""
        self.rounds += other.rounds
        self.bytes_sent += other.bytes_sent
        self.messages += other.messages
        self.and_gates += other.and_gates
        self.ring_products += other.ring_products
        self.seconds += other.seconds


class Costs(dict[str, Cost]):
    """Costs by the path of the step; a notebook shows them as a tree."""

    def __repr__(self) -> str:
        total = cost_of(self)
        return (
            f"<Costs of {plural(len(self), 'step')}: {plural(total.rounds, 'round')}, "
            f"{plural(total.bytes_sent, 'byte')}, {plural(total.and_gates, 'AND gate')}>"
        )

    def _repr_html_(self) -> str:
        return costs_html(self)


def cost_of(costs: dict[str, Cost], prefix: str = "") -> Cost:
    """The total of every step at or below the path `prefix`, and of its repetitions.

    Raises: ParameterError for what are no costs by step, such as the result that has them.
    """
    _check_costs(costs)
    total = Cost()
    for path, cost in costs.items():
        if not prefix or path == prefix or path.startswith((f"{prefix}/", f"{prefix}#")):
            total.add(cost)
    return total


def costs_of_helpers(costs: Sequence[Mapping[str, Cost]]) -> dict[str, Cost]:
    """The costs by step of a run of helpers apart, from those of each.

    What a helper sends adds up; rounds, AND gates and ring products are the same ones for all. The
    seconds of a step are the mean of the helpers', who run at the same time, so that all steps together
    take as long as the run.
    """
    together: dict[str, Cost] = {}
    for own in costs:
        for path, cost in own.items():
            total = together.setdefault(path, Cost())
            total.bytes_sent += cost.bytes_sent
            total.messages += cost.messages
            total.seconds += cost.seconds / len(costs)
            for name in ("rounds", "and_gates", "ring_products"):
                setattr(total, name, max(getattr(total, name), getattr(cost, name)))
    return together


def costs_by_step(costs: dict[str, Cost], depth: int) -> dict[str, Cost]:
    """Totals by the first `depth` parts of the path, in the order the steps were first taken.

    Repetitions of a step (`check`, `check#2`, ...) count as one.

    Raises: ParameterError for what are no costs by step, such as the result that has them.
    """
    _check_costs(costs)
    grouped: dict[str, Cost] = {}
    for path, cost in costs.items():
        parts = (part.partition("#")[0] for part in path.split("/")[:depth])
        grouped.setdefault("/".join(parts), Cost()).add(cost)
    return grouped


def _check_costs(costs: object) -> None:
    if not isinstance(costs, Mapping):
        raise ParameterError(
            "costs by step are wanted, such as result.costs or network.costs, not a "
            f"{type(costs).__name__}"
        )
