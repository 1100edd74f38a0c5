"""Exercises of notebook 8: noise and budget."""

from fractions import Fraction

from exercises.checking import Exercise, Wrong, call, checker, expect_number


def scale_of_noise(answer: object) -> None:
    """The cap divided by epsilon."""
    mistakes = {50: "Less epsilon is more privacy, and takes more noise, not less."}
    right = int(100 / Fraction(1, 2))
    expect_number(answer, right, "Divide the cap by epsilon.", mistakes)


def queries_in_a_budget(answer: object) -> None:
    """Epsilons add up."""
    expect_number(
        answer, int(1 / Fraction(1, 8)), "The epsilons of all queries add up."
    )


def certain_answers(answer: object) -> None:
    """Every answer that is possible with her or without her."""
    possible = {
        "with": range(107 - 5, 107 + 5 + 1),
        "without": range(100 - 5, 100 + 5 + 1),
    }
    for noisy in range(95, 113):
        cases = [name for name, answers in possible.items() if noisy in answers]
        right = cases[0] if len(cases) == 1 else "unknown"
        got = call(answer, noisy)
        if got != right:
            raise Wrong(
                f"For the answer {noisy} it must return {right!r}, not {got!r}: {noisy} is "
                f"possible {' and '.join(cases)} her."
            )


EXERCISES: tuple[Exercise, ...] = (scale_of_noise, queries_in_a_budget, certain_answers)
check = checker(*EXERCISES)
