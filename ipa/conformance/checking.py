"""Asking an implementation: cases that are drawn, and shrunk when one is wrong, or cases from a file."""

from dataclasses import dataclass
from typing import Any

import hypothesis

from ipa.conformance.drawn_cases import DRAWN_INPUTS
from ipa.conformance.json_values import Json
from ipa.conformance.reference import Answer, Implementation, is_right, right_answer
from ipa.conformance.vectors import Case, VectorFile
from ipa.errors import ForeignProgramError


@dataclass(frozen=True)
class Failure:
    """A case and what was wrong: another answer was given, or none because of a `problem`."""

    case: Case
    got: Answer | None = None
    problem: str = ""


@dataclass(frozen=True)
class StepResult:
    """How many cases of a step were asked, and the failure if there is one."""

    step: str
    cases: int
    failure: Failure | None = None

    @property
    def passed(self) -> bool:
        """Whether every case was answered rightly."""
        return self.failure is None


class _WrongError(Exception):
    """A drawn case is answered wrongly: Hypothesis goes on to find a smaller one."""


class _StopError(BaseException):
    """The program is of no use any more: Hypothesis must not try smaller cases."""


def check_drawn(
    implementation: Implementation, step: str, count: int, seed: int, *, shrink: bool = True
) -> StepResult:
    """Draw up to `count` cases of a step; the failure is the smallest case that shrinking finds.

    The same seed draws the same cases. A step of few possible inputs has fewer cases. Without `shrink`
    the failure is the first one.
    """
    asked, failures = [0], list[Failure]()

    def ask(given: Json) -> None:
        """Ask one case, and remember it when the answer is wrong."""
        asked[0] += not failures
        case = Case("drawn", given, right_answer(step, given))
        failure, is_over = _failure(implementation, step, case)
        if failure is not None:
            failures.append(failure)
            raise _StopError if is_over or not shrink else _WrongError

    draw = hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )
    run: Any = draw(hypothesis.seed(seed)(hypothesis.given(DRAWN_INPUTS[step])(ask)))
    try:
        run()
    except (_WrongError, _StopError):
        pass
    except hypothesis.errors.Flaky:
        first = failures[0]
        problem = "it answers the same case differently at different times"
        return StepResult(step, asked[0], Failure(first.case, first.got, first.problem or problem))
    # The last case that Hypothesis runs is the smallest one.
    return StepResult(step, asked[0], failures[-1] if failures else None)


def check_file(implementation: Implementation, file: VectorFile) -> StepResult:
    """Ask the cases of a file, up to the first that is answered wrongly."""
    for number, case in enumerate(file.cases, start=1):
        failure, _ = _failure(implementation, file.step, case)
        if failure is not None:
            return StepResult(file.step, number, failure)
    return StepResult(file.step, len(file.cases))


def _failure(implementation: Implementation, step: str, case: Case) -> tuple[Failure | None, bool]:
    """What is wrong with the answer to a case, and whether it is of no use to go on."""
    try:
        got = implementation(step, case.given)
    except ForeignProgramError as error:
        return Failure(case, problem=error.problem), error.is_over
    return (None if is_right(step, case.expected, got) else Failure(case, got)), False
