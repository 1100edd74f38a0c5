"""What it takes to register a step: see `step_cases`."""

from collections.abc import Callable
from dataclasses import dataclass

from cost_formulas import Formula
from step_inputs import Columns, Inputs

from ipa.events import Event
from ipa.network.helper_party_network import HelperPartyNetwork
from ipa.parameters import QueryParameters
from ipa.sharing.shared_bits import SharedBits

Tables = dict[str, SharedBits]


def as_they_are(results: Columns, _: Inputs) -> Columns:
    """Results that are compared with the oracle's as they are."""
    return results


@dataclass(frozen=True)
class StepCase:
    """One step; results and what the oracle says are lists of rows, one for each result."""

    name: str
    inputs: Callable[[list[Event], QueryParameters], Inputs]
    run: Callable[[HelperPartyNetwork, Tables, QueryParameters], list[SharedBits]]
    oracle: Callable[[list[Event], QueryParameters], Columns]
    shapes: Callable[[Inputs, QueryParameters], list[tuple[int, int]]]
    cost: Callable[[Inputs, QueryParameters], Formula]
    comparable: Callable[[Columns, Inputs], Columns] = as_they_are
    """What of results and oracle has to be equal, where not all of it is defined."""

    def __str__(self) -> str:
        return self.name


def shared(deal: Callable[[list[int], int], SharedBits], inputs: Inputs) -> Tables:
    """The inputs, shared by `deal`, which is given rows and a width."""
    return {name: deal(rows, width) for name, (rows, width) in inputs.items()}


def same_shape(inputs: Inputs, _: QueryParameters) -> list[tuple[int, int]]:
    """The shapes of results that are as the inputs."""
    return [(len(values), width) for values, width in inputs.values()]
