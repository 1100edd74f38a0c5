"""The steps that a case can be of, and the right answer to every case.

A request is {"id", "step", "input"}; an answer has the same `id` and either `output`, or `reject` with the
stage and the reason for which the input must be refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ipa.conformance.clear_steps import CLEAR_STEPS, comparable_order
from ipa.conformance.client_steps import CLIENT_STEPS
from ipa.conformance.json_values import Json, comparable_numbers
from ipa.conformance.message_runs import comparable_messages
from ipa.conformance.message_steps import MESSAGE_STEPS
from ipa.conformance.sharing_steps import SHARING_STEPS
from ipa.errors import RefusedCaseError

Answer = Json
"""An object with `output` or with `reject`."""

Implementation = Callable[[str, Json], Answer]
"""Answers one case: from the step's name and the input."""


@dataclass(frozen=True)
class Step:
    """One step: how a case of it is answered, and what of an output has to be equal."""

    name: str
    output: Callable[[Json], Json]
    comparable: Callable[[Json], Json] = dict


def _steps() -> dict[str, Step]:
    groups: Mapping[str, Mapping[str, Callable[[Json], Json]]] = {
        "sharing": SHARING_STEPS,
        "messages": MESSAGE_STEPS,
        "clear": CLEAR_STEPS,
        "client": CLIENT_STEPS,
    }
    steps = {}
    for group, members in groups.items():
        for name, output in members.items():
            comparable = comparable_messages if group == "messages" else dict
            steps[f"{group}/{name}"] = Step(f"{group}/{name}", output, comparable)
    return steps | {"clear/sort": Step("clear/sort", CLEAR_STEPS["sort"], comparable_order)}


STEPS: Mapping[str, Step] = _steps()
"""Every step by its name."""


def answer_by(output: Callable[[Json], Json], given: Json) -> Answer:
    """What `output` makes of an input: an output, or a rejection.

    The stage of a rejection is what was looked at, such as a step's path.
    """
    try:
        return {"output": output(given)}
    except RefusedCaseError as refusal:
        return {"reject": {"stage": refusal.stage, "reason": refusal.reason}}


def right_answer(step: str, given: Json) -> Answer:
    """The answer that every implementation must give."""
    return answer_by(STEPS[step].output, given)


def is_right(step: str, expected: Answer, got: Answer) -> bool:
    """Whether an answer is the expected one, but for what a step leaves open."""
    return _comparable(step, expected) == _comparable(step, got)


def _comparable(step: str, answer: Answer) -> Answer:
    compared: Answer = comparable_numbers(answer)
    if "output" not in compared:
        return compared
    try:
        return {"output": STEPS[step].comparable(compared["output"])}
    except (KeyError, TypeError, ValueError, AttributeError):
        # A foreign answer of another form, which equals no right one.
        return compared
