"""How an answer is checked: what is wrong with it is said, and an open exercise is no error."""

from collections.abc import Callable, Mapping
from typing import Any

Exercise = Callable[[Any], None]
"""Looks at an answer. Raises Wrong if it is wrong, and NotAnswered if it is none."""


class Wrong(Exception):
    """An answer is wrong; the text says why, or where to look."""


class NotAnswered(Exception):
    """There is no answer yet."""


def checker(*exercises: Exercise) -> Callable[..., None]:
    """The function `check` of a notebook: it takes an answer to each exercise, in order."""

    def check(*answers: object) -> None:
        """Print a line for each answer: right, wrong and why, or not answered yet."""
        if len(answers) != len(exercises):
            raise TypeError(f"there are {len(exercises)} exercises, not {len(answers)}")
        for number, (exercise, answer) in enumerate(
            zip(exercises, answers, strict=True), start=1
        ):
            print(f"Exercise {number}: {verdict(exercise, answer)}")

    return check


def verdict(exercise: Exercise, answer: object) -> str:
    """What is to be said of an answer."""
    try:
        if answer is ...:
            raise NotAnswered
        exercise(answer)
    except NotAnswered:
        return "not answered yet."
    except Wrong as problem:
        return f"wrong. {problem}"
    except (
        Exception
    ) as error:  # an answer is a student's program, which may raise anything
        return f"wrong. Your function raises {type(error).__name__}: {error}"
    return "right."


def expect_number(
    answer: object, right: int, hint: str, mistakes: Mapping[int, str] | None = None
) -> None:
    """Check a whole number; `mistakes` has a hint of its own for numbers that are often given.

    Raises: Wrong for anything else than the right number.
    """
    if type(answer) is not int:
        raise Wrong(f"A whole number is wanted, not {answer!r}.")
    if answer != right:
        raise Wrong(f"It is not {answer}. {(mistakes or {}).get(answer, hint)}")


def call(answer: object, *arguments: object) -> Any:
    """What a student's function returns for these arguments.

    Raises: NotAnswered when it returns None, as a function without a body does; Wrong when the
        answer is no function.
    """
    if not callable(answer):
        raise Wrong(f"A function is wanted, not {answer!r}.")
    result = answer(*arguments)
    if result is None:
        raise NotAnswered
    return result


def expect_result(answer: object, right: object, *arguments: object) -> None:
    """Check what a student's function returns for these arguments.

    Raises: Wrong for another result, and what `call` raises.
    """
    result = call(answer, *arguments)
    if result != right:
        given = ", ".join(map(repr, arguments))
        raise Wrong(f"For ({given}) it must return {right!r}, not {result!r}.")
