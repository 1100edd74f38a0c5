"""No selective failure: whether, where and how a run aborts says nothing about the secrets."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from malicious_cases import MaliciousSimulation, column_errors, element_errors, raised, tiny
from strategies import events_within, examples

from ipa.attacks import Attack, Change, Tampering, add_error
from ipa.errors import MisbehaviourError
from ipa.events import Event
from ipa.parameters import Sort
from ipa.parties import HELPERS
from ipa.protocols.circuits.multiplication import multiply
from ipa.sharing.shared_bits import SharedBits

FOUR_EVENTS = events_within(tiny(), 4)
WAYS: list[tuple[Sort, str]] = [
    ("bitonic", "query/sort/*"),
    ("bitonic", "query/agg*"),
    ("bitonic", "check/*/open"),
    ("bitonic", "check/*/values"),
    ("shuffle", "query/sort/*"),
    ("shuffle", "query/sort/compare/*"),
    ("shuffle", "query/sort/shuffle/compare"),
]
"""How rows are sorted, and whose messages are changed: with four rows all comparisons are opened at once."""
SECRETS = st.lists(st.integers(0, 15), min_size=5, max_size=5)


def outcome(
    events: list[Event], seed: int, attack: Attack, sort: Sort
) -> tuple[type[MisbehaviourError], str, tuple[int, ...], list[tuple[str, int, int, int]]]:
    """The error, and the shape of everything that was sent before it."""
    tampering = [attack.tampering] if attack.tampering else []
    simulation = MaliciousSimulation(seed, interceptors=tampering, attack=attack)
    error = raised(lambda: simulation.query(events, tiny(sort=sort)))
    assert error is not None
    return type(error), str(error), error.detected_by, simulation.transcript.shape()


@examples(20)
@given(
    FOUR_EVENTS,
    FOUR_EVENTS,
    st.integers(0, 2**32),
    st.sampled_from(HELPERS),
    st.sampled_from(["sort", "helper-bits", "attribution", "capping", "aggregation"]),
    st.sampled_from(get_args(Sort)),
)
def test_an_error_in_products_aborts_whatever_the_secrets(
    first: list[Event], second: list[Event], seed: int, helper: int, part: str, sort: Sort
) -> None:
    attack = add_error(helper, f"query/*{part}*/multiply")
    one, other = outcome(first, seed, attack, sort), outcome(second, seed + 1, attack, sort)
    assert one == other
    # After a shuffle the comparisons are checked by themselves, before they are opened.
    check = "check" if sort == "bitonic" or part == "sort" else "check#2"
    assert one[1].startswith(f"{check}/bits/last: a product is wrong")


@examples(20)
@given(
    FOUR_EVENTS,
    FOUR_EVENTS,
    st.integers(0, 2**32),
    st.sampled_from(HELPERS),
    st.sampled_from(WAYS),
    st.sampled_from(["flip", "drop", "truncate", "extend", "replay"]),
)
def test_changed_messages_abort_alike_whatever_the_secrets(
    first: list[Event],
    second: list[Event],
    seed: int,
    helper: int,
    way: tuple[Sort, str],
    change: Change,
) -> None:
    sort, pattern = way
    one, other = (
        outcome(events, own_seed, Attack(helper, Tampering(helper, pattern, change, bit=0)), sort)
        for events, own_seed in ((first, seed), (second, seed + 1))
    )
    assert one == other


@pytest.mark.parametrize("helper", HELPERS)
def test_every_value_of_the_operands_of_a_wrong_gate(helper: int) -> None:
    """An error is caught for all operands, so for a product of 1 as for one of 0."""
    found = set()
    for x in (0, 1):
        for y in (0, 1):
            for attack in (
                column_errors(helper, "multiply", [1]),
                element_errors(helper, "check/bits/*", [1]),
            ):
                simulation = MaliciousSimulation(10 * x + y, attack=attack)
                multiply(simulation.network, simulation.bits([x], 1), simulation.bits([y], 1))
                error = raised(simulation.finish)
                assert error is not None
                found.add(str(error))
    assert len(found) == 1


@examples(30)
@given(SECRETS, SECRETS, st.integers(0, 2**32), st.sampled_from(HELPERS))
def test_a_helper_that_uses_a_wrong_operand_is_caught_by_what_it_knows_itself(
    values: list[int], others: list[int], seed: int, helper: int
) -> None:
    """With every bit of its own share of x inverted, its error is the sum of its two shares of y.

    So it knows beforehand whether it will be caught, and learns nothing.
    """

    def run(attack: Attack | None) -> tuple[SharedBits, MisbehaviourError | None]:
        simulation = MaliciousSimulation(seed, attack=attack)
        x, y = simulation.bits(values, 4), simulation.bits(others, 4)
        multiply(simulation.network, x, y)
        return y, raised(simulation.finish)

    y, honest = run(None)
    assert honest is None
    errors = [a ^ b for a, b in zip(*y.shares_of(helper), strict=True)]
    _, error = run(column_errors(helper, "multiply", errors))
    assert (error is not None) == any(errors)
