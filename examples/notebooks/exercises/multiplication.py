"""Exercises of notebook 2: multiplication and its messages."""

from collections.abc import Callable
from itertools import product

import ipa
from ipa.protocols import multiply

from exercises.checking import Exercise, Wrong, call, checker, expect_number


def bytes_of_a_helper(answer: object) -> None:
    """A bit for each product, in whole bytes."""
    network = ipa.simulated_network(seed=1)
    randomness = ipa.Randomness.from_seed(1, "exercise")
    table = ipa.share_rows(network, [0] * 1000, 16, randomness)
    multiply(network, table, table)
    sent = ipa.cost_of(network.costs).bytes_sent // 3
    mistakes = {
        3 * sent: "That is what all three helpers send together.",
        8 * sent: "That is the number of bits.",
        sent // 16: "That is for one column; there are 16.",
    }
    expect_number(answer, sent, "A helper sends one bit for each product.", mistakes)


def check_gate(answer: object, inputs: int, meaning: Callable[..., int]) -> None:
    """Run a student's function on every combination of bits, and count its AND gates.

    Raises: Wrong when a bit is wrong, or when there is more than one AND gate a row.
    """
    cases = list(product((0, 1), repeat=inputs))
    network = ipa.simulated_network(seed=1)
    randomness = ipa.Randomness.from_seed(2, "exercise")
    tables = [
        ipa.share_rows(network, column, 1, randomness)
        for column in zip(*cases, strict=True)
    ]
    result = call(answer, network, *tables)
    if not isinstance(result, ipa.SharedBits):
        raise Wrong(f"It must return shared bits, not {result!r}.")
    for case, got in zip(cases, ipa.reconstruct_for_testing(result), strict=True):
        if got != meaning(*case):
            raise Wrong(
                f"For the bits {case} it gives {got} instead of {meaning(*case)}."
            )
    gates = ipa.cost_of(network.costs).and_gates
    if gates > len(cases):
        raise Wrong(
            f"The bits are right, but it takes {gates // len(cases)} AND gates for each row: "
            "one is enough."
        )


def or_of_two(answer: object) -> None:
    """x ^ y ^ xy."""
    check_gate(answer, 2, lambda x, y: x | y)


def majority_of_three(answer: object) -> None:
    """(x ^ y)(x ^ z) ^ x."""
    check_gate(answer, 3, lambda x, y, z: int(x + y + z >= 2))


EXERCISES: tuple[Exercise, ...] = (bytes_of_a_helper, or_of_two, majority_of_three)
check = checker(*EXERCISES)
