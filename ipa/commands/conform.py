"""`ipa conform`: whether another implementation does what this one does (docs/conformance.md)."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from ipa.commands.tables import Table, write_table
from ipa.conformance.program import Program
from ipa.conformance.vectors import VectorFile, read_vectors, vector_files
from ipa.errors import ForeignProgramError, ParameterError
from ipa.ranges import check_integer

if TYPE_CHECKING:
    from ipa.conformance.checking import Failure, StepResult

DEADLINE_SECONDS = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options, and behind -- the program."""
    parser.add_argument(
        "--cases", type=int, default=100, metavar="N", help="draw up to N cases of each step (100)"
    )
    parser.add_argument(
        "--steps", default="*", metavar="PATTERN", help="only steps that match, such as 'clear/*'"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="another seed, other cases (0)"
    )
    parser.add_argument(
        "--deadline",
        type=float,
        default=DEADLINE_SECONDS,
        metavar="T",
        help=f"seconds that the program has for one case ({DEADLINE_SECONDS:g})",
    )
    parser.add_argument(
        "--vectors", type=Path, metavar="PATH", help="ask the cases of these files, draw none"
    )
    parser.add_argument(
        "--write", type=Path, metavar="FOLDER", help="write each case that fails as a file there"
    )
    parser.add_argument("program", nargs="+", metavar="PROGRAM", help="behind --, with its options")


def run(arguments: argparse.Namespace) -> int:
    """Ask the program, and return 1 when it answers a case wrongly or not at all.

    Raises: ParameterError for an option, or where hypothesis is missing; InputError for a file;
        ForeignProgramError when the program does not even say which steps it implements.
    """
    check_integer("--cases", arguments.cases, 1)
    check_integer("--seed", arguments.seed, 0)
    if not 0 < arguments.deadline < 1e6:
        raise ParameterError(f"--deadline must be above 0 seconds, not {arguments.deadline:g}")
    _checking()
    with Program(arguments.program, arguments.deadline) as program:
        offered = _capabilities(program)
        chosen = [step for step in offered if fnmatchcase(step, arguments.steps)]
        if not chosen:
            raise ParameterError(
                f"no step matches {arguments.steps!r}; the program has {', '.join(offered)}"
            )
        results = list(_asked(program, chosen, arguments))
        if not results:
            raise ParameterError(f"{arguments.vectors}: no cases of {', '.join(chosen)} there")
    _report(results)
    failed = [result for result in results if not result.passed]
    if arguments.write is not None:
        _write(failed, arguments.write)
    return 1 if failed else 0


def _capabilities(program: Program) -> list[str]:
    try:
        return program.capabilities()
    except ForeignProgramError as error:
        raise ForeignProgramError(f"the program fails: {error.problem}") from error


def _asked(
    program: Program, steps: Sequence[str], arguments: argparse.Namespace
) -> Iterator["StepResult"]:
    check_drawn, check_file = _checking()
    if arguments.vectors is None:
        for step in steps:
            yield check_drawn(program, step, arguments.cases, arguments.seed)
        return
    files = [read_vectors(path) for path in vector_files(arguments.vectors)]
    for file in files:
        if file.step in steps:
            yield check_file(program, file)


def _checking() -> tuple[Callable[..., "StepResult"], Callable[..., "StepResult"]]:
    """What needs hypothesis, an optional extra.

    Raises: ParameterError where it is missing.
    """
    try:
        from ipa.conformance.checking import check_drawn, check_file
    except ImportError:
        raise ParameterError(
            "ipa conform needs the package hypothesis: pip install 'ipa-reference[testing]'"
        ) from None
    return check_drawn, check_file


def _report(results: Sequence["StepResult"]) -> None:
    rows = [
        (result.step, str(result.cases), "passed" if result.passed else "FAILED")
        for result in results
    ]
    write_table(Table(("step", "cases", "result"), rows, text=(0, 2)), sys.stdout)
    for result in results:
        if result.failure is not None:
            print(f"\n{result.step}, case {result.failure.case.name!r}:")
            _show(result.failure)
    passed = sum(result.passed for result in results)
    cases = sum(result.cases for result in results)
    print(f"\n{passed} of {len(results)} steps passed, {cases} cases")


def _show(failure: "Failure") -> None:
    print(f"  input    {json.dumps(failure.case.given)}")
    print(f"  expected {json.dumps(failure.case.expected)}")
    if failure.problem:
        print(f"  the program fails: {failure.problem}")
    else:
        print(f"  got      {json.dumps(failure.got)[:2000]}")


def _write(failed: Sequence["StepResult"], folder: Path) -> None:
    """Write each failing case as a file of vectors, with the answer that it must get."""
    folder.mkdir(parents=True, exist_ok=True)
    for result in failed:
        assert result.failure is not None
        case = replace(result.failure.case, name="failed once")
        file = VectorFile(result.step, "A case that a program failed.", [case])
        path = folder / f"{result.step.replace('/', '-')}.json"
        path.write_text(file.text(), encoding="utf-8")
