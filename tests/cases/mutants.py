"""Every planted mutant, and the case of the vectors that catches it."""

from agreement_mutants import AGREEMENT_MUTANTS
from clear_mutants import CLEAR_MUTANTS
from client_mutants import CLIENT_MUTANTS
from column_mutants import COLUMN_MUTANTS
from message_mutants import MESSAGE_MUTANTS
from mutant_cases import Mutant

from ipa.conformance.checking import check_file
from ipa.conformance.vectors import VectorFile

MUTANTS = [*MESSAGE_MUTANTS, *AGREEMENT_MUTANTS, *CLEAR_MUTANTS, *COLUMN_MUTANTS, *CLIENT_MUTANTS]


def caught_by(mutant: Mutant, file: VectorFile) -> str:
    """The name of the first case that the mutant answers wrongly.

    Raises: AssertionError when there is none.
    """
    failure = check_file(mutant.answer, file).failure
    assert failure is not None, f"{mutant} is not caught"
    return failure.case.name


def mutant_table(files: dict[str, VectorFile]) -> str:
    """The catalogue as a table of Markdown, by step."""
    rows = [
        f"| `{mutant.step}` | {mutant.what} | {caught_by(mutant, files[mutant.step])} |"
        for mutant in sorted(MUTANTS, key=lambda mutant: mutant.step)
    ]
    return "\n".join(["| Step | What is wrong | Caught by the case |", "|:--|:--|:--|", *rows])
