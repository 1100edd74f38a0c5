"""Every error the library raises on purpose, in one tree by who is to blame.

    IpaError
    |-- InputError            the data handed in is wrong (also a ValueError)
    |   |-- EventError            an event: row, field, allowed range
    |   `-- ReportError           an encrypted report or query stream: row, rule broken
    |-- ParameterError        the caller asks for something impossible (also a ValueError)
    |   `-- MismatchError         widths, rows, fields or networks that do not go together
    |-- SecrecyError          code tries to look at a secret as if it were public (also a TypeError)
    |-- MisbehaviourError     a helper party deviated from the protocol: step, who noticed
    |   |-- ChannelError          a message is missing, malformed or out of order
    |   `-- VerificationError     a check of the malicious-secure protocol failed
    |-- RandomnessReuseError  correlated randomness was about to be used twice
    |-- GridError             a query of a grid failed: which one, and why
    |-- WorkerError           local work that was handed to an executor did not come back
    |-- UncheckedProductError a value was about to be opened before its products were checked
    |-- BudgetError           the privacy budget does not allow the query
    |-- ServiceError          a helper party's service refuses a request, or is out of reach
    |-- RefusedCaseError      a conformance case whose input must be refused: stage, reason
    `-- ForeignProgramError   a program under conformance test hangs, dies or answers garbage

No error carries a secret value.
"""

from collections.abc import Iterable
from typing import Self


class IpaError(Exception):
    """Base of every error the library raises on purpose.

    `second_hand` says that a helper party repeats what another one told it, which knows more.
    """

    second_hand = False

    def heard(self) -> Self:
        """This error, as one that another helper party told of."""
        self.second_hand = True
        return self


class InputError(IpaError, ValueError):
    """The data handed in is wrong; nothing was computed or sent."""


class EventError(InputError):
    """An event is wrong: `row` counts from 1, `field` is the column's name, or None for the row.

    `source` names the file, where the events came from one.
    """

    def __init__(
        self, row: int | None, field: str | None, problem: str, *, source: str = ""
    ) -> None:
        where = [source, f"row {row}" if row is not None else None, field]
        super().__init__(": ".join([*(part for part in where if part), problem]))
        self.row = row
        self.field = field
        self.problem = problem
        self.source = source


class ReportError(InputError):
    """A report, query stream, key file or key configuration is malformed or breaks a rule.

    `reason` is the rule broken (a member of ipa.client.rejection.Reason), or None where there is
    no choice of rules; `row` counts from 1, or is None where no single report is to blame.
    """

    def __init__(self, problem: str, reason: str | None = None, row: int | None = None) -> None:
        super().__init__(f"row {row}: {problem}" if row is not None else problem)
        self.problem = problem
        self.reason = reason
        self.row = row


class ParameterError(IpaError, ValueError):
    """The caller asks for something impossible; the message gives the allowed range."""


class MismatchError(ParameterError):
    """Two values whose widths, row counts, fields or networks do not go together."""


class SecrecyError(IpaError, TypeError):
    """A secret was used as if it were a public Python value."""


class MisbehaviourError(IpaError):
    """A helper party deviated from the protocol; everything computed so far is worthless.

    `step` is the path of the step, `detected_by` the numbers of the helper parties (1 to 3) that
    noticed it themselves. Who cheated is not identified.
    """

    def __init__(self, step: str, problem: str, detected_by: Iterable[int] = ()) -> None:
        self.step = step
        self.problem = problem
        self.detected_by = tuple(sorted(set(detected_by)))
        noticed = " and ".join(f"H{helper}" for helper in self.detected_by)
        super().__init__(f"{step}: {problem}" + (f" (noticed by {noticed})" if noticed else ""))


class ChannelError(MisbehaviourError):
    """A message is missing, malformed, or not the one expected next."""


class VerificationError(MisbehaviourError):
    """A check of the malicious-secure protocol failed."""


class GridError(IpaError):
    """A query of a grid failed, at `position`, counted from 0; its own error is the `__cause__`.

    The other queries of the grid are given up.
    """

    def __init__(self, position: int, query: str, problem: str) -> None:
        super().__init__(f"query {position + 1} of the grid ({query}): {problem}")
        self.position = position
        self.problem = problem


class WorkerError(IpaError):
    """Local work that was handed to an executor did not come back; nothing was released.

    A worker died, for example. No helper party misbehaved: with other workers, or none, the query can be
    run again.
    """


class RandomnessReuseError(IpaError):
    """The same correlated randomness was asked for twice; a fault in a protocol, never ignored."""


class UncheckedProductError(IpaError):
    """A value was to be opened before its products were checked; a fault in a protocol."""


class BudgetError(IpaError):
    """The privacy budget does not allow the query, or a site what it commits; nothing was answered."""


class ServiceError(IpaError):
    """A helper party's service refuses a request, cannot be reached or lost the query.

    `refusal` is the rule broken (a member of ipa.service.refusal.Refusal), or None where no service
    said so.
    """

    def __init__(self, problem: str, refusal: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.refusal = refusal


class RefusedCaseError(IpaError):
    """The input of a conformance case is one that every implementation must refuse.

    `stage` is where: a step's path, or what of the input was looked at; `reason` says why.
    """

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(f"{stage}: {reason}")
        self.stage = stage
        self.reason = reason


class ForeignProgramError(IpaError):
    """A program under conformance test does not answer as its protocol says.

    `is_over` says that it is of no use to ask it again.
    """

    def __init__(self, problem: str, *, is_over: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.is_over = is_over
