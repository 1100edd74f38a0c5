"""Exercises of notebook 10: the whole query and its cost."""

import ipa
from ipa.protocols import pad_reports

from exercises.checking import Exercise, Wrong, call, checker, expect_number


def rows_that_are_sorted(answer: object) -> None:
    """Padded to a power of two."""
    network = ipa.simulated_network(seed=1)
    events = ipa.generate_events(1000)
    parameters = ipa.QueryParameters(breakdowns=16, cap=1)
    randomness = ipa.Randomness.from_seed(1, "exercise")
    reports = ipa.share_events(network, events, parameters, randomness)
    rows = pad_reports(network, reports).rows
    expect_number(answer, rows, "The helpers add reports up to a power of two.")


def seconds_of_waiting(answer: object) -> None:
    """The rounds come one after another."""
    mistakes = {15000: "Those are milliseconds.", 24: "Multiply, do not divide."}
    expect_number(
        answer, 600 * 25 // 1000, "The rounds come one after another.", mistakes
    )


def count_of_triggers(answer: object) -> None:
    """Random events, in which a person has several triggers and the values vary."""
    for seed, number in ((1, 40), (2, 33), (3, 5)):
        events = ipa.generate_events(
            number, users=6, breakdowns=4, match_key_bits=16, seed=seed
        )
        parameters = ipa.QueryParameters(
            breakdowns=4, cap=1_000_000, match_key_bits=16, aggregate="count"
        )
        network = ipa.simulated_network(seed=seed)
        randomness = ipa.Randomness.from_seed(seed, "exercise")
        reports = ipa.share_events(network, events, parameters, randomness)
        result = call(answer, network, reports, 4)
        if not isinstance(result, ipa.SharedBits):
            raise Wrong(f"It must return shared sums, not {result!r}.")
        right = ipa.query_sql(events, parameters)
        got = ipa.reconstruct_for_testing(result)
        if got != right:
            raise Wrong(f"For {number} events it gives {got}, and SQL gives {right}.")


EXERCISES: tuple[Exercise, ...] = (
    rows_that_are_sorted,
    seconds_of_waiting,
    count_of_triggers,
)
check = checker(*EXERCISES)
