"""Exercises of notebook 5: last touch."""

from itertools import product

from ipa.oracle import last_touch_passes

from exercises.checking import Exercise, Wrong, call, checker, expect_number


def passes_for_rows(answer: object) -> None:
    """The distances 1, 2, 4, ... below the number of rows."""
    passes = len(last_touch_passes([0] * 5000, [0] * 5000, [0] * 5000))
    mistakes = {passes - 1: "The last distance must reach the last row from the first."}
    expect_number(
        answer, passes, "The distance doubles until no row is so far away.", mistakes
    )


def credit_after_a_pass(answer: object) -> None:
    """Its own value, and that of the purchase behind it."""
    after = last_touch_passes([0, 1, 1, 1], [0, 1, 1, 1], [0, 10, 10, 10])[0]
    mistakes = {
        10: "It also takes what the row ahead of it has.",
        30: "It has looked one row ahead, not two.",
    }
    expect_number(
        answer, after.credit[1], "Do the pass by hand for the 4 rows.", mistakes
    )


def stop_bits(answer: object) -> None:
    """Every pair of columns of a few bits, and distances up to and past the end."""
    wrong, as_in_tables = "", True
    for rows, distance in ((5, 1), (5, 2), (5, 4), (3, 4)):
        for bits in product((0, 1), repeat=2 * rows):
            flag, stop = list(bits[:rows]), list(bits[rows:])
            there = [*stop[distance:], *[0] * rows][:rows]
            right = [f & s for f, s in zip(flag, there, strict=True)]
            got = call(answer, list(flag), list(stop), distance)
            as_in_tables &= got == flag
            if got != right and not wrong:
                wrong = (
                    f"For flag {flag}, stop {stop} and distance {distance} it must return "
                    f"{right}, not {got!r}."
                )
    if wrong and as_in_tables:
        raise Wrong("That is the error of the tables: it ignores the row ahead.")
    if wrong:
        raise Wrong(wrong)


EXERCISES: tuple[Exercise, ...] = (passes_for_rows, credit_after_a_pass, stop_bits)
check = checker(*EXERCISES)
