"""Exercises of notebook 4: comparing and sorting."""

import ipa
from ipa.protocols import greater_than
from ipa.protocols.circuits.bitonic_sort import bitonic_stages

from exercises.checking import Exercise, Wrong, call, checker, expect_number


def rounds_of_a_comparison(answer: object) -> None:
    """Each round halves the number of runs of digits that are left."""
    network = ipa.simulated_network(seed=1)
    x = ipa.share_rows(network, [0], 1000, ipa.Randomness.from_seed(1, "exercise"))
    greater_than(network, x, x)
    mistakes = {1000: "That would be one digit after the other."}
    hint = "Each round joins runs of digits in pairs. Look at the table above."
    expect_number(answer, ipa.cost_of(network.costs).rounds, hint, mistakes)


def smaller_of_two(answer: object) -> None:
    """Runs the function on all order relations, and on the ends of the range."""
    network = ipa.simulated_network(seed=1)
    randomness = ipa.Randomness.from_seed(2, "exercise")
    first, second = [0, 255, 0, 7, 90, 91, 128], [255, 0, 0, 7, 91, 90, 127]
    a, b = (ipa.share_rows(network, rows, 8, randomness) for rows in (first, second))
    result = call(answer, network, a, b)
    if not isinstance(result, ipa.SharedBits):
        raise Wrong(f"It must return a shared table, not {result!r}.")
    values = ipa.reconstruct_for_testing(result)
    if len(values) != len(first):
        raise Wrong(f"For {len(first)} rows it returns {len(values)}.")
    for x, y, got in zip(first, second, values, strict=True):
        if got != min(x, y):
            raise Wrong(f"For {x} and {y} it gives {got}.")
    if any("open" in step for step in network.costs):
        raise Wrong("The numbers are right, but it opens a secret.")


def pairs_of_sixteen(answer: object) -> None:
    """Eight pairs in each of ten stages."""
    stages = len(list(bitonic_stages(4)))
    mistakes = {
        stages: "That is the number of stages.",
        16 * stages: "A pair has two rows: each stage has 8 pairs.",
        16 * 15 // 2: "Those would be all pairs.",
    }
    hint = "There are k(k + 1)/2 stages of n/2 pairs, and 16 = 2^4."
    expect_number(answer, 8 * stages, hint, mistakes)


EXERCISES: tuple[Exercise, ...] = (
    rounds_of_a_comparison,
    smaller_of_two,
    pairs_of_sixteen,
)
check = checker(*EXERCISES)
