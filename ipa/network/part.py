"""A part: what helper parties do in a run, so that they can do it together or each by itself."""

from collections.abc import Callable, Mapping
from typing import Protocol, Self, TypeVar

R = TypeVar("R")

Part = Callable[..., Mapping[int, R]]
"""part(network, held, *public, **callbacks): what the local helpers do; each one's result."""


class Held(Protocol):
    """What helper parties hold and can be told apart, such as shared reports."""

    def only(self, helper: int) -> Self:
        """What helper party `helper` alone holds."""
