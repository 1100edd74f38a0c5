"""Tracing: the values between the steps of a run, still shared, for whoever wants to look at them.

A step hands them out with `network.trace(name=value)`, which sends nothing and costs nothing. What is
handed out are the shares of the local helpers, which they hold anyway. To put them together takes
`reconstruct_for_testing`, and all three helpers in one process.
"""

from collections import Counter
from dataclasses import dataclass

from ipa.display.markup import Markup
from ipa.display.numbers import plural
from ipa.display.records import parts_html
from ipa.sharing.shared_bits import SharedBits


@dataclass(frozen=True, slots=True)
class TracedValue:
    """A value by its name, and the path of the step in which it was handed out."""

    step: str
    name: str
    value: SharedBits


class Trace:
    """Remembers what is handed out, in order: `RunOptions(on_value=trace)`, for a `Trace()`."""

    def __init__(self) -> None:
        self.values: list[TracedValue] = []

    def __call__(self, traced: TracedValue) -> None:
        """Remember a value."""
        self.values.append(traced)

    def __repr__(self) -> str:
        names = ", ".join(f"{count} {name}" for name, count in Counter(self._names()).items())
        return f"<Trace of {plural(len(self.values), 'value')}: {names or 'none'}>"

    def _repr_html_(self) -> Markup:
        parts = [(f"{traced.step}: {traced.name}", traced.value) for traced in self.values]
        return parts_html(repr(self)[1:-1], parts)

    def named(self, name: str) -> list[SharedBits]:
        """All values of that name, in the order in which they were handed out."""
        return [traced.value for traced in self.values if traced.name == name]

    def _names(self) -> list[str]:
        return [traced.name for traced in self.values]
