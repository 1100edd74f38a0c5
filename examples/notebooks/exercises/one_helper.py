"""Exercises of notebook 3: what one helper sees."""

from itertools import product

from exercises.checking import (
    Exercise,
    Wrong,
    call,
    checker,
    expect_number,
    expect_result,
)


def share_that_is_lacking(answer: object) -> None:
    """H2 holds shares 2 and 3."""
    hint = "H2 holds that one. It holds its own share and that of its right neighbour."
    expect_number(answer, 1, hint)


def bit_of_two_helpers(answer: object) -> None:
    """The XOR of the three shares, one of which both hold."""
    for x1, x2, x3 in product((0, 1), repeat=3):
        expect_result(answer, x1 ^ x2 ^ x3, (x1, x2), (x2, x3))


def view_without_secret(answer: object) -> None:
    """Eight different views from the eight throws of three coins."""
    views = [call(answer, *coins) for coins in product((0, 1), repeat=3)]
    for view in views:
        if not isinstance(view, tuple) or len(view) != 3 or not set(view) <= {0, 1}:
            raise Wrong(f"A view is a tuple of three bits, not {view!r}.")
    for view in product((0, 1), repeat=3):
        if (times := views.count(view)) != 1:
            raise Wrong(
                f"The view {view} comes from {times} of the 8 throws. All views are equally "
                "likely, so it must come from one."
            )


EXERCISES: tuple[Exercise, ...] = (
    share_that_is_lacking,
    bit_of_two_helpers,
    view_without_secret,
)
check = checker(*EXERCISES)
