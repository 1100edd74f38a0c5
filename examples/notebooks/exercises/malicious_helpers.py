"""Exercises of notebook 7: malicious helpers and the batch check."""

import random
from functools import reduce
from operator import xor

from exercises.checking import Exercise, Wrong, call, checker, expect_number


def weighted_sum(errors: list[int], weights: list[int]) -> int:
    """The XOR of the weights of the errors."""
    return reduce(xor, [w for e, w in zip(errors, weights, strict=True) if e], 0)


def bits_of_security(answer: object) -> None:
    """The probabilities of 2^10 checks add up at most."""
    mistakes = {
        -54: "The minus sign is in 2^-k already.",
        74: "More checks make a miss more likely, not less.",
        64: "That is for one check.",
    }
    expect_number(answer, 64 - 10, "1,024 is 2^10: add up 2^10 times 2^-64.", mistakes)


def caught_or_not(answer: object) -> None:
    """Random errors and weights of two bits, so that sums of 0 are frequent."""
    rng = random.Random(1)
    for _ in range(300):
        weights = [rng.randrange(4) for _ in range(rng.randrange(6))]
        errors = [rng.randrange(2) for _ in weights]
        right = weighted_sum(errors, weights) != 0
        got = call(answer, list(errors), list(weights))
        if got is not right:
            raise Wrong(
                f"For errors {errors} and weights {weights} it must return {right}, "
                f"not {got!r}."
            )


def errors_that_cancel(answer: object) -> None:
    """Nine weights of eight bits are always linearly dependent."""
    rng = random.Random(2)
    for _ in range(20):
        weights = [rng.randrange(256) for _ in range(9)]
        errors = call(answer, list(weights))
        if not isinstance(errors, list | tuple) or len(errors) != len(weights):
            raise Wrong(
                f"It must return a list of {len(weights)} bits, not {errors!r}."
            )
        if not set(errors) <= {0, 1} or not any(errors):
            raise Wrong(f"There must be errors of 1, and none but 0 and 1: {errors!r}.")
        if (total := weighted_sum(list(errors), weights)) != 0:
            raise Wrong(
                f"For weights {weights} the errors {errors} are caught: {total}."
            )


EXERCISES: tuple[Exercise, ...] = (bits_of_security, caught_or_not, errors_that_cancel)
check = checker(*EXERCISES)
