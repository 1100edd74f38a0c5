"""What a planted mutant is: the honest adapter, wrong in one thing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from ipa.conformance.honest_adapter import honest_answer
from ipa.conformance.json_values import Json
from ipa.conformance.reference import Answer

Wrong = Callable[[str, Json], Answer]


@dataclass(frozen=True)
class Mutant:
    """A wrong implementation of one step; `what` says what is wrong."""

    what: str
    step: str
    answer: Wrong

    def __str__(self) -> str:
        return f"{self.step}: {self.what}"


def on_input(change: Callable[[Json], Json]) -> Wrong:
    """Understands the input otherwise."""

    def answer(step: str, given: Json) -> Answer:
        """The honest answer to another input; to the input itself if that cannot be."""
        right = honest_answer(step, given)
        if "reject" in right:
            return right
        other = honest_answer(step, change(given))
        return other if "output" in other else right

    return answer


def on_output(change: Callable[[Json, Json], Json]) -> Wrong:
    """Gives something else out, from the input and the right output."""

    def answer(step: str, given: Json) -> Answer:
        """The honest answer, changed where it is an output."""
        right = honest_answer(step, given)
        return right if "reject" in right else {"output": change(given, right["output"])}

    return answer


def accepting(*reasons: str, stage: str = "") -> Wrong:
    """Does not notice what must be refused for one of these reasons, at that stage or at any."""

    def answer(step: str, given: Json) -> Answer:
        """What an honest one would answer had everything arrived as it was sent."""
        right = honest_answer(step, given)
        refusal = right.get("reject", {"reason": None})
        if refusal["reason"] not in reasons or stage not in ("", refusal["stage"]):
            return right
        undisturbed = {name: value for name, value in given.items() if name != "delivered"}
        other = honest_answer(step, undisturbed)
        return other if "output" in other else {"output": {}}

    return answer


def with_patch(target: str, replacement: Any) -> Wrong:
    """Uses another function where the library uses `target`."""

    def answer(step: str, given: Json) -> Answer:
        """The honest adapter's answer with that function."""
        with patch(target, replacement):
            return honest_answer(step, given)

    return answer


def without(step: str) -> Callable[[Json, Json], Json]:
    """Some messages are never sent."""
    return lambda _, output: (
        output | {"messages": [m for m in output["messages"] if not m["step"].endswith(step)]}
    )


def of_part(name: str, value: Any) -> Wrong:
    return on_input(lambda given: given | {name: value})
