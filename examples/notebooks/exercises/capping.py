"""Exercises of notebook 6: capping, and why it exists."""

import random

from ipa.oracle import Row, cap_credits

from exercises.checking import Exercise, Wrong, call, checker, expect_number


def capped(credits: list[int], cap: int, how: str) -> list[int]:
    """What the library's oracle makes of the credits of one person."""
    rows = [Row(7, 1, time, False, 0, 0) for time in range(len(credits))]
    return cap_credits(
        rows, credits, cap, "truncate" if how == "truncate" else "proportional"
    )


def truncated_row(answer: object) -> None:
    """What the rows before leave of the cap."""
    right = capped([5, 5, 4], 12, "truncate")[-1]
    mistakes = {
        capped([5, 5, 4], 12, "proportional")[-1]: "That is proportional capping.",
        4: "Then all three together would be more than the cap.",
    }
    expect_number(
        answer, right, "What do the first two rows leave of the cap?", mistakes
    )


def proportional_credits(answer: object) -> None:
    """Examples where rounding matters, where nothing is to be done, and random ones."""
    rng = random.Random(1)
    cases = [([1, 1, 1], 2), ([30, 20], 50), ([30, 20], 60), ([0, 0], 1), ([], 5)]
    cases += [
        ([rng.randrange(40) for _ in range(rng.randrange(1, 7))], rng.randrange(1, 90))
        for _ in range(200)
    ]
    for credits, cap in cases:
        right = capped(credits, cap, "proportional")
        got = call(answer, list(credits), cap)
        if got != right:
            raise Wrong(
                f"For credits {credits} and cap {cap} it must return {right}, not {got!r}."
            )


def taken_away(answer: object) -> None:
    """All of it comes from one person."""
    mistakes = {
        5000: "The person keeps the cap.",
        30: "That is what the person keeps.",
        3030: "That is what is left of the sum.",
    }
    hint = "From whom does the cap take something, and how much?"
    expect_number(answer, 5000 - 30, hint, mistakes)


EXERCISES: tuple[Exercise, ...] = (truncated_row, proportional_credits, taken_away)
check = checker(*EXERCISES)
